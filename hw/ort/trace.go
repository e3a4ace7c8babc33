package ort

import (
	"encoding/json"
	"fmt"
	"strings"

	"perceive/hw"
)

// event is what matters of an entry in ONNX Runtime's profile.
type event struct {
	Category string `json:"cat"`
	Name     string `json:"name"`
	Args     struct {
		Provider string `json:"provider"`
		Index    string `json:"node_index"`
	} `json:"args"`
}

// nodesOf reads a profile, a Chrome trace in JSON, and counts the nodes that ran by
// provider. A node that ran several times counts once.
func nodesOf(profile []byte) (map[hw.Provider]int, error) {
	var events []event
	if err := json.Unmarshal(profile, &events); err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	nodes := map[hw.Provider]int{}
	seen := map[event]bool{}
	for _, e := range events {
		// Older versions also write a node's "_fence_before" and "_fence_after", GPU builds
		// the device's kernels in a category of their own.
		if e.Category != "Node" || e.Args.Provider == "" || !strings.HasSuffix(e.Name, "_kernel_time") || seen[e] {
			continue
		}
		seen[e] = true
		nodes[providerOf(e.Args.Provider)]++
	}
	return nodes, nil
}

// providerOf turns the library's name of a provider into this project's: the CPU's is
// "CPUExecutionProvider", TensorRT's is "TensorrtExecutionProvider".
func providerOf(name string) hw.Provider {
	return hw.Provider(strings.ToLower(strings.TrimSuffix(name, "ExecutionProvider")))
}

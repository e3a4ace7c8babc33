package hw

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ErrNotRun reports a provider that was loaded and ran no node of the graph.
var ErrNotRun = errors.New("the provider ran no node")

// Assignment is which provider ran the nodes of a graph: what was measured, in contrast
// to which provider accepted the session.
type Assignment struct {
	// Nodes counts the graph's nodes, after optimisation, by the provider that ran them.
	// What TensorRT or another compiler made one engine of is one node.
	Nodes map[Provider]int `json:"nodes"`
	// Method says how it was measured.
	Method string `json:"method"`
}

// Total is the number of nodes that ran.
func (a Assignment) Total() (n int) {
	for _, k := range a.Nodes {
		n += k
	}
	return n
}

// most is the provider that ran most nodes.
func (a Assignment) most() Provider {
	var best Provider
	for _, p := range a.providers() {
		if best == "" || a.Nodes[p] > a.Nodes[best] {
			best = p
		}
	}
	return best
}

// providers are those with nodes: in the order of Providers, then others by name.
func (a Assignment) providers() []Provider {
	rank := func(p Provider) int {
		if i := slices.Index(Providers(), p); i >= 0 {
			return i
		}
		return len(Providers())
	}
	return slices.SortedFunc(maps.Keys(a.Nodes), func(x, y Provider) int {
		return cmp.Or(cmp.Compare(rank(x), rank(y)), cmp.Compare(x, y))
	})
}

// String is such as "cpu 7, cuda 80 nodes".
func (a Assignment) String() string {
	var parts []string
	for _, p := range a.providers() {
		parts = append(parts, fmt.Sprintf("%s %d", p, a.Nodes[p]))
	}
	if parts == nil {
		return "no nodes"
	}
	return strings.Join(parts, ", ") + " nodes"
}

// WithMeasured is the report with what was measured, which overrules what was assumed. A
// provider other than the CPU that ran no node is ErrNotRun under Require; under Prefer
// the report says what ran instead, Degraded and with a reason.
func (r ProviderReport) WithMeasured(a Assignment) (ProviderReport, error) {
	if a.Total() == 0 {
		return r, fmt.Errorf("hw: measured by %s: %w: nothing was measured", a.Method, ErrNotRun)
	}
	r.Measured = &a
	if r.Used == CPU || a.Nodes[r.Used] > 0 {
		return r, nil
	}
	why := fmt.Sprintf("%s was loaded and ran none of %d nodes (%s)", r.Used, a.Total(), a)
	if r.Policy != Prefer {
		return r, fmt.Errorf("hw: %w: %s", ErrNotRun, why)
	}
	r.Used, r.Degraded = a.most(), true
	r.Precision, r.Engine = "", ""
	if r.Reason != "" {
		r.Reason += "; "
	}
	r.Reason += why
	if r.Used == CPU {
		r.Device = 0
	}
	return r, nil
}

// Package engine keeps the engines that TensorRT builds: which key they were built for,
// whether they are still whole, and how long the build took. An engine that was built
// for something else, or half of one, gives wrong answers or crashes; so nothing here is
// trusted that does not match in every field and every byte.
package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Key is everything that an engine depends on.
type Key struct {
	// Model is the SHA-256 of the model file's bytes, in hexadecimal.
	Model       string `json:"model_sha256"`
	ONNXRuntime string `json:"onnxruntime"`
	TensorRT    string `json:"tensorrt"`
	Driver      string `json:"driver"`
	// Device is the GPU's name; an engine runs on the kind of GPU that it was built on.
	Device string `json:"device"`
	// Precision is such as "fp16" (ort.TensorRTOptions.Precision); DLA and the workspace
	// belong to it: "int8, dla 0".
	Precision string `json:"precision"`
	// Shapes are the inputs with their sizes: "frame uint8[1 224 384 3]".
	Shapes string `json:"shapes"`
}

// fields are the key's parts with their names in JSON.
func (k Key) fields() [7][2]string {
	return [...][2]string{{"model_sha256", k.Model}, {"onnxruntime", k.ONNXRuntime}, {"tensorrt", k.TensorRT}, {"driver", k.Driver},
		{"device", k.Device}, {"precision", k.Precision}, {"shapes", k.Shapes}}
}

// Validate reports the fields that are empty: an engine whose TensorRT is not known
// cannot be told from one of another version.
func (k Key) Validate() error {
	var errs []error
	for _, f := range k.fields() {
		if f[1] == "" {
			errs = append(errs, fmt.Errorf("%s: not known", f[0]))
		}
	}
	return errors.Join(errs...)
}

// ID is the name of the key's folder: a readable part and a hash of all fields.
func (k Key) ID() string {
	text, err := json.Marshal(k)
	if err != nil {
		panic(err) // strings can be marshalled
	}
	sum := sha256.Sum256(text)
	return fmt.Sprintf("%s-%s-%s", clean(k.Model, 12), clean(k.Precision, 16), hex.EncodeToString(sum[:8]))
}

// clean makes a part of a file's name out of a text.
func clean(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, s)
	return s[:min(len(s), most)]
}

// differs names the fields in which an engine's key is not the one that is wanted, "" if
// there is none.
func (k Key) differs(want Key) string {
	var parts []string
	w := want.fields()
	for i, f := range k.fields() {
		if f[1] != w[i][1] {
			parts = append(parts, fmt.Sprintf("%s was %q and is %q", f[0], short(f[1]), short(w[i][1])))
		}
	}
	return strings.Join(parts, ", ")
}

func short(s string) string {
	if len(s) > 48 {
		return s[:12] + "…"
	}
	return s
}

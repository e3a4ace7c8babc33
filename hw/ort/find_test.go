package ort

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestFindPicksTheRightFile(t *testing.T) {
	for _, tc := range []struct {
		name  string
		files []string
		want  string // empty: not found
	}{
		{"plain", []string{"libonnxruntime.so", "libonnxruntime.so.1.27.0"}, "libonnxruntime.so"},
		{"versioned", []string{"libonnxruntime.so.1.27.0"}, "libonnxruntime.so.1.27.0"},
		{"plug-ins are not the library", []string{"libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so"}, ""},
		{"nothing", nil, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, f := range tc.files {
				if err := os.WriteFile(filepath.Join(dir, f), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := Config{Search: []string{"/nonexistent", dir}}.Find()
			if tc.want == "" {
				if !errors.Is(err, ErrUnavailable) {
					t.Errorf("found %q, %v, want ErrUnavailable", got, err)
				}
			} else if got != filepath.Join(dir, tc.want) || err != nil {
				t.Errorf("found %q, %v, want %s", got, err, tc.want)
			}
		})
	}
}

// No bytes may panic the header reader: it sees files from anywhere.
func FuzzReadHeader(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte("\x3a\x02\x0a\x00"))
	f.Add([]byte("\x3a\x16\x5a\x09\x0a\x01x\x12\x04\x0a\x02\x08\x01\x62\x09\x0a\x01y\x12\x04\x0a\x02\x08\x01"))
	f.Fuzz(func(t *testing.T, model []byte) {
		h, err := readHeader(model)
		if err == nil && (len(h.inputs) == 0 || len(h.outputs) == 0) {
			t.Errorf("a header without inputs or outputs was accepted: %+v", h)
		}
	})
}

package engine

import (
	"path/filepath"
	"testing"
)

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(`{"schema":1,"key":{"model_sha256":"ab"},"files":[{"name":"a.engine","bytes":9,"sha256":"00"}],"built":"2026-01-01T00:00:00Z","seconds":3}`))
	f.Add([]byte(`{"schema":1,"files":[{"name":".."}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := parseManifest(text)
		if err != nil {
			return
		}
		for _, file := range m.Files {
			if filepath.Dir(filepath.Join("/c", file.Name)) != "/c" {
				t.Errorf("%q leaves the folder", file.Name)
			}
		}
	})
}

package models

import (
	"embed"
	"fmt"
	"io/fs"
	"sync"
)

// The contracts of detectors that others trained, for comparison: facts only, no weights.
//
//go:embed peers/*.yaml
var peerFiles embed.FS

// Peers are the contracts that ship with the program, each for one file by its SHA-256.
var Peers = sync.OnceValues(func() ([]*Sidecar, error) {
	names, err := fs.Glob(peerFiles, "peers/*.yaml")
	if err != nil {
		return nil, err
	}
	var out []*Sidecar
	for _, name := range names {
		text, err := peerFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		s, err := ParseSidecar("models/"+name, text)
		if err != nil {
			return nil, err
		}
		if s.SHA256 == "" {
			return nil, fmt.Errorf("models/%s: sha256: missing", name)
		}
		out = append(out, s)
	}
	return out, nil
})

// PeerOf is the shipped contract of the file with this SHA-256, nil if there is none.
func PeerOf(sum string) (*Sidecar, error) {
	peers, err := Peers()
	if err != nil {
		return nil, err
	}
	for _, s := range peers {
		if s.SHA256 == sum {
			return s, nil
		}
	}
	return nil, nil
}

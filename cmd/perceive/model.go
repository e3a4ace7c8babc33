package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"perceive/export/onnx"
	"perceive/hw"
	"perceive/hw/ort"
	"perceive/models"
	"perceive/models/signature"
	"perceive/perception/model"
)

// modelFlags choose a model file and what runs it.
type modelFlags struct {
	Model     string      `placeholder:"FILE.onnx" help:"Model file, or a model that is built in: road (the default) or road-int8."`
	Manifest  string      `type:"path" placeholder:"FILE" help:"Contract of a model file that carries none: YAML for one that another tool wrote, JSON for one of this program."`
	PublicKey string      `type:"path" placeholder:"FILE.pub" help:"Refuse a model file that this key has not signed."`
	Provider  hw.Provider `default:"cpu" help:"What runs the network: cpu, cuda, tensorrt, auto."`
	Policy    hw.Policy   `default:"require" help:"If the provider cannot be used: 'require' fails, 'prefer' runs on the next best and says so."`
	acceleratorFlags
}

// load reads, proves and loads the model; measure adds the proof of which provider ran it.
func (c *modelFlags) load(a *app, rt *ort.Runtime, opts ort.Options, measure bool) (*model.Model, error) {
	file, name, with, err := c.read(opts)
	if err != nil {
		return nil, err
	}
	with.Measure = measure
	if err := c.engines(a, rt, file, &with); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	m, err := model.LoadWith(a.ctx, rt, file, with)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

// read reads the model file that the flags choose, and how it is to be loaded.
func (c *modelFlags) read(opts ort.Options) (file []byte, name string, with model.Options, err error) {
	if err := c.acceleratorFlags.check(c.Provider); err != nil {
		return nil, "", with, err
	}
	with.Options = c.acceleratorFlags.options(opts)
	with.Provider, with.Policy = c.Provider, c.Policy
	if c.PublicKey != "" {
		if c.Manifest != "" {
			return nil, "", with, usageError{errors.New("--public-key: a signed file is loaded with the contract that it carries: leave --manifest out")}
		}
		if with.PublicKey, err = signature.ReadPublic(c.PublicKey); err != nil {
			return nil, "", with, err
		}
	}
	file, name, err = readWithContract(c.Model, c.Manifest, &with)
	return file, name, with, err
}

// builtIn is how the model that ships with the program is called.
const builtIn = "the built-in road model"

// openModel loads a model file, "" for the built-in one, with its contract in a file, "" for
// the one it carries. It returns the file's bytes, too.
func openModel(a *app, rt *ort.Runtime, path, manifest string, opts model.Options) (*model.Model, []byte, error) {
	file, name, err := readWithContract(path, manifest, &opts)
	if err != nil {
		return nil, nil, err
	}
	m, err := model.LoadWith(a.ctx, rt, file, opts)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, file, nil
}

// readWithContract reads what openModel loads, and says how to call it.
func readWithContract(path, manifest string, opts *model.Options) (file []byte, name string, err error) {
	if file, name, err = readModel(path); err != nil {
		return nil, "", err
	}
	switch {
	case manifest != "":
		err = readContract(manifest, opts)
	case opts.PublicKey == nil:
		opts.Sidecar, err = peer(file)
	}
	return file, name, err
}

// readModel reads a model file or takes one that is built in, and says how to call it. A
// file that is called like one of those is named with its folder: ./road.
func readModel(path string) (file []byte, name string, err error) {
	if path == "" {
		return models.Road, builtIn, nil
	}
	if file := models.Find(path); file != nil {
		return file, path, nil
	}
	file, err = onnx.ReadFile(path)
	return file, path, err
}

// readContract reads the contract of a model file: YAML says how a file from elsewhere is to
// be understood, JSON is a manifest.
func readContract(path string, opts *model.Options) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	switch filepath.Ext(path) {
	case ".yaml", ".yml":
		opts.Sidecar, err = models.ParseSidecar(path, text)
	default:
		if opts.Manifest, err = models.Parse(text); err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
	}
	if err != nil {
		return usageError{err}
	}
	return nil
}

// peer is the contract that ships with the program for exactly this file, nil if there is
// none. A file that carries its own needs no other.
func peer(file []byte) (*models.Sidecar, error) {
	sum := sha256.Sum256(file)
	return models.PeerOf(hex.EncodeToString(sum[:]))
}

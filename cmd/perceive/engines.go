package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"perceive/export/onnx"
	"perceive/hw"
	"perceive/hw/board"
	"perceive/hw/engine"
	"perceive/hw/nvml"
	"perceive/hw/ort"
	"perceive/perception/model"
)

// engineBuilder has TensorRT build the engine of a model, if the one in the cache cannot
// be used.
type engineBuilder struct {
	rt    *ort.Runtime
	cache engine.Cache
	file  []byte
	opts  model.Options
	// step shows what is being done while do runs; last is how long it took before, or 0.
	step func(what string, last time.Duration, do func() error) error
	// note prints a line.
	note func(format string, args ...any)
}

// ready is the folder of an engine that has been checked, and built and proved if it had
// to be.
func (b *engineBuilder) ready(ctx context.Context) (string, error) {
	// Without a provider there is nothing to identify, and the library's reason says more.
	if err := b.rt.Usable(b.session("")); err != nil {
		return "", err
	}
	key := b.key(readBoard(b.opts.Device))
	if err := key.Validate(); err != nil {
		return "", fmt.Errorf("an engine cannot be told from one of another machine: %w", err)
	}
	reason := b.cache.Check(key)
	if reason == "" {
		b.note("engine %s: whole, and built for this machine", key.ID())
		return b.cache.Folder(key), nil
	}
	b.note("engine %s has to be built: %s", key.ID(), reason)
	err := b.cache.Build(key,
		func(dir string) error {
			return b.step("TensorRT builds the engine", b.cache.LastBuild(key), func() error { return b.load(ctx, dir, false) })
		},
		func(dir string) error {
			return b.step("golden results of the engine", 0, func() error { return b.load(ctx, dir, true) })
		})
	return b.cache.Folder(key), err
}

// session is the options of a session with its engines in a folder.
func (b *engineBuilder) session(dir string) ort.Options {
	o := b.opts.Options
	o.Provider, o.Policy, o.TensorRT.EngineCache = hw.TensorRT, hw.Require, dir
	// TensorRT itself looks whether a timing is of this machine.
	o.TensorRT.TimingCache = filepath.Join(b.cache.Dir, "timing")
	return o
}

// load loads the model with its engines in dir: the first time, TensorRT builds them.
func (b *engineBuilder) load(ctx context.Context, dir string, prove bool) error {
	with := b.opts
	with.Options, with.Measure = b.session(dir), prove
	m, err := model.LoadUnproved(ctx, b.rt, b.file, with)
	if err != nil {
		return err
	}
	defer m.Close()
	if !prove {
		return nil
	}
	if len(m.Manifest().Golden) == 0 {
		b.note("not self-tested: the model has no golden results")
	}
	_, err = m.Prove(ctx)
	return err
}

// key is what the engine depends on here.
func (b *engineBuilder) key(r board.Reading) engine.Key {
	sum := b.hash()
	o := b.opts.TensorRT
	k := engine.Key{Model: hex.EncodeToString(sum), ONNXRuntime: b.rt.Version(), TensorRT: board.Libraries(nil)["TensorRT"],
		Driver: r.Facts.Driver.Value, Device: r.Facts.GPU.Value, Precision: o.Precision(), Shapes: b.shapes()}
	// A Jetson's driver and GPU come with its L4T and its board.
	if r.Facts.L4T.OK {
		k.Driver = strings.TrimSpace(k.Driver + " L4T " + r.Facts.L4T.Value)
		k.Device = r.Facts.Model.Value
	}
	if o.DLACore != nil {
		k.Precision += fmt.Sprintf(", dla %d", *o.DLACore)
	}
	if o.Workspace > 0 {
		k.Precision += fmt.Sprintf(", workspace %d", o.Workspace)
	}
	return k
}

// hash is of the file, and of the contract beside it, which changes the graph that runs.
func (b *engineBuilder) hash() []byte {
	h := sha256.New()
	h.Write(b.file)
	for _, contract := range []any{b.opts.Sidecar, b.opts.Manifest} {
		text, err := json.Marshal(contract)
		if err != nil {
			panic(err) // both came out of text
		}
		if string(text) != "null" {
			h.Write(text)
		}
	}
	return h.Sum(nil)
}

// shapes are those of the graph's inputs; "" of a file that is no model.
func (b *engineBuilder) shapes() string {
	m, err := onnx.Parse(b.file)
	if err != nil {
		return ""
	}
	var parts []string
	for _, in := range m.GetGraph().GetInput() {
		var dims []string
		for _, d := range in.GetType().GetTensorType().GetShape().GetDim() {
			if d.GetDimParam() != "" {
				dims = append(dims, d.GetDimParam())
				continue
			}
			dims = append(dims, fmt.Sprint(d.GetDimValue()))
		}
		parts = append(parts, fmt.Sprintf("%s[%s]", in.GetName(), strings.Join(dims, " ")))
	}
	return strings.Join(parts, ", ")
}

// readBoard reads the board and one GPU, once.
func readBoard(device int) board.Reading {
	r := nvml.New(&board.Sysfs{}, device)
	defer r.Close()
	return r.Read()
}

// engines sets the engine cache of a session that may run on TensorRT.
func (c *modelFlags) engines(a *app, rt *ort.Runtime, file []byte, with *model.Options) error {
	if c.EngineCache == "" {
		return nil
	}
	p := &preparing{out: a.errOut}
	b := engineBuilder{rt: rt, cache: engine.Cache{Dir: c.EngineCache}, file: file, opts: *with, step: p.step, note: p.note}
	dir, err := b.ready(a.ctx)
	switch {
	case err == nil:
		with.TensorRT.EngineCache, with.TensorRT.TimingCache = dir, filepath.Join(c.EngineCache, "timing")
		return nil
	case c.Provider == hw.TensorRT && c.Policy == hw.Require, a.ctx.Err() != nil, errors.Is(err, model.ErrGolden):
		return fmt.Errorf("engine cache %s: %w", c.EngineCache, err)
	}
	return nil // the session itself falls back, and its report says why
}

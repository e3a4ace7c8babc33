package export

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"perceive/export/quant"
)

// int8 chooses the method by its error on the held frames, and if the judge refuses what
// comes of it, layers to leave in float.
func (k *converter) int8() (*candidate, error) {
	var err error
	k.seen, err = quant.Observe(k.ctx, k.rt, k.source, func(yield func([]byte) bool) {
		for _, f := range k.c.Calibration {
			if !yield(f.Pix) {
				return
			}
		}
	})
	if err != nil {
		return nil, err
	}
	want, err := answers(k.ctx, k.reference.lane, k.c.Held)
	if err != nil {
		return nil, err
	}
	var method quant.Method
	for _, m := range quant.Methods() {
		rms, err := k.try(m, nil, want)
		if err != nil {
			return nil, err
		}
		if len(k.out.Methods) == 0 || rms < slices.MinFunc(k.out.Methods, byRMS).RMS {
			method = m
		}
		k.out.Methods = append(k.out.Methods, Error{m.Name, rms})
	}
	p := k.out.Manifest.Precision
	p.Target, p.Ranges, p.Frames = string(k.c.Target), method.Name, k.seen.Frames
	best, refusal := k.accepted(method, nil)
	if !errors.Is(refusal, ErrRefused) {
		return best, refusal
	}
	layers, err := k.costly(method, want)
	if err != nil {
		return nil, err
	}
	for n := 1; n <= len(layers)/2; n *= 2 {
		p.Float = layers[:n]
		best, err := k.accepted(method, p.Float)
		if !errors.Is(err, ErrRefused) {
			return best, err
		}
		refusal = err
	}
	return nil, fmt.Errorf("%w, even with %d of %d layers in float", refusal, len(p.Float), len(layers))
}

func byRMS(a, b Error) int { return cmp.Compare(a.RMS, b.RMS) }

// quantised is the candidate of a method with layers in float.
func (k *converter) quantised(m quant.Method, float []string) (*candidate, error) {
	ranges, err := k.seen.Ranges(m)
	if err != nil {
		return nil, err
	}
	cfg := quant.Config{Target: k.c.Target, Ranges: ranges, Float: map[string]bool{}}
	for _, l := range float {
		cfg.Float[l] = true
	}
	var passes []Pass
	if cfg.Target == quant.CPU {
		passes = append(passes, quant.Frame)
	}
	return k.apply(append(passes, quant.Int8(cfg))...)
}

// try is the error of a candidate on held frames.
func (k *converter) try(m quant.Method, float []string, want [][]float32) (float64, error) {
	c, err := k.quantised(m, float)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	got, err := answers(k.ctx, c.lane, k.c.Held[:len(want)])
	return logitError(want, got), err
}

// accepted is a candidate that the judge accepts, else its refusal.
func (k *converter) accepted(m quant.Method, float []string) (*candidate, error) {
	c, err := k.quantised(m, float)
	if err != nil {
		return nil, err
	}
	if err := k.judge(c); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// costly are the layers, the one first that costs most: without which the error of the
// whole is least.
func (k *converter) costly(m quant.Method, want [][]float32) ([]string, error) {
	layers, err := quant.Layers(k.source, k.c.Target)
	if err != nil {
		return nil, err
	}
	for _, l := range layers {
		rms, err := k.try(m, []string{l}, want)
		if err != nil {
			return nil, err
		}
		k.out.Layers = append(k.out.Layers, Error{l, rms})
	}
	slices.SortStableFunc(k.out.Layers, byRMS)
	for i, l := range k.out.Layers {
		layers[i] = l.Name
	}
	return layers, nil
}

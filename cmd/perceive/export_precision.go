package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"perceive/export"
	"perceive/export/onnx"
	"perceive/export/quant"
	"perceive/hw/ort"
	"perceive/models"
	"perceive/perception/model"
	"perceive/trainer"
	"perceive/trainer/dataset"
	"perceive/trainer/metrics"
)

// precisionFlags are how a file's numbers are made smaller.
type precisionFlags struct {
	Precision string       `enum:"fp32,fp16,int8" default:"fp32" help:"Numbers of the file: fp32, fp16, or int8 (static, from ranges on pictures of --data)."`
	Target    quant.Target `enum:"cpu,tensorrt" default:"cpu" help:"Whose kernels an int8 file is for: cpu (ONNX Runtime: uint8 with zero points) or tensorrt (int8 without; not tried on TensorRT itself)."`
	MaxDrop   float64      `default:"1.5" placeholder:"POINTS" help:"Refuse the file when a label loses more points of ROC AUC than that, or the mean more than a third. Default: 1.5."`
	Ranges    int          `name:"calibration-frames" default:"128" placeholder:"N" help:"Pictures of --data that give the ranges, and as many others on which methods are compared. Default: 128."`
}

// reexport converts a model file.
func (c *exportCmd) reexport(a *app, rt *ort.Runtime) error {
	file, err := onnx.ReadFile(c.Model)
	if err != nil {
		return err
	}
	m, err := model.Load(a.ctx, rt, file, nil, ort.Options{})
	if err != nil {
		return fmt.Errorf("%s: %w", c.Model, err)
	}
	man := *m.Manifest()
	m.Close()
	set, err := dataset.OpenWith(c.opening(), c.Data, man.LabelIDs())
	if err != nil {
		return err
	}
	cache, err := c.inputs(a, set, man.Input)
	if err != nil {
		return err
	}
	defer cache.Close()
	return c.deliver(a, rt, file, cache)
}

// deliver converts a file in fp32, if that was asked for, and writes it.
func (c *exportCmd) deliver(a *app, rt *ort.Runtime, file []byte, cache *dataset.Cache) error {
	if c.Precision != export.FP32 {
		var err error
		if file, err = c.convert(a, rt, file, cache); err != nil {
			return err
		}
	}
	if err := onnx.WriteFile(c.Out, file); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s: %s, %.1f MB\n", c.Out, c.Precision, float64(len(file))/1e6)
	return nil
}

// convert makes a file of another precision and holds it to the gate.
func (c *exportCmd) convert(a *app, rt *ort.Runtime, file []byte, cache *dataset.Cache) ([]byte, error) {
	parsed, err := onnx.Parse(file)
	if err != nil {
		return nil, err
	}
	man, err := models.FromMetadata(parsed.Metadata())
	if err != nil {
		return nil, err
	}
	man.Name, man.Tool = c.name(), "perceive "+version()
	w, h := man.Input.Width, man.Input.Height
	source, err := model.New(rt, file, man, ort.Options{})
	if err != nil {
		return nil, err
	}
	before, err := predict(a.ctx, source, cache)
	source.Close()
	if err != nil {
		return nil, err
	}
	conv := export.Conversion{Precision: c.Precision, Target: c.Target}
	calibration, held := spread(cache.Usable(), c.Ranges)
	for _, f := range []struct {
		to       *[]export.Frame
		pictures []int
	}{{&conv.Calibration, calibration}, {&conv.Held, held}, {&conv.Parity, first(cache, c.Frames)}} {
		if *f.to, err = frames(cache, f.pictures, w, h); err != nil {
			return nil, err
		}
	}
	var drops []trainer.Drop
	conv.Judge = func(ctx context.Context, m *model.Model, labels []models.Label) error {
		after, err := predict(ctx, m, cache)
		if err != nil {
			return err
		}
		measure := choices(&models.Manifest{Labels: labels})
		if drops, err = trainer.Drops(cache.Set, before, after, measure.Thresholds); err != nil {
			return err
		}
		err = trainer.NewGate(c.MaxDrop).Check(drops)
		if errors.Is(err, trainer.ErrGate) {
			return fmt.Errorf("%w: %w", export.ErrRefused, err)
		}
		if err != nil {
			return err
		}
		measure.Rule = metrics.Rule{}
		found, err := trainer.Judge(cache, after, measure)
		if err == nil {
			err = found.Divide()
		}
		if err != nil {
			return err
		}
		// Figures of the file in fp32, on whatever data, are not this file's.
		for i, l := range found.Measured {
			labels[i].Metrics = nil
			if l.Defined() {
				labels[i].Metrics = map[string]models.Metric{c.split(): l.Metric}
			}
		}
		return nil
	}
	conv.Facts = func(p *models.Precision) {
		p.Data, p.Drop = c.split(), map[string]float64{}
		for _, d := range drops {
			if d.Defined {
				p.Drop[d.Label] = d.Points()
			}
		}
	}
	out, err := export.Convert(a.ctx, rt, file, man, conv)
	if out != nil {
		err = errors.Join(err, c.printConverted(a.out, out, drops))
	}
	if err != nil {
		return nil, err
	}
	return out.File, nil
}

func predict(ctx context.Context, m *model.Model, cache *dataset.Cache) ([][]float32, error) {
	p, err := trainer.ModelPredictor(m)
	if err != nil {
		return nil, err
	}
	return p.Predict(ctx, cache)
}

// spread takes n pictures, and n others, from all over a list.
func spread(all []int, n int) (some, others []int) {
	n = min(2*n, len(all))
	for i := range n {
		p := all[i*len(all)/n]
		if i%2 == 0 {
			some = append(some, p)
		} else {
			others = append(others, p)
		}
	}
	return some, others
}

// printConverted is the table of the gate and the proof.
func (c *exportCmd) printConverted(w io.Writer, out *export.Converted, drops []trainer.Drop) error {
	p := out.Manifest.Precision
	for _, m := range out.Methods {
		chosen := ""
		if m.Name == p.Ranges {
			chosen = ", chosen"
		}
		fmt.Fprintf(w, "ranges by %s: logits off by %.3f on other pictures%s\n", m.Name, m.RMS, chosen)
	}
	if len(p.Float) > 0 {
		fmt.Fprintf(w, "in fp32: %q\n", p.Float)
	}
	t := newTable(w)
	fmt.Fprintf(t, "label\t+\t−\tROC AUC fp32\t%s\tpoints lost\tdecisions changed\n", p.Type)
	for _, d := range drops {
		auc := "–\t–\tone answer only"
		if d.Defined {
			auc = fmt.Sprintf("%.4f\t%.4f\t%.2f", d.Before, d.After, d.Points())
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%d of %d\n", d.Label, d.Positive, d.Negative, auc, d.Flips, d.Pictures)
	}
	if len(drops) > 0 {
		fmt.Fprintf(t, "mean\t\t\t\t\t%.2f\n", trainer.MeanPoints(drops))
	}
	if err := t.Flush(); err != nil || out.Parity.Frames == 0 {
		return err
	}
	_, err := fmt.Fprintf(w, "against fp32: largest difference %.2g at %s, mean %.2g, over %d frames\n", out.Parity.Max, out.Parity.Worst, out.Parity.Mean, out.Parity.Frames)
	return err
}

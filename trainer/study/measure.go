package study

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"perceive/export"
	"perceive/export/onnx"
	"perceive/hw/ort"
	"perceive/trainer"
)

// fingerprint is of what chooses the weights and measures them.
func (b *Bench) fingerprint() string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(b.Val.Fingerprint()+b.Test.Fingerprint())))
}

// score measures the best weights on the test data.
func (w *worker) score(ctx context.Context, best *trainer.Trained, n *Net, res *Result) error {
	s, err := best.Scorer(w.Runtime, trainer.Threads(w.Threads))
	if err != nil {
		return err
	}
	defer s.Close()
	predictions, err := s.Predictor().Predict(ctx, w.Bench.inputs)
	if err != nil {
		return err
	}
	e, err := trainer.Evaluate(w.Bench.Test.Only(n.Config.Labels), predictions)
	if err != nil {
		return err
	}
	for i, l := range n.Config.Labels {
		if slices.Contains(n.Score, l) && !math.IsNaN(e.Labels[i].AUC) {
			res.AUC[l] = e.Labels[i].AUC
		}
	}
	return nil
}

// Passes that a latency is the median of, after some that warm up.
const (
	timed  = 200
	warmup = 20
)

// deployed is the time in milliseconds that the network takes for one picture on one
// thread, frozen and folded as in a model file.
func (w *worker) deployed(ctx context.Context, best *trainer.Trained) (float64, error) {
	graph, weights, err := best.Deploy()
	if err != nil {
		return 0, err
	}
	m := proto.CloneOf(graph)
	if err := export.Apply(m, export.Freeze(weights), export.Fold(ctx, w.Runtime), export.Prune); err != nil {
		return 0, err
	}
	text, err := onnx.Marshal(m)
	if err != nil {
		return 0, err
	}
	s, err := w.Runtime.NewSession(text, ort.Options{Threads: 1})
	if err != nil {
		return 0, err
	}
	defer s.Close()
	tensors, err := ort.NewTensorsFor(slices.Concat(s.Inputs(), s.Outputs()))
	if err != nil {
		return 0, err
	}
	for _, t := range tensors {
		defer t.Close()
	}
	inputs := len(s.Inputs())
	bound, err := s.Bind(tensors[:inputs], tensors[inputs:])
	if err != nil {
		return 0, err
	}
	defer bound.Close()
	times := make([]time.Duration, 0, timed)
	for i := range warmup + timed {
		begin := time.Now()
		if err := bound.Run(ctx); err != nil {
			return 0, err
		}
		if i >= warmup {
			times = append(times, time.Since(begin))
		}
	}
	slices.Sort(times)
	return float64(times[len(times)/2].Microseconds()) / 1000, nil
}

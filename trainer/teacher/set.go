package teacher

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/floats/scalar"

	"perceive/trainer/dataset"
)

// LookAll looks at every picture of a set on every core, for the labels that COCO has a
// class for. The lines are in the set's order, and so are the reasons why a picture could not
// be decoded; it has no lines. progress, if not nil, is told the number done, from several
// goroutines.
func (d *Detector) LookAll(ctx context.Context, set *dataset.Set, progress func(done int)) (lines [][]dataset.SeenLine, bad []error, err error) {
	names := map[int]string{}
	for _, label := range set.Labels {
		if class, ok := Classes[label]; ok {
			names[class] = label
		}
	}
	lines, bad = make([][]dataset.SeenLine, len(set.Items)), make([]error, len(set.Items))
	var next, done atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			l, err := d.NewLooker()
			if err != nil {
				return err
			}
			defer l.Close()
			for i := int(next.Add(1) - 1); i < len(set.Items); i = int(next.Add(1) - 1) {
				if lines[i], bad[i], err = l.lines(ctx, &set.Items[i], names); err != nil {
					return fmt.Errorf("teacher: %s: %w", set.Items[i].Name, err)
				}
				if n := done.Add(1); progress != nil {
					progress(int(n))
				}
			}
			return nil
		})
	}
	return lines, bad, g.Wait()
}

// lines are what is seen of the named classes in a picture, or why it cannot be decoded.
func (l *Looker) lines(ctx context.Context, it *dataset.Item, names map[int]string) (out []dataset.SeenLine, bad, err error) {
	w, h, bgr, bad := it.Decode()
	if bad != nil {
		return nil, bad, nil
	}
	seen, err := l.Look(ctx, w, h, bgr)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range seen {
		if label, ok := names[s.Class]; ok {
			out = append(out, s.line(label))
		}
	}
	return out, nil, nil
}

// line is what is written down: pixels to a tenth, a size never rounded to none.
func (s Seen) line(label string) dataset.SeenLine {
	size := func(v float64) float64 { return max(0.1, scalar.Round(v, 1)) }
	return dataset.SeenLine{Label: label, XYWH: [4]float64{scalar.Round(s.X, 1), scalar.Round(s.Y, 1), size(s.W), size(s.H)}, P: scalar.Round(s.P, 4)}
}

package trainer

import (
	"cmp"
	"fmt"
	"image"
	"slices"

	"perceive/trainer/dataset"
	"perceive/trainer/report"
)

// worst is how many mistakes of a kind are shown.
const worst = 8

// mistakes are contact sheets, one a label: the negatives that the network is surest of,
// and the positives that it is surest are not there.
func (f *Findings) mistakes() (report.Section, error) {
	out := report.Section{Title: "Worst mistakes", Text: "Pictures as the network sees them, on the wrong side of the threshold, the worst first. The yellow square is where the label's map is highest; green boxes are where the data says that the thing is."}
	for l, m := range f.Measured {
		at := m.Decision().Threshold
		var alarms, misses []int
		for i, it := range f.Set.Items {
			if f.Probabilities[i] == nil {
				continue
			}
			switch on := float64(f.Probabilities[i][l]) >= at; {
			case on && it.Labels[l] == dataset.Negative:
				alarms = append(alarms, i)
			case !on && it.Labels[l] == dataset.Positive:
				misses = append(misses, i)
			}
		}
		sheet := report.Sheet{Width: f.width, Height: f.height}
		for _, kind := range []struct {
			name    string
			items   []int
			highest bool
		}{{"on, and not there", alarms, true}, {"there, and not on", misses, false}} {
			g, err := f.group(l, kind.items, kind.highest, fmt.Sprintf("%s %s", m.Label, kind.name))
			if err != nil {
				return out, err
			}
			sheet.Groups = append(sheet.Groups, g)
		}
		data, err := sheet.JPEG()
		if err != nil {
			return out, err
		}
		out.Pictures = append(out.Pictures, report.Picture{File: "mistakes-" + report.FileName(m.Label) + ".jpg", Alt: "the worst mistakes of " + m.Label, Data: data})
	}
	return out, nil
}

// group is one kind of mistake.
func (f *Findings) group(l int, items []int, highest bool, title string) (report.Group, error) {
	p := func(i int) float32 { return f.Probabilities[i][l] }
	slices.SortStableFunc(items, func(a, b int) int {
		if highest {
			a, b = b, a
		}
		return cmp.Compare(p(a), p(b))
	})
	some := items[:min(worst, len(items))]
	g := report.Group{Title: title, Empty: "none"}
	if len(some) > 0 {
		g.Title = fmt.Sprintf("%s: %d of %d", title, len(some), len(items))
	}
	for _, i := range some {
		t := report.Tile{BGR: make([]byte, 3*f.width*f.height), Caption: [2]string{
			fmt.Sprintf("p %.3f, threshold %.3f, truth: %s", p(i), f.Measured[l].Decision().Threshold, f.Set.Items[i].Labels[l]), f.Set.Items[i].Name}}
		if err := f.cache.Input(t.BGR, i); err != nil {
			return g, err
		}
		if l < len(f.Peaks[i]) {
			at := f.Peaks[i][l]
			t.Mark = image.Rectangle{at, at}.Inset(-12)
		}
		for _, b := range f.Set.Items[i].Boxes {
			if b.Label == l {
				t.Truth = append(t.Truth, f.cache.Placed(i, b))
			}
		}
		g.Tiles = append(g.Tiles, t)
	}
	return g, nil
}

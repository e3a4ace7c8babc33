package hil

import (
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	_ "embed"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"chart": func(o *Outcome) template.HTML { return template.HTML(chart(o.run)) }, // of our own making: texts in it are escaped
	"shots": failures,
}).Parse(pageText))

// WritePage writes outcomes as one page that needs nothing else.
func WritePage(w io.Writer, all []*Outcome) error {
	return page.Execute(w, struct {
		All []*Outcome
		Tally
	}{all, Count(all)})
}

// Shot is a picture beside a verdict that failed.
type Shot struct {
	Title string
	URL   template.URL
}

// failures are the pictures that were served nearest to when requirements failed.
func failures(o *Outcome) (out []Shot) {
	if o.run == nil {
		return nil
	}
	for _, v := range o.Verdicts {
		if v.Pass || v.At.IsZero() {
			continue
		}
		for _, c := range o.run.Scenario.Cameras {
			if !v.Requirement.of(c.Name) {
				continue
			}
			if s := nearest(o.run.shots[c.Name], v.At); s != nil {
				out = append(out, Shot{fmt.Sprintf("%s: camera %s, frame %d, %s after the start", v.Title, c.Name, s.code, short(s.at.Sub(o.run.Begin))),
					template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(s.jpeg))})
			}
		}
	}
	return out
}

func nearest(all []shot, at time.Time) (best *shot) {
	for i := range all {
		if best == nil || all[i].at.Sub(at).Abs() < best.at.Sub(at).Abs() {
			best = &all[i]
		}
	}
	return best
}

// Sizes of the chart, in the units of its view box.
const (
	chartWidth = 1000
	chartLeft  = 110
	rowHeight  = 22
	plotHeight = 120
)

// colours of statuses; others are grey.
var colours = map[string]string{"ok": "#2f9e6b", "black": "#444c56", "saturated": "#d6c84b", "frozen": "#4aa3df", "blurred": "#9b7fd1",
	"stale": "#e08a3c", "dropped": "#b9622f", "unreadable": "#d6455d", "failed": "#ff2d55", "skipped": "#7a869a"}

// chart draws faults against states over time, and the latencies below.
func chart(r *Run) string {
	if r == nil || r.Begin.IsZero() {
		return ""
	}
	var b strings.Builder
	total := r.End.Sub(r.Begin).Seconds()
	x := func(t time.Time) float64 {
		return chartLeft + (chartWidth-chartLeft-10)*min(max(t.Sub(r.Begin).Seconds()/total, 0), 1)
	}
	rows := len(r.Scenario.Faults) + len(r.Scenario.Cameras) + 1
	height := rows*rowHeight + plotHeight + 40
	fmt.Fprintf(&b, `<svg viewBox="0 0 %d %d" role="img" aria-label="faults against states over time">`, chartWidth, height)
	y := 0
	name := func(text string) {
		fmt.Fprintf(&b, `<text x="4" y="%d">%s</text>`, y+15, template.HTMLEscapeString(text))
	}
	bar := func(from, to time.Time, colour, title string) {
		fmt.Fprintf(&b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"><title>%s</title></rect>`,
			x(from), y+4, math.Max(1, x(to)-x(from)), rowHeight-8, colour, template.HTMLEscapeString(title))
	}
	for i, f := range r.Scenario.Faults {
		name(f.Kind)
		bar(r.Injected[i].From, r.Injected[i].To, "#ff6b6b", fmt.Sprintf("%s %s, from %s for %s", f.Kind, f.Camera, short(r.Injected[i].From.Sub(r.Begin)), short(f.For)))
		y += rowHeight
	}
	for _, c := range r.Scenario.Cameras {
		name(c.Name)
		r.strip(c.Name, bar)
		y += rowHeight
	}
	name("healthy")
	for i, p := range r.Polls {
		to := p.Got.Add(pollEvery)
		if i+1 < len(r.Polls) {
			to = r.Polls[i+1].Got
		}
		colour, title := "#d6455d", "not healthy: "+strings.Join(p.Problems, "; ")
		switch {
		case !p.Answered:
			colour, title = "#444c56", "no answer"
		case p.Healthy:
			colour, title = "#2f9e6b", "healthy "+strings.Join(p.Problems, "; ")
		}
		if p.Got.Before(r.End) && to.After(r.Begin) {
			bar(p.Got, to, colour, title)
		}
	}
	y += rowHeight
	r.plot(&b, x, y+10)
	for i := range 11 {
		at := r.Begin.Add(time.Duration(float64(i) / 10 * total * float64(time.Second)))
		fmt.Fprintf(&b, `<text class="axis" text-anchor="middle" x="%.1f" y="%d">%.1f s</text>`, min(x(at), chartWidth-20), height-6, at.Sub(r.Begin).Seconds())
	}
	b.WriteString("</svg>")
	return b.String()
}

// strip draws one camera's statuses: neighbours that are the same are one bar.
func (r *Run) strip(cam string, bar func(from, to time.Time, colour, title string)) {
	var from, last time.Time
	status, reason, n := "", "", 0
	flush := func() {
		if n > 0 {
			colour := colours[status]
			if colour == "" {
				colour = "#7a869a"
			}
			bar(from, last, colour, fmt.Sprintf("%s: %d results %s", status, n, reason))
		}
	}
	for _, x := range r.Results {
		if x.Source != cam {
			continue
		}
		if x.Status != status || x.Got.Sub(last) > time.Second {
			flush()
			status, reason, from, n = x.Status, x.Reason, x.Got, 0
		}
		last = x.Got
		n++
	}
	flush()
}

// plot draws glass to result over time.
func (r *Run) plot(b *strings.Builder, x func(time.Time) float64, top int) {
	all, at := r.latencies(Requirement{})
	if len(all) == 0 {
		return
	}
	most := slices.Max(all)
	fmt.Fprintf(b, `<text x="4" y="%d">latency</text><text class="axis" x="4" y="%d">%s</text>`, top+14, top+30, short(most))
	fmt.Fprintf(b, `<rect class="plot" x="%d" y="%d" width="%d" height="%d"/>`, chartLeft, top, chartWidth-chartLeft-10, plotHeight)
	step := max(1, len(all)/2000)
	for i := 0; i < len(all); i += step {
		y := float64(top+plotHeight) - float64(plotHeight-4)*float64(all[i])/float64(most)
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="1.5"/>`, x(at[i]), y)
	}
}

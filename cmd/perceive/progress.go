package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"perceive/trainer"
	"perceive/trainer/dataset"
)

// bar is a progress bar with time left on a terminal, and a line now and then
// where the output is a file.
type bar struct {
	out   io.Writer
	bar   *progressbar.ProgressBar
	what  string
	total int
	from  int // what was done before this start
	last  time.Time
	begin time.Time
}

// quietFor is the time between lines where there is no terminal.
const quietFor = 15 * time.Second

func newBar(out io.Writer, what string, total int) *bar {
	b := &bar{out: out, what: what, total: total, begin: time.Now(), last: time.Now()}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		max := total
		if max <= 0 {
			max = -1
		}
		b.bar = progressbar.NewOptions(max, progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionShowElapsedTimeOnFinish(),
			progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionFullWidth())
	}
	return b
}

// set shows n done, with a remark.
func (b *bar) set(n int, remark string) {
	if b.bar != nil {
		b.bar.Describe(strings.TrimSpace(b.what + " " + remark))
		b.bar.Set(n)
		return
	}
	if time.Since(b.last) < quietFor {
		return
	}
	b.last = time.Now()
	left := ""
	if done := n - b.from; b.total > 0 && done > 0 {
		left = fmt.Sprintf(" of %d, %v left", b.total, (time.Since(b.begin) * time.Duration(b.total-n) / time.Duration(done)).Round(time.Second))
	}
	fmt.Fprintf(b.out, "%s %d%s %s\n", b.what, n, left, remark)
}

// newLocked shows how many are done of a job that reports from several goroutines.
func newLocked(b *bar) func(done int) {
	var mu sync.Mutex
	most := 0
	return func(done int) {
		mu.Lock()
		defer mu.Unlock()
		if done > most {
			most = done
			b.set(done, "")
		}
	}
}

// line prints above the bar.
func (b *bar) line(format string, args ...any) {
	if b.bar != nil {
		b.bar.Clear()
	}
	fmt.Fprintf(b.out, format+"\n", args...)
}

func (b *bar) end() {
	if b.bar != nil {
		b.bar.Finish()
	}
}

// trainProgress shows a training run.
type trainProgress struct {
	mu     sync.Mutex // decoding reports from several goroutines
	out    io.Writer
	cfg    trainer.Config
	decode *bar
	steps  *bar
	first  int // the first step of this start
	begin  time.Time
	loss   float64
}

func newTrainProgress(out io.Writer, cfg trainer.Config) *trainProgress {
	return &trainProgress{out: out, cfg: cfg}
}

func (p *trainProgress) decoded(done, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.decode == nil {
		p.decode = newBar(p.out, "decoding", total)
	}
	p.decode.set(done, "")
}

// cached says where decoded pictures are, how much room they and the others in the folder
// take, and why they were decoded.
func (p *trainProgress) cached(c *dataset.Cache) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.decode != nil {
		p.decode.end()
		p.decode = nil
	}
	fmt.Fprintln(p.out, cacheLine(c))
}

func cacheLine(c *dataset.Cache) string {
	pictures := len(c.Usable())
	if c.File == "" {
		line := fmt.Sprintf("%d decoded pictures in memory, %s", pictures, size(c.Bytes))
		if c.Reason != "" {
			line += " (" + c.Reason + ")"
		}
		return line
	}
	how := c.Reason
	if c.Reused {
		how = "decoded before"
	}
	var all int64
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(c.File), "*"+filepath.Ext(c.File)))
	for _, f := range files {
		if st, err := os.Stat(f); err == nil {
			all += st.Size()
		}
	}
	return fmt.Sprintf("%d decoded pictures in %s, %s (%s); all %d such files there take %s", pictures, c.File, size(c.Bytes), how, len(files), size(all))
}

// size is a number of bytes in words.
func size(n int64) string {
	if n < 1<<30 {
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}

func (p *trainProgress) warn(err error) { fmt.Fprintf(p.out, "left out: %v\n", err) }

func (p *trainProgress) hooks() trainer.Hooks {
	return trainer.Hooks{Step: p.step, Evaluated: p.evaluated}
}

func (p *trainProgress) step(e trainer.StepEvent) {
	if p.steps == nil {
		if p.decode != nil {
			p.decode.end()
		}
		p.steps = newBar(p.out, "training", e.Total)
		p.first, p.begin, p.loss = e.Step, time.Now().Add(-e.Compute), float64(e.Losses.Total)
		p.steps.from = e.Step - 1 // a run that was resumed: time left is reckoned from here
		if p.steps.bar != nil {
			p.steps.bar.Set(p.steps.from)
			p.steps.bar.StartWithoutRender()
		}
	}
	p.loss += (float64(e.Losses.Total) - p.loss) * 0.05 // a running mean of about 20 steps
	rate := float64((e.Step-p.first+1)*p.cfg.Batch) / time.Since(p.begin).Seconds()
	p.steps.set(e.Step, fmt.Sprintf("loss %.3f, %.1f images/s", p.loss, rate))
}

func (p *trainProgress) evaluated(step int, e trainer.Evaluation) {
	var parts []string
	for i, l := range e.Labels {
		parts = append(parts, fmt.Sprintf("%s %.3f", p.cfg.Labels[i], l.AUC))
	}
	p.steps.line("step %d: validation ROC AUC %.3f (%s)", step, e.Mean, strings.Join(parts, ", "))
}

func (p *trainProgress) end() {
	if p.steps != nil {
		p.steps.end()
	}
}

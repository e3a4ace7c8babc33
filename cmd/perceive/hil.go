package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"perceive/camera/opencv"
	"perceive/hw/hil"
	"perceive/hw/ort"
	"perceive/models"
)

type hilCmd struct {
	Run  hilRunCmd  `cmd:"" help:"Run scenarios against the daemon."`
	List hilListCmd `cmd:"" help:"List the scenarios that ship, the faults and the requirements."`
	Show hilShowCmd `cmd:"" help:"Print a scenario that ships, to start one's own from."`
}

type hilRunCmd struct {
	Scenario []string      `arg:"" optional:"" help:"Names of scenarios that ship, or FILE.yaml. Default: all that ship but the soak."`
	Out      string        `type:"path" default:"out/hil" placeholder:"DIR" help:"Folder for the report (index.html, junit.xml, results.json, table.md) and what the unit leaves."`
	Seed     uint64        `placeholder:"N" help:"Seed of the faults, over the scenarios' own."`
	Length   time.Duration `placeholder:"TIME" help:"Length of the scenarios, over their own: --length 1h soak."`
	Unit     string        `placeholder:"HOST:PORT" help:"Test the daemon that runs there, and start none: with --listen."`
	Listen   string        `placeholder:"HOST[:FIRSTPORT]" help:"Address of this machine where the unit finds the cameras, one port each from 8700 or FIRSTPORT on. Default: free ports of 127.0.0.1."`
	Program  string        `type:"path" placeholder:"FILE" help:"The perceive that is tested. Default: this one."`
}

// Help is the long description.
func (hilRunCmd) Help() string {
	return `Hardware in the loop: starts the daemon as a process of its own, serves frames to it as a network camera
does (MJPEG over HTTP, H.264 over RTSP or UDP; each frame with a number in its pixels), breaks camera, network,
process, disk, board and model on purpose, and holds what the daemon publishes against requirements. Exit code 0 if
all are met; 1 if one is not, or if the bench was late itself, so that times were not measured. Scenarios whose name
begins with 'fails-' are made to fail, and pass when they do: a bench that cannot fail is worth nothing.

  perceive hil run                             the suite
  perceive hil run soak --length 1h
  perceive hil show camera-frozen > mine.yaml
  perceive hil run mine.yaml --out out/mine

A daemon that runs already, on a board for instance, is told by its configuration where the cameras are; the bench
prints that at the start and waits until it has connected. Its process, disk and provider are left alone.

  perceive hil run healthy --unit 192.168.1.20:8077 --listen 192.168.1.10:8700`
}

func (c *hilRunCmd) Run(a *app) error {
	all, err := c.scenarios()
	if err != nil {
		return usageError{err}
	}
	b, err := c.bench(a)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return err
	}
	var done []*hil.Outcome
	for i, s := range all {
		if why := errors.Join(s.Lacks(), b.Refuses(s)); why != nil {
			o := hil.Missed(s, why)
			done = append(done, o)
			printOutcome(a.out, o)
			continue
		}
		progress := newBar(a.errOut, fmt.Sprintf("%d/%d %s", i+1, len(all), s.Name), int(s.Length.Seconds()))
		b.Progress = func(at, _ time.Duration) { progress.set(int(at.Seconds()), "") }
		dir := filepath.Join(c.Out, s.Name)
		hil.Unmount(dir) // of a run that was killed
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		run, err := b.Run(a.ctx, s, dir)
		progress.end()
		o := hil.Conclude(s, run, err)
		done = append(done, o)
		printOutcome(a.out, o)
		if a.ctx.Err() != nil {
			break
		}
	}
	err = errors.Join(a.ctx.Err(), c.report(a, done))
	if err == nil {
		err = benchVerdict(done, len(c.Scenario) > 0)
	}
	return err
}

// benchVerdict is nil if every scenario was measured and passed. What cannot run here is no fault, unless
// it was asked for by name.
func benchVerdict(done []*hil.Outcome, named bool) error {
	n := hil.Count(done)
	var says []string
	if n.Failed > 0 {
		says = append(says, fmt.Sprintf("%d failed", n.Failed))
	}
	if n.Late > 0 {
		says = append(says, fmt.Sprintf("%d were not measured: the bench was late", n.Late))
	}
	if n.NotRun > 0 && named {
		says = append(says, fmt.Sprintf("%d cannot run here", n.NotRun))
	}
	if says == nil {
		return nil
	}
	return fmt.Errorf("of %d scenarios %s", len(done), strings.Join(says, ", "))
}

func (c *hilRunCmd) bench(a *app) (*hil.Bench, error) {
	listen, err := c.listen()
	if err != nil {
		return nil, usageError{err}
	}
	program := c.Program
	if program == "" {
		if program, err = os.Executable(); err != nil {
			return nil, err
		}
	}
	opencv.SetThreads(1)
	b := &hil.Bench{Program: program, Address: c.Unit, Listen: listen, Open: world, Model: models.Find("road-int8"), Say: func(string, ...any) {}}
	if c.Unit != "" { // somebody else has to know where the cameras are
		b.Say = func(format string, args ...any) { fmt.Fprintf(a.errOut, format+"\n", args...) }
	}
	library, err := ort.Config{Library: a.library}.Find()
	if err != nil {
		return nil, err
	}
	// As the unit file for systemd starts it.
	b.Env = []string{"PERCEIVE_ORT_LIB=" + library, "MALLOC_ARENA_MAX=2"}
	return b, nil
}

// listen is where the cameras are, which a unit that runs already must have been told.
func (c *hilRunCmd) listen() (hil.Listen, error) {
	if c.Listen == "" && c.Unit == "" {
		return hil.Listen{}, nil
	}
	if c.Unit != "" {
		if _, _, err := net.SplitHostPort(c.Unit); err != nil {
			return hil.Listen{}, fmt.Errorf("--unit %q: want HOST:PORT of its HTTP face", c.Unit)
		}
		if c.Listen == "" {
			return hil.Listen{}, errors.New("--unit needs --listen HOST[:FIRSTPORT]: the address of this machine where that unit finds the cameras")
		}
	}
	l, err := hil.ParseListen(c.Listen)
	if err != nil {
		err = fmt.Errorf("--listen %w", err)
	}
	return l, err
}

// scenarios are those that were asked for.
func (c *hilRunCmd) scenarios() (all []*hil.Scenario, err error) {
	if len(c.Scenario) == 0 {
		shipped, err := hil.Shipped()
		if err != nil {
			return nil, err
		}
		for _, s := range shipped {
			if s.Name != "soak" {
				all = append(all, s)
			}
		}
	}
	for _, name := range c.Scenario {
		s, err := findScenario(name)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	for _, s := range all {
		if err := c.override(s); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func findScenario(name string) (*hil.Scenario, error) {
	if ext := filepath.Ext(name); ext != ".yaml" && ext != ".yml" {
		return hil.Find(name)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return hil.Parse(name, text)
}

// override is what the flags say of a scenario.
func (c *hilRunCmd) override(s *hil.Scenario) error {
	if c.Seed != 0 {
		s.Seed = c.Seed
	}
	if c.Length == 0 {
		return nil
	}
	for _, f := range s.Faults {
		if f.At+f.For > c.Length {
			return fmt.Errorf("--length %v: scenario %s has a fault until %v", c.Length, s.Name, f.At+f.For)
		}
	}
	s.Length = c.Length
	return nil
}

// report writes the files that say how it went.
func (c *hilRunCmd) report(a *app, done []*hil.Outcome) (err error) {
	for name, write := range map[string]func(io.Writer, []*hil.Outcome) error{
		"index.html": hil.WritePage, "junit.xml": hil.WriteJUnit, "results.json": hil.WriteJSON, "table.md": hil.WriteTable,
	} {
		f, ferr := os.Create(filepath.Join(c.Out, name))
		if ferr != nil {
			err = errors.Join(err, ferr)
			continue
		}
		err = errors.Join(err, write(f, done), f.Close())
	}
	fmt.Fprintf(a.errOut, "report: %s\n", filepath.Join(c.Out, "index.html"))
	return err
}

// printOutcome says how a scenario went.
func printOutcome(w io.Writer, o *hil.Outcome) {
	if o.NotRun != "" {
		fmt.Fprintf(w, "not run %s: %s\n", o.Scenario, o.NotRun)
		return
	}
	word := o.Word()
	if o.Pass {
		word = "ok    "
	}
	fmt.Fprintf(w, "%s  %s (%.0f s, %.2f cores, %.0f MiB)\n", word, o.Scenario, o.Seconds, o.Used.Cores, o.Used.MiB)
	if o.Error != "" {
		fmt.Fprintf(w, "        %s\n", o.Error)
		return
	}
	if o.NotMeasured != "" {
		fmt.Fprintf(w, "        %s\n", o.NotMeasured)
	}
	t := newTable(w)
	for _, v := range o.Verdicts {
		fmt.Fprintf(t, "        %s\t%s\tlimit %s\t%s\n", v.Title, v.Measured, v.Limit, v.Word())
	}
	t.Flush()
}

// Command perceive trains, exports and runs multi-label perception networks.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"perceive/camera/open"
	"perceive/trainer/dataset"
	"perceive/trainer/nn"
)

// Exit codes.
const (
	exitOK     = 0 // done, and as required
	exitFailed = 1 // ran and failed, or the verdict is negative
	exitUsage  = 2 // the command line or the configuration is wrong
)

// cli is the whole command line.
type cli struct {
	Run     runCmd     `cmd:"" group:"Drives" help:"Detections for every frame of a source."`
	Replay  replayCmd  `cmd:"" group:"Drives" help:"Run recordings again: the same bytes, a verdict against a golden recording, two models on one drive."`
	Bench   benchCmd   `cmd:"" group:"Drives" help:"Measure latency and throughput, and compare with a baseline."`
	Serve   serveCmd   `cmd:"" group:"Vehicle" help:"The on-vehicle daemon: cameras in, results out, for weeks."`
	Config  configCmd  `cmd:"" group:"Vehicle" help:"Print the default configuration of the daemon."`
	Prepare prepareCmd `cmd:"" group:"Vehicle" help:"Make a model ready on this machine, and prove it, before it drives."`
	Doctor  doctorCmd  `cmd:"" group:"Vehicle" help:"Say what works on this machine."`
	Hil     hilCmd     `cmd:"" group:"Vehicle" help:"Hardware in the loop: test the daemon on a bench that breaks things on purpose."`
	Train   trainCmd   `cmd:"" group:"Training" help:"Train a network on labelled pictures."`
	Teach   teachCmd   `cmd:"" group:"Training" help:"Write down what a detector sees in pictures, to train on."`
	Study   studyCmd   `cmd:"" group:"Training" help:"Test what is said of multi-task and transfer learning, on many small networks."`
	Export  exportCmd  `cmd:"" group:"Models" help:"Turn a training run into a model file."`
	Eval    evalCmd    `cmd:"" group:"Models" help:"Measure a model file on labelled pictures."`
	Compare compareCmd `cmd:"" group:"Models" help:"Measure several models on the same pictures, in one table."`
	Models  modelsCmd  `cmd:"" group:"Models" help:"List, show, verify and sign model files."`

	Library string `name:"ort-library" env:"PERCEIVE_ORT_LIB" placeholder:"FILE" help:"ONNX Runtime's shared library. Default: the one that 'make deps' installs, then the system's folders."`
}

// usageError is a mistake in what the user asked for: exit code 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// app is what commands share.
type app struct {
	ctx         context.Context
	out, errOut io.Writer
	library     string
}

func main() {
	os.Exit(run(untilSignal(), os.Args[1:], os.Stdout, os.Stderr))
}

// untilSignal is a context that the first SIGINT or SIGTERM ends. The second ends the program at once,
// by that signal. Both are counted from one channel: were the default restored after the first, a
// second that comes in between would be lost.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	came := make(chan os.Signal, 2)
	signal.Notify(came, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-came
		cancel()
		again := <-came
		signal.Reset(again)
		syscall.Kill(os.Getpid(), again.(syscall.Signal))
	}()
	return ctx
}

// run is the program without its process: it parses, runs a command and returns the
// exit code.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	var c cli
	exit := -1
	parser, err := kong.New(&c,
		kong.Name("perceive"),
		kong.Description("Train, export and run multi-label perception: one network that answers several yes/no questions about every camera frame."),
		kong.Writers(out, errOut),
		kong.Vars{"schemes": strings.Join(dataset.Schemes(), ", "), "networks": nn.Names(), "sources": open.Help},
		kong.Exit(func(code int) { exit = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
	)
	if err != nil {
		panic(err) // the declarations above are wrong
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	kctx, err := parser.Parse(args)
	if exit >= 0 {
		return exit // --help has been printed
	}
	if err != nil {
		fmt.Fprintf(errOut, "perceive: %v (see perceive --help)\n", err)
		return exitUsage
	}
	err = kctx.Run(&app{ctx, out, errOut, c.Library})
	if errors.Is(err, dataset.ErrURI) {
		err = usageError{err}
	}
	switch usage := (usageError{}); {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintf(errOut, "perceive: %v\n", err)
		return exitUsage
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		fmt.Fprintln(errOut, "perceive: interrupted")
		// What went wrong besides must not be lost.
		if rest := without(err, ctx.Err()); rest != nil {
			fmt.Fprintf(errOut, "perceive: %v\n", rest)
		}
		return exitFailed
	}
	fmt.Fprintf(errOut, "perceive: %v\n", err)
	return exitFailed
}

// without is what is left of joined errors when those of one kind are taken out.
func without(err, kind error) error {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		var rest []error
		for _, e := range joined.Unwrap() {
			rest = append(rest, without(e, kind))
		}
		return errors.Join(rest...)
	}
	if errors.Is(err, kind) {
		return nil
	}
	return err
}

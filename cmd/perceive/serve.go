package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/goccy/go-yaml"

	"perceive/camera"
	"perceive/camera/guard"
	"perceive/camera/open"
	"perceive/camera/opencv"
	"perceive/hw/ort"
	"perceive/perception"
	"perceive/perception/model"
	"perceive/perception/serve"
	"perceive/perception/serve/web"
)

type serveCmd struct {
	Config string   `type:"path" env:"PERCEIVE_CONFIG" placeholder:"FILE.yaml" help:"Configuration. 'perceive config' prints the default, with every key explained."`
	Source []string `sep:"none" placeholder:"NAME=URI" help:"Cameras, in the place of the configuration's. May be repeated."`
	Model  string   `env:"PERCEIVE_MODEL" placeholder:"FILE.onnx" help:"Model file, over the configuration."`
	Listen string   `env:"PERCEIVE_LISTEN" placeholder:"ADDRESS:PORT" help:"Where the HTTP face is, over the configuration; 'none' for nowhere."`
	Set    []string `sep:"none" placeholder:"KEY=VALUE" help:"Any key, over all else: --set deadline=80ms --set decide.hold=1s. May be repeated."`
	Check  bool     `help:"Say whether the configuration is right, print what it comes to, and stop."`
}

// Help is the long description.
func (serveCmd) Help() string {
	return `Runs for weeks: one honest result for each frame of each camera, whatever happens to camera, model or
consumers, and a page that shows it. SIGHUP reads the model again; SIGTERM ends in order, a second one at once.
Flags come before environment variables, and both before the file.

  perceive serve                                   a rendered drive; open http://127.0.0.1:8080
  perceive config > perceive.yaml
  perceive serve --config perceive.yaml
  perceive serve --source front=/dev/video0 --source rear=rtsp://10.0.0.7/stream --set outputs.file.dir=/var/log/perceive`
}

func (c *serveCmd) Run(a *app) error {
	cfg, err := c.config()
	if err != nil {
		return usageError{err}
	}
	if c.Check {
		text, err := yaml.Marshal(cfg)
		if err == nil {
			_, err = a.out.Write(text)
		}
		return err
	}
	log := newLog(a.errOut, cfg.Log)
	resolved, err := yaml.Marshal(cfg)
	if err != nil {
		return err
	}
	log.Info("configuration", "version", version(), "yaml", camera.Redact(string(resolved)))
	rt, err := ort.Open(ort.Config{Library: a.library})
	if err != nil {
		return err
	}
	defer rt.Close()
	opencv.SetThreads(1)
	d := serve.New(cfg, c.deps(a, rt, cfg, log))
	stop := reloadOnHangup(a.ctx, d)
	defer stop()
	closeFace, err := showFace(cfg.HTTP, log, d)
	if err != nil {
		return err
	}
	return errors.Join(d.Run(a.ctx), closeFace())
}

// config is the default, the file, the environment and the flags, each over what was before it.
func (c *serveCmd) config() (serve.Config, error) {
	var texts []serve.Text
	if c.Config != "" {
		text, err := os.ReadFile(c.Config)
		if err != nil {
			return serve.Config{}, err
		}
		texts = append(texts, serve.Text{Name: c.Config, YAML: text})
	}
	sets := slices.Clone(c.Set)
	if c.Model != "" {
		sets = append([]string{fmt.Sprintf("model.file=%q", c.Model)}, sets...)
	}
	switch c.Listen {
	case "":
	case "none":
		sets = append([]string{`http.listen=""`}, sets...)
	default:
		sets = append([]string{fmt.Sprintf("http.listen=%q", c.Listen)}, sets...)
	}
	for _, s := range sets {
		t, err := serve.Assign("--set", s)
		if err != nil {
			return serve.Config{}, err
		}
		texts = append(texts, t)
	}
	if len(c.Source) > 0 {
		var b strings.Builder
		for _, s := range c.Source {
			name, uri, ok := strings.Cut(s, "=")
			if !ok {
				return serve.Config{}, fmt.Errorf("--source %q: want NAME=URI, front=/dev/video0 for example", s)
			}
			fmt.Fprintf(&b, "- {name: %q, uri: %q}\n", name, uri)
		}
		texts = append(texts, serve.Text{Name: "--source", YAML: []byte("sources:\n" + b.String())})
	}
	return serve.Parse(texts...)
}

// deps wires the daemon.
func (c *serveCmd) deps(a *app, rt *ort.Runtime, cfg serve.Config, log *slog.Logger) serve.Deps {
	return serve.Deps{
		Log: log, Program: "perceive " + version(),
		Load: func(ctx context.Context, file string) (*model.Model, error) { return loadServed(ctx, a, rt, cfg, file) },
		Open: func(s serve.SourceConfig, on func(camera.Event)) (camera.Source, error) {
			return open.Source(s.URI, open.Options{Threads: decoders(), OnEvent: on})
		},
		Outputs: func(h perception.Header) (serve.Outputs, error) {
			return serve.Publish(cfg.Outputs, cfg.Deadline, h, a.out)
		},
		Guards: func(serve.SourceConfig) ([]perception.Guard, error) {
			return []perception.Guard{perception.InputGuard{Guard: guard.New(cfg.Guards)}}, nil
		},
	}
}

// loadServed loads and proves a model file as the configuration says.
func loadServed(ctx context.Context, a *app, rt *ort.Runtime, cfg serve.Config, file string) (*model.Model, error) {
	p := cfg.Provider
	flags := modelFlags{Model: file, Manifest: cfg.Model.Manifest, PublicKey: cfg.Model.PublicKey, Provider: p.Name, Policy: p.Policy,
		acceleratorFlags: acceleratorFlags{Device: p.Device, GPUMemory: byteSize(p.GPUMemory), Precision: p.TensorRT.Precision,
			DLA: p.TensorRT.DLA, Workspace: byteSize(p.TensorRT.Workspace), EngineCache: p.TensorRT.EngineCache}}
	at := *a
	at.ctx = ctx
	return flags.load(&at, rt, ort.Options{Threads: p.Threads, Spin: p.Spin}, true)
}

// showFace serves the HTTP face until close is called: from before the model is loaded, so that
// it can say what is not ready yet, to after the last result.
func showFace(cfg serve.HTTPConfig, log *slog.Logger, d *serve.Daemon) (close func() error, err error) {
	if cfg.Listen == "" {
		return func() error { return nil }, nil
	}
	s := web.New(web.Config{Listen: cfg.Listen, Remote: cfg.Remote, Hosts: cfg.Hosts, Log: log}, d)
	l, err := s.Listen()
	if err != nil {
		return nil, err
	}
	log.Info("page", "url", "http://"+l.Addr().String()+"/")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		err := s.Serve(ctx, l)
		if ctx.Err() == nil {
			log.Error("the page has ended, results go on", "error", err)
		}
		done <- err
	}()
	return func() error {
		cancel()
		return <-done
	}, nil
}

// reloadEnd is how long a reload is waited for at the end.
const reloadEnd = 2 * time.Second

// reloadOnHangup reads the model again at each SIGHUP, until stop is called.
func reloadOnHangup(ctx context.Context, d *serve.Daemon) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range hup {
			d.Reload(ctx, "") // what comes of it is in the log and in the status
		}
	}()
	return func() {
		signal.Stop(hup)
		close(hup)
		cancel()
		select {
		case <-done:
		case <-time.After(reloadEnd): // it hangs in native code, and ends with the process
		}
	}
}

// logEvery is how often the same message is written at most.
const logEvery = 5 * time.Second

func newLog(w io.Writer, c serve.LogConfig) *slog.Logger {
	var level slog.Level
	level.UnmarshalText([]byte(c.Level)) // one of four that were checked
	opts := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewTextHandler(w, opts)
	if c.Format == "json" {
		h = slog.NewJSONHandler(w, opts)
	}
	return slog.New(serve.Limit(h, logEvery))
}

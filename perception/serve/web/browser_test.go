package web_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"perceive/perception/serve/web"
)

// patience is how long the page is given for what it does within a few seconds, on a machine that
// has other things to do.
const patience = 60 * time.Second

// browser is a Chromium with one page, and what its console said.
type browser struct {
	ctx     context.Context
	mu      sync.Mutex
	console []string
	asked   []string // URLs
}

// open starts Chromium. A machine without one cannot test the page.
func open(t *testing.T) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("the live page is tested in a real Chromium, and there is none: run make deps, or install Debian's package chromium")
	}
	opts := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoFirstRun, chromedp.NoSandbox,
		chromedp.Headless, chromedp.DisableGPU, chromedp.WSURLReadTimeout(patience)}
	for _, flag := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync", "no-default-browser-check"} {
		opts = append(opts, chromedp.Flag(flag, true))
	}
	alloc, free := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(free)
	ctx, end := chromedp.NewContext(alloc)
	t.Cleanup(end)
	b := &browser{ctx: ctx}
	console := chromedp.Console(ctx)
	requests := chromedp.Events(ctx, network.RequestWillBeSent)
	go func() {
		for m, err := range console {
			if err == nil {
				b.note(&b.console, fmt.Sprintf("%s: %s %s", m.Type, m.Text, m.URL))
			}
		}
	}()
	go func() {
		for ev, err := range requests {
			if err == nil {
				b.note(&b.asked, ev.Request.URL)
			}
		}
	}()
	return b
}

func (b *browser) note(list *[]string, s string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	*list = append(*list, s)
}

func (b *browser) do(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// holds evaluates a JavaScript expression.
func (b *browser) holds(t *testing.T, js string) bool {
	t.Helper()
	ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("Boolean("+js+")"))
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

// until waits for a JavaScript expression to be true.
func (b *browser) until(t *testing.T, what, js string) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if b.holds(t, js) {
			return
		}
	}
	b.shoot(t, "failed")
	t.Fatalf("the page does not show in %v: %s (%s)", patience, what, js)
}

// is checks a JavaScript expression now.
func (b *browser) is(t *testing.T, what, js string) {
	t.Helper()
	if !b.holds(t, js) {
		t.Errorf("not so: %s (%s)", what, js)
	}
}

// quiet checks that nothing was complained of.
func (b *browser) quiet(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, line := range b.console {
		t.Errorf("the console says: %s", line)
	}
}

// complaints are what the console said, without what the browser itself says of answers that
// are no success, for a URL that has a part.
func (b *browser) complaints(part string) (out []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, line := range b.console {
		if !strings.Contains(line, "Failed to load resource") || !strings.Contains(line, part) {
			out = append(out, line)
		}
	}
	return out
}

// shots names an environment variable with a folder for screenshots that outlive the test.
const shots = "PERCEIVE_SHOTS"

// shoot writes a screenshot.
func (b *browser) shoot(t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv(shots)
	if dir == "" {
		dir = t.TempDir()
	}
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if len(png) < 20000 {
		t.Errorf("a screenshot of %d bytes shows nothing", len(png))
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

func size(w, h int64) chromedp.Action[chromedp.Void] { return chromedp.EmulateViewport(w, h) }

// face serves a daemon on a free port, or on one of before; stop ends it.
func face(t *testing.T, d web.Daemon, addr string) (at string, stop func()) {
	t.Helper()
	s := web.New(web.Config{Listen: addr}, d)
	var l net.Listener
	var err error
	for range 100 { // the port may be held a little longer
		if l, err = s.Listen(); err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return l.Addr().String(), stop
}

// history is how long screenshots that are kept let the charts fill.
var history = func() time.Duration {
	if os.Getenv(shots) == "" {
		return 0
	}
	return time.Minute
}()

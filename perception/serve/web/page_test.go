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
		for m := range console {
			b.note(&b.console, fmt.Sprintf("%s: %s %s", m.Type, m.Text, m.URL))
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
	ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](js))
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

// shoot writes a screenshot; PERCEIVE_SHOTS names a folder that outlives the test.
func (b *browser) shoot(t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("PERCEIVE_SHOTS")
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

func label(source, id string) string {
	return fmt.Sprintf(`document.querySelector('.cam[data-source="%s"] .label[data-label="%s"]')`, source, id)
}

// shows is whether a label's row has a state, in word and shape's attribute, and a probability.
func shows(source, id, state, p string) string {
	row := label(source, id)
	return fmt.Sprintf(`(r => r?.dataset.state === %q && r.querySelector('.word').textContent === %q && r.querySelector('.p').textContent === %q)(%s)`, state, state, p, row)
}

const wide = `document.documentElement.scrollWidth > document.documentElement.clientWidth`

// The page shows what the daemon says, in a real browser.
func TestPage(t *testing.T) {
	f := newFake(t)
	f.change(func() {
		f.camera("front").always = []float32{0.91, 0.12, 0.07, 0.66}
		f.camera("rear").always = []float32{0.03, 0.97, 0.21, 0.45}
	})
	at, _ := face(t, f, "127.0.0.1:0")
	b := open(t)
	b.do(t, size(1280, 720), chromedp.Navigate("http://"+at+"/"))
	b.until(t, "front's pedestrian is on", shows("front", "pedestrian", "on", "0.91"))
	b.until(t, "front's car is off", shows("front", "car", "off", "0.12"))
	b.until(t, "front's traffic light is on", shows("front", "traffic_light", "on", "0.66"))
	b.until(t, "rear's car is on", shows("rear", "car", "on", "0.97"))
	// Between its thresholds, and never seen outside: nobody knows.
	b.until(t, "rear's traffic light is unknown", shows("rear", "traffic_light", "unknown", "0.45"))
	b.until(t, "pictures with the boxes of their frame", `[...document.querySelectorAll('.caption')].filter(c => c.textContent.includes('boxes of this frame')).length === 2`)
	b.until(t, "captured is the sum", `document.querySelectorAll('.counts [data-sign="="]').length === 2`)
	b.is(t, "ready and healthy", `ready.className === 'pill good' && healthy.className === 'pill good'`)
	b.is(t, "the provider is proved", `provider.textContent.includes('142/142 nodes cpu')`)
	b.is(t, "the model is named", `model.textContent.includes('road-int8 1.2') && model.textContent.includes('8f31c2a94be0')`)
	b.is(t, "the board's temperature", `board.textContent.includes('61 °C')`)
	b.is(t, "latencies", `document.querySelector('.stages').textContent.includes('41.7')`)
	b.is(t, "no banner", `banner.hidden`)
	for _, s := range [][2]int64{{1280, 720}, {1920, 1080}, {800, 600}} {
		b.do(t, size(s[0], s[1]), chromedp.Sleep(500*time.Millisecond))
		b.is(t, fmt.Sprintf("no horizontal scroll at %d", s[0]), "!("+wide+")")
		if s[0] > 900 {
			b.is(t, fmt.Sprintf("everything is on the screen at %d×%d", s[0], s[1]),
				`[...document.querySelectorAll('.cam, .results, aside, nav')].every(e => e.getBoundingClientRect().bottom <= innerHeight) && cams.scrollHeight <= cams.clientHeight`)
		}
		b.shoot(t, fmt.Sprintf("good-%d", s[0]))
	}
	b.quiet(t)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, url := range b.asked {
		if !strings.HasPrefix(url, "http://"+at+"/") && !strings.HasPrefix(url, "blob:") {
			t.Errorf("the page asks for %s", url)
		}
	}
}

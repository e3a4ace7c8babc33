package web_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"perceive/camera"
)

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
		b.is(t, "no label covers another thing", `[...document.querySelectorAll('.label')].every(r => [...r.children].every((e, i, all) => {
			const a = e.getBoundingClientRect();
			return all.slice(i + 1).every(o => (b => a.right <= b.left || b.right <= a.left || a.bottom <= b.top + 1 || b.bottom <= a.top + 1)(o.getBoundingClientRect()));
		}))`)
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

// Without the daemon what the page shows is old; it must look so, and come back by itself.
func TestPageSaysWhenTheDaemonIsGone(t *testing.T) {
	f := newFake(t)
	at, stop := face(t, f, "127.0.0.1:0")
	b := open(t)
	b.do(t, size(1280, 720), chromedp.Navigate("http://"+at+"/"))
	b.until(t, "pictures and results", live)
	b.quiet(t)
	stop()
	b.until(t, "the banner says since when", `!banner.hidden && /since \d\d:\d\d:\d\d/.test(banner.textContent) && document.body.classList.contains('stale')`)
	b.is(t, "everything is grey", `getComputedStyle(cams).filter.includes('grayscale')`)
	b.shoot(t, "gone")
	face(t, f, at)
	b.until(t, "the banner goes", `banner.hidden && !document.body.classList.contains('stale')`)
	b.until(t, "results come again", live)
	b.is(t, "the log says both", `log.textContent.includes('connection to the daemon lost') && log.textContent.includes('is back')`)
}

// A single camera has the whole width.
func TestPageWithOneCamera(t *testing.T) {
	f := newFake(t)
	f.change(func() { f.cams = f.cams[:1] })
	at, _ := face(t, f, "127.0.0.1:0")
	b := open(t)
	b.do(t, size(1280, 720), chromedp.Navigate("http://"+at+"/"))
	b.until(t, "its picture and labels", `document.querySelectorAll('.cam').length === 1 && document.querySelector('.caption').textContent.includes('boxes of this frame')
		&& [...document.querySelectorAll('.label .p')].filter(p => p.textContent !== '–').length === 4`)
	b.is(t, "everything is on the screen", `[...document.querySelectorAll('.cam, .gaps, .results')].every(e => e.getBoundingClientRect().bottom <= innerHeight) && !(`+wide+`)`)
	if history != 0 {
		b.do(t, chromedp.Sleep(history/2))
	}
	b.shoot(t, "one")
	b.quiet(t)
}

// live is whether both cameras' labels and pictures are of now.
const live = `link.textContent === '● live' && [...document.querySelectorAll('.label .p')].filter(p => p.textContent !== '–').length === 8 &&
	[...document.querySelectorAll('.caption')].filter(c => c.textContent.includes('boxes of this frame')).length === 2`

// A camera that is lost, a provider that is not what was asked for and a board that is too hot are
// seen, in words; and that they are over.
func TestPageShowsTrouble(t *testing.T) {
	f := newFake(t)
	f.change(func() { f.degraded, f.hot = true, true })
	at, _ := face(t, f, "127.0.0.1:0")
	b := open(t)
	b.do(t, size(1280, 720), chromedp.Navigate("http://"+at+"/"))
	b.until(t, "pictures and results", live)
	if history != 0 {
		b.do(t, chromedp.Sleep(history))
	}
	f.lose("rear", "the camera closed the connection: EOF")
	b.until(t, "rear is lost, and why", `document.querySelector('.cam[data-source="rear"]').dataset.state === 'lost' &&
		(v => !v.hidden && v.textContent.includes('no picture for') && v.textContent.includes('closed the connection'))(document.querySelector('.cam[data-source="rear"] .veil'))`)
	b.until(t, "what nobody sees is unknown", shows("rear", "car", "unknown", "–"))
	b.is(t, "front goes on", `document.querySelector('.cam[data-source="front"]').dataset.state === 'streaming' && document.querySelector('.cam[data-source="front"] .veil').hidden`)
	b.is(t, "it is unhealthy", `healthy.textContent.includes('unhealthy') && healthy.className === 'pill bad' && ready.className === 'pill good'`)
	b.is(t, "all problems are listed", `problems.children.length === 3 && ['provider', 'board', 'source rear', 'libnvinfer'].every(w => problems.textContent.includes(w))`)
	b.is(t, "the provider is degraded", `provider.textContent.includes('degraded') && provider.className === 'warn'`)
	b.is(t, "the board is hot", `board.textContent.includes('92 °C') && board.textContent.includes('hot, throttled')`)
	b.is(t, "the log has the event", `log.textContent.includes('rear lost: the camera closed the connection: EOF')`)
	if history != 0 {
		b.do(t, chromedp.Sleep(history/6))
	}
	for _, s := range [][2]int64{{1280, 720}, {1920, 1080}} {
		b.do(t, size(s[0], s[1]), chromedp.Sleep(time.Second))
		b.is(t, fmt.Sprintf("no horizontal scroll at %d", s[0]), "!("+wide+")")
		b.shoot(t, fmt.Sprintf("trouble-%d", s[0]))
	}
	for n := range 3 { // tries that fail
		f.event("rear", camera.Connecting, "", n+2)
		f.event("rear", camera.Lost, "the camera closed the connection: EOF", n+2)
	}
	b.until(t, "tries are counted in one line", `log.querySelector('[data-attempt="×4"]') && [...log.children].filter(e => e.textContent.includes('rear lost')).length === 1`)
	f.lose("rear", "")
	b.until(t, "rear is back", `document.querySelector('.cam[data-source="rear"]').dataset.state === 'streaming' && document.querySelector('.cam[data-source="rear"] .veil').hidden`)
	b.until(t, "pictures and results again", live)
	b.is(t, "its problem is over", `problems.children.length === 2`)
	// Of a picture that was asked for when the camera went, the browser says that there was none.
	if errs := b.complaints("frame.jpg"); len(errs) > 0 {
		t.Errorf("the console says: %q", errs)
	}
}

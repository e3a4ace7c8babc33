package hil

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"perceive/camera"
	"perceive/camera/framecode"
	"perceive/camera/opencv"
)

// Served is one frame that a camera made.
type Served struct {
	Camera string    `json:"camera"`
	Code   uint32    `json:"code"`
	Due    time.Time `json:"due"`  // by the pacing
	Made   time.Time `json:"made"` // when the glass saw it: what latency is counted from
	Sent   time.Time `json:"sent"` // zero: it was never put on the wire
	// Faults are those that the frame was made under, by number.
	Faults []int           `json:"faults,omitempty"`
	Truth  map[string]bool `json:"truth,omitempty"`
}

// feed is a camera that serves MJPEG over HTTP, as network cameras do.
type feed struct {
	cam    Camera
	faults []Fault // all of the scenario's, by number
	clip   *clip
	spoil  spoiler
	addr   string

	mu      sync.Mutex
	served  []Served
	shots   []shot
	clients map[chan []byte]struct{}
	server  *http.Server
	hang    bool
	cut     bool // connections are accepted and closed
}

// shot is a picture that was sent, kept for the report: one a second.
type shot struct {
	at   time.Time
	code uint32
	jpeg []byte
}

// maxShots bounds them: the older ones of a long run are thinned out.
const maxShots = 600

// boundary parts the pictures of a stream.
const boundary = "perceive-bench"

func newFeed(s *Scenario, n int, c *clip) (*feed, error) {
	f := &feed{cam: s.Cameras[n], faults: s.Faults, clip: c, clients: map[chan []byte]struct{}{}}
	f.spoil.rand = rand.New(rand.NewPCG(s.Seed, uint64(n)))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("hil: camera %s: %w", f.cam.Name, err)
	}
	f.addr = l.Addr().String()
	f.listen(l)
	return f, nil
}

// URL is where the unit finds the camera.
func (f *feed) URL() string {
	url := "http://" + f.addr + "/" + f.cam.Name + ".mjpeg"
	if f.cam.Query != "" {
		url += "?" + f.cam.Query
	}
	return url
}

func (f *feed) listen(l net.Listener) {
	f.server = &http.Server{Handler: http.HandlerFunc(f.serve), ReadHeaderTimeout: 5 * time.Second}
	go f.server.Serve(l)
}

// serve is one connection.
func (f *feed) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	if f.cut {
		f.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
	parts := make(chan []byte, 4)
	f.clients[parts] = struct{}{}
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		delete(f.clients, parts)
		f.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary="+boundary)
	w.WriteHeader(http.StatusOK)
	out := http.NewResponseController(w)
	for {
		select {
		case <-r.Context().Done():
			return
		case p, ok := <-parts:
			if !ok {
				panic(http.ErrAbortHandler) // hang up without a farewell
			}
			if _, err := w.Write(p); err != nil || out.Flush() != nil {
				return
			}
		}
	}
}

// send puts a part on the wire of each connection, and is whether it went to one.
func (f *feed) send(part []byte) (sent bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.hang {
		return false
	}
	for c := range f.clients {
		select {
		case c <- part:
			sent = true
		default: // the unit does not read: the frame is lost, as a camera's is
		}
	}
	return sent
}

// hangUp ends all connections.
func (f *feed) hangUp() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.clients {
		close(c)
		delete(f.clients, c)
	}
}

func (f *feed) set(flag *bool, v bool) {
	f.mu.Lock()
	*flag = v
	f.mu.Unlock()
}

// run makes frames from begin on until ctx ends.
func (f *feed) run(ctx context.Context, begin time.Time) error {
	period := time.Duration(float64(time.Second) / f.cam.FPS)
	frame := camera.NewFrame(f.clip.width, f.clip.height, nil)
	var still []byte // the last part, for a frozen camera
	var held []byte  // the part that changes places with the next
	due := begin
	was := map[int]bool{}
	for code := uint32(0); ; code++ {
		if err := sleep(ctx, time.Until(due)); err != nil {
			return nil
		}
		on := f.active(due.Sub(begin))
		f.switchTo(on, was)
		s := Served{Camera: f.cam.Name, Code: code, Due: due, Made: time.Now(), Faults: on}
		part, err := f.make(frame, &s, on, still)
		if err != nil {
			return fmt.Errorf("hil: camera %s: frame %d: %w", f.cam.Name, code, err)
		}
		still = part
		f.keep(s, part)
		held = f.deliver(ctx, part, held, &s, on)
		f.mu.Lock()
		f.served = append(f.served, s)
		f.mu.Unlock()
		step := period
		for _, i := range on {
			if f.faults[i].Kind == "rate" {
				step = time.Duration(float64(period) / or(f.faults[i].Amount, 0.5))
			}
		}
		due = due.Add(step)
	}
}

// keep keeps a picture a second.
func (f *feed) keep(s Served, part []byte) {
	if n := len(f.shots); n > 0 && s.Made.Sub(f.shots[n-1].at) < time.Second {
		return
	}
	if len(f.shots) == maxShots {
		for i := range maxShots / 2 {
			f.shots[i] = f.shots[2*i]
		}
		f.shots = f.shots[:maxShots/2]
	}
	if _, jpeg, ok := bytes.Cut(part, []byte("\r\n\r\n")); ok {
		f.shots = append(f.shots, shot{s.Made, s.Code, bytes.TrimSuffix(jpeg, []byte("\r\n"))})
	}
}

// active are the numbers of the camera's faults at a time.
func (f *feed) active(at time.Duration) (on []int) {
	for i, x := range f.faults {
		if (x.Camera == "" || x.Camera == f.cam.Name) && !slices.Contains(onUnit, x.Kind) && at >= x.At && at < x.At+x.For {
			on = append(on, i)
		}
	}
	return on
}

// switchTo begins and ends the faults that are of the connection and not of frames.
func (f *feed) switchTo(on []int, was map[int]bool) {
	for i, x := range f.faults {
		now := slices.Contains(on, i)
		if now == was[i] {
			continue
		}
		was[i] = now
		switch x.Kind {
		case "disconnect":
			f.set(&f.cut, now)
			f.hangUp()
		case "hang":
			f.set(&f.hang, now)
		case "refuse":
			if now {
				f.hangUp()
				f.server.Close()
			} else if l, err := net.Listen("tcp", f.addr); err == nil {
				f.listen(l)
			}
		}
	}
}

// make is a frame as it goes on the wire: a picture with its code, spoilt.
func (f *feed) make(frame *camera.Frame, s *Served, on []int, still []byte) ([]byte, error) {
	pix, truth := f.clip.at(s.Code)
	s.Truth = truth
	for _, i := range on {
		if f.faults[i].Kind == "freeze" && still != nil {
			return restamped(still, s.Made), nil
		}
	}
	copy(frame.Pix, pix)
	for _, i := range on {
		if err := f.spoil.under(frame, f.faults[i].Kind, f.faults[i].Amount); err != nil {
			return nil, err
		}
	}
	shown := frame
	for _, i := range on {
		if f.faults[i].Kind == "resize" {
			var err error
			if shown, err = f.spoil.resized(frame, or(f.faults[i].Amount, 0.5)); err != nil {
				return nil, err
			}
		}
	}
	framecode.Write(shown, s.Code)
	for _, i := range on {
		f.spoil.over(shown, f.faults[i].Kind)
	}
	jpeg, err := opencv.EncodeJPEG(shown.Width, shown.Height, shown.Pix, f.cam.Quality)
	if err != nil {
		return nil, err
	}
	for _, i := range on {
		jpeg = f.spoil.bytes(jpeg, f.faults[i].Kind)
	}
	return part(jpeg, s.Made), nil
}

// deliver sends a frame, or what the faults make of that; it returns the one that is held back
// to change places with the next.
func (f *feed) deliver(ctx context.Context, part, held []byte, s *Served, on []int) []byte {
	times, delay := 1, time.Duration(0)
	swap := false
	for _, i := range on {
		x := f.faults[i]
		switch x.Kind {
		case "drop":
			if f.spoil.rand.Float64() < or(x.Amount, 0.5) {
				times = 0
			}
		case "burst_drop":
			times = 0
		case "duplicate":
			times *= 2
		case "late":
			delay += x.Delay
		case "jitter":
			delay += time.Duration(f.spoil.rand.Float64() * float64(x.Delay))
		case "reorder":
			swap = true
		}
	}
	if times == 0 {
		return held
	}
	if swap && held == nil {
		s.Sent = s.Made
		return part
	}
	send := func() {
		for range times {
			f.send(part)
		}
		if held != nil {
			f.send(held)
		}
	}
	s.Sent = time.Now().Add(delay)
	if delay > 0 {
		time.AfterFunc(delay, func() {
			if ctx.Err() == nil {
				send()
			}
		})
		return nil
	}
	if !f.connected() {
		s.Sent = time.Time{}
	}
	send()
	return nil
}

func (f *feed) connected() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.clients) > 0 && !f.hang
}

// log is what was served up to now.
func (f *feed) log() []Served {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.served)
}

// Close ends the camera.
func (f *feed) Close() error {
	f.hangUp()
	return f.server.Close()
}

// part is one picture of a stream. The sender's time is in seconds, as mjpg-streamer has it.
func part(jpeg []byte, made time.Time) []byte {
	head := fmt.Sprintf("--%s\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\nX-Timestamp: %s\r\n\r\n", boundary, len(jpeg), stamp(made))
	return append(append([]byte(head), jpeg...), "\r\n"...)
}

// stampLength is that of stamp's text, so that it can be replaced in place.
const stampLength = len("1700000000.000000")

func stamp(t time.Time) string { return fmt.Sprintf("%010d.%06d", t.Unix(), t.Nanosecond()/1000) }

// restamped is the same picture, sent again now.
func restamped(p []byte, made time.Time) []byte {
	out := slices.Clone(p)
	const key = "X-Timestamp: "
	if i := bytes.Index(out, []byte(key)); i >= 0 {
		copy(out[i+len(key):][:stampLength], stamp(made))
	}
	return out
}

// sleep waits, unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

package hil

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"time"
)

// picture is one frame on its way to a wire.
type picture struct {
	jpeg []byte
	made time.Time
}

// wire is how pictures come to the unit. Its methods may be called from any goroutine.
type wire interface {
	// url is what the unit opens.
	url() string
	// send takes a picture to everybody who is there, and does not wait: who does not read loses
	// it, as with a camera.
	send(p picture)
	// reaches is whether a picture that is sent now would go to somebody, as far as the wire can know.
	reaches() bool
	// broken is why the bench's own end does not work any more, nil while it does.
	broken() error
	Close() error
}

// server is a wire that the unit connects to.
type server interface {
	wire
	// cut ends all connections, and new ones at once, until it is called with false.
	cut(on bool)
	// refuse shuts the port, or opens it again; it is an error if that cannot be.
	refuse(ctx context.Context, on bool) error
}

// Medium is a kind of wire.
type Medium struct {
	about string
	needs string // what the machine must have
	// loses: an encoder or packets may lose a frame on the way, and nobody knows.
	loses bool
	// here: it does not leave this machine.
	here bool
	// cannot are the faults that it cannot show, and why.
	cannot map[string]string
	open   func(c Camera, width, height int) (wire, error)
	// lacks is why this machine cannot, nil if it can.
	lacks func(c Camera) error
}

// Describe says what it is and what it needs.
func (m Medium) Describe() string {
	if m.needs == "" {
		return m.about
	}
	return m.about + "; needs " + m.needs
}

const (
	noConnection = "there is no connection to break: use hang"
	encodedAnew  = "the pictures are encoded anew on their way, always in one size and whole"
)

// Media are the wires by the name that a scenario has for them (the key over).
var Media = map[string]Medium{
	"mjpeg": {about: "MJPEG over HTTP", open: openHTTP, lacks: func(Camera) error { return nil }},
	"rtsp": {about: "H.264 over RTSP, RTP within the connection (TCP)", needs: "ffmpeg", loses: true, open: openRTSP, lacks: lacksFFmpeg,
		cannot: map[string]string{"truncate": encodedAnew, "corrupt": encodedAnew, "resize": encodedAnew}},
	"mpegts": {about: "H.264 in MPEG-TS over UDP", needs: "ffmpeg", loses: true, here: true, open: openMPEGTS, lacks: lacksFFmpeg,
		cannot: map[string]string{"truncate": encodedAnew, "corrupt": encodedAnew, "resize": encodedAnew, "disconnect": noConnection, "refuse": noConnection}},
	"v4l2": {about: "a V4L2 loopback device of the kernel", needs: "ffmpeg, v4l2loopback", loses: true, here: true, open: openV4L2, lacks: lacksV4L2,
		cannot: map[string]string{"truncate": encodedAnew, "corrupt": encodedAnew, "resize": encodedAnew, "disconnect": noConnection, "refuse": noConnection}},
}

func openWire(c Camera, width, height int) (wire, error) {
	m := Media[c.Over]
	if err := m.lacks(c); err != nil {
		return nil, err
	}
	return m.open(c, width, height)
}

// listen opens the camera's port.
func (c Camera) listen() (net.Listener, error) {
	at := c.address
	if at == "" {
		at = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", at)
	if err != nil {
		return nil, fmt.Errorf("where it is to listen: %w", err)
	}
	return l, nil
}

// Needs is what a scenario's wires need of the machine, "" if nothing.
func (s *Scenario) Needs() string {
	need := ""
	for _, c := range s.Cameras {
		if n := Media[c.Over].needs; len(n) > len(need) { // each is more of the one before
			need = n
		}
	}
	return need
}

// Lacks is why this machine cannot run a scenario: what is missing, and how to get it. It is nil
// if nothing is.
func (s *Scenario) Lacks() error {
	var all []error
	for _, c := range s.Cameras {
		if err := Media[c.Over].lacks(c); err != nil && !slices.ContainsFunc(all, func(e error) bool { return e.Error() == err.Error() }) {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

func lacksFFmpeg(Camera) error {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		return errors.New("there is no ffmpeg here: apt-get install ffmpeg")
	}
	return nil
}

// reopenTime is how long a port that was shut may take to be opened again.
const reopenTime = 2 * time.Second

// reopen listens at an address again. Until the system has let go of it, or while somebody else
// has it, it tries again. There is no listener and no error when ctx ends first.
func reopen(ctx context.Context, addr string) (net.Listener, error) {
	for end := time.Now().Add(reopenTime); ; {
		l, err := net.Listen("tcp", addr)
		switch {
		case err == nil:
			return l, nil
		case time.Now().After(end):
			return nil, fmt.Errorf("the port that was shut cannot be opened again: %w", err)
		case sleep(ctx, 20*time.Millisecond) != nil:
			return nil, nil
		}
	}
}

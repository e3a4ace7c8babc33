package hil

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// The arguments of ffmpeg that all wires share. Pictures come as a multipart stream, whose parts
// tell their length: other ways of JPEG into ffmpeg end a picture when the next one begins, which
// is a frame too late. Frames have the time at which they come, so that faults of pacing arrive.
var (
	ffmpegIn = []string{"-hide_banner", "-loglevel", "error", "-nostats",
		"-probesize", "32", "-analyzeduration", "0", "-fpsprobesize", "0", "-threads", "1", "-f", "mpjpeg", "-i", "pipe:0",
		"-an", "-vf", "settb=1/90000,setpts=(RTCTIME-RTCSTART)/(TB*1000000)", "-vsync", "passthrough", "-enc_time_base", "1/90000"}
	// ffmpegH264 is an encoder that holds nothing back: no B-frames, no look-ahead, a key frame
	// every 15 frames, each with its headers, so that who connects sees a picture soon.
	ffmpegH264 = []string{"-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "superfast", "-tune", "zerolatency",
		"-crf", "20", "-bf", "0", "-g", "15", "-threads", "1", "-x264-params", "repeat-headers=1:scenecut=0"}
)

// encoder is a child process: pictures in, a wire out.
type encoder struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	parts  chan picture
	finish func()
	done   chan struct{} // the process has ended

	mu     sync.Mutex
	said   bytes.Buffer // on standard error
	closed bool
	err    error
}

// maxSaid bounds what is kept of an encoder's complaints.
const maxSaid = 4096

// startEncoder starts ffmpeg with pictures on its standard input.
func startEncoder(out ...string) (*encoder, error) {
	e := &encoder{parts: make(chan picture, 4), done: make(chan struct{})}
	e.cmd = exec.Command("ffmpeg", append(append([]string(nil), ffmpegIn...), out...)...)
	e.cmd.Stderr = e
	var err error
	if e.in, err = e.cmd.StdinPipe(); err == nil {
		err = e.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("ffmpeg: %w", err)
	}
	stop := make(chan struct{})
	e.finish = sync.OnceFunc(func() { close(stop) })
	go e.feed(stop)
	go e.wait()
	return e, nil
}

// Write takes what the process says of its troubles.
func (e *encoder) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if room := maxSaid - e.said.Len(); room > 0 {
		e.said.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func (e *encoder) feed(stop <-chan struct{}) {
	defer e.in.Close() // the end of its input ends it
	for {
		select {
		case p := <-e.parts:
			if _, err := e.in.Write(part(p)); err != nil {
				return // wait says why
			}
		case <-stop:
			return
		}
	}
}

func (e *encoder) wait() {
	err := e.cmd.Wait()
	e.finish()
	e.mu.Lock()
	if !e.closed {
		if err == nil {
			err = errors.New("it ended by itself")
		}
		e.err = fmt.Errorf("ffmpeg: %w: %s", err, strings.TrimSpace(e.said.String()))
	}
	e.mu.Unlock()
	close(e.done)
}

// send implements wire.
func (e *encoder) send(p picture) {
	select {
	case e.parts <- p:
	default: // the encoder does not keep up: the frame is lost
	}
}

// reaches implements wire: nobody knows who listens.
func (e *encoder) reaches() bool { return true }

// broken implements wire.
func (e *encoder) broken() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

// Close implements wire. The process ends with its input, and by force when it takes too long.
func (e *encoder) Close() error {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.finish()
	select {
	case <-e.done:
	case <-time.After(2 * time.Second):
		e.cmd.Process.Kill()
		<-e.done
	}
	return nil
}

// evenSize is an error for sizes that H.264's usual pixels, with half the colours, cannot have.
func evenSize(width, height int) error {
	if width%2 != 0 || height%2 != 0 {
		return fmt.Errorf("%d×%d: H.264 wants even numbers: say width and height", width, height)
	}
	return nil
}

// sender is a wire that is an encoder alone.
type sender struct {
	*encoder
	address string
}

func (s sender) url() string { return s.address }

// openMPEGTS sends to the camera's port of this machine, or to one that nobody has now.
func openMPEGTS(c Camera, width, height int) (wire, error) {
	if err := evenSize(width, height); err != nil {
		return nil, err
	}
	at, err := c.address, error(nil)
	if at == "" {
		if at, err = freeUDPAddress(); err != nil {
			return nil, err
		}
	}
	address := "udp://" + at
	e, err := startEncoder(mpegtsArgs(address)...)
	return sender{e, address}, err
}

// mpegtsArgs send packets of seven cells, as broadcasters do, each when it is there. The length
// of a picture stands in its head, so that its end is known before the next one comes.
func mpegtsArgs(address string) []string {
	return append(append([]string(nil), ffmpegH264...), "-f", "mpegts", "-omit_video_pes_length", "0", "-muxdelay", "0", "-muxpreload", "0",
		"-flush_packets", "1", address+"?pkt_size=1316")
}

func freeUDPAddress() (string, error) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer c.Close()
	return c.LocalAddr().String(), nil
}

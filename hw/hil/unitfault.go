package hil

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

// prepareUnit makes what faults need before the unit starts.
func prepareUnit(s *Scenario, dir string, u *unit) error {
	if s.Unit.Disk > 0 {
		disk := filepath.Join(dir, "disk")
		if err := os.MkdirAll(disk, 0o755); err != nil {
			return fmt.Errorf("hil: %w", err)
		}
		unix.Unmount(disk, 0) // of a run before
		if err := unix.Mount("tmpfs", disk, "tmpfs", 0, fmt.Sprintf("size=%d", s.Unit.Disk)); err != nil {
			return fmt.Errorf("hil: a small disk for the unit: %w: mounting needs root", err)
		}
	}
	if slices.ContainsFunc(s.Faults, func(f Fault) bool { return f.Kind == "hot_board" }) {
		if err := writeBoard(dir, cool); err != nil {
			return err
		}
		u.args = append(u.args, "--set", fmt.Sprintf("board.root=%q", filepath.Join(dir, "board")))
	}
	return nil
}

// cool is the temperature of a board that is well, °C.
const cool = 45

// writeBoard writes a sysfs tree with one thermal zone, as the kernel has it: thousandths of °C.
func writeBoard(dir string, celsius float64) error {
	zone := filepath.Join(dir, "board", "sys", "class", "thermal", "thermal_zone0")
	err := os.MkdirAll(zone, 0o755)
	for name, text := range map[string]string{"type": "cpu-thermal\n", "temp": fmt.Sprintf("%d\n", int(celsius*1000))} {
		if err == nil { // at once, as the kernel does: half a reading would be another sensor
			err = renameio.WriteFile(filepath.Join(zone, name), []byte(text), 0o644)
		}
	}
	if err != nil {
		return fmt.Errorf("hil: board: %w", err)
	}
	return nil
}

// happen waits for a fault's time, breaks the unit, and mends it at the fault's end. It notes
// when that really was.
func (b *Bench) happen(ctx context.Context, f Fault, dir string, u *unit, o *observer, at *Span) error {
	if sleep(ctx, time.Until(at.From)) != nil {
		return nil
	}
	at.From = time.Now()
	mend, err := b.inject(ctx, f, dir, u, o, at)
	if err != nil {
		return err
	}
	if f.For > 0 {
		sleep(ctx, time.Until(at.From.Add(f.For)))
	}
	at.To = time.Now()
	if mend != nil {
		return mend()
	}
	return nil
}

// inject breaks something and returns what mends it. A reload that has to wait begins later: at
// says when.
func (b *Bench) inject(ctx context.Context, f Fault, dir string, u *unit, o *observer, at *Span) (mend func() error, err error) {
	b.Say("%s", f.Kind)
	switch f.Kind {
	case "kill":
		return nil, u.signal(syscall.SIGKILL)
	case "stop":
		return func() error { return u.signal(syscall.SIGCONT) }, u.signal(syscall.SIGSTOP)
	case "load":
		l, err := startLoad()
		return func() error { l.stop(); return nil }, err
	case "memory":
		return func() error { return u.limitMemory(-1) }, u.limitMemory(int64(f.Amount * float64(u.rss())))
	case "disk_full":
		return fillDisk(filepath.Join(dir, "disk"))
	case "disk_rot":
		return nil, overwriteLines(dir)
	case "no_provider":
		return nil, nil // it was started so
	case "hot_board":
		return func() error { return writeBoard(dir, cool) }, writeBoard(dir, 100*or(f.Amount, 1))
	case "model_swap":
		refusal, err := reloadWhenFree(ctx, o.base, f.File, at)
		if ctx.Err() != nil {
			return nil, nil
		}
		if err == nil && refusal != "" {
			err = errors.New(refusal)
		}
		return nil, err
	case "bad_model":
		return nil, b.offerBad(ctx, f, dir, o.base, at)
	case "deaf":
		o.setDeaf(true)
		return func() error { o.setDeaf(false); return nil }, nil
	case "slow_reader":
		return standStill(ctx, strings.TrimPrefix(o.base, "http://"))
	}
	panic("hil: fault " + f.Kind) // Parse knows them all
}

// standStill asks for the results and never reads. Its receive buffer is as small as the kernel lets it
// be, so that it is the unit that has to hold them, or let them go.
func standStill(ctx context.Context, address string) (mend func() error, err error) {
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		var failed error
		err := raw.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 1) })
		return errors.Join(err, failed)
	}}
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	_, err = io.WriteString(c, "GET /v1/results HTTP/1.1\r\nHost: "+address+"\r\n\r\n")
	return c.Close, err
}

// offerBad tells the unit to take a model file that it must refuse. Why it did is for detect to judge.
func (b *Bench) offerBad(ctx context.Context, f Fault, dir, base string, at *Span) error {
	path := f.File
	if path == "" {
		path = filepath.Join(dir, "tampered.onnx")
		if err := os.WriteFile(path, tampered(b.Model), 0o644); err != nil {
			return err
		}
	}
	refusal, err := reloadWhenFree(ctx, base, path, at)
	switch {
	case ctx.Err() != nil:
		return nil
	case err == nil && refusal == "":
		return errors.New("the unit took it")
	}
	return err
}

// tampered changes one byte in the middle of a file, where the weights are.
func tampered(model []byte) []byte {
	out := slices.Clone(model)
	out[len(out)/2] ^= 0x10
	return out
}

// fillDisk writes until there is no room.
func fillDisk(disk string) (mend func() error, err error) {
	path := filepath.Join(disk, "filler")
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for block := make([]byte, 64<<10); len(block) > 0; {
		if _, err := f.Write(block); err != nil {
			block = block[:len(block)/2]
		}
	}
	return func() error { return os.Remove(path) }, nil
}

// overwriteLines puts an empty event in the place of three lines in the middle of the unit's newest
// JSON Lines file, which is still all lines then.
func overwriteLines(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.jsonl"))
	if err != nil || len(files) == 0 {
		return errors.Join(err, errors.New("the unit has written no JSON Lines yet"))
	}
	f, err := os.OpenFile(slices.Max(files), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	if len(lines) < 10 {
		return fmt.Errorf("%s has %d lines yet: want 10", f.Name(), len(lines))
	}
	n := len(lines) / 2
	at, long := len(bytes.Join(lines[:n], nil)), len(bytes.Join(lines[n:n+3], nil))
	_, err = f.WriteAt(fmt.Appendf(nil, "%-*s\n", long-1, `{"event":"rot"}`), int64(at))
	return err
}

// reloadTime is how long a reload may wait for one that is under way.
const reloadTime = 30 * time.Second

// reloadWhenFree is reload, after the one that is under way, if there is one. It notes when it was asked for
// at last.
func reloadWhenFree(ctx context.Context, base, file string, at *Span) (refusal string, err error) {
	for end := time.Now().Add(reloadTime); ; {
		at.From = time.Now()
		refusal, err = reload(ctx, base, file)
		if err != nil || !strings.Contains(refusal, "another reload is under way") {
			return refusal, err
		}
		if time.Now().After(end) {
			return "", fmt.Errorf("another reload was under way for %v", reloadTime)
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return "", err
		}
	}
}

// reload tells the unit to take a model file. The refusal is its answer if it does not, empty if it
// does; the error is that it did not answer.
func reload(ctx context.Context, base, file string) (refusal string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1/reload?file="+url.QueryEscape(file), nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
		return resp.Status + ": " + strings.TrimSpace(string(text)), nil
	}
	return "", nil
}

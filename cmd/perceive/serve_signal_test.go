package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// serving is a daemon in a process of its own, on a rendered camera.
func serving(t *testing.T, out *os.File, args ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, append([]string{"serve", "--listen", "none", "--source", "front=scene://?live=true&width=320",
		"--set", "outputs.stdout=true", "--set", "board.poll=0s"}, args...)...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.Stdout = out
	errOut, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return cmd, bufio.NewScanner(errOut)
}

// awaitLog reads the log up to a line that holds the text.
func awaitLog(t *testing.T, log *bufio.Scanner, text string) {
	t.Helper()
	for log.Scan() {
		if strings.Contains(log.Text(), text) {
			return
		}
	}
	t.Fatalf("the log ended without %q: %v", text, log.Err())
}

// SIGTERM ends the daemon in order: every frame up to the last one has its line, and the exit code is 0.
func TestServeEndsInOrder(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd, log := serving(t, w)
	w.Close()
	go io.Copy(io.Discard, reading{log})
	lines, next := bufio.NewScanner(r), uint64(0)
	for lines.Scan() {
		var l struct {
			Seq    *uint64 `json:"seq"`
			Status string  `json:"status"`
		}
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		if l.Seq == nil {
			continue // the header, or an event
		}
		if *l.Seq != next {
			t.Fatalf("result %d follows %d", *l.Seq, next)
		}
		if next++; next == 5 {
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err != nil || next < 5 {
		t.Errorf("%v after %d results", err, next)
	}
}

// A second signal ends the daemon at once, whatever it waits for: here, for a reader that does not read.
func TestSecondSignal(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, 4096); err != nil {
		t.Fatal(err)
	}
	cmd, log := serving(t, w, "--set", "watch.stop=1m")
	w.Close()
	awaitLog(t, log, "msg=ready")
	for last, same := -1, 0; same < 20; time.Sleep(50 * time.Millisecond) { // until the pipe takes no more
		n, err := unix.IoctlGetInt(int(r.Fd()), unix.TIOCINQ)
		if err != nil {
			t.Fatal(err)
		}
		if same++; n != last || n == 0 {
			last, same = n, 0
		}
	}
	for _, wait := range []string{"msg=stopping", ""} {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if wait != "" {
			awaitLog(t, log, wait)
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) {
		t.Fatalf("%v, want an end by SIGTERM", err)
	}
	if ws := exit.Sys().(syscall.WaitStatus); !ws.Signaled() || ws.Signal() != syscall.SIGTERM {
		t.Errorf("%v, want an end by SIGTERM", exit)
	}
}

// reading is what is left of a scanner's text.
type reading struct{ *bufio.Scanner }

// Read implements io.Reader.
func (r reading) Read(p []byte) (int, error) {
	if !r.Scan() {
		return 0, io.EOF
	}
	return copy(p, r.Bytes()), nil
}

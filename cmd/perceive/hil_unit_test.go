package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// freePort is one of this machine that nobody has.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

const onAnother = `
name: another
length: 12s
cameras:
  - {name: front, world: "scene://?seed=1&seconds=5", fps: 10, width: 320}
faults:
  - {at: 4s, for: 2s, kind: refuse}
require:
  - {kind: detect, fault: 0, as: [lost, stalled], within: 8s}
  - {kind: recover, fault: 0, within: 6s}
  - {kind: one_result}
  - {kind: alive}
`

// A daemon that was started by somebody else is tested where it is, with the cameras that its
// configuration names.
func TestBenchOnAnotherDaemonBudget(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	face, camera := fmt.Sprintf("127.0.0.1:%d", freePort(t)), fmt.Sprintf("127.0.0.1:%d", freePort(t))
	url := "http://" + camera + "/front.mjpeg"
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	config := put("unit.yaml", fmt.Sprintf("http: {listen: %q}\nsources:\n  - {name: front, uri: %q, frame_code: true}\n", face, url))
	var said strings.Builder
	daemon := exec.Command(self, "serve", "--config", config)
	daemon.Env = append(os.Environ(), asProgram+"=1")
	daemon.Stdout, daemon.Stderr = &said, &said
	daemon.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		daemon.Process.Signal(syscall.SIGTERM)
		if err := daemon.Wait(); err != nil || t.Failed() {
			t.Errorf("the daemon: %v: %s", err, said.String())
		}
	}()
	_, out, done := onBench(t, put("another.yaml", onAnother), "--unit", face, "--listen", camera)
	if len(done) != 1 || done[0].Error != "" || len(done[0].Verdicts) != 4 || !strings.Contains(out, "camera front: "+url+": configure the unit with it") {
		t.Fatalf("%+v: %s", done, out)
	}
	for _, v := range done[0].Verdicts {
		if !v.Doubtful && !v.Pass {
			t.Errorf("%+v", v)
		}
	}
}

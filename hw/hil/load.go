package hil

import (
	"os/exec"
	"runtime"
	"syscall"
)

// load is other processes that want every core: a shell that counts, one a core.
type load struct{ cmds []*exec.Cmd }

func startLoad() (*load, error) {
	l := &load{}
	for range runtime.NumCPU() {
		c := exec.Command("/bin/sh", "-c", "while :; do :; done")
		c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := c.Start(); err != nil {
			l.stop()
			return nil, err
		}
		l.cmds = append(l.cmds, c)
	}
	return l, nil
}

func (l *load) stop() {
	for _, c := range l.cmds {
		c.Process.Kill()
		c.Wait()
	}
	l.cmds = nil
}

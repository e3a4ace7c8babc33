package hil

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// unit is the daemon as a process of its own.
type unit struct {
	program string   // perceive
	args    []string // of perceive serve
	env     []string
	dir     string // for its files and what it says
	restart bool
	base    string // http://address of its face

	mu     sync.Mutex
	cmd    *exec.Cmd
	lives  int
	died   []string
	ending bool
	ended  chan struct{} // of the present process
	expect bool          // its end is the bench's doing
	exit   error         // of the process that ended last
}

// freeAddress is one that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// start begins a life of the unit.
func (u *unit) start() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ending {
		return nil
	}
	out, err := os.OpenFile(filepath.Join(u.dir, "unit.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("hil: unit: %w", err)
	}
	cmd := exec.Command(u.program, append([]string{"serve"}, u.args...)...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = out, out, u.dir
	cmd.Env = append(os.Environ(), u.env...)
	// The unit must not outlive the bench.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		out.Close()
		return fmt.Errorf("hil: unit: %w", err)
	}
	u.cmd, u.lives, u.ended, u.expect = cmd, u.lives+1, make(chan struct{}), false
	go u.wait(cmd, out, u.ended)
	return nil
}

// wait notes the end of a life, and begins the next as systemd would.
func (u *unit) wait(cmd *exec.Cmd, out *os.File, ended chan struct{}) {
	err := cmd.Wait()
	out.Close()
	u.mu.Lock()
	u.exit = err
	again := u.restart && !u.ending
	if !u.ending && !u.expect {
		why := "ended"
		if err != nil {
			why = err.Error()
		}
		u.died = append(u.died, why)
	}
	u.mu.Unlock()
	close(ended)
	if again {
		time.Sleep(100 * time.Millisecond) // RestartSec of the unit file
		u.start()
	}
}

// signal sends one to the process.
func (u *unit) signal(s syscall.Signal) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if s == syscall.SIGKILL {
		u.expect = true
	}
	return u.cmd.Process.Signal(s)
}

// settled waits until a unit that was started again is ready, for startTime at most: a process that has not come
// so far as to take signals dies of SIGTERM, which says nothing of it.
func (o *observer) settled(ctx context.Context, u *unit) {
	for end := time.Now().Add(startTime); u.life() > 1 && !o.ready() && time.Now().Before(end); {
		if !u.restart && !u.running() || sleep(ctx, pollEvery) != nil {
			return
		}
	}
}

// stopTime is how long the unit may take to end.
const stopTime = 30 * time.Second

// stop ends the unit in order, and by force when it takes too long.
func (u *unit) stop() error {
	u.mu.Lock()
	u.ending = true
	cmd, ended := u.cmd, u.ended
	u.mu.Unlock()
	if cmd == nil {
		return nil
	}
	cmd.Process.Signal(syscall.SIGCONT)
	cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-ended:
		u.mu.Lock()
		defer u.mu.Unlock()
		if u.exit != nil && !u.expect {
			return fmt.Errorf("hil: the unit ended badly: %w", u.exit)
		}
		return nil
	case <-time.After(stopTime):
		cmd.Process.Kill()
		<-ended
		return fmt.Errorf("hil: the unit did not end within %v of SIGTERM", stopTime)
	}
}

// lived is how many processes there were, and how those ended that were not meant to.
func (u *unit) lived() (lives int, died []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.lives, slices.Clone(u.died)
}

// deaths is the second of lived; a unit that is not the bench's has none.
func (u *unit) deaths() []string {
	if u == nil {
		return nil
	}
	_, died := u.lived()
	return died
}

// running is whether the present process has not ended.
func (u *unit) running() bool {
	u.mu.Lock()
	ended := u.ended
	u.mu.Unlock()
	select {
	case <-ended:
		return false
	default:
		return true
	}
}

func (u *unit) life() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.lives
}

func (u *unit) pid() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.cmd == nil {
		return 0
	}
	return u.cmd.Process.Pid
}

// rss is the process's resident memory in bytes, 0 if it cannot be read.
func (u *unit) rss() int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", u.pid()))
	if err != nil {
		return 0
	}
	_, rest, ok := strings.Cut(string(text), "VmRSS:")
	if !ok {
		return 0
	}
	kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		return 0
	}
	return kb << 10
}

// limitMemory lets the process have so many bytes of address space beyond what it has, or as
// many as it likes again if more is negative.
func (u *unit) limitMemory(more int64) error {
	limit := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	if more >= 0 {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", u.pid()))
		if err != nil {
			return fmt.Errorf("hil: unit: %w", err)
		}
		pages, err := strconv.ParseInt(string(bytes.Fields(text)[0]), 10, 64)
		if err != nil {
			return fmt.Errorf("hil: unit: %w", err)
		}
		limit.Cur = uint64(pages*int64(os.Getpagesize()) + more)
	}
	return unix.Prlimit(u.pid(), unix.RLIMIT_AS, &limit, nil)
}

// ticks are the units of /proc's processor times in a second, on every Linux that there is.
const ticks = 100

// cpu is the processor time that the process has used, seconds, 0 if it cannot be read.
func (u *unit) cpu() float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", u.pid()))
	if err != nil {
		return 0
	}
	// The name, in brackets, may hold anything; user and system time are fields 14 and 15.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, err1 := strconv.ParseFloat(fields[11], 64)
	system, err2 := strconv.ParseFloat(fields[12], 64)
	if err1 != nil || err2 != nil {
		return 0
	}
	return (user + system) / ticks
}

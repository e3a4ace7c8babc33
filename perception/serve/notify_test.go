package serve

import (
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// systemd is told when the daemon is ready, that it lives, how it does and that it ends.
func TestSystemdIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	var mu sync.Mutex
	var told []string
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			mu.Lock()
			told = append(told, string(buf[:n]))
			mu.Unlock()
		}
	}()
	index := func(prefix string) int {
		mu.Lock()
		defer mu.Unlock()
		last := -1 // the last: a daemon of the test before may still be ending
		for i, s := range told {
			if strings.HasPrefix(s, prefix) {
				last = i
			}
		}
		return last
	}
	r := start(t, nil, nil)
	until(t, "READY", func() bool { return index("READY=1") >= 0 })
	until(t, "WATCHDOG", func() bool { return index("WATCHDOG=1") > index("READY=1") })
	until(t, "STATUS", func() bool { return index("STATUS=left ") >= 0 })
	if err := r.end(t); err != nil {
		t.Error(err)
	}
	until(t, "STOPPING", func() bool { return index("STOPPING=1") > index("READY=1") })
}

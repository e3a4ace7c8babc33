package perception

import (
	"io"
	"strings"
	"testing"

	"perceive/camera"
)

// What a live source leaves out has a status of its own.
func TestMissing(t *testing.T) {
	for err, want := range map[error]Status{camera.ErrDropped: Dropped, camera.ErrStale: Stale, io.ErrUnexpectedEOF: Unreadable} {
		got, reason := missing(&camera.FrameError{Name: "camera", Err: err})
		if got != want || !strings.Contains(reason, err.Error()) {
			t.Errorf("%v: %s, %q; want %s", err, got, reason, want)
		}
	}
}

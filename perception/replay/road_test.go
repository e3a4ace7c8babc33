package replay_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"perceive/perception/replay"
)

// run writes the lines of frames from first to last as the daemon does, captured every 100 ms from
// start on; where start is zero the lines do not say when.
func run(t *testing.T, name string, first, last int, start time.Time, status string) string {
	t.Helper()
	lines := `{"schema":2,"program":"test","model":{"name":"tiny","graph_sha256":"ab"},"labels":[{"label":"red","threshold":0.5}]}` + "\n"
	for i := first; i <= last; i++ {
		live := ""
		if !start.IsZero() {
			live = fmt.Sprintf(`,"live":{"captured":%q}`, start.Add(time.Duration(i)*100*time.Millisecond).Format("2006-01-02T15:04:05.000000Z"))
		}
		lines += fmt.Sprintf(`{"source":"front","seq":%d,"t_ms":%d,"status":%q,"labels":[{"label":"red","state":"unknown"}]%s}`+"\n", i, 100*i, status, live)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(lines), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// The files of one run are one road, in any order and also twice; those of two runs, which both
// count from 0, are refused with both names.
func TestRoadIsOfOneRun(t *testing.T) {
	day := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	begin, end := run(t, "begin", 0, 9, day, "dropped"), run(t, "end", 8, 19, day, "dropped")
	clockless := run(t, "clockless", 0, 19, time.Time{}, "dropped")
	for _, paths := range [][]string{{begin, end}, {end, begin}, {begin, begin}, {begin, clockless}} {
		if _, err := replay.ReadRoad(paths, ""); err != nil {
			t.Error(err)
		}
	}
	next := run(t, "next", 0, 5, day.Add(time.Hour), "dropped")
	other := run(t, "other", 3, 5, time.Time{}, "skipped")
	for _, paths := range [][]string{{begin, next}, {next, begin}, {end, begin, next}, {begin, other}, {other, clockless}} {
		_, err := replay.ReadRoad(paths, "front")
		if err == nil || !strings.Contains(err.Error(), "two drives") || !strings.Contains(err.Error(), paths[len(paths)-1]) || !strings.Contains(err.Error(), paths[len(paths)-2]) {
			t.Errorf("%q: %v", paths, err)
		}
	}
}

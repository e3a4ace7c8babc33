package hil

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"perceive/internal/mcap"
	"perceive/perception"
	"perceive/perception/record"
)

// recordingKinds are the files that are read, by the ends of their names.
var recordingKinds = []string{"jsonl", "mcap"}

// recording is what the unit wrote into one kind of files, in order.
type recording struct {
	files int
	lines []recorded
	// wrong is why one cannot be read; cut is one that ends in the middle of something.
	wrong error
	cut   string
}

// recorded is a line of a recording: a result, or what stands for lost ones.
type recorded struct {
	source string
	seq    uint64
	lost   uint64 // 0: a result
}

// keepDisk saves what is on the small disk of a scenario's folder, and takes the disk away.
func keepDisk(s *Scenario, dir string) error {
	defer Unmount(dir)
	if s.Unit.Disk == 0 {
		return nil
	}
	if err := os.CopyFS(filepath.Join(dir, "from-disk"), os.DirFS(filepath.Join(dir, "disk"))); err != nil {
		return fmt.Errorf("hil: what the unit wrote: %w", err)
	}
	return nil
}

// Unmount takes the small disk of a scenario's folder away; it is fine if there is none.
func Unmount(dir string) { unix.Unmount(filepath.Join(dir, "disk"), unix.MNT_DETACH) }

// readRecordings reads all recordings in a folder, by kind.
func readRecordings(dir string) map[string]*recording {
	out := map[string]*recording{}
	fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
		kind := strings.TrimPrefix(filepath.Ext(name), ".")
		if err != nil || e.IsDir() || !slices.Contains(recordingKinds, kind) {
			return nil // what cannot be read is missed below
		}
		r := out[kind]
		if r == nil {
			r = &recording{}
			out[kind] = r
		}
		r.files++
		read := r.readJSONL
		if kind == "mcap" {
			read = r.readMCAP
		}
		switch err := read(filepath.Join(dir, name)); {
		case errors.Is(err, record.ErrCut), errors.Is(err, mcap.ErrTruncated):
			r.cut = name
		case err != nil && r.wrong == nil:
			r.wrong = err
		}
		return nil
	})
	return out
}

func (r *recording) readJSONL(path string) error {
	_, entries, err := record.ReadFile(path)
	for _, e := range entries {
		if err := r.add(e); err != nil {
			return fmt.Errorf("%s:%d: %w", filepath.Base(path), e.Line, err)
		}
	}
	return err
}

func (r *recording) readMCAP(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var head perception.Header
	messages, stop := mcap.Read(f)
	for c, m := range messages {
		switch _, what := filepath.Split(c.Topic); what {
		case "header":
			err = json.Unmarshal(m.Data, &head)
		case "results", "events":
			var e record.Entry
			if e, err = record.Parse(&head, m.Data); err == nil {
				err = r.add(e)
			}
		}
		if err != nil {
			return fmt.Errorf("%s: a message of %s: %w", filepath.Base(path), c.Topic, err)
		}
	}
	if err := stop(); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return nil
}

// add takes a line, if it is a result or says what is lost.
func (r *recording) add(e record.Entry) error {
	switch {
	case e.Result != nil:
		r.lines = append(r.lines, recorded{source: e.Result.Source, seq: e.Result.Seq})
	case e.Event.Kind == "lost":
		var l struct {
			Count uint64 `json:"count"`
		}
		if err := json.Unmarshal(e.Event.Fields, &l); err != nil {
			return fmt.Errorf("event lost: %w", err)
		}
		if l.Count == 0 {
			return errors.New("event lost: it does not say how many")
		}
		r.lines = append(r.lines, recorded{lost: l.Count})
	}
	return nil
}

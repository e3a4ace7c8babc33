package replay

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"perceive/perception"
)

// Journal is the name of the file that says which recordings of a folder are through.
const Journal = "journal.jsonl"

// Row is one recording of many.
type Row struct {
	Recording string `json:"recording"`
	// Key is the hash of the header: with another, the row says nothing of this run.
	Key      string                    `json:"key,omitempty"`
	Frames   int                       `json:"frames"`
	Statuses map[perception.Status]int `json:"statuses,omitempty"`
	Labels   []string                  `json:"labels,omitempty"`
	// On is how many seconds each label was on.
	On   []float64 `json:"on_s,omitempty"`
	Hash string    `json:"sha256,omitempty"`
	FPS  float64   `json:"frames_per_second,omitempty"`
	// Verdict is empty where nothing was compared, else "golden" or what is different.
	Verdict string `json:"verdict,omitempty"`
	// Against is nil where no second model was asked.
	Against *AgainstRow `json:"against,omitempty"`
	Error   string      `json:"error,omitempty"`
	// Note is what there is to know of the recording, such as that a crash cut it short.
	Note   string `json:"note,omitempty"`
	Before bool   `json:"-"` // an earlier run did it
}

// Good is the verdict of a recording that is as its golden.
const Good = "as golden"

func newRow(path string, h perception.Header, show Report) Row {
	s := show.Outcome.Summary
	row := Row{Recording: path, Key: key(h), Frames: s.Frames, Statuses: s.Statuses, Hash: show.Outcome.Hash, Note: h.Source.Note}
	if n := s.Frames - show.Outcome.Resumed; show.Outcome.Took > 0 {
		row.FPS = float64(n) / show.Outcome.Took.Seconds()
	}
	for i, l := range h.Labels {
		row.Labels = append(row.Labels, l.Label)
		row.On = append(row.On, s.On[i].Seconds())
	}
	row.Against = show.Against.row()
	if err := show.Against.Err(); err != nil {
		row.Error = err.Error()
	}
	if show.Comparison != nil {
		row.judge(show.Comparison)
	}
	return row
}

func (r *Row) judge(c *Comparison) {
	r.Verdict = Good
	if err := c.Err(); err != nil {
		r.Verdict = err.Error()
	}
}

// Err is what is wrong with a recording, nil if nothing is.
func (r Row) Err() error {
	switch {
	case r.Error != "":
		return fmt.Errorf("%s: %s", r.Recording, r.Error)
	case r.Verdict != "" && r.Verdict != Good:
		return fmt.Errorf("%s: %s", r.Recording, r.Verdict)
	}
	return nil
}

func key(h perception.Header) string {
	line, _ := headerLine(h) // what was written can be written
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])
}

// journal has a row for each recording that is through. Its methods may be called from any
// goroutine.
type journal struct {
	mu   sync.Mutex
	file *os.File
	rows map[string]Row
}

// openJournal reads what is there; a line that a crash cut is passed over.
func openJournal(path string) (*journal, error) {
	j := &journal{rows: map[string]Row{}}
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return nil, wrap(err)
	}
	for line := range bytes.Lines(text) {
		var r Row
		if json.Unmarshal(line, &r) == nil {
			j.rows[r.Recording] = r
		}
	}
	if j.file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644); err != nil {
		return nil, wrap(err)
	}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		_, err = j.file.WriteString("\n")
	}
	return j, wrap(err)
}

// done is the row of a recording that an earlier run wrote to a file with this header.
func (j *journal) done(path string, h perception.Header, out string) (Row, bool) {
	j.mu.Lock()
	r, ok := j.rows[path]
	j.mu.Unlock()
	if !ok || r.Key != key(h) || r.Hash == "" || r.Error != "" {
		return r, false
	}
	text, err := os.ReadFile(out)
	if err != nil {
		return r, false
	}
	sum := sha256.Sum256(text[bytes.IndexByte(text, '\n')+1:])
	r.Before, r.Verdict, r.Against = true, "", nil // which are asked for anew
	return r, hex.EncodeToString(sum[:]) == r.Hash
}

func (j *journal) add(r Row) error {
	if j.file == nil || r.Before || r.Hash == "" { // an earlier row stays good
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return wrap(err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	_, err = j.file.Write(append(line, '\n'))
	return wrap(err)
}

func (j *journal) close() {
	if j.file != nil {
		j.file.Close()
	}
}

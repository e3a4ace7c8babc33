package study

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Result is a run that was done: a line of RunsFile.
type Result struct {
	Experiment string `json:"experiment"`
	Arm        string `json:"arm"`
	Setting    string `json:"setting"`
	Seed       uint64 `json:"seed"`
	// Fingerprint is of everything that the run was made from.
	Fingerprint string `json:"fingerprint"`
	// AUC is the ROC AUC of each label on the test data.
	AUC map[string]float64 `json:"auc"`
	// Networks, Parameters, Seconds of training and Pictures to learn from are of all the
	// run's networks together; SourceSeconds is what their initial weights took to train.
	Networks      int     `json:"networks"`
	Parameters    int     `json:"parameters"`
	Pictures      int     `json:"pictures"`
	Steps         int     `json:"steps"`
	Seconds       float64 `json:"seconds"`
	SourceSeconds float64 `json:"source_seconds,omitempty"`
	// LatencyMS is the time for one picture through all deployed networks on one thread;
	// 0 where it was not measured.
	LatencyMS float64 `json:"latency_ms,omitempty"`
	Note      string  `json:"note,omitempty"`
}

// RunsFile has a line for each run of an experiment, in its folder.
const RunsFile = "runs.jsonl"

// fingerprint is the SHA-256 of what a run is made from: configurations, training pictures
// and labels, what is measured, and the data that chooses and measures. Names of arms and
// settings are not in it: the same run is the same in each experiment.
func (r Run) fingerprint(bench string) string {
	type net struct {
		Config any
		Data   string
		Score  []string
		From   any
	}
	var describe func(n *Net) any
	describe = func(n *Net) any {
		if n == nil {
			return nil
		}
		return net{n.Config, n.Train.Fingerprint(), n.Score, describe(n.From)}
	}
	var nets []any
	for i := range r.Nets {
		nets = append(nets, describe(&r.Nets[i]))
	}
	text, err := json.Marshal([]any{bench, nets, r.Note})
	if err != nil {
		panic(err) // plain data
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])[:32]
}

// store is the runs that are done, by fingerprint; those that this experiment has written
// down, by fingerprint, arm and setting, since two of its arms may be the same run.
type store struct {
	path string
	done map[string]Result
	ours map[string]bool
}

// find is a run that is done. Another arm or experiment may have measured the same run
// without its latency: where that is wanted, the run is not done.
func (s *store) find(fingerprint string, latency bool) (Result, bool) {
	r, ok := s.done[fingerprint]
	return r, ok && (!latency || r.LatencyMS != 0)
}

func (r Result) key() string { return r.Fingerprint + "\n" + r.Arm + "\n" + r.Setting }

// openStore reads the runs of a folder of studies: those of the experiment, and those of
// others, which may hold the same run. A last line that was cut short is cut away.
func openStore(out, experiment string) (*store, error) {
	s := &store{filepath.Join(out, experiment, RunsFile), map[string]Result{}, map[string]bool{}}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o755); err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(out, "*", RunsFile))
	if err != nil {
		return nil, err
	}
	for _, path := range files {
		if err := s.read(path, path == s.path); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *store) read(path string, ours bool) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if end := bytes.LastIndexByte(data, '\n') + 1; end < len(data) {
		data = data[:end]
		if ours {
			if err := os.Truncate(path, int64(end)); err != nil {
				return err
			}
		}
	}
	scan := bufio.NewScanner(bytes.NewReader(data))
	scan.Buffer(nil, 16<<20)
	for line := 1; scan.Scan(); line++ {
		var r Result
		if err := json.Unmarshal(scan.Bytes(), &r); err != nil {
			return fmt.Errorf("%s: line %d: %w", path, line, err)
		}
		if _, ok := s.done[r.Fingerprint]; !ok || ours {
			s.done[r.Fingerprint] = r
		}
		if ours {
			s.ours[r.key()] = true
		}
	}
	return scan.Err()
}

// add writes a run down at once.
func (s *store) add(r Result) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(s.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	s.done[r.Fingerprint] = r
	s.ours[r.key()] = true
	return errors.Join(err, f.Close())
}

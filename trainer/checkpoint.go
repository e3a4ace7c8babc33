package trainer

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/google/renameio/v2"

	"perceive/trainer/dataset"
)

// ErrCheckpoint reports a checkpoint that cannot be used: damaged, or of another
// run. Start without --resume, or name the folder of the run that it belongs to.
var ErrCheckpoint = errors.New("unusable checkpoint")

// Progress is where a run stands: all that Resume needs beside the vectors.
type Progress struct {
	// Step counts the steps done.
	Step int `json:"step"`
	// Best is the highest validation score so far (mean ROC AUC), at BestStep.
	Best     float64 `json:"best"`
	BestStep int     `json:"best_step"`
	// Evaluated is the step of the last look at the validation data.
	Evaluated int `json:"evaluated"`
	// Waited is the part of Seconds that steps waited for their data.
	Waited float64 `json:"waited"`
	// Seconds spent in steps and evaluations, over all the starts of this run.
	Seconds float64 `json:"seconds"`
	// Config is the run's resolved configuration, Data the fingerprint of its training
	// and validation data: a resumed run must agree with both.
	Config Config `json:"config"`
	Data   string `json:"data"`
	// Images counts the training pictures, Counts for each label those where it is
	// unknown, negative and positive.
	Images int               `json:"images"`
	Counts map[string][3]int `json:"counts"`
	// Named is how the data was asked for; nil of runs that did not write it down.
	Named *Named `json:"named,omitempty"`
}

// Named is how the data of a run was asked for.
type Named struct {
	Train dataset.Named `json:"train"`
	// Val names nothing where a part of Train was held out.
	Val dataset.Named `json:"val"`
}

// The file is in the safetensors layout, which many tools read: the length of the
// header as 8 bytes, little-endian; the header in JSON, which names the vectors;
// their float32 elements. The metadata holds the Progress and the SHA-256 of the
// elements.
type tensorEntry struct {
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

const (
	metaKey     = "__metadata__"
	maxHeader   = 16 << 20
	progressKey = "progress"
	hashKey     = "sha256"
)

// SaveCheckpoint writes state, in the order of the optimiser's names, and progress to a
// file that is complete or not there: it is written beside path and renamed.
func SaveCheckpoint(path string, p Progress, state [][]float32) error {
	text, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("trainer: checkpoint: %w", err)
	}
	var body []byte
	header := map[string]any{}
	for i, name := range p.Config.Optimizer.StateNames() {
		from := int64(len(body))
		for _, v := range state[i] {
			body = binary.LittleEndian.AppendUint32(body, math.Float32bits(v))
		}
		header[name] = tensorEntry{"F32", []int{len(state[i])}, [2]int64{from, int64(len(body))}}
	}
	sum := sha256.Sum256(body)
	header[metaKey] = map[string]string{progressKey: string(text), hashKey: hex.EncodeToString(sum[:])}
	head, err := json.Marshal(header)
	if err != nil {
		return fmt.Errorf("trainer: checkpoint: %w", err)
	}
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(head)))
	if err := renameio.WriteFile(path, append(append(out, head...), body...), 0o644); err != nil {
		return fmt.Errorf("trainer: checkpoint: %w", err)
	}
	return nil
}

// LoadCheckpoint reads what SaveCheckpoint wrote. A damaged file is ErrCheckpoint.
func LoadCheckpoint(path string) (Progress, [][]float32, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Progress{}, nil, fmt.Errorf("trainer: checkpoint: %w", err)
	}
	p, state, err := parseCheckpoint(data)
	if err != nil {
		return Progress{}, nil, fmt.Errorf("trainer: %s: %w: %w", path, ErrCheckpoint, err)
	}
	return p, state, nil
}

func parseCheckpoint(data []byte) (p Progress, state [][]float32, err error) {
	if len(data) < 8 {
		return p, nil, errors.New("the file is cut short")
	}
	n := binary.LittleEndian.Uint64(data)
	if n > maxHeader || n > uint64(len(data)-8) {
		return p, nil, errors.New("the file is cut short or is no checkpoint")
	}
	head, body := data[8:8+n], data[8+n:]
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(head, &raw); err != nil {
		return p, nil, fmt.Errorf("header: %w", err)
	}
	var meta map[string]string
	if err := json.Unmarshal(raw[metaKey], &meta); err != nil {
		return p, nil, fmt.Errorf("header: %s: %w", metaKey, err)
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != meta[hashKey] {
		return p, nil, errors.New("the contents do not match their hash: the file is cut short or was changed")
	}
	if err := json.Unmarshal([]byte(meta[progressKey]), &p); err != nil {
		return p, nil, fmt.Errorf("progress: %w", err)
	}
	for _, name := range p.Config.Optimizer.StateNames() {
		var e tensorEntry
		if err := json.Unmarshal(raw[name], &e); err != nil {
			return p, nil, fmt.Errorf("vector %q: %w", name, err)
		}
		from, to := e.Offsets[0], e.Offsets[1]
		if from < 0 || to < from || to > int64(len(body)) || (to-from)%4 != 0 || e.DType != "F32" {
			return p, nil, fmt.Errorf("vector %q: impossible offsets %v", name, e.Offsets)
		}
		v := make([]float32, (to-from)/4)
		for i := range v {
			v[i] = math.Float32frombits(binary.LittleEndian.Uint32(body[from+4*int64(i):]))
		}
		state = append(state, v)
	}
	return p, state, nil
}

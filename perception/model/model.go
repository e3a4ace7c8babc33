// Package model loads a model file, holds it against its contract, and runs it.
//
// Nothing is taken on trust: the graph must be the one that was exported (its hash),
// its inputs and outputs must be those of the manifest, and it must still give the
// golden results that were recorded at export.
package model

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"perceive/export/adapt"
	"perceive/export/onnx"
	"perceive/hw"
	"perceive/hw/ort"
	"perceive/models"
	"perceive/models/signature"
)

// Reasons why a file is refused, beside models.ErrNoManifest and ort.ErrModel.
var (
	// ErrChanged reports a graph that is not the one that was exported.
	ErrChanged = errors.New("the graph is not the one that was exported")
	// ErrGolden reports a file that gives other results here than where it was made.
	ErrGolden = errors.New("the golden results are not met")
)

// Model is a loaded model file. Lanes of it may run side by side.
type Model struct {
	manifest *models.Manifest
	session  *ort.Session
	report   hw.ProviderReport

	mu      sync.Mutex
	lanes   []*Lane
	retired bool
}

// Options say how a file is loaded, beside what runs it.
type Options struct {
	ort.Options
	// Manifest is the contract of a file in this project's own form that carries none;
	// Sidecar that of a file that another tool wrote. At most one is given.
	Manifest *models.Manifest
	Sidecar  *models.Sidecar
	// PublicKey, if not nil, must have signed the file, which must carry its contract.
	PublicKey ed25519.PublicKey
	// Measure proves which provider runs the nodes, by a second loading and a run: for what
	// drives. A provider that was asked for and runs none is refused, or marked Degraded,
	// as the policy says.
	Measure bool
}

// Load loads the bytes of a model file and proves it: manifest, hash, shapes, golden
// results. sidecar is the manifest of a file that carries none, else nil.
func Load(ctx context.Context, rt *ort.Runtime, file []byte, sidecar *models.Manifest, opts ort.Options) (*Model, error) {
	return LoadWith(ctx, rt, file, Options{Options: opts, Manifest: sidecar})
}

// LoadWith is Load with all options.
func LoadWith(ctx context.Context, rt *ort.Runtime, file []byte, opts Options) (*Model, error) {
	m, err := LoadUnproved(ctx, rt, file, opts)
	if err != nil {
		return nil, err
	}
	if _, err := m.Prove(ctx); err != nil {
		m.Close()
		return nil, fmt.Errorf("model: %w", err)
	}
	return m, nil
}

// LoadUnproved is LoadWith but for the golden results, which Prove is to be asked for.
func LoadUnproved(ctx context.Context, rt *ort.Runtime, file []byte, opts Options) (*Model, error) {
	file, man, err := opts.contract(file)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if opts.Measure {
		return newMeasured(ctx, rt, file, man, opts.Options)
	}
	return New(rt, file, man, opts.Options)
}

// contract holds a file's bytes against everything that can be said without running them.
// The bytes that it returns are those to run: of a file from elsewhere, an adapted graph.
func (o Options) contract(file []byte) ([]byte, *models.Manifest, error) {
	if o.PublicKey != nil {
		if o.Manifest != nil || o.Sidecar != nil {
			return nil, nil, errors.New("a signed file is loaded with the contract that it carries, and no other: the signature covers nothing else")
		}
		if err := signature.Verify(file, o.PublicKey); err != nil {
			return nil, nil, err
		}
	}
	parsed, err := onnx.Parse(file)
	if err != nil {
		return nil, nil, err
	}
	if err := onnx.Check(parsed); err != nil {
		return nil, nil, err
	}
	if o.Sidecar != nil {
		return adapted(file, parsed, o.Sidecar)
	}
	man := o.Manifest
	if man == nil {
		if man, err = models.FromMetadata(parsed.Metadata()); err != nil {
			return nil, nil, err
		}
	}
	return file, man, unchanged(man, file)
}

// adapted is a file from elsewhere behind this project's contract.
func adapted(file []byte, m *onnx.Model, s *models.Sidecar) ([]byte, *models.Manifest, error) {
	if sum := sha256.Sum256(file); s.SHA256 != "" && hex.EncodeToString(sum[:]) != s.SHA256 {
		return nil, nil, fmt.Errorf("%w: the contract of %s is for the file with SHA-256 %.12s…, this one has %x…", ErrChanged, s.Name, s.SHA256, sum[:6])
	}
	hash, err := onnx.GraphSHA256(file)
	if err != nil {
		return nil, nil, err
	}
	man, err := adapt.Wrap(m, s)
	if err != nil {
		return nil, nil, err
	}
	man.GraphSHA256 = hash // of the file as it came
	text, err := onnx.Marshal(m)
	return text, man, err
}

// New loads a file whose manifest is given, without proof of hash and golden results:
// for the exporter, which is about to make them.
func New(rt *ort.Runtime, file []byte, man *models.Manifest, opts ort.Options) (*Model, error) {
	s, err := rt.NewSession(file, opts)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if err := conforms(s, man); err != nil {
		s.Close()
		return nil, fmt.Errorf("model: %w", err)
	}
	return &Model{manifest: man, session: s, report: s.Report()}, nil
}

// Manifest is the contract of the file.
func (m *Model) Manifest() *models.Manifest { return m.manifest }

// Report says what the model runs on, and why; if it was loaded with Measure, with proof.
func (m *Model) Report() hw.ProviderReport { return m.report }

// Close frees the model and its lanes. It may be called twice and ends use.
func (m *Model) Close() error {
	m.mu.Lock()
	lanes := m.lanes
	m.lanes = nil
	m.mu.Unlock()
	for _, l := range lanes {
		l.free()
	}
	return m.session.Close()
}

// Retire frees the model as soon as its last lane is closed: for a model that another one has
// taken the place of, while frames may still be on their way through it.
func (m *Model) Retire() error {
	m.mu.Lock()
	m.retired = true
	idle := len(m.lanes) == 0
	m.mu.Unlock()
	if idle {
		return m.Close()
	}
	return nil
}

func unchanged(man *models.Manifest, file []byte) error {
	if man.GraphSHA256 == "" {
		return nil // a sidecar may leave it out
	}
	sum, err := onnx.GraphSHA256(file)
	if err != nil {
		return err
	}
	if sum != man.GraphSHA256 {
		return fmt.Errorf("%w (SHA-256 %.12s…, the manifest says %.12s…): export it again", ErrChanged, sum, man.GraphSHA256)
	}
	return nil
}

// conforms holds a session's inputs and outputs against a manifest.
func conforms(s *ort.Session, m *models.Manifest) error {
	in, out := s.Inputs(), s.Outputs()
	frame := []int64{1, int64(m.Input.Height), int64(m.Input.Width), 3}
	if len(in) != 1 || in[0].Name != m.Input.Name || in[0].Type != ort.Uint8 || !slices.Equal(in[0].Shape, frame) {
		return fmt.Errorf("%w: the graph takes %v, the manifest says %q uint8%v", ort.ErrMismatch, in, m.Input.Name, frame)
	}
	labels := int64(len(m.Labels))
	if s, ok := find(out, m.Outputs.Probabilities); !ok || s.Type != ort.Float32 || !slices.Equal(s.Shape, []int64{1, labels}) {
		return fmt.Errorf("%w: the graph gives %v, the manifest says %q float32[1 %d]", ort.ErrMismatch, out, m.Outputs.Probabilities, labels)
	}
	if m.Outputs.Maps == "" {
		return nil
	}
	if s, ok := find(out, m.Outputs.Maps); !ok || s.Type != ort.Float32 || len(s.Shape) != 4 || s.Shape[1] < 1 || s.Shape[1] > labels || slices.Contains(s.Shape, -1) {
		return fmt.Errorf("%w: the graph gives %v, the manifest says %q float32[1 n h w], n to %d", ort.ErrMismatch, out, m.Outputs.Maps, labels)
	}
	return nil
}

func find(specs []ort.Spec, name string) (ort.Spec, bool) {
	i := slices.IndexFunc(specs, func(s ort.Spec) bool { return s.Name == name })
	if i < 0 {
		return ort.Spec{}, false
	}
	return specs[i], true
}

// Proof is how a file answered one golden picture.
type Proof struct {
	Golden string `json:"golden"`
	// Label is the one whose probability is furthest from what was recorded.
	Label string  `json:"label"`
	Got   float32 `json:"got"`
	Want  float32 `json:"want"`
	// Tolerance is the largest difference allowed on the provider that runs.
	Tolerance float32 `json:"tolerance"`
}

// Met reports whether the answer is near enough; what is no number never is.
func (p Proof) Met() bool { d := p.Got - p.Want; return d <= p.Tolerance && d >= -p.Tolerance }

// Prove runs the golden pictures. Other providers than the CPU compute in other orders
// and precisions: there the tolerance is that of a decision, not of a digit. The error is
// ErrGolden and names the outputs that differ; the proofs are returned either way.
func (m *Model) Prove(ctx context.Context) ([]Proof, error) {
	if len(m.manifest.Golden) == 0 {
		return nil, nil
	}
	l, err := m.NewLane()
	if err != nil {
		return nil, err
	}
	defer l.Close()
	var proofs []Proof
	var missed []string
	for _, g := range m.manifest.Golden {
		pix, err := g.Pixels(m.manifest.Input.Width, m.manifest.Input.Height)
		if err != nil {
			return nil, fmt.Errorf("golden picture %q: %w", g.Name, err)
		}
		copy(l.Input, pix)
		if err := l.Run(ctx); err != nil {
			return nil, err
		}
		p := m.worst(g, l.Probabilities)
		if proofs = append(proofs, p); !p.Met() {
			missed = append(missed, fmt.Sprintf("%q: %s is %.6f, want %.6f within %g", g.Name, p.Label, p.Got, p.Want, p.Tolerance))
		}
	}
	if missed != nil {
		return proofs, fmt.Errorf("%w: output %q: %s (on %s)", ErrGolden, m.manifest.Outputs.Probabilities, strings.Join(missed, "; "), m.Report())
	}
	return proofs, nil
}

// worst is the answer that is furthest from a golden one.
func (m *Model) worst(g models.Golden, got []float32) Proof {
	out := Proof{Golden: g.Name, Tolerance: g.Tolerance}
	if m.Report().Used != hw.CPU {
		out.Tolerance = max(out.Tolerance, accelerated)
	}
	far := float32(-1)
	for i, want := range g.Probabilities {
		d := max(got[i]-want, want-got[i]) // NaN if one is
		if !(d <= far) {
			far, out.Label, out.Got, out.Want = d, m.manifest.Labels[i].ID, got[i], want
		}
		if d != d {
			break
		}
	}
	return out
}

// accelerated is the tolerance of a golden probability on a GPU, which may compute in
// TF32 or half precision.
const accelerated = 0.02

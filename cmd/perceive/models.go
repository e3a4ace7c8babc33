package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"perceive/export/onnx"
	"perceive/hw"
	"perceive/hw/ort"
	"perceive/models"
	"perceive/models/signature"
	"perceive/perception/model"
)

type modelsCmd struct {
	List   modelsListCmd   `cmd:"" default:"1" help:"List what ships with this program."`
	Show   modelsShowCmd   `cmd:"" help:"Print a model file's contract as a page."`
	Verify modelsVerifyCmd `cmd:"" help:"Hold a model file against its contract: hash, shapes, golden results, signature."`
	Sign   modelsSignCmd   `cmd:"" help:"Sign a model file."`
	Keygen modelsKeygenCmd `cmd:"" help:"Make a pair of keys to sign with."`
}

// Help is the long description.
func (modelsCmd) Help() string {
	return `Model files carry their contract. Without a further word, lists the models that are built in, and the files
of others whose contract ships with this program: those run without --manifest.

  perceive models show road.onnx
  perceive models keygen release
  perceive models sign road.onnx --key release.key
  perceive models verify road.onnx --public-key release.pub`
}

type modelsListCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// listed is one model that ships, or whose contract does.
type listed struct {
	Name   string   `json:"name"`
	Kind   string   `json:"kind"` // "built-in" or "contract"
	Width  int      `json:"width"`
	Height int      `json:"height"`
	Labels []string `json:"labels"`
	// SHA256 is that of the graph, or of the file that the contract is for.
	SHA256  string `json:"sha256"`
	Licence string `json:"licence,omitempty"`
	Origin  string `json:"origin,omitempty"`
}

func (c *modelsListCmd) Run(a *app) error {
	var all []listed
	for _, shipped := range models.BuiltIn() {
		m, err := onnx.Parse(shipped.File)
		if err != nil {
			return err
		}
		man, err := models.FromMetadata(m.Metadata())
		if err != nil {
			return err
		}
		all = append(all, listed{shipped.Name, "built-in", man.Input.Width, man.Input.Height, man.LabelIDs(), man.GraphSHA256, man.Licence, ""})
	}
	peers, err := models.Peers()
	if err != nil {
		return err
	}
	for _, p := range peers {
		l := listed{Name: p.Name, Kind: "contract", Width: p.Input.Width, Height: p.Input.Height, SHA256: p.SHA256, Licence: p.Licence, Origin: p.Origin}
		for _, label := range p.Labels {
			l.Labels = append(l.Labels, label.ID)
		}
		all = append(all, l)
	}
	if c.JSON {
		return printJSON(a.out, all)
	}
	t := newTable(a.out)
	fmt.Fprintln(t, "name\twhat\tinput\tlabels\tSHA-256\tfrom")
	for _, l := range all {
		fmt.Fprintf(t, "%s\t%s\t%d×%d\t%s\t%.12s…\t%s\n", l.Name, l.Kind, l.Width, l.Height, strings.Join(l.Labels, " "), l.SHA256, l.Origin)
	}
	return t.Flush()
}

// fileArg names a model file.
type fileArg struct {
	File string `arg:"" help:"Model file, or a built-in model: road, road-int8."`
}

// read reads the file.
func (f fileArg) read() ([]byte, error) {
	file, _, err := readModel(f.File)
	return file, err
}

type modelsVerifyCmd struct {
	fileArg
	Manifest  string      `type:"path" placeholder:"FILE" help:"Contract of a model file that carries none."`
	PublicKey string      `type:"path" placeholder:"FILE.pub" help:"Require this key's signature, too."`
	Provider  hw.Provider `default:"cpu" help:"What runs the network: cpu, cuda, tensorrt."`
	JSON      bool        `name:"json" help:"Print JSON."`
}

// Help is the long description.
func (modelsVerifyCmd) Help() string {
	return `Loads a model file as a vehicle would, and says what was held against what: the graph's hash, the inputs and
outputs, and every golden picture with the answer that is furthest from the recorded one. With
--public-key the file must be signed with that key and unchanged since. Exit code 1 if anything fails.`
}

// verdict is what verify found.
type verdict struct {
	Model     string        `json:"model"`
	OK        bool          `json:"ok"`
	Reason    string        `json:"reason,omitempty"`
	Signature string        `json:"signature"` // "none", "not checked" or "good"
	Key       string        `json:"key,omitempty"`
	Golden    []model.Proof `json:"golden"`
	Provider  string        `json:"provider,omitempty"`
}

func (c *modelsVerifyCmd) Run(a *app) error {
	file, err := c.read()
	if err != nil {
		return err
	}
	v := verdict{Model: c.File, Signature: "none"}
	if sig, err := signature.Of(file); err == nil && sig != nil {
		v.Signature, v.Key = "not checked", sig.Key
	}
	verr := c.verify(a, file, &v)
	if verr != nil {
		v.Reason = verr.Error()
	}
	v.OK = verr == nil
	if c.JSON {
		if err := printJSON(a.out, v); err != nil {
			return err
		}
	} else if err := v.print(a); err != nil {
		return err
	}
	return verr
}

func (c *modelsVerifyCmd) verify(a *app, file []byte, v *verdict) error {
	opts := model.Options{Options: ort.Options{Provider: c.Provider}}
	switch {
	case c.PublicKey != "":
		var err error
		if opts.PublicKey, err = signature.ReadPublic(c.PublicKey); err != nil {
			return err
		}
		if err := signature.Verify(file, opts.PublicKey); err != nil {
			return fmt.Errorf("%s: %w", c.File, err)
		}
		v.Signature = "good"
	case c.Manifest != "":
		if err := readContract(c.Manifest, &opts); err != nil {
			return err
		}
	default:
		var err error
		if opts.Sidecar, err = peer(file); err != nil {
			return err
		}
	}
	rt, err := ort.Open(ort.Config{Library: a.library})
	if err != nil {
		return err
	}
	defer rt.Close()
	m, err := model.LoadUnproved(a.ctx, rt, file, opts)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	defer m.Close()
	v.Model, v.Provider = m.Manifest().Name, string(m.Report().Used)
	if v.Golden, err = m.Prove(a.ctx); err != nil {
		return fmt.Errorf("%s: model: %w", c.File, err)
	}
	return nil
}

func (v verdict) print(a *app) error {
	t := newTable(a.out)
	fmt.Fprintf(t, "model\t%s\n", v.Model)
	signed := v.Signature
	if v.Key != "" {
		signed += ", key " + v.Key
	}
	fmt.Fprintf(t, "signature\t%s\n", signed)
	if v.Provider != "" {
		fmt.Fprintf(t, "contract\tgraph, inputs and outputs are as it says\n")
	}
	for _, p := range v.Golden {
		met := "met"
		if !p.Met() {
			met = "MISSED"
		}
		fmt.Fprintf(t, "golden %q\t%s: %s is %.6f, recorded %.6f, allowed %g (%s)\n", p.Golden, met, p.Label, p.Got, p.Want, p.Tolerance, v.Provider)
	}
	if v.OK && len(v.Golden) == 0 {
		fmt.Fprintf(t, "golden\tnone in the contract\n")
	}
	return t.Flush()
}

type modelsSignCmd struct {
	fileArg
	Key string `required:"" type:"path" placeholder:"FILE.key" help:"Private key, as 'perceive models keygen' makes it (PEM, PKCS #8)."`
	Out string `type:"path" placeholder:"FILE.onnx" help:"Signed file to write. Default: the file itself."`
}

// Help is the long description.
func (modelsSignCmd) Help() string {
	return `Writes an ed25519 signature into the file's metadata. It covers every byte but its own entry: weights, graph,
contract and all other metadata. One that is there already is replaced.`
}

func (c *modelsSignCmd) Run(a *app) error {
	out := c.Out
	if out == "" {
		if models.Find(c.File) != nil {
			return usageError{fmt.Errorf("%s is built in: name the file to write with --out", c.File)}
		}
		out = c.File
	}
	key, err := signature.ReadPrivate(c.Key)
	if err != nil {
		return err
	}
	file, err := c.read()
	if err != nil {
		return err
	}
	if _, err := onnx.Parse(file); err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	signed, err := signature.Sign(file, key)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	if err := onnx.WriteFile(out, signed); err != nil {
		return err
	}
	sig, err := signature.Of(signed)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s: signed with %s\n", out, sig.Key)
	return nil
}

type modelsKeygenCmd struct {
	Name string `arg:"" type:"path" help:"The private key goes to NAME.key, the public one to NAME.pub. Neither may be there yet."`
}

func (c *modelsKeygenCmd) Run(a *app) error {
	pub, err := signature.NewKey(c.Name+".key", c.Name+".pub")
	if err != nil {
		return err
	}
	base := filepath.Base(c.Name)
	fmt.Fprintf(a.out, "%s\n%s.key signs: keep it from others. %s.pub goes to whoever verifies.\n", signature.Fingerprint(pub), base, base)
	return nil
}

type modelsShowCmd struct {
	fileArg
	JSON bool `name:"json" help:"Print the manifest as JSON, without the golden pictures."`
}

// Help is the long description.
func (modelsShowCmd) Help() string {
	return `Prints what a model file says of itself. Nothing is proved here: see perceive models verify.`
}

func (c *modelsShowCmd) Run(a *app) error {
	file, err := c.read()
	if err != nil {
		return err
	}
	m, err := onnx.Parse(file)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	man, err := models.FromMetadata(m.Metadata())
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	sig, err := signature.Of(file)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	if c.JSON {
		for i := range man.Golden {
			man.Golden[i].PNG = nil
		}
		return printJSON(a.out, struct {
			Manifest  *models.Manifest     `json:"manifest"`
			Signature *signature.Signature `json:"signature,omitempty"`
			Bytes     int                  `json:"bytes"`
		}{man, sig, len(file)})
	}
	return page{a.out, man, m, sig, len(file)}.print()
}

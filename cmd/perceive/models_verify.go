package main

import (
	"fmt"

	"perceive/hw"
	"perceive/hw/ort"
	"perceive/models/signature"
	"perceive/perception/model"
)

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

package main

import (
	"fmt"
	"path/filepath"

	"perceive/export/onnx"
	"perceive/models"
	"perceive/models/signature"
)

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

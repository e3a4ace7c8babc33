package main

import (
	"fmt"
	"strings"

	"perceive/export/onnx"
	"perceive/models"
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

package main

import (
	"fmt"
	"strings"

	"perceive/hw/hil"
)

type hilListCmd struct{}

func (hilListCmd) Run(a *app) error {
	all, err := hil.Shipped()
	if err != nil {
		return err
	}
	t := newTable(a.out)
	fmt.Fprintln(t, "scenario\tlength\tabout")
	for _, s := range all {
		about := s.About
		if need := s.Needs(); need != "" {
			about += " Needs " + need + "."
		}
		if why := s.Lacks(); why != nil {
			about += " Not here: " + why.Error() + "."
		}
		fmt.Fprintf(t, "%s\t%v\t%s\n", s.Name, s.Length, about)
	}
	fmt.Fprint(t, "\t\t\nover\t\tway of a camera's frames\n")
	for _, name := range strings.Split(hil.Names(hil.Media), ", ") {
		m := hil.Media[name]
		fmt.Fprintf(t, "%s\t\t%s\n", name, m.Describe())
	}
	for _, part := range []struct {
		name string
		of   map[string]string
	}{{"fault", hil.Kinds}, {"requirement", hil.Requirements}} {
		fmt.Fprintf(t, "\t\t\n%s\t\twhat\n", part.name)
		for _, k := range strings.Split(hil.Names(part.of), ", ") {
			fmt.Fprintf(t, "%s\t\t%s\n", k, part.of[k])
		}
	}
	return t.Flush()
}

type hilShowCmd struct {
	Name string `arg:"" help:"Name of a scenario that ships."`
}

func (c *hilShowCmd) Run(a *app) error {
	text, err := hil.Text(c.Name)
	if err != nil {
		return usageError{err}
	}
	_, err = a.out.Write(text)
	return err
}

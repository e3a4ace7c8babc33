package main

import (
	_ "embed"

	"perceive/perception/serve"
)

//go:embed perceive.service
var unitFile []byte

type configCmd struct {
	Unit bool `help:"Print a systemd unit file in its place."`
}

// Help is the long description.
func (configCmd) Help() string {
	return `Prints the daemon's default configuration, every key with what it means: start your own from it.

  perceive config > /etc/perceive.yaml
  perceive config --unit > /etc/systemd/system/perceive.service`
}

func (c *configCmd) Run(a *app) error {
	text := serve.DefaultYAML
	if c.Unit {
		text = unitFile
	}
	_, err := a.out.Write(text)
	return err
}

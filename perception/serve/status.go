package serve

import "perceive/perception/serve/status"

// What the daemon says of itself: package status has the words, which the HTTP face shares.
type (
	Status    = status.Status
	Problem   = status.Problem
	Model     = status.Model
	Label     = status.Label
	Source    = status.Source
	Quantiles = status.Quantiles
	Output    = status.Output
	Reload    = status.Reload
)

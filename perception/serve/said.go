package serve

import (
	"time"

	"perceive/camera"
	"perceive/models"
	"perceive/perception"
	"perceive/perception/model"
)

// describe is what the status says of a model from now on.
func describe(m *model.Model, steady []perception.Steady, first, last time.Duration) Model {
	man := m.Manifest()
	info := Model{Name: man.Name, Version: man.Version, GraphSHA256: man.GraphSHA256, Loaded: time.Now(), WarmUp: [2]float64{ms(first), ms(last)}}
	for i, l := range man.Labels {
		info.Labels = append(info.Labels, Label{Label: l.ID, Enter: steady[i].Enter, Leave: steady[i].Leave})
	}
	return info
}

// setModel notes what runs.
func (d *Daemon) setModel(m Model) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.model = m
}

// running is what setModel noted.
func (d *Daemon) running() Model {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.model
}

// Manifest is the contract of the model that runs, nil before it is loaded.
func (d *Daemon) Manifest() *models.Manifest {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.detector == nil {
		return nil
	}
	return d.detector.Manifest()
}

// header is what the outputs say before the results of the model that runs.
func (d *Daemon) header() perception.Header {
	h := perception.NewHeader(d.detector, camera.Info{}, d.deps.Program)
	h.Sources = map[string]string{}
	for _, s := range d.cfg.Sources {
		h.Sources[s.Name] = camera.Redact(s.URI)
	}
	return h
}

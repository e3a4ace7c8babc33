package publish

import (
	"github.com/prometheus/client_golang/prometheus"

	"perceive/camera"
)

// Camera is what a live source says of itself, for Metrics.
type Camera struct {
	Name   string
	State  camera.State
	Counts camera.Counts
}

// cameraStates are all that a camera can be in.
var cameraStates = []camera.State{camera.Connecting, camera.Streaming, camera.Stalled, camera.Lost}

// CollectOutputs adds the outputs' counts, asked for whenever the metrics are read.
func (m *Metrics) CollectOutputs(stats func() []Stats) error {
	return m.registry.Register(outputs{stats})
}

// CollectCameras adds the cameras' states and counts, asked for whenever the metrics are read.
func (m *Metrics) CollectCameras(cameras func() []Camera) error {
	return m.registry.Register(cams{cameras})
}

type outputs struct{ stats func() []Stats }

var (
	outWritten  = prometheus.NewDesc("perceive_output_written_total", "Lines that an output wrote.", []string{"output"}, nil)
	outDropped  = prometheus.NewDesc("perceive_output_dropped_total", "Lines that an output did not write: its consumer was too slow or failed.", []string{"output"}, nil)
	outWaiting  = prometheus.NewDesc("perceive_output_waiting", "Lines in an output's queues.", []string{"output"}, nil)
	outPictures = prometheus.NewDesc("perceive_output_pictures_total", "Pictures of an output, written or dropped.", []string{"output", "fate"}, nil)
	outFailing  = prometheus.NewDesc("perceive_output_failing", "1 while an output does not work.", []string{"output"}, nil)
)

func (o outputs) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{outWritten, outDropped, outWaiting, outPictures, outFailing} {
		to <- d
	}
}

func (o outputs) Collect(to chan<- prometheus.Metric) {
	for _, s := range o.stats() {
		count := func(d *prometheus.Desc, n uint64, by ...string) {
			to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), append([]string{s.Name}, by...)...)
		}
		count(outWritten, s.Written)
		count(outDropped, s.Dropped)
		count(outPictures, s.Pictures, "written")
		count(outPictures, s.PicturesDropped, "dropped")
		to <- prometheus.MustNewConstMetric(outWaiting, prometheus.GaugeValue, float64(s.Waiting), s.Name)
		failing := 0.0
		if s.Error != "" {
			failing = 1
		}
		to <- prometheus.MustNewConstMetric(outFailing, prometheus.GaugeValue, failing, s.Name)
	}
}

type cams struct{ cameras func() []Camera }

var (
	camFrames = prometheus.NewDesc("perceive_camera_frames_total", "Frames of a camera by fate; captured is the sum of the others and those that wait.", []string{"source", "fate"}, nil)
	camState  = prometheus.NewDesc("perceive_camera_state", "1 for the state that a camera is in.", []string{"source", "state"}, nil)
)

func (c cams) Describe(to chan<- *prometheus.Desc) {
	to <- camFrames
	to <- camState
}

func (c cams) Collect(to chan<- prometheus.Metric) {
	for _, cam := range c.cameras() {
		for fate, n := range map[string]uint64{"captured": cam.Counts.Captured, "delivered": cam.Counts.Delivered,
			"dropped": cam.Counts.Dropped, "stale": cam.Counts.Stale, "unreadable": cam.Counts.Unreadable} {
			to <- prometheus.MustNewConstMetric(camFrames, prometheus.CounterValue, float64(n), cam.Name, fate)
		}
		for _, s := range cameraStates {
			is := 0.0
			if s == cam.State {
				is = 1
			}
			to <- prometheus.MustNewConstMetric(camState, prometheus.GaugeValue, is, cam.Name, string(s))
		}
	}
}

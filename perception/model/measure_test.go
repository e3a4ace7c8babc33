package model

import (
	"errors"
	"testing"

	"perceive/hw"
	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
	"perceive/perception/model/modeltest"
)

func TestLoadMeasures(t *testing.T) {
	file := modeltest.File(t, nil)
	m, err := LoadWith(t.Context(), orttest.Runtime(t), file, Options{Measure: true})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	rep := m.Report()
	if rep.Measured == nil || rep.Measured.Nodes[hw.CPU] < 3 || len(rep.Measured.Nodes) != 1 {
		t.Errorf("report %+v, want some nodes, all on the CPU", rep)
	}
	plain, err := LoadWith(t.Context(), orttest.Runtime(t), file, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if rep := plain.Report(); rep.Measured != nil {
		t.Errorf("measured without being asked: %+v", rep)
	}
}

// A provider that accepted the session and ran nothing is what no library call tells.
func TestProviderThatRanNothing(t *testing.T) {
	cpu := hw.Assignment{Nodes: map[hw.Provider]int{hw.CPU: 9}, Method: "test"}
	load := func(policy hw.Policy) *Model {
		m, err := LoadWith(t.Context(), orttest.Runtime(t), modeltest.File(t, nil), Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close() })
		m.report.Requested, m.report.Used, m.report.Policy = hw.CUDA, hw.CUDA, policy
		return m
	}
	if err := load(hw.Require).measured(cpu); !errors.Is(err, ort.ErrProvider) || !errors.Is(err, hw.ErrNotRun) {
		t.Errorf("require: error %v", err)
	}
	m := load(hw.Prefer)
	if err := m.measured(cpu); err != nil || m.Report().Used != hw.CPU || !m.Report().Degraded {
		t.Errorf("prefer: error %v, report %+v", err, m.Report())
	}
}

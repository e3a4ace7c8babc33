package ort_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"perceive/hw"
	"perceive/hw/ort"
	"perceive/hw/ort/orttest"
)

// hasPlugin says whether the loaded library could run a provider at all. These
// tests hold on a machine with a GPU and on one without.
func hasPlugin(rt *ort.Runtime, p hw.Provider) bool {
	_, err := os.Stat(filepath.Join(filepath.Dir(rt.Library()), "libonnxruntime_providers_"+string(p)+".so"))
	return err == nil
}

func TestProviders(t *testing.T) {
	rt := orttest.Runtime(t)
	for _, p := range []hw.Provider{hw.CUDA, hw.TensorRT} {
		if hasPlugin(rt, p) {
			continue // covered on machines that have it by the rows of TestPolicyHolds
		}
		t.Run(string(p), func(t *testing.T) {
			_, err := rt.NewSession(addModel(), ort.Options{Provider: p})
			if !errors.Is(err, ort.ErrProvider) || !strings.Contains(err.Error(), "libonnxruntime_providers") {
				t.Errorf("require: error = %v, want ErrProvider with the library's reason", err)
			}
			s := orttest.Session(t, addModel(), ort.Options{Provider: p, Policy: hw.Prefer})
			rep := s.Report()
			if rep.Used != hw.CPU || !rep.Degraded || !strings.Contains(rep.Reason, "libonnxruntime_providers") {
				t.Errorf("prefer: report = %+v, want a degraded cpu with the library's reason", rep)
			}
			for _, policy := range hw.Policies() {
				rep := orttest.Session(t, addModel(), ort.Options{Provider: hw.Auto, Policy: policy}).Report()
				if rep.Degraded || rep.Requested != hw.Auto || rep.Reason == "" {
					t.Errorf("auto, %s: report = %+v, want not degraded, with a reason", policy, rep)
				}
			}
		})
	}
}

// What must hold for every request on every machine.
func TestPolicyHolds(t *testing.T) {
	rt := orttest.Runtime(t)
	for _, p := range hw.Providers() {
		for _, policy := range hw.Policies() {
			s, err := rt.NewSession(addModel(), ort.Options{Provider: p, Policy: policy})
			if err != nil {
				if policy == hw.Prefer || p == hw.CPU || !errors.Is(err, ort.ErrProvider) {
					t.Errorf("%s %s: %v", policy, p, err)
				}
				continue
			}
			rep := s.Report()
			if rep.Requested != p || rep.Policy != policy || rep.Used == hw.Auto ||
				rep.Library != rt.Library() || rep.Version != rt.Version() {
				t.Errorf("%s %s: report = %+v", policy, p, rep)
			}
			if policy == hw.Require && (rep.Degraded || p != hw.Auto && rep.Used != p) {
				t.Errorf("require %s was not kept: %+v", p, rep)
			}
			if (rep.Used == p) != (rep.Reason == "") {
				t.Errorf("%s %s: used %s with reason %q", policy, p, rep.Used, rep.Reason)
			}
			s.Close()
		}
	}
}

// A broken model is the model's fault whatever the provider.
func TestBadModelIsNotAProviderFault(t *testing.T) {
	bad := model(node("NoSuchOp", []string{"x"}, "y"), field(11, value("x", 1, 3)), field(12, value("y", 1, 3)))
	_, err := orttest.Runtime(t).NewSession(bad, ort.Options{Provider: hw.CUDA, Policy: hw.Prefer})
	if !errors.Is(err, ort.ErrModel) || errors.Is(err, ort.ErrProvider) {
		t.Errorf("error = %v, want ErrModel", err)
	}
}

// What Usable says and what a session does must agree.
func TestUsable(t *testing.T) {
	rt := orttest.Runtime(t)
	for _, p := range hw.Providers() {
		err := rt.Usable(ort.Options{Provider: p})
		if plug := p != hw.CPU && p != hw.Auto; plug && !hasPlugin(rt, p) {
			if !errors.Is(err, ort.ErrProvider) || !strings.Contains(err.Error(), "comes without it") {
				t.Errorf("%s: error %v, want ErrProvider with the reason", p, err)
			}
		} else if !plug && err != nil {
			t.Errorf("%s: %v", p, err)
		}
	}
	if err := rt.Usable(ort.Options{Threads: -1}); err == nil || errors.Is(err, ort.ErrProvider) {
		t.Errorf("bad options: error %v", err)
	}
}

package hw_test

import (
	"errors"
	"strings"
	"testing"

	"perceive/hw"
)

func TestWithMeasured(t *testing.T) {
	nodes := func(kv map[hw.Provider]int) hw.Assignment { return hw.Assignment{Nodes: kv, Method: "test"} }
	for _, tc := range []struct {
		name     string
		rep      hw.ProviderReport
		a        hw.Assignment
		used     hw.Provider
		degraded bool
		err      string
	}{
		{"cpu", hw.ProviderReport{Requested: hw.CPU, Used: hw.CPU, Policy: hw.Require}, nodes(map[hw.Provider]int{hw.CPU: 87}), hw.CPU, false, ""},
		{"cuda with a few on the cpu", hw.ProviderReport{Requested: hw.CUDA, Used: hw.CUDA, Policy: hw.Require},
			nodes(map[hw.Provider]int{hw.CPU: 7, hw.CUDA: 80}), hw.CUDA, false, ""},
		{"cuda that ran nothing is refused", hw.ProviderReport{Requested: hw.CUDA, Used: hw.CUDA, Policy: hw.Require},
			nodes(map[hw.Provider]int{hw.CPU: 87}), "", false, "cuda was loaded and ran none of 87 nodes (cpu 87 nodes)"},
		{"auto that ran nothing is refused, too", hw.ProviderReport{Requested: hw.Auto, Used: hw.CUDA, Policy: hw.Require},
			nodes(map[hw.Provider]int{hw.CPU: 87}), "", false, "ran none"},
		{"cuda that ran nothing falls back", hw.ProviderReport{Requested: hw.CUDA, Used: hw.CUDA, Policy: hw.Prefer, Device: 1},
			nodes(map[hw.Provider]int{hw.CPU: 87}), hw.CPU, true, ""},
		{"tensorrt that left all to cuda", hw.ProviderReport{Requested: hw.TensorRT, Used: hw.TensorRT, Policy: hw.Prefer},
			nodes(map[hw.Provider]int{hw.CPU: 7, hw.CUDA: 80}), hw.CUDA, true, ""},
		{"nothing ran", hw.ProviderReport{Used: hw.CPU, Policy: hw.Prefer}, nodes(nil), "", false, "nothing was measured"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := tc.rep.WithMeasured(tc.a)
			if tc.err != "" {
				if !errors.Is(err, hw.ErrNotRun) || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("error %v, want ErrNotRun that says %q", err, tc.err)
				}
				return
			}
			if err != nil || got.Used != tc.used || got.Degraded != tc.degraded || got.Measured == nil {
				t.Fatalf("report %+v, error %v", got, err)
			}
			if tc.degraded && (!strings.Contains(got.Reason, "ran none") || got.Used == hw.CPU && got.Device != 0) {
				t.Errorf("report %+v does not say why", got)
			}
			if text := got.String(); !strings.Contains(text, tc.a.String()) {
				t.Errorf("%q does not say %q", text, tc.a)
			}
		})
	}
}

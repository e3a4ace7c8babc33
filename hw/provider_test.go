package hw_test

import (
	"encoding/json"
	"strings"
	"testing"

	"perceive/hw"
)

func TestParse(t *testing.T) {
	for in, want := range map[string]hw.Provider{
		"cpu": hw.CPU, "CUDA": hw.CUDA, " TensorRT\n": hw.TensorRT, "auto": hw.Auto,
		"": "", "gpu": "", "cuda,cpu": "",
	} {
		got, err := hw.ParseProvider(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("ParseProvider(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
	for in, want := range map[string]hw.Policy{"require": hw.Require, "PREFER": hw.Prefer, "": "", "strict": ""} {
		got, err := hw.ParsePolicy(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("ParsePolicy(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
	if _, err := hw.ParseProvider("npu"); !strings.Contains(err.Error(), "cpu, cuda, tensorrt, auto") {
		t.Errorf("the error %q does not list what there is", err)
	}
}

// Configuration files and headers hold these words as text.
func TestJSON(t *testing.T) {
	var cfg struct {
		Provider hw.Provider
		Policy   hw.Policy
	}
	if err := json.Unmarshal([]byte(`{"provider":"Cuda","policy":"prefer"}`), &cfg); err != nil || cfg.Provider != hw.CUDA || cfg.Policy != hw.Prefer {
		t.Errorf("config = %+v, %v", cfg, err)
	}
	for _, bad := range []string{`{"provider":"gpu"}`, `{"policy":"maybe"}`} {
		if err := json.Unmarshal([]byte(bad), &cfg); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
	rep := hw.ProviderReport{Requested: hw.CUDA, Used: hw.CPU, Policy: hw.Prefer, Degraded: true,
		Reason: "no driver", Library: "/lib/x.so", Version: "1.27.0"}
	got, err := json.Marshal(rep)
	const want = `{"requested":"cuda","used":"cpu","policy":"prefer","degraded":true,"reason":"no driver","device":0,"library":"/lib/x.so","version":"1.27.0"}`
	if err != nil || string(got) != want {
		t.Errorf("report = %s, %v\nwant     %s", got, err, want)
	}
	if s := rep.String(); s != "cpu (ONNX Runtime 1.27.0), cuda was asked for: no driver [degraded]" {
		t.Errorf("String() = %q", s)
	}
}

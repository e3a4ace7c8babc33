package nvml

import (
	"strings"
	"testing"

	lib "github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock"
	"github.com/google/go-cmp/cmp"

	"perceive/hw/board"
	"perceive/hw/board/boardtest"
)

// card answers as a card does that is hot. Calls that are not set panic.
func card(fail lib.Return) *mock.Device {
	return &mock.Device{
		GetNameFunc:             func() (string, lib.Return) { return "RTX A2000", lib.SUCCESS },
		GetMaxClockInfoFunc:     func(lib.ClockType) (uint32, lib.Return) { return 2100, lib.SUCCESS },
		GetClockInfoFunc:        func(lib.ClockType) (uint32, lib.Return) { return 1200, fail },
		GetTemperatureFunc:      func(lib.TemperatureSensors) (uint32, lib.Return) { return 84, fail },
		GetUtilizationRatesFunc: func() (lib.Utilization, lib.Return) { return lib.Utilization{Gpu: 73}, fail },
		GetMemoryInfoFunc:       func() (lib.Memory, lib.Return) { return lib.Memory{Total: 12 << 30, Used: 1 << 30}, fail },
		GetCurrentClocksThrottleReasonsFunc: func() (uint64, lib.Return) {
			return lib.ClocksEventReasonGpuIdle | lib.ClocksEventReasonSwThermalSlowdown, fail
		},
	}
}

func driver(init lib.Return, dev lib.Device, handle lib.Return) *mock.Interface {
	return &mock.Interface{
		InitFunc:                   func() lib.Return { return init },
		ShutdownFunc:               func() lib.Return { return lib.SUCCESS },
		SystemGetDriverVersionFunc: func() (string, lib.Return) { return "550.54.15", lib.SUCCESS },
		DeviceGetHandleByIndexFunc: func(int) (lib.Device, lib.Return) { return dev, handle },
	}
}

func pc(t *testing.T) *board.Sysfs { return &board.Sysfs{Root: boardtest.Tree(t, "pc")} }

func TestCard(t *testing.T) {
	r := open(pc(t), driver(lib.SUCCESS, card(lib.SUCCESS), lib.SUCCESS), 0)
	got := r.Read()
	if got.GPULoad != board.Some(0.73) || got.GPUMemory != (board.Memory{Used: board.Some[int64](1 << 30), Total: board.Some[int64](12 << 30)}) ||
		got.GPU != (board.Clock{Hz: board.Some[int64](1_200_000_000), Max: board.Some[int64](2_100_000_000)}) ||
		got.Facts.GPU != board.Some("RTX A2000") || got.Facts.Driver != board.Some("550.54.15") {
		t.Errorf("%+v", got)
	}
	if zone, c := got.Hottest(); zone != "gpu" || c.Value != 84 {
		t.Errorf("hottest is %s with %v, want the card", zone, c)
	}
	want := board.Some([]board.Throttle{{What: "gpu software slowdown", Why: "temperature"}})
	if d := cmp.Diff(want, got.Throttling); d != "" {
		t.Errorf("throttling (-want +got):\n%s", d)
	}
	for _, field := range []string{"gpu", "gpu_load", "gpu_memory", "throttling"} {
		if why := got.Missing[field]; why != "" {
			t.Errorf("%s was read and is missing: %s", field, why)
		}
	}
	if err := r.Close(); err != nil || r.Close() != nil {
		t.Errorf("close: %v", err)
	}
}

func TestNoReadingFromTheCard(t *testing.T) {
	for name, tc := range map[string]struct {
		lib  *mock.Interface
		says string
	}{
		"no library":    {driver(lib.ERROR_LIBRARY_NOT_FOUND, nil, lib.SUCCESS), "no NVIDIA driver is installed"},
		"no driver":     {driver(lib.ERROR_DRIVER_NOT_LOADED, nil, lib.SUCCESS), "not loaded"},
		"no such card":  {driver(lib.SUCCESS, nil, lib.ERROR_INVALID_ARGUMENT), "GPU 7"},
		"lost while on": {driver(lib.SUCCESS, card(lib.ERROR_GPU_IS_LOST), lib.SUCCESS), "LOST"},
	} {
		got := open(pc(t), tc.lib, 7).Read()
		if got.GPULoad.OK || got.GPU.Hz.OK || got.GPUMemory.Used.OK || got.GPUMemory.Total.OK {
			t.Errorf("%s: a reading of a card that is not there: %+v", name, got)
		}
		for _, field := range []string{"gpu", "gpu_load", "gpu_memory"} {
			if !strings.Contains(got.Missing[field], tc.says) {
				t.Errorf("%s: %s is missing for %q, want %q", name, field, got.Missing[field], tc.says)
			}
		}
		if !got.Memory.Used.OK {
			t.Errorf("%s: the board's own reading is gone", name)
		}
	}
}

// A Jetson's GPU is read from sysfs, whatever NVML would say.
func TestJetsonIsLeftAlone(t *testing.T) {
	base := &board.Sysfs{Root: boardtest.Tree(t, "orin")}
	r := open(base, driver(lib.SUCCESS, nil, lib.SUCCESS), 0) // a nil device would panic
	if got := r.Read(); got.GPULoad != board.Some(0.734) {
		t.Errorf("load %v", got.GPULoad)
	}
}

func TestThisMachine(t *testing.T) {
	r := New(&board.Sysfs{}, 0)
	defer r.Close()
	if got := r.Read(); !got.GPULoad.OK && got.Missing["gpu_load"] == "" {
		t.Errorf("no load and no reason: %+v", got)
	}
}

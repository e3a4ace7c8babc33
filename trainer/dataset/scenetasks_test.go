package dataset

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"perceive/camera/scene"
)

// Every question has both answers often enough to be learned, and none is another one in
// other words.
func TestSceneTasks(t *testing.T) {
	const scenes = 500
	all := SceneTasks(MaxSceneTasks)
	if MaxSceneTasks < 100 || !slices.Equal(all[:4], scene.Labels()) {
		t.Fatalf("%d tasks, the first of them %v", MaxSceneTasks, all[:4])
	}
	if sorted := slices.Sorted(slices.Values(all)); len(slices.Compact(sorted)) != len(all) {
		t.Error("a task is there twice")
	}
	items := drawScenes(0, scenes, all)
	for l, name := range all {
		n := 0
		for _, it := range items {
			if it.Labels[l] == Unknown {
				t.Fatalf("%s is no question", name)
			}
			if it.Labels[l] == Positive {
				n++
			}
		}
		if rate := float64(n) / scenes; rate < 0.05 || rate > 0.95 {
			t.Errorf("%s is true in %.1f %% of scenes", name, 100*rate)
		}
		for k, other := range all[:l] {
			same := 0
			for _, it := range items {
				if it.Labels[k] == it.Labels[l] {
					same++
				}
			}
			if same > scenes*985/1000 {
				t.Errorf("%s and %s agree in %d of %d scenes", name, other, same, scenes)
			}
		}
	}
}

func TestSceneTaskAnswers(t *testing.T) {
	truth := &scene.Truth{Light: "night", Weather: "rain", Boxes: []scene.Box{
		{Label: "car", X: 0, Y: 50, W: 20, H: 25}, {Label: "car", X: 80, Y: 50, W: 15, H: 10}, {Label: "stop_sign", X: 45, Y: 10, W: 8, H: 8}}}
	for name, want := range map[string]bool{
		"car": true, "pedestrian": false, "car>=2": true, "car>=3": false, "car@left": true, "car@right": true, "car@middle": false,
		"car@near": true, "car@near>=2": false, "car@far": true, "stop_sign@middle": true, "stop_sign@near": false,
		"night": true, "day": false, "rain": true, "car+night": true, "car+day": false, "car@left+stop_sign+rain": true,
	} {
		if ask, known := sceneTask(name); !known || ask(truth, 100, 100) != want {
			t.Errorf("%s: known %v, want %v", name, known, want)
		}
	}
	for _, name := range []string{"", "tram", "car@", "car@up", "car>=", "car>=1", "car>=x", "car+", "+car", "night@left", "car>=2@left"} {
		if _, known := sceneTask(name); known {
			t.Errorf("%q is a question", name)
		}
	}
}

func TestSceneKnown(t *testing.T) {
	labels, err := ExpandLabels([]string{"tasks:20"})
	if err != nil || len(labels) != 20 {
		t.Fatal(labels, err)
	}
	set, err := Open([]string{"scene:60?seed=3&known=25"}, labels)
	if err != nil {
		t.Fatal(err)
	}
	for name, n := range set.Counts() {
		if n[Negative]+n[Positive] != 25 {
			t.Errorf("%s is known in %v", name, n)
		}
	}
	for _, it := range set.Items {
		if !it.Fixed {
			t.Fatal("a picture that is asked what is to its left may be mirrored")
		}
		for _, b := range it.Boxes {
			if it.Labels[b.Label] != Positive {
				t.Fatal("a box of a label that is not known")
			}
		}
	}
	again, err := Open([]string{"scene:60?seed=3&known=25"}, labels)
	if err != nil || again.Fingerprint() != set.Fingerprint() {
		t.Errorf("another draw: %v", err)
	}
	for _, bad := range []string{"tasks:0", "tasks:x", fmt.Sprintf("tasks:%d", MaxSceneTasks+1)} {
		if _, err := ExpandLabels([]string{bad}); err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// A picture whose labels are of the picture as it is, stays as it is.
func TestFixedStays(t *testing.T) {
	a := everything()
	a.Mosaic, a.Occlude = 1, 1
	a.Blur, a.JPEG, a.Noise = 0, 0, 0
	c := boxed(t, 8)
	for i := range c.Set.Items {
		c.Set.Items[i].Fixed = true
	}
	plain, err := NewLoader(c, LoaderConfig{Width: 96, Height: 64, Batch: 16, Workers: 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	moved, err := NewLoader(c, LoaderConfig{Width: 96, Height: 64, Batch: 16, Workers: 1, Augment: a}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer moved.Close()
	x, _ := plain.Next(t.Context())
	y, _ := moved.Next(t.Context())
	if !slices.Equal(x.Items, y.Items) || !slices.Equal(x.Frames, y.Frames) || !slices.Equal(x.Map, y.Map) {
		t.Error("augmentation changed a picture that is fixed")
	}
}

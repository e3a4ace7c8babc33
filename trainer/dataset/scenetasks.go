package dataset

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"perceive/camera/scene"
)

// task answers a question about a scene from the renderer's truth.
type task func(t *scene.Truth, w, h float64) bool

// sceneTask reads a question about a scene:
//
//	car, pedestrian, stop_sign, traffic_light   is there one?
//	car@left                                    is there one in the left third? Also middle, right
//	car@near, car@far                           at least, or less than, a fifth of the picture high?
//	car>=2, car@far>=2                          are there two or more?
//	day, dusk, night, clear, cloudy, rain       is it?
//	car@left+night                              all of it?
//
// known is false where it is none of these.
func sceneTask(name string) (_ task, known bool) {
	var all []task
	for part := range strings.SplitSeq(name, "+") {
		t, ok := sceneAtom(part)
		if !ok {
			return nil, false
		}
		all = append(all, t)
	}
	return func(t *scene.Truth, w, h float64) bool {
		return !slices.ContainsFunc(all, func(one task) bool { return !one(t, w, h) })
	}, true
}

func sceneAtom(name string) (task, bool) {
	if slices.Contains(sceneAir, name) {
		return func(t *scene.Truth, _, _ float64) bool { return t.Light == name || t.Weather == name }, true
	}
	thing, number, counted := strings.Cut(name, ">=")
	least := 1
	if counted {
		var err error
		if least, err = strconv.Atoi(number); err != nil || least < 2 || least > 9 {
			return nil, false
		}
	}
	thing, where, placed := strings.Cut(thing, "@")
	if !slices.Contains(scene.Labels(), thing) || placed && scenePlaces[where] == nil {
		return nil, false
	}
	return func(t *scene.Truth, w, h float64) bool {
		n := 0
		for _, b := range t.Boxes {
			if b.Label == thing && (!placed || scenePlaces[where](b, w, h)) {
				n++
			}
		}
		return n >= least
	}, true
}

var sceneAir = []string{"day", "dusk", "night", "clear", "cloudy", "rain"}

// isNear is the part of the picture's height from which on a thing is near.
const isNear = 0.2

var scenePlaces = map[string]func(b scene.Box, w, h float64) bool{
	"left":   func(b scene.Box, w, h float64) bool { return b.X+b.W/2 < w/3 },
	"middle": func(b scene.Box, w, h float64) bool { return b.X+b.W/2 >= w/3 && b.X+b.W/2 < w*2/3 },
	"right":  func(b scene.Box, w, h float64) bool { return b.X+b.W/2 >= w*2/3 },
	"near":   func(b scene.Box, w, h float64) bool { return b.H >= isNear*h },
	"far":    func(b scene.Box, w, h float64) bool { return b.H < isNear*h },
}

// MaxSceneTasks is how many questions SceneTasks knows.
var MaxSceneTasks = len(sceneTasks())

// SceneTasks are n different questions about scenes, the same ones every time, the first
// four being the renderer's labels. Each is true in 5 to 95 % of all scenes. It panics
// when n is not from 1 to MaxSceneTasks.
func SceneTasks(n int) []string { return sceneTasks()[:n:n] }

func sceneTasks() []string {
	out := scene.Labels()
	// Simple ones first. What is left out is rare, or nearly the same as another: stop
	// signs stand to the right and are small.
	out = append(out, "night", "rain", "day", "clear", "car@left", "pedestrian@right", "car@near", "pedestrian@near",
		"traffic_light@middle", "car>=2", "pedestrian>=2", "stop_sign>=2", "traffic_light>=2", "dusk", "cloudy", "traffic_light@right",
		"car@middle", "car@right", "pedestrian@left", "pedestrian@middle", "car@far", "pedestrian@far", "traffic_light@left",
		"car>=3", "pedestrian>=3", "traffic_light>=3")
	for i, a := range scene.Labels() {
		for _, b := range scene.Labels()[i+1:] {
			out = append(out, a+"+"+b)
		}
	}
	for _, a := range scene.Labels() {
		for _, b := range sceneAir {
			out = append(out, a+"+"+b)
		}
	}
	out = append(out, "day+clear", "day+cloudy", "day+rain", "dusk+clear", "night+clear")
	for _, a := range []string{"car@left", "car@middle", "car@far", "car@near", "pedestrian@left", "pedestrian@middle", "pedestrian@right",
		"pedestrian@near", "pedestrian@far", "traffic_light@middle", "traffic_light@right"} {
		thing, _, _ := strings.Cut(a, "@")
		for _, b := range append(scene.Labels(), "day", "clear") {
			if b != thing {
				out = append(out, a+"+"+b)
			}
		}
	}
	return out
}

// ExpandLabels replaces tasks:N in a list of labels by SceneTasks(N).
func ExpandLabels(labels []string) ([]string, error) {
	var out []string
	for _, l := range labels {
		number, ok := strings.CutPrefix(l, "tasks:")
		if !ok {
			out = append(out, l)
			continue
		}
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || n > MaxSceneTasks {
			return nil, fmt.Errorf("label %s: want tasks:N with N from 1 to %d, the number of questions about scenes", l, MaxSceneTasks)
		}
		out = append(out, SceneTasks(n)...)
	}
	return out, nil
}

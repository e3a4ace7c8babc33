package serve

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"perceive/camera/guard"
)

func TestTheDefaultIsWhatIsPrinted(t *testing.T) {
	c, err := Parse()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Parse(Text{"printed.yaml", DefaultYAML}); err != nil || !reflect.DeepEqual(c, again) {
		t.Errorf("%v: %+v, want %+v", err, again, c)
	}
	// Each key is in the printed text: a field that is not could not be found out about.
	var missing []string
	var walk func(prefix string, v reflect.Type)
	walk = func(prefix string, v reflect.Type) {
		for i := range v.NumField() {
			f := v.Field(i)
			key := f.Tag.Get("yaml")
			if !strings.Contains(string(DefaultYAML), key+":") {
				missing = append(missing, prefix+key)
			}
			if f.Type.Kind() == reflect.Struct {
				walk(prefix+key+".", f.Type)
			}
		}
	}
	walk("", reflect.TypeFor[Config]())
	if missing != nil {
		t.Errorf("default.yaml does not mention %q", missing)
	}
}

func TestLaterTextsWin(t *testing.T) {
	flag, err := Assign("--set", "decide.hold=1s")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse(Text{"a.yaml", []byte("decide: {hold: 5s, leave: 0.5}\nsources: [{name: front, uri: /dev/video0}]")}, flag)
	if err != nil {
		t.Fatal(err)
	}
	if c.Decide.Hold != time.Second || c.Decide.Leave != 0.5 || len(c.Sources) != 1 || c.Sources[0].Name != "front" || c.Watch.Stage != 2*time.Second {
		t.Errorf("%+v", c)
	}
}

func TestWrongConfigurationSaysWhere(t *testing.T) {
	for text, want := range map[string]string{
		"modle: {}":            `a.yaml:1: unknown field "modle"`,
		"model:\n  file: \"\"": "a.yaml:2: model.file: empty",
		"deadline: soon":       "a.yaml:1:",
		"deadline: 0s":         "a.yaml:1: deadline: 0s is not within",
		"sources:\n  - name: a\n    uri: x\n  - {name: a, uri: y}": `a.yaml:4: sources[1].name: "a" is there twice`,
		"sources:\n  - {name: Front Cam, uri: y}":                  "a.yaml:2: sources[0].name",
		"sources: []":                                           "a.yaml:1: sources: none",
		"provider: {name: gpu}":                                 "a.yaml:1:",
		"http:\n\n  listen: nowhere":                            "a.yaml:3: http.listen",
		"decide:\n  labels:\n    car: {enter: 2}":               "a.yaml:3: decide.labels.car.enter: 2 is not within",
		"decide:\n  labels:\n    car: {enter: 0.2, leave: 0.3}": "a.yaml:3: decide.labels.car.leave",
		"watch:\n  stage: 5s\n  give_up: 1s":                    "a.yaml:3: watch.give_up",
		"log: {level: loud}":                                    "a.yaml:1: log.level",
	} {
		_, err := Parse(Text{"a.yaml", []byte(text)})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
	}
	for _, a := range []string{"deadline", "=1", "a b=1", "Deadline=1s"} {
		if _, err := Assign("--set", a); err == nil {
			t.Errorf("%q is taken", a)
		}
	}
}

// A fault is where its value was said last, whatever was said after it of other keys.
func TestFaultsAreWhereTheyWereSaid(t *testing.T) {
	site := Text{"site.yaml", []byte("provider:\n  device: -1\nsources:\n  - {name: a, uri: x}\n  - {name: a, uri: y}")}
	hold, err := Assign("--set", "decide.hold=1s")
	if err != nil {
		t.Fatal(err)
	}
	deadline, err := Assign("--set", "deadline=0s")
	if err != nil {
		t.Fatal(err)
	}
	_, err = Parse(site, deadline, hold)
	want := "site.yaml:2: provider.device: -1 is negative\nsite.yaml:5: sources[1].name: \"a\" is there twice\n--set deadline=0s:1: deadline: "
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("\n got %v\nwant %s", err, want)
	}
	_, err = Parse(site, Text{"--source", []byte("sources:\n- {name: \"A\", uri: z}")})
	if err == nil || !strings.Contains(err.Error(), "--source:2: sources[0].name") {
		t.Error(err)
	}
}

// The guards that are printed are the ones whose margins were measured.
func TestDefaultGuards(t *testing.T) {
	if c := Default(); c.Guards != guard.Default {
		t.Errorf("%+v, want %+v", c.Guards, guard.Default)
	}
}

package scene

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	full := Config{Seed: 7, Width: 640, Height: 384, FPS: 12.5, Seconds: 2}
	for _, tt := range []struct {
		uri  string
		want Config
		err  string // a part of the error, "" for none
	}{
		{uri: "scene://?seed=7&seconds=2&width=640&height=384&fps=12.5", want: full},
		{uri: full.URI(), want: full},
		{uri: "scene://", want: Config{Width: 1280, Height: 720, FPS: 10, Seconds: 10}},
		{uri: "scene:///?seed=3", want: Config{Seed: 3, Width: 1280, Height: 720, FPS: 10, Seconds: 10}},
		{uri: "scene://?seed=18446744073709551615&seconds=.5", want: Config{Seed: 1<<64 - 1, Width: 1280, Height: 720, FPS: 10, Seconds: .5}},

		{uri: "video.mp4", err: "does not begin with scene://"},
		{uri: "scene://town?seed=1", err: `"town" is no part of a scene`},
		{uri: "scene://?sed=1", err: `unknown key "sed": want fps, height, live, seconds, seed, width`},
		{uri: "scene://?seed=1&seed=2", err: "seed is given 2 times"},
		{uri: "scene://?seed=-1", err: `seed="-1": want a whole number, 0 or more`},
		{uri: "scene://?seed=", err: `seed=""`},
		{uri: "scene://?seed=18446744073709551616", err: "seed="},
		{uri: "scene://?width=big", err: `width="big": want a whole number of pixels, 64 to 4096`},
		{uri: "scene://?width=0", err: `width="0"`},
		{uri: "scene://?width=63", err: "width=63: want"},
		{uri: "scene://?height=4097", err: "height=4097: want"},
		{uri: "scene://?height=1e2", err: `height="1e2"`},
		{uri: "scene://?fps=0", err: `fps="0"`},
		{uri: "scene://?fps=NaN", err: "fps=NaN"},
		{uri: "scene://?fps=1000", err: "fps=1000: want a number above 0, at most 240"},
		{uri: "scene://?seconds=-1", err: "seconds=-1"},
		{uri: "scene://?seconds=Inf", err: "seconds=+Inf"},
		{uri: "scene://?fps=-1&width=1", err: "width=1"},
		{uri: "scene://?fps=-1&width=1", err: "fps=-1"},
		{uri: "scene://?seed=%zz", err: "cannot be read"},
	} {
		t.Run(tt.uri, func(t *testing.T) {
			got, err := Parse(tt.uri)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || !strings.Contains(err.Error(), tt.uri) {
					t.Fatalf("error %v, want the URI and %q in it", err, tt.err)
				}
				if got != (Config{}) {
					t.Errorf("%+v came with the error", got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
	if Is("file.mp4") || !Is("scene://?seed=1") {
		t.Error("Is cannot tell a scene from a file")
	}
}

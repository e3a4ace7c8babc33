package replay

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/maruel/natural"

	"perceive/camera/opencv"
)

// videos are the extensions of what is taken out of a folder.
var videos = []string{".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".ts", ".mjpeg", ".h264", ".mcap"}

// Recordings spells out the folders in a list: those that hold videos stand for these. Everything
// else is a recording itself. skipped are files in such folders that are no videos. many is false
// where the list is one recording and no folder was spelt out: a folder is many recordings, even
// if it holds one.
func Recordings(list []string) (out, skipped []string, many bool, err error) {
	many = len(list) > 1
	for _, path := range list {
		entries, err := os.ReadDir(path)
		if err != nil {
			out = append(out, path) // a file, a glob, a scene: whoever opens it says what is wrong
			continue
		}
		var in, no []string
		for _, e := range entries {
			full := filepath.Join(path, e.Name())
			switch {
			case e.IsDir():
			case slices.Contains(videos, strings.ToLower(filepath.Ext(e.Name()))):
				in = append(in, full)
			default:
				no = append(no, full)
			}
		}
		if len(in) == 0 {
			out = append(out, path) // pictures
			continue
		}
		slices.SortFunc(in, natural.Compare)
		out, skipped, many = append(out, in...), append(skipped, no...), true
	}
	seen := map[string]string{}
	for _, path := range out {
		if other, ok := seen[Name(path)]; ok && len(out) > 1 {
			return nil, nil, many, fmt.Errorf("replay: %s and %s would both be %s.jsonl: replay them into different folders", other, path, Name(path))
		}
		seen[Name(path)] = path
	}
	return out, skipped, many, nil
}

// Name is how a recording is called among others: its file without folder and extension, and
// behind it the camera that was named of an MCAP.
func Name(path string) string {
	file, cam, recording, _ := opencv.CutMCAP(path)
	base := filepath.Base(file)
	base = strings.TrimSuffix(base, filepath.Ext(base))
	if recording && cam != "" {
		return base + "-" + strings.NewReplacer("/", "_", " ", "_").Replace(cam)
	}
	return base
}

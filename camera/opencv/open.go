//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"perceive/camera"
)

// Open opens what a path names: a folder, a glob or a picture file with OpenImages, any
// other file with OpenVideo, but for .mcap, which is OpenMCAP's and may have the key camera=NAME. A glob that matches no picture (see OpenImages for
// their extensions) is an error: a list of videos is not a source. Live cameras are
// ParseCamera's.
func Open(path string, o Options) (camera.Source, error) {
	if isLive(path) {
		return nil, fmt.Errorf("opencv: %s: not a recording: name a video file, or a folder or glob of pictures", path)
	}
	if file, name, ok, err := CutMCAP(path); err != nil {
		return nil, fmt.Errorf("opencv: %s: %w: %w", path, ErrCamera, err)
	} else if ok {
		return o.OpenMCAP(file, name)
	}
	st, err := os.Stat(path)
	switch {
	case err == nil && st.IsDir(), err == nil && isPicture(path):
		return o.OpenImages(path)
	case err != nil && strings.ContainsAny(path, `*?[`):
		if found, _ := filepath.Glob(path); len(found) > 0 && !slices.ContainsFunc(found, isPicture) {
			return nil, fmt.Errorf("opencv: %s: none of the %d files that match is a picture (%s); videos are opened one at a time",
				path, len(found), strings.Join(extensions, " "))
		}
		return o.OpenImages(path)
	case path == "":
		return nil, errors.New("opencv: no source: name a video file, or a folder or glob of pictures")
	}
	return o.OpenVideo(path)
}

func isLive(path string) bool {
	scheme, _, ok := strings.Cut(path, "://")
	return ok && !strings.Contains(scheme, "/") || IsCamera(path)
}

// isPicture goes by the name: what is damaged inside is a matter of its frame.
func isPicture(path string) bool {
	return slices.Contains(extensions, strings.ToLower(filepath.Ext(path)))
}

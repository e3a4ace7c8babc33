//go:build gocv_specific_modules && gocv_videoio

package opencv

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"perceive/camera"
)

// live are the beginnings of sources that are not files.
var live = []string{"/dev/video", "rtsp://", "http://", "https://", "gst:", "csi://"}

// Open opens what a path names: a folder, a glob or a picture file with OpenImages, any
// other file with OpenVideo.
func Open(path string, o Options) (camera.Source, error) {
	for _, p := range live {
		if strings.HasPrefix(path, p) {
			return nil, fmt.Errorf("opencv: %s: live cameras and streams are not supported yet: name a video file, or a folder or glob of pictures", path)
		}
	}
	st, err := os.Stat(path)
	switch {
	case err == nil && st.IsDir(),
		err != nil && strings.ContainsAny(path, "*?["),
		slices.Contains(extensions, strings.ToLower(filepath.Ext(path))):
		return o.OpenImages(path)
	}
	return o.OpenVideo(path)
}

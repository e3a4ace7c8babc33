package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"perceive/camera/opencv"
)

// stamp is what a kept picture is recognised by: where it comes from, and what its file
// was like. A rendered picture has a key and no file.
type stamp struct {
	Key   string `json:"key"`
	Size  int64  `json:"size"`
	MTime int64  `json:"mtime"` // nanoseconds
}

// stampsOf looks at a set's files as they are now. keyed: every picture has a key.
func stampsOf(set *Set) (stamps []stamp, keyed bool) {
	for _, it := range set.Items {
		if it.Pixels != nil {
			if it.Key == "" {
				return nil, false
			}
			stamps = append(stamps, stamp{Key: "drawn " + it.Key})
			continue
		}
		path, err := filepath.Abs(it.Path)
		if err != nil {
			return nil, false
		}
		s := stamp{Key: path, Size: -1} // no file; decoding says so
		if st, err := os.Stat(path); err == nil {
			s.Size, s.MTime = st.Size(), st.ModTime().UnixNano()
		}
		stamps = append(stamps, s)
	}
	return stamps, true
}

// cacheName is the same for the same pictures in the same shape, decoded by the same
// library, whatever became of their files since.
func cacheName(sh shape, stamps []stamp) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%s\nOpenCV %s\n", cacheMagic, sh.name, opencv.Version())
	for _, s := range stamps {
		fmt.Fprintln(sum, s.Key)
	}
	return hex.EncodeToString(sum.Sum(nil))[:20] + cacheSuffix
}

const cacheSuffix = ".pixels"

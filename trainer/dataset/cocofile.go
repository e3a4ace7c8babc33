package dataset

import (
	"encoding/json"
	"fmt"
)

// cocoFile is what is read of COCO's object detection format
// (cocodataset.org/#format-data).
type cocoFile struct {
	Images      []cocoImage
	Annotations []cocoObject
	Categories  []cocoCategory
}

type cocoImage struct {
	ID       int64           `json:"id"`
	FileName string          `json:"file_name"`
	Video    json.RawMessage `json:"video_id"` // of COCO's successors for videos
}

type cocoCategory struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

type cocoObject struct {
	ID         json.RawMessage `json:"id"`
	ImageID    *int64          `json:"image_id"`
	CategoryID *int64          `json:"category_id"`
	BBox       []float64       `json:"bbox"` // x, y, width, height in pixels
	IsCrowd    int             `json:"iscrowd"`
}

// read reads the file's three lists.
func (f *cocoFile) read(path string) error {
	return lists{
		"images":      element(&f.Images),
		"annotations": element(&f.Annotations),
		"categories":  element(&f.Categories),
	}.read(path)
}

// element appends what it decodes.
func element[T any](to *[]T) func(*json.Decoder) error {
	return func(dec *json.Decoder) error {
		var v T
		if err := dec.Decode(&v); err != nil {
			return err
		}
		*to = append(*to, v)
		return nil
	}
}

func same(a, b *int64) bool { return a == b || a != nil && b != nil && *a == *b }

func orNone(id *int64) string {
	if id == nil {
		return "(none)"
	}
	return fmt.Sprint(*id)
}

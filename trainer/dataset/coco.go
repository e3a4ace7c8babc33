package dataset

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
)

// cocoFile is what is read of COCO's object detection format
// (cocodataset.org/#format-data).
type cocoFile struct {
	Images []struct {
		ID       int64  `json:"id"`
		FileName string `json:"file_name"`
	} `json:"images"`
	Annotations []struct {
		ImageID    int64     `json:"image_id"`
		CategoryID int64     `json:"category_id"`
		BBox       []float64 `json:"bbox"` // x, y, width, height in pixels
		IsCrowd    int       `json:"iscrowd"`
	} `json:"annotations"`
	Categories []struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	} `json:"categories"`
}

// openCOCO reads COCO annotations. COCO's annotators looked for every category of the
// file in every picture: a category of the file that a picture lacks is negative, a
// label that the file has no category for is unknown. A crowd has no box of its own.
func openCOCO(path string, query url.Values, labels []string) (*Set, error) {
	if err := only(path, query, "images", "map"); err != nil {
		return nil, err
	}
	cats, err := newCategories(path, query, labels)
	if err != nil {
		return nil, err
	}
	var f cocoFile
	if err := readJSON(path, &f); err != nil {
		return nil, err
	}
	if len(f.Categories) == 0 || len(f.Images) == 0 {
		return nil, fmt.Errorf("dataset: %s: not COCO's format for boxes: %d \"images\" and %d \"categories\"", path, len(f.Images), len(f.Categories))
	}
	label, known := map[int64]int{}, make([]bool, len(labels))
	for _, c := range f.Categories {
		l := cats.label(c.Name)
		label[c.ID] = l
		if l >= 0 {
			known[l] = true
		}
	}
	items := map[int64]*annotated{}
	for i, im := range f.Images {
		if im.FileName == "" || items[im.ID] != nil {
			return nil, fmt.Errorf("dataset: %s: image %d: no \"file_name\", or its id %d is there twice", path, i, im.ID)
		}
		items[im.ID] = newAnnotated(Item{Path: filepath.Join(imageDir(path, query), im.FileName), Name: im.FileName,
			Group: im.FileName, Source: "coco"}, known)
	}
	for i, a := range f.Annotations {
		it := items[a.ImageID]
		l, ok := label[a.CategoryID]
		if it == nil || !ok {
			return nil, fmt.Errorf("dataset: %s: annotation %d is of image %d and category %d, which the file does not list", path, i, a.ImageID, a.CategoryID)
		}
		if l < 0 {
			continue
		}
		var b Box
		located := len(a.BBox) == 4 && a.IsCrowd == 0
		if located {
			b = Box{X: a.BBox[0], Y: a.BBox[1], W: a.BBox[2], H: a.BBox[3]}
		}
		it.add(l, b, located)
	}
	set := &Set{Labels: labels, Skipped: map[string]int{}}
	for _, im := range f.Images {
		set.Items = append(set.Items, items[im.ID].item())
	}
	if !slices.Contains(known, true) {
		return nil, fmt.Errorf("dataset: %s: none of its %d categories is one of the labels; name them with map=CATEGORY:LABEL", path, len(f.Categories))
	}
	return set, nil
}

package dataset

import (
	"fmt"
	"path/filepath"
	"slices"
)

// cocoReading is a file half read.
type cocoReading struct {
	request
	cocoFile
	label map[int64]int // of each category; doubtful where its id stands for two
	known []bool        // labels that have a category
	items map[int64]*annotated
	order []int64 // ids of items
	set   *Set
}

// doubtful is a category of which nobody can say which it is.
const doubtful = -2

// openCOCO reads COCO annotations. COCO's annotators looked for every category of the
// file in every picture: a category of the file that a picture lacks is negative, a
// label that the file has no category for is unknown. A crowd has no box of its own.
func openCOCO(r request) (*Set, error) {
	if err := r.only("images", "map", "group"); err != nil {
		return nil, err
	}
	c := cocoReading{request: r, label: map[int64]int{}, known: make([]bool, len(r.labels)), items: map[int64]*annotated{},
		set: newSet(r.labels)}
	if err := c.cocoFile.read(r.what); err != nil {
		return nil, err
	}
	if len(c.Categories) == 0 || len(c.Images) == 0 {
		return nil, fmt.Errorf("dataset: %s: not COCO's format for boxes: %d \"images\" and %d \"categories\"", r.what, len(c.Images), len(c.Categories))
	}
	names, err := c.categories()
	if err != nil {
		return nil, err
	}
	if err := c.images(); err != nil {
		return nil, err
	}
	c.objects(names)
	for _, id := range c.order {
		c.set.Items = append(c.set.Items, c.items[id].item())
	}
	if len(c.set.Items) == 0 {
		return nil, fmt.Errorf("dataset: %s: %w", r.what, errNoPictures)
	}
	if !slices.Contains(c.known, true) {
		return nil, fmt.Errorf("dataset: %s: none of its %d categories is one of the labels; name them with map=CATEGORY:LABEL", r.what, len(c.Categories))
	}
	return c.set, nil
}

func (c *cocoReading) categories() (names map[int64]string, err error) {
	cats, err := c.newCategories()
	if err != nil {
		return nil, err
	}
	names = map[int64]string{}
	for i, cat := range c.Categories {
		l := cats.label(cat.Name)
		if name, there := names[cat.ID]; there && name != cat.Name {
			c.flaws.add("categories with one id", "category %d: %q has id %d, as %q has", i, cat.Name, cat.ID, name)
			c.label[cat.ID] = doubtful
		} else if !there {
			c.label[cat.ID] = l
		}
		names[cat.ID] = cat.Name
		if l >= 0 {
			c.known[l] = true
		}
	}
	return names, nil
}

// images lists the pictures. Of two pictures with one id neither stays: nobody can say
// which of them an annotation is of.
func (c *cocoReading) images() error {
	group, err := c.newGrouping()
	if err != nil {
		return err
	}
	twice := map[int64]bool{}
	for i, im := range c.Images {
		if im.FileName == "" {
			c.flaws.add("pictures without a name", "image %d: no \"file_name\"", i)
			twice[im.ID] = true // annotations of it are of nothing that can be found
			continue
		}
		if old := c.items[im.ID]; old != nil {
			c.flaws.add("pictures listed twice", "image %d, %q: its id %d is there twice, for %q", i, im.FileName, im.ID, old.Name)
			twice[im.ID] = twice[im.ID] || old.Name != im.FileName
			continue
		}
		it := Item{Path: filepath.Join(c.imageDir(), im.FileName), Name: im.FileName, Group: group(im.FileName), Source: "coco"}
		if len(im.Video) > 0 && string(im.Video) != "null" {
			it.Group = "video " + string(im.Video)
		}
		c.items[im.ID] = newAnnotated(it, c.known)
		c.order = append(c.order, im.ID)
	}
	c.order = slices.DeleteFunc(c.order, func(id int64) bool { return twice[id] })
	for id := range twice {
		if twice[id] && c.items[id] == nil {
			c.items[id] = newAnnotated(Item{}, c.known)
		}
	}
	return nil
}

// objects puts the annotations into their pictures.
func (c *cocoReading) objects(names map[int64]string) {
	seen := map[string]int{}
	for i, a := range c.Annotations {
		if id := string(a.ID); id != "" && id != "null" {
			if first, there := seen[id]; there {
				old := c.Annotations[first]
				c.flaws.add("annotations with one id", "annotation %d: its id %s is there already", i, id)
				if same(old.ImageID, a.ImageID) && same(old.CategoryID, a.CategoryID) && slices.Equal(old.BBox, a.BBox) {
					continue // the same once more; another object is one whatever its id
				}
			}
			seen[id] = i
		}
		if a.ImageID == nil || c.items[*a.ImageID] == nil {
			c.flaws.add("annotations of no picture", "annotation %d is of image %s, which the file does not list", i, orNone(a.ImageID))
			continue
		}
		it, l, listed := c.items[*a.ImageID], 0, false
		if a.CategoryID != nil {
			l, listed = c.label[*a.CategoryID]
		}
		switch {
		case !listed:
			c.flaws.add("annotations of no category", "annotation %d is of category %s, which the file does not list", i, orNone(a.CategoryID))
			it.doubtful = true
		case l == doubtful:
			it.doubtful = true
		case l < 0:
			c.set.Unasked[names[*a.CategoryID]]++
		default:
			c.object(i, it, l, a)
		}
	}
}

func (c *cocoReading) object(i int, it *annotated, l int, a cocoObject) {
	var b Box
	located := len(a.BBox) == 4 && a.IsCrowd == 0
	if located {
		b = Box{X: a.BBox[0], Y: a.BBox[1], W: a.BBox[2], H: a.BBox[3]}
	}
	if located && !b.sized() || len(a.BBox) != 4 && len(a.BBox) != 0 {
		c.flaws.add(emptyBoxes, "annotation %d, in %q: \"bbox\" is %v", i, it.Name, a.BBox)
	}
	it.add(l, b, located)
}

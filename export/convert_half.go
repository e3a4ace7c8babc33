package export

import "perceive/export/quant"

// half is the candidate in fp16. What leaves its range on the calibration frames stays in
// fp32.
func (k *converter) half() (*candidate, error) {
	seen, err := quant.Observe(k.ctx, k.rt, k.source, func(yield func([]byte) bool) {
		for _, f := range k.c.Calibration {
			if !yield(f.Pix) {
				return
			}
		}
	})
	if err != nil {
		return nil, err
	}
	p := k.out.Manifest.Precision
	p.Ranges, p.Frames = "min-max", seen.Frames
	c, err := k.apply(quant.Half(seen.Reach, func(node string) { p.Float = append(p.Float, node) }))
	if err != nil {
		return nil, err
	}
	if err := k.judge(c); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

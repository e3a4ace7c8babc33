package quant

import (
	"slices"

	"perceive/export/onnx"
)

// rows is the first convolution over patches of b×b pixels rewritten to read the frame
// as it lies in memory: [N,H,W,C] seen as [N,H,W/b,b·C], so that a kernel of kh×kw
// patches is one of b·kh rows × kw groups of b pixels, with a stride of b rows. The
// products are the same, their order is another, and no byte is moved. It reports
// whether that is possible.
func (l *layouts) rows(b int64) bool {
	readers := l.readers[l.front.value]
	if len(readers) != 1 || l.output[l.front.value] || readers[0].GetOpType() != "Conv" || len(l.shape) != 4 {
		return false
	}
	conv := readers[0]
	kernel := l.constants[conv.GetInput()[1]]
	k, err := kernel.Float32s()
	strides, pads := conv.AttrInts("strides"), conv.AttrInts("pads")
	if strides == nil {
		strides = []int64{1, 1}
	}
	if pads == nil {
		pads = []int64{0, 0, 0, 0}
	}
	dilated := slices.ContainsFunc(conv.AttrInts("dilations"), func(d int64) bool { return d != 1 })
	if err != nil || len(kernel.GetDims()) != 4 || len(strides) != 2 || len(pads) != 4 || dilated ||
		conv.AttrInt("group", 1) != 1 || conv.AttrString("auto_pad", "NOTSET") != "NOTSET" {
		return false
	}
	n, h, w, c := l.shape[0], l.shape[1], l.shape[2], l.shape[3]
	out, kh, kw := kernel.GetDims()[0], kernel.GetDims()[2], kernel.GetDims()[3]
	to := make([]float32, len(k))
	for i, v := range k {
		// The index taken apart: o, (row·b + column)·c + channel, y, x.
		x, y := int64(i)%kw, int64(i)/kw%kh
		in, o := int64(i)/(kw*kh)%(b*b*c), int64(i)/(kw*kh*b*b*c)
		channel, column, row := in%c, in/c%b, in/(c*b)
		to[((o*b*c+column*c+channel)*kh*b+y*b+row)*kw+x] = v
	}
	name := l.front.value + ":kernel"
	l.graph.Initializer = append(l.graph.Initializer, onnx.NewTensorFloat32(name, []int64{out, b * c, kh * b, kw}, to))
	conv.Input[1] = name
	conv.Attribute = slices.DeleteFunc(conv.Attribute, func(a *onnx.Attribute) bool {
		return slices.Contains([]string{"strides", "pads", "kernel_shape"}, a.GetName())
	})
	conv.Attribute = append(conv.Attribute, onnx.Ints("strides", strides[0]*b, strides[1]),
		onnx.Ints("pads", pads[0]*b, pads[1], pads[2]*b, pads[3]))
	l.reshape(n, h, w/b, b*c)
	l.transpose([]int64{0, 3, 1, 2})
	return true
}

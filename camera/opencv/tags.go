//go:build !gocv_specific_modules || !gocv_videoio

package opencv

// Without build tags GoCV compiles bindings that the OpenCV of Debian and Ubuntu
// does not have, which ends in pages of C++ errors. This file is compiled
// instead, and the name below, which is not declared anywhere, is the message.
var _ = build_with_make__or_export_GOFLAGS_tags__see_README

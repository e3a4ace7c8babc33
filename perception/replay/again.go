package replay

import (
	"context"
	"path/filepath"

	"perceive/perception"
)

// again is the verdict on a recording that an earlier run wrote to out, and its report, from the
// lines that are there. whole is false where these are not enough: the picture of a first
// divergence needs the frame, and the recording has to be replayed.
func (p Plan) again(ctx context.Context, head perception.Header, out string, row Row) (_ Row, whole bool, err error) {
	if p.Compare == nil && p.Reports == "" {
		return row, true, nil
	}
	was, err := ReadGolden(out)
	if err != nil {
		return row, false, err
	}
	show := Report{Header: head, Trace: NewTrace(head), Outcome: Outcome{Hash: row.Hash, Summary: perception.NewSummary(row.Labels)}}
	sinks := []perception.Sink{show.Trace, show.Outcome.Summary}
	if p.Compare != nil {
		if show.Comparison, show.Notes, err = p.Compare(Name(row.Recording), head); err != nil {
			return row, false, err
		}
		sinks = append(sinks, show.Comparison)
	}
	for i := range was.Frames {
		for _, s := range sinks {
			if err := s.Emit(ctx, &was.Frames[i], nil); err != nil {
				return row, false, err
			}
		}
	}
	if show.Comparison != nil {
		row.judge(show.Comparison)
	}
	switch {
	case p.Reports == "":
		return row, true, nil
	case show.Comparison != nil && show.Comparison.First != nil:
		return row, false, nil
	}
	return row, true, show.Write(filepath.Join(p.Reports, Name(row.Recording)))
}

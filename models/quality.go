package models

// Metric is how well one label is told apart on one data split, on the images
// where the label is known. What depends on a threshold is at the label's own.
type Metric struct {
	Positive int     `json:"positive"`
	Negative int     `json:"negative"`
	AUC      float64 `json:"auc"`
	AP       float64 `json:"ap"`
	// Low and High bound the AUC's 95 % bootstrap interval; both 0 if not computed.
	Low  float64 `json:"auc_low,omitempty"`
	High float64 `json:"auc_high,omitempty"`

	// PrecisionAtRecall90 is the highest precision of any threshold that finds 90 % of
	// the positives.
	PrecisionAtRecall90 float64 `json:"precision_at_recall_90"`
	Recall              float64 `json:"recall"`
	FalseAlarms         float64 `json:"false_alarms"`
	Precision           float64 `json:"precision"`
	F1                  float64 `json:"f1"`
	// ECE is the expected calibration error over 10 bins of equal width, Brier the mean
	// square of probability less answer.
	ECE   float64 `json:"ece"`
	Brier float64 `json:"brier"`
	// Intervals are the 95 % bootstrap intervals, low and high, of the figures above by
	// their keys, but for the AUC's.
	Intervals map[string][2]float64 `json:"intervals,omitempty"`
	// Parts are the figures on parts of the split.
	Parts []Part `json:"parts,omitempty"`
}

// Part is how well a label is told apart on a part of a split: the pictures of one source,
// or those under one condition. Only parts with enough pictures of both answers are stated.
type Part struct {
	// Of is what varies, such as "source" or "timeofday", and Value what it is here. Where Of
	// is the object's, the positives are those with such an object, and the negatives are all.
	Of       string `json:"of"`
	Value    string `json:"value"`
	Positive int    `json:"positive"`
	Negative int    `json:"negative"`
	// AUC has its 95 % bootstrap interval; Together is that of all values of Of.
	AUC      float64 `json:"auc"`
	Low      float64 `json:"auc_low"`
	High     float64 `json:"auc_high"`
	Together float64 `json:"auc_together"`
	// Recall and FalseAlarms are at the label's threshold; Intervals are theirs, by key.
	Recall      float64               `json:"recall"`
	FalseAlarms float64               `json:"false_alarms"`
	Intervals   map[string][2]float64 `json:"intervals,omitempty"`
}

// Calibration is a label's probability calibration (Platt 1999). It is part of the graph:
// what the graph gives is σ(A·z + B), z the logit that the network was trained to give.
type Calibration struct {
	// A, above 0, and B; 1 and 0 leave the network's probability as it is.
	A float64 `json:"a"`
	B float64 `json:"b"`
	// Split is the data on which they were fitted, with its numbers of pictures.
	Split    string `json:"split"`
	Positive int    `json:"positive"`
	Negative int    `json:"negative"`
	// ECEBefore and ECEAfter are the expected calibration errors on Split: those of
	// other data are Metric's.
	ECEBefore float64 `json:"ece_before"`
	ECEAfter  float64 `json:"ece_after"`
	// Note says why the label is left uncalibrated, if it is.
	Note string `json:"note,omitempty"`
}

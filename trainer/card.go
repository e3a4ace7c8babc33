package trainer

import "fmt"

// Name is the condition as a row's head: a source by its name alone.
func (c Condition) Name() string {
	if c.Of == OfSource {
		return c.Value
	}
	return c.Of + ": " + c.Value
}

// Words are a weak condition as a sentence.
func (c Condition) Words() string {
	return fmt.Sprintf("%s, %s %s: %.3f (to %.3f) where all together have %.3f; finds %.0f %%, false alarms %.0f %%",
		c.Label, c.Of, c.Value, *c.AUC, c.High, *c.Reference, 100*c.Recall, 100*c.FalseAlarms)
}

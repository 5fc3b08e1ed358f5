"""What the tensors of a weight file are: one table of rules, for every file alike."""

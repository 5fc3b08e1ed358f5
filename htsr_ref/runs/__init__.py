"""Training runs: checkpoints as they appear, and metrics over their steps."""

"""Fits of samples that are no weight matrices."""

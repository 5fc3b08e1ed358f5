"""Fits of samples that are not weight matrices."""

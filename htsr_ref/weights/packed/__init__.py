"""Weights stored as codes, scales and zeros: what they stand for, one scheme a module."""

"""Strict JSON, dataclasses read from it, CSV; tables, names told apart, where text goes."""

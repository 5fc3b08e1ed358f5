"""Strict JSON, dataclasses read from it, CSV; tables, lines of blocks, where text goes."""

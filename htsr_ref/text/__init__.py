"""Strict JSON, dataclasses read from it, and CSV."""

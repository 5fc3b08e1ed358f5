"""Keeps pytest, which collects doctests from all files, from scripts that need frameworks."""

collect_ignore_glob = ["*.py"]

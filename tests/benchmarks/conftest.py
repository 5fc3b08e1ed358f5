"""Keeps pytest, which collects doctests from every file, out of the benchmarks."""

collect_ignore_glob = ["*.py"]

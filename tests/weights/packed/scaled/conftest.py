"""Keeps pytest, which collects doctests from all files, from scripts that need libraries."""

collect_ignore_glob = ["*.py"]

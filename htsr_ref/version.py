"""The version of this package, which reports carry."""

__version__ = "0.2.0"

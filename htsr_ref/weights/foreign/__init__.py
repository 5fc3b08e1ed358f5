"""Frameworks' own formats: recognized here, read by the scripts of converters/."""

"""Weight files that lie elsewhere: read by ranges of bytes, never downloaded whole."""

"""The command line: thin, one command per file; computes nothing."""

"""The command line, which computes nothing: a file per command, and what several share."""

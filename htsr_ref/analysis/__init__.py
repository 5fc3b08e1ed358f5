"""From a file to a report: the only place where all the parts meet."""

"""What an analysis says: a report as data, JSON, CSV, Markdown, and gates on it."""

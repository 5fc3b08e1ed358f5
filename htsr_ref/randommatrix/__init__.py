"""Random matrices with known answers, and the laws that they obey; knows nothing of files."""

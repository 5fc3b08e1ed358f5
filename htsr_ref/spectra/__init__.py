"""Eigenvalues of weight matrices, and what they cost."""

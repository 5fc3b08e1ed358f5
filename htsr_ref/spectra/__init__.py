"""Eigenvalues of weight matrices, what they cost, and where they are kept."""

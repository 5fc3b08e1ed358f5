"""Weights that other tensors give: pruned, normed, adapted, differenced; one way a module."""

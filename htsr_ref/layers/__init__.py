"""From a layer's tensor to weight matrices: cuts, orientation, normalization."""

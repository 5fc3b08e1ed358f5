"""What numbers are called on an axis."""

from collections.abc import Mapping
from types import MappingProxyType

QUANTITIES: Mapping[str, str] = MappingProxyType(
    {
        "alpha": "exponent α",
        "lambda_max": "largest eigenvalue λmax",
        "weighted_alpha": "α·log10 λmax",
        "log10_frobenius_norm": "log10 ‖W‖F",
        "log10_spectral_norm": "log10 ‖W‖₂",
        "log10_alpha_norm": "log10 α-norm",
        "stable_rank": "stable rank",
        "alpha_hat": "α̂, mean of α·log10 λmax",
        "mean_alpha": "mean α",
        "mean_log10_frobenius_norm": "mean log10 ‖W‖F",
        "mean_log10_spectral_norm": "mean log10 ‖W‖₂",
        "mean_log10_alpha_norm": "mean log10 α-norm",
        "random_like_share": "random-like share",
    }
)
"""Numbers of a layer and of a model."""

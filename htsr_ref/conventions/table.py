"""Every field of a convention, in the specification's order."""

from collections.abc import Mapping
from types import MappingProxyType

from htsr_ref.conventions.fields import (
    NUMBER,
    PAIR,
    POSITION,
    WHOLE,
    WINDOW,
    Field,
    choice,
    choice_or_number,
    count,
    optional,
    roles,
)

FIT = ("fit",)
"""What fields affect that change every number of the fit, and no other."""

FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "layer_kinds": roles("roles of the tensors that are analyzed", "MAT-8", "selection"),
        "fused": choice(
            "projections and gates that one tensor holds",
            "MAT-17",
            "selection",
            {
                "whole": "one matrix, as the network has it (SDM 2020, WeightWatcher)",
                "split": "one matrix per projection or gate",
            },
        ),
        "experts": choice(
            "matrices that are stacked in one tensor",
            "MAT-18",
            "selection",
            {"split": "one matrix each", "skip": "left out (WeightWatcher)"},
        ),
        "tied": choice(
            "names that share one tensor",
            "MAT-19",
            "selection",
            {"once": "the first name only", "each": "every name (WeightWatcher)"},
        ),
        "parameters": choice(
            "weight matrices that are not a module's `weight`",
            "MAT-20",
            "selection",
            {
                "all": "analyzed as others are",
                "module-weights": "left out: attention's in_proj_weight (WeightWatcher)",
            },
        ),
        "conv1d": choice(
            "convolutions of one dimension",
            "MAT-22",
            "selection",
            {"take": "analyzed as others are", "skip": "left out (WeightWatcher)"},
        ),
        "transposed": choice(
            "transposed convolutions",
            "MAT-21",
            "selection",
            {"take": "analyzed as convolutions", "skip": "left out (WeightWatcher)"},
        ),
        "linear": choice(
            "matrices of a layer that is not a convolution",
            "MAT-13",
            "cut",
            {
                "whole": "the whole matrix (SDM 2020)",
                "windows": "overlapping windows, their eigenvalues put together (FARMS)",
                "fixed-windows": "the same, of a size that no side limits (FARMS for images)",
            },
        ),
        "conv": choice(
            "matrices of a convolution",
            "MAT-3",
            "cut",
            {
                "slices": "one per kernel position (SDM 2020)",
                "group-slices": "one per kernel position and group",
                "pooled": "the positions' eigenvalues put together (WeightWatcher 0.7)",
                "row-blocks": "one per block of rows, pooled over the positions (FARMS)",
                "flattened": "one matrix, out × in·k (DeepDataProfiler)",
                "operator": "the linear map on periodic n×n images (Sedghi, Gupta & Long)",
                "skip": "none: convolutions are left out (FARMS for linear layers)",
            },
        ),
        "windows": optional("size and number of the windows", "MAT-13", "cut", WINDOW),
        "map_size": optional("n of the images that a convolution acts on", "MAT-12", "cut", WHOLE),
        "orientation": choice(
            "which dimension of a pooled convolution is called N",
            "MAT-14",
            "cut",
            {
                "tall": "the larger one",
                "toggled": "exchanged once per position if out < in (WeightWatcher 0.7.7, a fault)",
            },
            affects=("shape",),
        ),
        "min_dim": count("smallest M that is analyzed", "MAT-7", "selection"),
        "min_dim_applies_to": choice(
            "which layers min_dim concerns",
            "MAT-7",
            "selection",
            {"conv": "convolutions (the code of SDM 2020)", "all": "all layers (NatComm 2021)"},
        ),
        "min_eigenvalues": count(
            "least number of eigenvalues that is analyzed", "MAT-15", "selection"
        ),
        "max_eigenvalues": optional(
            "greatest number of eigenvalues that is analyzed",
            "MAT-15",
            "selection",
            WHOLE,
            "no limit",
        ),
        "max_rows": optional(
            "greatest N that is analyzed", "MAT-15", "selection", WHOLE, "no limit"
        ),
        "normalization": choice(
            "factor c of X = c·WᵀW",
            "SPC-9",
            "scale",
            {
                "1/N": "N, the larger dimension (SDM 2020)",
                "none": "c = 1 (the code of SDM 2020)",
                "1/out": "the number of outputs (DeepDataProfiler)",
                "glorot": "k·(in + out)/2: Glorot's initial weights get variance 1",
                "weightwatcher-conv": "n/2 for the n matrices of a convolution, else 1 (0.7.7)",
                "weightwatcher-2020": "n/2 for every layer, 1/2 for dense ones (0.2.7)",
            },
        ),
        "norms": choice(
            "matrix whose norms are reported",
            "MET-14",
            "metrics",
            {"weights": "W itself (SDM 2020)", "scaled": "√c·W (WeightWatcher)"},
            affects=("log10_frobenius_norm", "log10_spectral_norm", "log_stable_rank"),
        ),
        "drop_smallest": count("smallest eigenvalues left out", "SPC-11", "fit", affects=FIT),
        "eigenvalue_floor": choice_or_number(
            "largest eigenvalue that enters no fit",
            "SPC-10",
            "fit",
            {
                "rounding": "the largest that rounding the weights explains (SPC-6)",
                "relative": "the largest that the solver cannot tell from zero",
                "none": "0; what is computed above it enters",
            },
        ),
        "equal_eigenvalues": choice(
            "eigenvalues that differ only by the solver's error",
            "SPC-13",
            "fit",
            {
                "group": "one value: one step of the empirical distribution, one candidate",
                "apart": "taken as they are computed (the programs)",
            },
            affects=FIT,
        ),
        "rank": choice(
            "how singular values are counted",
            "MET-15",
            "metrics",
            {
                "rounding": "those that rounding the weights does not explain (SPC-6)",
                "matrix-rank": "those above σ_max·N·2⁻⁵² (NumPy, WeightWatcher)",
            },
            affects=("rank", "entropy"),
        ),
        "entropy": choice(
            "sum of the matrix entropy",
            "MET-15",
            "metrics",
            {
                "ranked": "over the rank's eigenvalues (JMLR 2021)",
                "shifted": "over all, 10⁻¹⁰ added to each share (WeightWatcher)",
            },
            affects=("entropy",),
        ),
        "lambda_min": choice(
            "smallest eigenvalue of matrices that are put together",
            "MET-15",
            "metrics",
            {
                "least": "the least",
                "greatest": "the greatest of the matrices' own (WeightWatcher's sv_min, a fault)",
            },
            affects=("lambda_min",),
        ),
        "estimator": choice(
            "estimator of alpha",
            "CNV-5",
            "fit",
            {
                "mle": "maximum likelihood (PL-2)",
                "mle-unbiased": "without its bias (PL-35)",
                "bounded-mle": "maximum likelihood on [xmin, xmax] (PL-23)",
                "truncated": "the exponent of x^-α·e^-λx (PL-26; WeightWatcher's TPL)",
            },
            affects=FIT,
        ),
        "xmin": choice_or_number(
            "the threshold, or its choice",
            "CNV-6",
            "fit",
            {
                "ks": "least KS distance (PL-4)",
                "median": "the point of index ⌊n/p⌋, p = xmin_position (PL-12; TempBalance)",
                "peak": "least KS distance near the histogram's peak (PL-13)",
                "peak-slip": "the same, with the tools' slip (PL-13; WeightWatcher, AlphaPruning)",
                "grid": "least KS distance on a grid (PL-14)",
                "erg": "the tail whose rescaled eigenvalues have product 1 (MET-16; SETOL)",
            },
            affects=FIT,
        ),
        "xmin_position": optional("p of xmin = median", "CNV-6", "fit", POSITION, affects=FIT),
        "xmax": choice(
            "upper end of the fitted range",
            "CNV-7",
            "fit",
            {"none": "none", "largest": "the largest eigenvalue (the code of SDM 2020)"},
            affects=FIT,
        ),
        "ks_model": choice(
            "distribution that KS compares with",
            "CNV-7",
            "fit",
            {
                "unbounded": "the fitted law on [xmin, ∞)",
                "renormalized": "the law divided by its value at xmax (powerlaw 1.4)",
            },
            affects=FIT,
        ),
        "ks": choice(
            "kind of KS distance",
            "PL-3",
            "fit",
            {
                "two-sided": "both ends of each step, as defined",
                "one-sided": "the lower end only (CSN's code, powerlaw, WeightWatcher)",
            },
            affects=FIT,
        ),
        "small_samples": choice(
            "fit of fewer than 20 eigenvalues",
            "CNV-8",
            "fit",
            {
                "alike": "like that of more",
                "corrected": "1 + (n-1)/Σ ln, tails of 8 or more (WeightWatcher 0.7.7)",
            },
            affects=FIT,
        ),
        "clip_fingers": count(
            "largest eigenvalues that may be dropped", "CNV-9", "fit", affects=FIT
        ),
        "log_base": choice(
            "logarithm of the weighted alpha",
            "MET-8",
            "metrics",
            {"10": "α·log10 λ_max", "e": "α·ln λ_max (DeepDataProfiler)"},
            affects=("weighted_alpha",),
        ),
        "failed_alpha": optional(
            "alpha of a matrix without a fit",
            "CNV-10",
            "metrics",
            NUMBER,
            "undefined; enters no mean",
            affects=FIT,
        ),
        "average": choice(
            "units of the model's means",
            "MET-10",
            "model",
            {"matrices": "every matrix", "layers": "every layer"},
            affects=(),
        ),
        "alpha_range": optional(
            "alphas that enter the model's means", "MET-10", "model", PAIR, "all", affects=()
        ),
    }
)
"""Every field of a convention (CNV-1)."""

"""Small reports of models whose numbers are chosen, for what compares many of them."""

from dataclasses import replace

from builders import power_law_matrix

from htsr_ref import Report, analyze

BASE = analyze({"fc": power_law_matrix(2.0, n=24)})
"""A report of one matrix of 24 eigenvalues."""


def model(
    name: str,
    alpha_hat: float | None = 1.0,
    *,
    norm: float = 0.0,
    verdict: str = "power law",
    stderr: float = 0.0,
) -> Report:
    """Report of one matrix; `stderr` becomes the error of alpha-hat (λ_max is 10)."""
    (layer,) = BASE.layers
    (matrix,) = layer.matrices
    matrix = replace(
        matrix,
        lambda_max=10.0,
        alpha_stderr=stderr,
        verdict=replace(matrix.verdict, name=verdict),
    )
    return replace(
        BASE,
        source=replace(BASE.source, name=name),
        layers=(replace(layer, matrices=(matrix,)),),
        model=replace(BASE.model, alpha_hat=alpha_hat, mean_log10_frobenius_norm=norm),
    )

"""Models that cannot be compared with the others: noise, and weights of another scale."""

import statistics
from collections.abc import Sequence

from htsr_ref.models.standing import Standing
from htsr_ref.reports.report import Report

NORM_DISTANCE = 0.5
"""Distance of a mean log10 ‖W‖_F from the median at which a model stands apart (VRD-14)."""

LEAST_MODELS = 3
"""Fewest models with a power law from which the median is taken (VRD-14)."""


def why_apart(models: Sequence[tuple[Report, Standing]]) -> tuple[str | None, ...]:
    """Say of each model why it cannot be compared with the others; None where it can.

    Parameters
    ----------
    models : reports of one series with what their numbers rest on, in any order.

    Spec: VRD-13, VRD-14.
    """
    norms = [
        report.model.mean_log10_frobenius_norm
        for report, standing in models
        if standing.verdicts["power law"] and not standing.random_like
    ]
    known = [norm for norm in norms if norm is not None]
    median = statistics.median(known) if len(known) >= LEAST_MODELS else None
    return tuple(why_noise(standing) or _scale(report, median) for report, standing in models)


def why_noise(standing: Standing) -> str | None:
    """Say why a model cannot be told from noise; None if it can.

    Spec: VRD-13.
    """
    if not standing.random_like:
        return None
    noisy = standing.verdicts["random-like"]
    judged = "1 matrix is" if standing.judged == 1 else f"{standing.judged} matrices are"
    return f"{noisy} of {judged} random-like"


def _scale(report: Report, median: float | None) -> str | None:
    norm = report.model.mean_log10_frobenius_norm
    if norm is None or median is None or abs(norm - median) <= NORM_DISTANCE:
        return None
    side = "above" if norm > median else "below"
    return (
        f"its mean log10 ‖W‖F, {norm:.2f}, is {abs(norm - median):.2f} {side} the median of the "
        "models with a power law: another scale, on which alpha_hat depends"
    )

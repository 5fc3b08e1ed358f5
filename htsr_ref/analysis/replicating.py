"""Replicas of a convention's fit: the goodness-of-fit test and the bootstrap intervals."""

from typing import Literal

from htsr_ref.analysis.fitting import Values, distance, split
from htsr_ref.conventions import Convention
from htsr_ref.errors import ConventionError
from htsr_ref.powerlaw.tail_fit import ExponentLaw, TailFit
from htsr_ref.powerlaw.uncertainty import (
    BootstrapIntervals,
    GoodnessOfFit,
    bootstrap,
    goodness_of_fit,
)
from htsr_ref.powerlaw.uncertainty.replicas import Progress
from htsr_ref.spectra.accuracy import Accuracy


def require_repeatable(convention: Convention, what: str) -> None:
    """Refuse a fit that replicas cannot repeat; `what` needs them.

    Spec: CNV-2, PL-73.
    """
    plain = (convention.estimator, convention.small_samples) == ("mle", "alike")
    if not plain or convention.clip_fingers or _threshold(convention) is None:
        raise ConventionError(
            f"{what} repeats only the fit estimator = mle, xmin = ks or a number, "
            f"small_samples = alike, clip_fingers = 0 (PL-73), and {convention.name} has another. "
            "Leave it out"
        )


def goodness_under(
    eigenvalues: Values,
    accuracy: Accuracy,
    convention: Convention,
    fit: TailFit[ExponentLaw],
    *,
    replicas: int,
    seed: int,
    progress: Progress | None = None,
) -> GoodnessOfFit:
    """Test the fit that `fit_eigenvalues` found, in replicas that are fitted likewise.

    Parameters
    ----------
    eigenvalues, accuracy, convention : as for `fit_eigenvalues`.
    fit : what it found.
    replicas, seed, progress : as for `goodness_of_fit`.

    Raises
    ------
    ConventionError
        Replicas cannot repeat the fit.

    Spec: PL-50, PL-53, PL-73.
    """
    require_repeatable(convention, "the goodness-of-fit test")
    dropped, sample = split(eigenvalues, accuracy, convention)
    return goodness_of_fit(
        sample,
        fit,
        xmin="searched" if convention.xmin == "ks" else "known",
        renormalized=convention.ks_model == "renormalized",
        dropped=dropped,
        replicas=replicas,
        seed=seed,
        progress=progress,
    )


def bootstrap_under(
    eigenvalues: Values,
    accuracy: Accuracy,
    convention: Convention,
    *,
    replicas: int,
    seed: int,
    progress: Progress | None = None,
) -> BootstrapIntervals:
    """Bootstrap intervals from resamples that are fitted as the convention says.

    Parameters
    ----------
    eigenvalues, accuracy, convention : as for `fit_eigenvalues`.
    replicas, seed, progress : as for `bootstrap`.

    Raises
    ------
    ConventionError
        Replicas cannot repeat the fit.

    Spec: PL-46, PL-73.
    """
    require_repeatable(convention, "the bootstrap")
    dropped, sample = split(eigenvalues, accuracy, convention)
    return bootstrap(
        sample,
        ks=distance(convention),
        xmin=_threshold(convention) or "ks",
        renormalized=convention.ks_model == "renormalized",
        dropped=dropped,
        replicas=replicas,
        seed=seed,
        progress=progress,
    )


def _threshold(convention: Convention) -> float | Literal["ks"] | None:
    """Return the threshold, or "ks" where it is searched; None for the other rules."""
    if isinstance(convention.xmin, str):
        return "ks" if convention.xmin == "ks" else None
    return convention.xmin

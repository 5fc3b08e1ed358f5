"""The ensembles that a synthetic weight file can be drawn from, and what is known of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from htsr_ref.errors import EnsembleError
from htsr_ref.randommatrix import ensembles
from htsr_ref.synthetic import known_answers
from htsr_ref.synthetic.known_answers import Known, Parameters

Draw = Callable[[int, int, Parameters, np.random.Generator], NDArray[np.float64]]
"""Draws a matrix of N, M and the parameters."""


@dataclass(frozen=True)
class Ensemble:
    """How an ensemble is drawn from a recipe, and what is known of it.

    Attributes
    ----------
    draw : the matrix, of N, M, the parameters and a generator.
    expect : what is known of it, of N, M and the parameters.
    parameters : every parameter's value where none is given; None where one must be.
    meaning : one line for people.
    """

    draw: Draw
    expect: Callable[[int, int, Parameters], Known]
    parameters: Mapping[str, Any]
    meaning: str


def _draw_singular_values(
    N: int, M: int, p: Parameters, rng: np.random.Generator
) -> NDArray[np.float64]:
    values = np.asarray(p["singular_values"], dtype=np.float64)
    if values.size != M:
        raise EnsembleError(f"{values.size} singular values do not make a matrix of {N}×{M}")
    return ensembles.prescribed(values, N, rng)


def _draw_power_law(N: int, M: int, p: Parameters, rng: np.random.Generator) -> NDArray[np.float64]:
    eigenvalues = ensembles.power_law_eigenvalues(M, p["alpha"], xmin=p["xmin"])
    return ensembles.prescribed(np.sqrt(N * eigenvalues), N, rng)


def _by_name(draw: Callable[..., NDArray[np.float64]]) -> Draw:
    """Draw with the parameters as the function's own arguments."""
    return lambda N, M, p, rng: draw(N, M, rng=rng, **p)


ENSEMBLES: Mapping[str, Ensemble] = MappingProxyType(
    {
        "gaussian": Ensemble(
            _by_name(ensembles.gaussian),
            known_answers.of_gaussian,
            {"sigma": 1.0},
            "normal entries",
        ),
        "pareto": Ensemble(
            _by_name(ensembles.pareto),
            known_answers.of_pareto,
            {"mu": None, "scale": 1.0},
            "Pareto entries of tail index mu",
        ),
        "levy-stable": Ensemble(
            _by_name(ensembles.levy_stable),
            lambda *_: (),
            {"mu": None, "scale": 1.0},
            "symmetric stable entries of index mu",
        ),
        "student-t": Ensemble(
            _by_name(ensembles.student_t),
            known_answers.of_student,
            {"dof": None, "scale": 1.0},
            "Student entries of dof degrees of freedom",
        ),
        "spiked": Ensemble(
            _by_name(ensembles.spiked),
            known_answers.of_spikes,
            {"spikes": None, "sigma": 1.0},
            "normal rows whose covariance has spikes",
        ),
        "prescribed": Ensemble(
            _draw_singular_values,
            lambda N, _, p: known_answers.of_singular_values(p["singular_values"], N),
            {"singular_values": None},
            "given singular values, random frames",
        ),
        "power-law": Ensemble(
            _draw_power_law,
            known_answers.of_power_law,
            {"alpha": None, "xmin": 1.0},
            "eigenvalues that are the quantiles of a power law",
        ),
        "gaussian-with-heavy-part": Ensemble(
            _by_name(ensembles.gaussian_with_heavy_part),
            known_answers.of_heavy_part,
            {"mu": None, "weight": 0.1, "sigma": 1.0},
            "normal plus Pareto entries",
        ),
        "low-rank-plus-noise": Ensemble(
            _by_name(ensembles.low_rank_plus_noise),
            known_answers.of_low_rank,
            {"rank": None, "strength": 2.0, "sigma": 1.0},
            "a few equal singular values, and noise",
        ),
        "correlated-rows": Ensemble(
            _by_name(ensembles.correlated_rows),
            known_answers.of_correlated_rows,
            {"rho": None, "sigma": 1.0},
            "normal entries correlated from row to row",
        ),
    }
)
"""The ensembles by name (RMT-11)."""

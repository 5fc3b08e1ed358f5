"""The published tables beside this file, as arrays."""

import csv
import gzip
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).parent

FILED_UNDER = {
    "densenet121": "densenet121",
    "densenet161": "densenet169",
    "densenet169": "densenet201",
    "densenet201": "densenet161",
}
"""DenseNet -> the label under which the files of NatComm 2021 hold its matrices."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Matrices:
    """The matrices of NatComm 2021, one an entry, with the numbers of W itself (c = 1).

    Attributes
    ----------
    series, model : (n,) str; a DenseNet under the name that its shapes say it has.
    N, M : (n,) float64, N ≥ M.
    alpha : (n,) float64.
    log_norm : (n,) float64, log10 ‖W‖_F.
    log_max : (n,) float64, log10 λ_max of WᵀW, from the run's α·log10 λ_max: its λ_max of its own
        is a randomized one and too small (F-WW-41).
    c : (n,) float64, the factor on WᵀW that the published run worked with: slices/2.
    """

    series: NDArray[np.str_]
    model: NDArray[np.str_]
    N: Array
    M: Array
    alpha: Array
    log_norm: Array
    log_max: Array
    c: Array

    def weighted(self, normalization: str) -> Array:
        """α·log10 λ_max of c·WᵀW, c by its name: "none", "1/N" or "run"."""
        factors = {"none": np.ones(self.N.shape), "1/N": 1 / self.N, "run": self.c}
        weighted: Array = self.alpha * (self.log_max + np.log10(factors[normalization]))
        return weighted

    def of(self, series: str, model: str) -> NDArray[np.bool_]:
        """Mark the matrices of one model."""
        marked: NDArray[np.bool_] = (self.series == series) & (self.model == model)
        return marked


def read_table(name: str) -> list[dict[str, str]]:
    """Read a CSV file of this folder, gzipped or not."""
    path = FOLDER / name
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_matrices() -> Matrices:
    """Read the slices, and take the run's factor c out of them.

    The run multiplied every matrix of a layer by √(slices/2); how many slices a layer has is how
    many rows bear its number.
    """
    rows = read_table("natcomm2021/slices.csv.gz")
    layers = [(row["series"], row["model"], row["layer_id"]) for row in rows]
    slices = Counter(layers)
    c = np.array([slices[layer] / 2 for layer in layers])
    filed = {label: model for model, label in FILED_UNDER.items()}

    def column(name: str) -> Array:
        return np.array([float(row[name]) for row in rows])

    return Matrices(
        series=np.array([row["series"] for row in rows]),
        model=np.array([filed.get(row["model"], row["model"]) for row in rows]),
        N=column("N"),
        M=column("M"),
        alpha=column("alpha"),
        log_norm=column("log10_frobenius_norm") - np.log10(c) / 2,
        log_max=column("alpha_weighted") / column("alpha") - np.log10(c),
        c=c,
    )

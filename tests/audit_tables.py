"""Tables for the tests of the audit, and what they are held against."""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from networks import CONVOLUTIONS, heavy, networks, role

from htsr_ref import Report, analyze
from htsr_ref.audits import SharedSpectra, audit_table, read_table
from htsr_ref.audits.audit_report import AuditReport
from htsr_ref.conventions import Convention
from htsr_ref.weights import Weights, open_weights


def opened(network: str) -> Weights:
    """One of the networks that other tools have analyzed."""
    weights = networks()[network]
    layers = {
        name: {"role": role(name)}
        | ({"groups": CONVOLUTIONS[name]} if name in CONVOLUTIONS else {})
        for name in weights
    }
    return open_weights(weights, layers)


def small_model() -> dict[str, np.ndarray]:
    """Few small layers in which nearly every choice of a convention matters."""
    rng = np.random.default_rng(5)
    spiked = heavy(rng, 64, 48, mu=3.0, scale=1.0).astype(float)
    return {
        "fc": spiked,
        "few": heavy(rng, 30, 15, mu=2.0, scale=1e-2),
        "low": (heavy(rng, 24, 3).astype(float) @ heavy(rng, 3, 21)).astype(np.float32),
        "deficient": heavy(rng, 26, 3).astype(float) @ heavy(rng, 3, 23),
        "zero": np.zeros((24, 22)),
        "conv": heavy(rng, 50, 52, 2, 2),
        "thin": heavy(rng, 12, 40, 2, 2),
        "embedding": heavy(rng, 40, 24),
    }


def to_csv(rows: Iterable[Mapping[str, Any]], delimiter: str = ",") -> str:
    """Write rows, which have the same columns, as CSV."""
    text = io.StringIO()
    rows = list(rows)
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def from_csv(text: str) -> list[dict[str, str]]:
    """Read CSV as rows of text."""
    return list(csv.DictReader(io.StringIO(text)))


def written(folder: Path, text: str, name: str = "theirs.csv") -> Path:
    """Write a file."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def report(weights: Any, convention: Convention) -> Report:
    """Analyze as the audit does."""
    return analyze(weights, convention, solver="svd")


def audited(
    weights: Weights, path: Path, convention: Convention | None, **options: Any
) -> AuditReport:
    """Audit a file against a convention."""
    return audit_table(SharedSpectra(weights, "svd"), read_table(path), convention, **options)


def verdicts(found: AuditReport) -> dict[str, int]:
    """Verdicts that occur."""
    return {verdict: count for verdict, count in found.counts.items() if count}

"""Data of the tests of figures."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from figures import HOSTILE

from htsr_ref import Report, analyze
from htsr_ref.analysis.checks import Checks
from htsr_ref.analysis.planning import plan
from htsr_ref.analysis.tail_view import TailView, view_matrix
from htsr_ref.weights import open_weights


@dataclass(frozen=True)
class Drawn:
    """A report, and what figures show of its matrices."""

    report: Report
    views: tuple[TailView, ...]


@pytest.fixture(scope="session")
def model() -> Drawn:
    """Noise, noise with a spike, and heavy tails; compared with other laws and shuffled."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((3, 120, 60))
    noise[1] += 0.3 * rng.standard_normal((120, 1))
    noise[2] = rng.standard_t(1.5, (120, 60))
    weights = open_weights({f"model.{i}.fc": W for i, W in enumerate(noise)})
    checks = Checks(compare=True, shuffles=19)
    report = analyze(
        weights,
        gof=checks.gof,
        compare=checks.compare,
        shuffles=checks.shuffles,
        seed=checks.seed,
    )
    views = tuple(
        view_matrix(
            item.matrices[0],
            layer.matrices[0],
            report.convention,
            checks=checks,
            layer=place,
        )
        for place, (layer, item) in enumerate(zip(report.layers, plan(weights), strict=True))
    )
    return Drawn(report, views)


@pytest.fixture(scope="session")
def hostile_report(model) -> Report:
    """A report whose names are all hostile."""
    layers = (replace(model.report.layers[0], name=name) for name in HOSTILE)
    source = replace(model.report.source, name="\n".join(HOSTILE))
    return replace(model.report, layers=tuple(layers), source=source)

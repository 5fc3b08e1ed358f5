"""Other tools that search for xmin, as functions of a sample that return xmin.

All compare with the lower end of each step (one-sided KS) and try every value of the sample.
"""

import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from search_inputs import Sample

Tool = Callable[[Sample], Any]


def installed_peers() -> dict[str, Tool]:
    """Those that are installed; says which are not."""
    peers: dict[str, Tool] = {}
    for module, build in (
        ("weightwatcher", _weightwatcher),
        ("powerlaw", _powerlaw),
        ("igraph", _plfit),
    ):
        if find_spec(module):
            peers |= build()
        else:
            print(f"{module} is not installed: left out")
    return peers


def _weightwatcher() -> dict[str, Tool]:
    from weightwatcher.WW_powerlaw import WWFit

    return {"WeightWatcher": lambda sample: WWFit(sample).xmin}


def _powerlaw() -> dict[str, Tool]:
    import powerlaw

    # Its default range of the exponent, [0, 3], would exclude thresholds.
    ranges = {"alpha": [1, None]}
    return {
        "powerlaw": lambda sample: powerlaw.Fit(sample, parameter_ranges=ranges, verbose=0).xmin
    }


def _plfit() -> dict[str, Tool]:
    """Build plfit, written in C, as igraph offers it: with a p-value, whether wanted or not.

    The p-value takes ¼/precision² replicas, each fitted anew and at least one; from the times with
    one and with four the benchmark infers what the fit alone takes. OpenMP would run replicas side
    by side and spoil that.
    """
    os.environ["OMP_NUM_THREADS"] = "1"
    import igraph

    def fit(sample: Sample, precision: float) -> float:
        return igraph.power_law_fit(sample.tolist(), None, "continuous", precision).xmin

    return {
        "plfit + 1 replica": lambda sample: fit(sample, 0.5),
        "plfit + 4 replicas": lambda sample: fit(sample, 0.25),
    }

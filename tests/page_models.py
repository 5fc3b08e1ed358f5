"""Reports of many layers, or with hostile names, for the tests of pages."""

from dataclasses import replace

import numpy as np
from builders import gaussian, power_law_matrix

from htsr_ref import Report, analyze
from htsr_ref.pages.spectra import MOST_POINTS, Spectra, thin

HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "' onmouseover='alert(3)",
    "<!--<script>",
    "]]>&amp;&lt;",
    "a\u202eb\u2066c\u200f",
    "n\x00u\x01l\x7f\ufeff\u2028",
    "line\nbreak\r\ttab",
    "{{ 7*7 }}{% raw %}${x}`",
    "\ud800 half",
    "עברית.עם.weight",
    "long." * 1000,
)
"""Names that strangers could give to tensors."""

BASE = analyze(
    {
        "random": gaussian(60, 50),
        "heavy": power_law_matrix(2.5, n=40),
        "conv": np.stack([gaussian(60, 55, seed=1), gaussian(60, 55, seed=2)], axis=-1),
        "bias": np.ones(3),
    }
)
"""Layers with one matrix of noise, one with a power law, and two matrices; a bias."""


def many_layers(count: int = 300, matrices: int = 1) -> tuple[Report, Spectra]:
    """A model of that many layers, with spectra of 2,000 eigenvalues each."""
    rng = np.random.default_rng(0)
    prototypes = BASE.analyzed()[:2]
    layers, spectra = [], {}
    most = min(MOST_POINTS, max(24, 130_000 // (count * matrices)))
    for place in range(count):
        layer = prototypes[place % 2]
        found = []
        for index in range(matrices):
            alpha = 2.0 + 4.0 * float(rng.random())
            values = np.sort(rng.pareto(alpha - 1.0, 2000) + 1.0)
            spectra[place, index] = thin(values, most)
            found.append(
                replace(
                    layer.matrices[0],
                    index=index,
                    label=f"[{index}]",
                    num_eigenvalues=2000,
                    lambda_max=float(values[-1]),
                    lambda_min=float(values[0]),
                    alpha=alpha,
                    xmin=float(values[1000]),
                    tail_size=1000,
                )
            )
        alphas = [matrix.alpha for matrix in found]
        means = dict(layer.means or {}, alpha=float(np.mean(alphas)))
        name = f"model.layers.{place // 6}.self_attn.proj_{place % 6}.weight"
        layers.append(replace(layer, name=name, tensor=name, matrices=tuple(found), means=means))
    model = replace(BASE.model, layers=count, matrices=count * matrices)
    return replace(BASE, layers=tuple(layers), model=model), spectra


def with_hostile_names() -> Report:
    """A report whose file, layers, tensors and warnings have hostile names."""
    layer, bias = BASE.layers[0], BASE.layers[-1]
    layers = [replace(layer, name=name, tensor=name, warnings=(name,)) for name in HOSTILE]
    layers += [replace(bias, name=name, skipped=f"because of {name}") for name in HOSTILE]
    origin = {"framework": HOSTILE[0], "path": HOSTILE[1]}
    return replace(
        BASE,
        source=replace(BASE.source, name=HOSTILE[0], origin=origin),
        layers=tuple(layers),
        warnings=HOSTILE,
    )

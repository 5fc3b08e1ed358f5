"""A table in the columns of WeightWatcher 0.2, made with NumPy from their definitions."""

import numpy as np
import pytest
from audits import audited, to_csv, verdicts, written
from networks import heavy

from htsr_ref.conventions import CONVENTIONS
from htsr_ref.weights import open_weights

rng = np.random.default_rng(11)
CONV, DENSE = heavy(rng, 56, 64, 3, 3), heavy(rng, 60, 70)
SMALL = heavy(rng, 20, 64, 3, 3)


def row(layer_id: int, W: np.ndarray, slices: int, **more: object) -> dict[str, object]:
    """Norms of W·√(slices/2): squared for the spectral norm alone."""
    sigma = np.linalg.svd(W.astype(float) * np.sqrt(slices / 2), compute_uv=False)
    norm = np.sqrt((sigma**2).sum())
    small = min(W.shape) < 50
    values = {
        "norm": norm,
        "lognorm": np.log10(norm),
        "softrank": norm**2 / sigma[0] ** 2,
        "softranklog": np.log10(norm**2 / sigma[0] ** 2),
    }
    return {
        "layer_id": layer_id,
        "N": max(W.shape),
        "M": min(W.shape),
        "level": "LEVEL.SLICE",
        "spectralnorm": sigma[0] ** 2,
        "logspectralnorm": np.log10(sigma[0] ** 2),
        **(dict.fromkeys(values, "") if small else values),
        **more,
    }


@pytest.mark.spec("AUD-2", "AUD-4", "AUD-6")
def test_norms_of_slices_and_of_dense_layers(tmp_path):
    rows = [
        row(layer_id, W[:, :, i, j], 9)
        for layer_id, W in ((1, SMALL), (4, CONV))
        for i in range(3)
        for j in range(3)
    ]
    rows.append({**rows[-1], "level": "LEVEL.LAYER", "N": 576, "M": 504})
    rows.append(row(9, DENSE, 1))
    weights = open_weights({"a.small": SMALL, "b.conv": CONV, "c.dense": DENSE})
    natcomm = CONVENTIONS["weightwatcher-0.2.7"]
    found = audited(weights, written(tmp_path, to_csv(rows)), natcomm)
    assert verdicts(found) == {"reproduced": 10 * 8}
    assert found.digits >= 13
    assert [(x.name, x.matched_by, len(x.rows)) for x in found.layers] == [
        ("b.conv", "shape", 9),
        ("c.dense", "shape", 1),
    ]
    (alone,) = found.layers_alone
    assert alone.name == "a.small"
    assert "min_dim" in str(alone.reason)

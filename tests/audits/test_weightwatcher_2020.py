"""Tables of WeightWatcher 0.2: one made with NumPy from their definitions, and one of its own."""

from pathlib import Path

import numpy as np
import pytest
from audit_tables import audited, from_csv, to_csv, verdicts, written
from networks import heavy
from peers.weightwatcher_2020_table import layers

from htsr_ref.audits import read_table
from htsr_ref.audits.faults import TITLES
from htsr_ref.audits.text import fault_rows, layer_rows, number_rows, summary
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


TABLE = Path(__file__).parents[1] / "peers" / "fixtures" / "weightwatcher-0.2.7.csv"
"""What WeightWatcher 0.2.7 wrote of four layers, computing in float32."""

INDEX = "layer_id"


@pytest.mark.spec("AUD-2", "AUD-7", "AUD-8")
@pytest.mark.parametrize("index", [True, False])
def test_a_table_of_that_program_has_known_faults_and_nothing_unexplained(tmp_path, index):
    rows = from_csv(TABLE.read_text(encoding="utf-8"))
    kept = [{k: v for k, v in row.items() if index or k != INDEX} for row in rows]
    path = written(tmp_path, to_csv(kept))
    convention = CONVENTIONS[read_table(path).dialect.convention]
    found = audited(open_weights(layers()), path, convention)
    assert {(x.name, len(x.rows)) for x in found.layers} == {("conv", 9), ("dense", 1), ("flat", 1)}
    assert [x.name for x in found.layers_alone] == ["narrow"]
    assert set(verdicts(found)) == {"reproduced", "known fault"}
    faulty = [cell for cell in found.cells() if cell.fault]
    assert {cell.fault for cell in faulty} == {"F-WW-41"}
    assert {cell.column for cell in faulty} == {"spectral_norm", "log_spectral_norm"}
    assert all(cell.theirs < cell.ours for cell in faulty)
    assert "known faults of theirs (F-WW-41)" in " ".join(summary(found))
    assert number_rows(found) == []
    assert {row[-1] for row in fault_rows(found)} == {f"F-WW-41: {TITLES['F-WW-41']}"}
    assert "reproduced but for F-WW-41" in {row[2] for row in layer_rows(found)}


@pytest.mark.spec("AUD-8")
@pytest.mark.parametrize(("factor", "verdict"), [(0.95, "known fault"), (0.85, "unexplained")])
def test_a_spectral_norm_is_below_ours_by_a_tenth_at_most(tmp_path, factor, verdict):
    values = row(9, DENSE, 1)
    values["spectralnorm"] *= factor
    weights = open_weights({"dense": DENSE})
    convention = CONVENTIONS[read_table(written(tmp_path, to_csv([values]))).dialect.convention]
    found = audited(weights, written(tmp_path, to_csv([values])), convention, most=0)
    (cell,) = [cell for cell in found.cells() if cell.column == "spectral_norm"]
    assert cell.verdict == verdict
    values["spectralnorm"] *= 1.01 / factor
    found = audited(weights, written(tmp_path, to_csv([values])), convention, most=0)
    assert verdicts(found)["unexplained"] == 1

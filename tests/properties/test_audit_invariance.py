"""What an audit must not depend on, and what it must never let pass."""

import random
from dataclasses import replace

import pytest
from audit_tables import audited, from_csv, report, small_model, to_csv, verdicts, written

from htsr_ref.conventions import CONVENTIONS
from htsr_ref.weights import open_weights

WEIGHTS = open_weights(small_model())
WW = CONVENTIONS["weightwatcher-0.7.7"]


@pytest.mark.spec("AUD-7", "AUD-9")
@pytest.mark.parametrize("name", CONVENTIONS)
def test_a_convention_reproduces_itself_to_the_bit(tmp_path, name):
    convention = CONVENTIONS[name]
    made = report(WEIGHTS, convention)
    found = audited(WEIGHTS, written(tmp_path, made.to_json(), "theirs.json"), convention)
    assert set(verdicts(found)) == {"reproduced"}
    assert all(cell.ours == cell.theirs for cell in found.cells())
    assert [layer.name for layer in found.layers] == [layer.name for layer in made.analyzed()]


@pytest.mark.slow
@pytest.mark.spec("AUD-11")
@pytest.mark.parametrize("name", CONVENTIONS)
def test_contributions_add_up(tmp_path, name):
    convention = CONVENTIONS[name]
    made = report(WEIGHTS, convention)
    found = audited(WEIGHTS, written(tmp_path, made.to_json(), "theirs.json"), convention)
    traced = 0
    for layer, ours in zip(found.layers, made.analyzed(), strict=True):
        for number, path in layer.paths.items():
            assert len(path.contributions) == len(found.path)
            assert path.ours == ours.means[number]
            if path.ours is not None and path.theirs is not None:
                steps = [step for step in path.contributions if step is not None]
                total = path.start + sum(steps) + path.rest
                assert total == pytest.approx(path.theirs, rel=1e-12)
                traced += 1
    assert traced >= 3 * (len(found.layers) - 2)


@pytest.mark.spec("AUD-4")
def test_renaming_and_reordering_change_nothing(tmp_path):
    rows = from_csv(report(WEIGHTS, WW).to_csv())
    plain = audited(WEIGHTS, written(tmp_path, to_csv(rows)), WW)
    renamed = open_weights({f"net.{name}": W for name, W in small_model().items()})
    shuffled = [{**row, "layer": f"net.{row['layer']}"} for row in rows]
    random.Random(1).shuffle(shuffled)
    other = audited(renamed, written(tmp_path, to_csv(shuffled)), WW)
    assert other.counts == plain.counts
    assert [layer.name for layer in other.layers] == [f"net.{x.name}" for x in plain.layers]
    for before, after in zip(plain.layers, other.layers, strict=True):
        assert after.paths == before.paths
        assert [row.cells for row in after.rows] == [row.cells for row in before.rows]


@pytest.mark.spec("AUD-7", "AUD-8", "AUD-12")
@pytest.mark.parametrize(
    ("size", "convention"),
    [
        (1.1e-6, WW),
        pytest.param(1e-4, WW, marks=pytest.mark.slow),
        pytest.param(-1e-4, WW, marks=pytest.mark.slow),
        pytest.param(1e-4, None, marks=pytest.mark.slow),
    ],
)
def test_noise_is_never_reproduced_nor_explained(tmp_path, size, convention):
    made = report(WEIGHTS, WW)
    first, *rest = made.layers
    (matrix,) = first.matrices
    noisy = replace(matrix, alpha=matrix.alpha * (1 + size))
    spoiled = replace(made, layers=(replace(first, matrices=(noisy,)), *rest))
    path = written(tmp_path, spoiled.to_csv())
    found = audited(WEIGHTS, path, convention, most=1)
    wrong = [
        (layer.name, cell.column)
        for layer in found.layers
        for row in layer.rows
        for cell in row.cells
        if cell.verdict == "unexplained"
    ]
    assert wrong == [("fc", "alpha")]
    assert found.convention.values() == WW.values()

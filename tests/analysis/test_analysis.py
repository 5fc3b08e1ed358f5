"""From weights to a report: degenerate and bad layers, means, and the choices of a convention."""

import json
import math

import ml_dtypes
import numpy as np
import pytest
from builders import gaussian, power_law_matrix
from safetensors.numpy import save_file

from htsr_ref import analyze, open_weights
from htsr_ref.analysis.analyzing import Progress
from htsr_ref.analysis.bad_entries import find_bad_entries
from htsr_ref.analysis.planning import PlannedLayer, plan
from htsr_ref.conventions import CONVENTIONS, FIELDS, SDM2020_TEXT, get_convention
from htsr_ref.powerlaw import fit_power_law
from htsr_ref.reports.report import LayerReport, MatrixReport, Report
from htsr_ref.weights.stored import StoredTensor

SMALL = SDM2020_TEXT.override({"min_dim": 0})


def layer(report: Report, name: str) -> LayerReport:
    return next(layer for layer in report.layers if layer.name == name)


def only_matrix(W: np.ndarray) -> MatrixReport:
    return analyze({"fc": W}, SDM2020_TEXT).layers[0].matrices[0]


@pytest.mark.spec("MET-2", "MET-3", "MET-4", "MET-5", "MET-6", "MET-7", "MET-8", "PL-7")
def test_a_zero_matrix_has_no_norms_and_no_fit():
    found = only_matrix(np.zeros((5, 3)))
    assert (found.lambda_max, found.lambda_min, found.rank, found.num_zero) == (0, 0, 0, 3)
    for name in (
        *("alpha", "alpha_stderr", "alpha_ci95", "xmin", "tail_size", "ks_distance"),
        *("log10_frobenius_norm", "log10_spectral_norm", "log10_alpha_norm", "weighted_alpha"),
        *("stable_rank", "log_stable_rank", "entropy"),
    ):
        assert getattr(found, name) is None, name
    assert found.alpha_null_reason == "all eigenvalues are zero"


@pytest.mark.spec("PL-1", "PL-7", "SPC-6")
@pytest.mark.parametrize("dtype", [np.float64, np.float32, ml_dtypes.bfloat16])
@pytest.mark.parametrize("shape", [(6, 4), (1, 6), (6, 1)])
def test_a_matrix_of_rank_one_has_norms_and_no_fit(shape, dtype):
    W = np.outer(2.0 ** np.arange(shape[0]), 2.0 ** np.arange(shape[1])).astype(dtype)
    norm = math.sqrt((4 ** shape[0] - 1) / 3 * (4 ** shape[1] - 1) / 3)
    found = only_matrix(W)
    assert (found.alpha, found.rank, found.entropy) == (None, 1, None)
    assert found.alpha_null_reason.startswith("one positive")
    assert found.log10_frobenius_norm == pytest.approx(math.log10(norm), rel=1e-12)
    assert found.log10_spectral_norm == pytest.approx(math.log10(norm), rel=1e-12)
    assert found.stable_rank == pytest.approx(1, rel=1e-12)


@pytest.mark.spec("PL-7", "MET-5", "MET-7")
def test_the_identity_has_norms_and_no_fit():
    found = only_matrix(np.eye(64))
    assert (found.alpha, found.weighted_alpha, found.log10_alpha_norm) == (None, None, None)
    assert found.alpha_null_reason.startswith("all 64 positive")
    assert found.alpha_null_reason.endswith("equal")
    assert found.log10_frobenius_norm == pytest.approx(math.log10(8), rel=1e-12)
    assert found.log10_spectral_norm == pytest.approx(0, abs=1e-12)
    assert (found.stable_rank, found.entropy) == pytest.approx((64, 1), rel=1e-12)
    assert found.rank == 64


@pytest.mark.spec("PL-7")
def test_the_reasons_are_those_of_the_specification():
    assert only_matrix(np.ones((4, 3))).alpha_null_reason == "one positive value"
    assert only_matrix(np.eye(4)).alpha_null_reason == "all 4 positive values are equal"


@pytest.mark.spec("PL-7")
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_an_orthogonal_matrix_has_no_alpha(dtype):
    q, _ = np.linalg.qr(gaussian(64, 64))
    found = only_matrix(q.astype(dtype))
    assert found.alpha is None
    assert found.alpha_null_reason == "the eigenvalues above xmin are equal within their errors"
    assert found.stable_rank == pytest.approx(64, rel=1e-2)


@pytest.mark.spec("PL-7", "PL-13", "RPT-3")
@pytest.mark.parametrize("gain", [0.1, 1.0, math.sqrt(2), 5 / 3])
@pytest.mark.parametrize("name", CONVENTIONS)
def test_an_orthogonal_matrix_costs_no_other_layer_under_any_convention(name, gain):
    q, _ = np.linalg.qr(gaussian(128, 64))
    report = analyze({"fc": gaussian(128, 64), "q": gain * q}, get_convention(name))
    fc, orthogonal = (layer.matrices[0] for layer in report.layers)
    assert fc.alpha_null_reason is None
    # FARMS cuts submatrices, which are not orthogonal.
    if not name.startswith("farms"):
        assert "equal within their errors" in orthogonal.alpha_null_reason


@pytest.mark.spec("PL-7")
def test_eigenvalues_that_differ_by_more_than_their_errors_have_one():
    # A spread of 1e-9 is far beyond the errors of binary64, and far within those of binary32.
    W = np.diag(np.sqrt(1 + 1e-9 * np.arange(8.0) ** 2))
    assert only_matrix(W).alpha > 1e7
    assert only_matrix(W.astype(np.float32)).alpha is None


@pytest.mark.spec("PL-1", "SPC-5")
def test_zero_eigenvalues_enter_no_fit():
    values = np.array([0.0, 0.0, 0.0, 1.0, 2.0, 4.0, 9.0, 25.0])
    found = only_matrix(np.diag(np.sqrt(8 * values)))
    expected = fit_power_law(values[3:])
    assert (found.num_eigenvalues, found.num_zero) == (8, 3)
    assert found.alpha == pytest.approx(expected.alpha, rel=1e-12)
    assert found.xmin == pytest.approx(expected.xmin, rel=1e-12)


@pytest.mark.spec("PL-6", "MET-1", "MET-4", "MET-8")
def test_the_numbers_of_a_known_spectrum():
    found = only_matrix(power_law_matrix(2.5, n=128))
    smallest, largest = (256 / 255) ** (2 / 3), 256 ** (2 / 3)
    assert round(found.alpha, 4) == 2.5100
    assert found.tail_size == 128
    assert found.alpha_stderr == pytest.approx((found.alpha - 1) / math.sqrt(128), rel=1e-12)
    assert found.alpha_ci95[1] - found.alpha == pytest.approx(1.95996398454 * found.alpha_stderr)
    assert found.lambda_min == pytest.approx(smallest, rel=1e-12)
    assert found.xmin == pytest.approx(smallest, rel=1e-12)
    assert found.lambda_max == pytest.approx(largest, rel=1e-12)
    assert found.weighted_alpha == pytest.approx(found.alpha * math.log10(largest), rel=1e-12)
    quantiles = (1 - (np.arange(1, 129) - 0.5) / 128) ** (-1 / 1.5)
    alpha_norm = math.log10((quantiles**found.alpha).sum())
    assert found.log10_alpha_norm == pytest.approx(alpha_norm, rel=1e-12)
    assert found.entropy == pytest.approx(
        -sum(p * math.log(p, 128) for p in quantiles / quantiles.sum()), rel=1e-12
    )
    assert found.xmax is None


@pytest.mark.spec("PL-8")
@pytest.mark.parametrize("size", [2, 9, 10, 11])
def test_a_tail_shorter_than_ten_is_reported(size):
    found = only_matrix(power_law_matrix(2.5, n=size))
    assert found.tail_size == size
    assert found.warnings == ((f"alpha rests on a tail of {size} values",) if size < 10 else ())


@pytest.mark.spec("SPC-7")
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_a_bad_entry_costs_its_own_layer_alone(bad, dtype):
    arrays = {f"fc{i}.weight": gaussian(40, 30, seed=i).astype(dtype) for i in range(3)}
    whole = analyze(arrays, SDM2020_TEXT)
    arrays["fc1.weight"][17, 5] = bad
    arrays["fc1.weight"][18, 0] = np.nan
    report = analyze(arrays, SDM2020_TEXT)
    broken = layer(report, "fc1")
    assert (broken.skip_code, broken.matrices, broken.means) == ("bad-data", (), None)
    assert broken.skipped.startswith(f"tensor 'fc1.weight': entry [17, 5] is {bad}")
    for name in ("fc0", "fc2"):
        assert layer(report, name) == layer(whole, name)
    assert (report.model.layers, report.model.counts["alpha_hat"]) == (2, 2)


@pytest.mark.spec("SPC-7")
def test_a_bad_entry_is_named_by_its_place_on_the_canonical_axes():
    kernel = gaussian(3, 2, 5, 8)
    kernel[2, 1, 4, 6] = kernel[0, 0, 0, 7] = np.nan
    declared = {"kernel": {"role": "weight", "axes": ["k1", "k2", "in", "out"]}}
    report = analyze({"kernel": kernel}, SMALL, layers=declared)
    assert report.layers[0].skipped.startswith("tensor 'kernel': entry [6, 4, 2, 1] is nan")


@pytest.mark.spec("SPC-7")
def test_all_bad_entries_are_found_without_an_analysis():
    bad = np.ones((3, 4))
    bad[1, 2] = np.inf
    arrays = {"a": np.ones((2, 2)), "b": bad, "c.bias": np.array([0.0, np.nan])}
    found = find_bad_entries(open_weights(arrays))
    assert [text.split(". ")[0] for text in found] == [
        "tensor 'b': entry [1, 2] is inf",
        "tensor 'c.bias': entry [1] is nan",
    ]


@pytest.mark.spec("SPC-7")
def test_a_matrix_beyond_the_range_of_binary64_costs_its_own_layer_alone():
    report = analyze(
        {"huge": 1e200 * np.eye(4), "tiny": 1e-200 * np.eye(4), "fc": gaussian(9, 8)}, SDM2020_TEXT
    )
    assert [layer.skip_code for layer in report.layers] == ["bad-data", "bad-data", None]
    assert "tensor 'huge': entries up to 1e+200" in report.layers[0].skipped


@pytest.mark.spec("SPC-7", "RPT-1")
@pytest.mark.parametrize("name", CONVENTIONS)
def test_what_is_not_refused_has_only_finite_numbers(name):
    diagonal = np.diag(np.linspace(1.0, 1.2, 50))
    kernel = np.zeros((50, 50, 3, 3))
    kernel[:, :, 0, 0], kernel[:, :, 0, 1] = 1.17e153 * diagonal, np.eye(50)
    report = analyze({"fc": 1e153 * diagonal, "conv": kernel}, get_convention(name))
    assert Report.from_json(report.to_json()) == report
    assert all(layer.skip_code in (None, "convention", "bad-data") for layer in report.layers)


@pytest.mark.spec("SPC-7", "MET-5")
def test_eigenvalues_whose_sum_overflows_are_refused_or_added():
    report = analyze({"fc": 1.3e154 * np.eye(10)}, SDM2020_TEXT.override({"normalization": "none"}))
    (found,) = report.layers
    assert found.skip_code == "bad-data" or found.matrices[0].stable_rank == pytest.approx(10)


@pytest.mark.spec("SPC-3")
def test_the_solver_used_is_named():
    arrays = {"a": gaussian(9, 6), "b": gaussian(9, 6).astype(np.float32)}
    used = {
        asked: [
            layer.matrices[0].solver for layer in analyze(arrays, SDM2020_TEXT, solver=asked).layers
        ]
        for asked in ("auto", "gram", "svd")
    }
    assert used == {"auto": ["svd", "gram"], "gram": ["gram"] * 2, "svd": ["svd"] * 2}


@pytest.mark.spec("MAT-7")
@pytest.mark.parametrize(
    ("changes", "analyzed"),
    [
        ({}, ["fc", "conv50", "conv1x1"]),
        ({"min_dim": 49}, ["fc", "conv49", "conv50", "conv1x1"]),
        ({"min_dim": 61}, ["fc"]),
        ({"min_dim_applies_to": "all"}, ["conv50", "conv1x1"]),
        ({"min_dim": 0, "min_dim_applies_to": "all"}, ["fc", "conv49", "conv50", "conv1x1"]),
    ],
)
def test_small_matrices_are_left_out_with_the_reason(changes, analyzed):
    arrays = {
        "fc": gaussian(60, 10),
        "conv49": gaussian(60, 49, 2),
        "conv50": gaussian(50, 60, 2),
        "conv1x1": gaussian(60, 60, 1, 1),
    }
    declared = {"conv*": {"role": "weight"}}
    convention = SDM2020_TEXT.override(changes)
    report = analyze(arrays, convention, layers=declared)
    assert [layer.name for layer in report.analyzed()] == analyzed
    for skipped in (layer for layer in report.layers if layer.skipped):
        assert skipped.skip_code == "min-dim"
        least = min(skipped.shape[:2])
        assert skipped.skipped == f"min(N, M) = {least} is below min_dim = {convention.min_dim}"


@pytest.mark.spec("MAT-7")
def test_small_parts_of_a_layer_are_left_out_with_a_warning():
    parts = [{"name": "gate", "size": 3}, {"name": "value", "size": 60}]
    declared = {"conv": {"role": "weight", "parts": parts}}
    split = SDM2020_TEXT.override({"fused": "split"})
    (found,) = analyze({"conv": gaussian(63, 55, 1)}, split, layers=declared).layers
    assert [matrix.label for matrix in found.matrices] == ["value [0]"]
    assert "below min_dim, left out: gate [0]" in found.warnings


@pytest.mark.spec("MAT-8")
def test_only_the_kinds_of_the_convention_are_analyzed():
    arrays = {"embed": gaussian(60, 50), "lstm": gaussian(60, 50), "fc": gaussian(60, 50)}
    declared = {"embed": {"role": "embedding"}, "lstm": {"role": "recurrent"}}
    report = analyze(arrays, SDM2020_TEXT, layers=declared)
    assert [layer.skip_code for layer in report.layers] == ["convention", "convention", None]
    assert "role recurrent is not among layer_kinds" in report.layers[1].skipped
    wider = SDM2020_TEXT.override({"layer_kinds": "weight,embedding,recurrent"})
    assert len(analyze(arrays, wider, layers=declared).analyzed()) == 3


@pytest.mark.spec("MAT-8", "RPT-3")
def test_every_tensor_appears_with_its_reason():
    planned = plan(open_weights({"fc.bias": np.ones(3), "fc.weight": gaussian(4, 3)}))
    assert all(isinstance(item, PlannedLayer) for item in planned)
    assert [(item.layer.tensor, item.skip_code) for item in planned] == [
        ("fc.bias", "left-out"),
        ("fc.weight", None),
    ]


@pytest.mark.spec("CNV-1")
def test_every_report_carries_every_choice():
    report = analyze({"fc": gaussian(4, 3)}, SMALL)
    written = json.loads(report.to_json())["convention"]
    assert set(written) == {*FIELDS, "name", "overrides"}
    assert (written["name"], written["overrides"], written["min_dim"]) == (
        "sdm2020-text",
        ["min_dim"],
        0,
    )


@pytest.mark.spec("CNV-1", "MAT-4", "SPC-1", "MET-10")
@pytest.mark.parametrize(
    ("changes", "moved"),
    [
        ({"conv": "group-slices"}, {"matrices", "alpha_hat", "mean_log10_frobenius_norm"}),
        ({"normalization": "none"}, {"alpha_hat", "mean_log10_alpha_norm"}),
        ({"average": "layers"}, {"alpha_hat", "mean_alpha", "mean_stable_rank"}),
        ({"conv": "skip"}, {"layers", "matrices"}),
    ],
)
def test_a_choice_that_is_changed_is_carried_out(changes, moved):
    arrays = {"fc": gaussian(60, 40), "conv": gaussian(120, 60, 2, 1, seed=1)}
    declared = {"conv": {"role": "weight", "groups": 2}}
    before = analyze(arrays, SDM2020_TEXT, layers=declared).model
    after = analyze(arrays, SDM2020_TEXT.override(changes), layers=declared).model
    for name in moved:
        assert getattr(after, name) != getattr(before, name), name
    if "normalization" in changes:
        assert after.mean_alpha == pytest.approx(before.mean_alpha, rel=1e-12)
        assert after.mean_log10_frobenius_norm == pytest.approx(before.mean_log10_frobenius_norm)


@pytest.mark.spec("CNV-1", "PL-3")
@pytest.mark.parametrize(
    ("ks", "xmin", "alpha"),
    [("two-sided", 1, 1 + 3 / math.log(12)), ("one-sided", 3, 1 + 2 / math.log(4 / 3))],
)
def test_the_kind_of_distance_is_that_of_the_convention(ks, xmin, alpha):
    W = np.diag(np.sqrt(3 * np.array([1.0, 3.0, 4.0])))
    found = analyze({"fc": W}, SDM2020_TEXT.override({"ks": ks})).layers[0].matrices[0]
    assert (found.xmin, found.alpha) == pytest.approx((xmin, alpha), rel=1e-12)


def test_arrays_a_file_and_opened_weights_give_the_same_numbers(tmp_path):
    arrays = {"fc": gaussian(9, 6), "conv": gaussian(8, 5, 2, 2).astype(np.float32)}
    path = tmp_path / "model.safetensors"
    save_file(arrays, path)
    from_memory = {layer.name: layer for layer in analyze(arrays, SMALL).layers}
    for source in (path, str(path), open_weights(path)):
        assert {layer.name: layer for layer in analyze(source, SMALL).layers} == from_memory


def test_progress_covers_all_the_work():
    seen: list[Progress] = []
    arrays = {"a": gaussian(9, 6), "a.bias": np.ones(3), "b": gaussian(50, 40)}
    analyze(arrays, SDM2020_TEXT, progress=seen.append)
    assert [step.layer for step in seen] == ["a", "b", ""]
    assert [step.done for step in seen] == sorted(step.done for step in seen)
    assert seen[0].done == 0
    assert {step.total for step in seen} == {seen[-1].done}


@pytest.mark.parametrize("convention", [SDM2020_TEXT, SDM2020_TEXT.override({"conv": "pooled"})])
def test_a_tensor_too_large_to_hold_is_read_matrix_by_matrix(convention, tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    save_file({"conv.weight": np.random.default_rng(0).standard_t(3, (60, 50, 2, 2))}, path)
    whole = analyze(path, convention)
    monkeypatch.setattr("htsr_ref.analysis.planning.LOAD_LIMIT", 60 * 50)
    monkeypatch.setattr(StoredTensor, "load", lambda _: pytest.fail("it is loaded whole"))
    assert analyze(path, convention).layers == whole.layers


@pytest.mark.spec("RPT-3")
def test_what_cannot_be_read_names_its_tensor_once(tmp_path):
    path = tmp_path / "model.npz"
    np.savez(path, fc=np.ones((200, 100)))
    content = bytearray(path.read_bytes())
    content[5000:5100] = bytes(100)
    path.write_bytes(content)
    (layer,) = analyze(path, SDM2020_TEXT).layers
    assert layer.skip_code == "bad-data"
    assert layer.skipped.startswith("tensor 'fc' cannot be read: ")
    assert layer.skipped.count("tensor") == 1

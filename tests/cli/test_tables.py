"""Tables for people: they fit, name what they show, and say what is missing."""

import json
import re

import numpy as np
import pytest
from commands import rows_of_layers
from safetensors.numpy import save_file

from htsr_ref import analyze


def test_the_table_fits_for_every_example(htsr, terminal, examples):
    for path in examples:
        outcome = htsr("analyze", path)
        assert (outcome.code, outcome.err) == (0, "")
        assert max(map(len, outcome.out.splitlines())) <= terminal


def test_the_table_shows_the_reports_numbers(htsr, examples):
    path = next(path for path in examples if path.name.startswith("conv"))
    report = analyze(path)
    outcome = htsr("analyze", path)
    first_line = outcome.out.splitlines()[0]
    assert first_line == f"{path.name}: safetensors, 8 tensors; convention sdm2020"
    conv2, conv3, _ = (line.split("  ") for line in rows_of_layers(outcome.out))
    layers = {layer.name: layer for layer in report.layers}
    for cells, name in ((conv2, "conv2"), (conv3, "conv3")):
        means = layers[name].means
        assert f"{means['alpha']:.3f}" in map(str.strip, cells)
        assert f"{means['weighted_alpha']:.3f}" in map(str.strip, cells)
        assert f"{means['log10_frobenius_norm']:.3f}" in map(str.strip, cells)
    assert "9 of 64×64" in conv2
    assert f"{layers['conv3'].matrices[0].alpha_stderr:.3f}" in map(str.strip, conv3)
    over = r"\s+11 of 11 matrices"
    assert re.search(rf"^alpha_hat\s+{report.model.alpha_hat:.3f}{over}$", outcome.out, re.M)
    slope = report.model.pl_norm_relation.slope
    assert f"(pl_norm_relation): slope {slope:.3f}, intercept" in outcome.out
    assert "skipped: conv1: min(N, M) = 1 is below min_dim = 50 (--set min_dim=0" in outcome.out
    assert "left out: 4 tensors (biases, norms, …)" in outcome.out
    assert "warning: fc: alpha rests on a tail of 6 values" in outcome.out


def test_means_over_layers_say_so(htsr, model):
    table = htsr("analyze", model, "--set", "average=layers").out
    assert "convention sdm2020 with average = layers" in table
    assert re.search(r"^mean_alpha .* 2 of 2 layers$", table, re.M)


TRANSFORMER = [f"model.layers.{i}.self_attn.{p}_proj" for i in range(12) for p in "qo"]
LONG = [f"bert.encoder.layer.{i}.attention.output.dense.base_layer" for i in range(12)]


@pytest.mark.parametrize("names", [TRANSFORMER, LONG], ids=["llama", "bert"])
def test_long_names_stay_distinct(htsr, tmp_path, names):
    W = np.random.default_rng(0).standard_normal((16, 12))
    save_file({f"{name}.weight": W for name in names}, tmp_path / "deep.safetensors")
    shown = [
        line.split("  ")[0]
        for line in rows_of_layers(htsr("analyze", tmp_path / "deep.safetensors").out)
    ]
    assert len(set(shown)) == len(names)


@pytest.mark.parametrize("name", ["x" * 3000, "module." * 500 + "weight", "層" * 400])
def test_very_long_names_fit(htsr, terminal, tmp_path, name):
    save_file({name: np.diag([1.0, 2.0, 4.0, 8.0])}, tmp_path / "long.safetensors")
    for command in ("analyze", "describe"):
        table = htsr(command, tmp_path / "long.safetensors").out
        assert "…" in table
        start = table.index("layer  ")
        assert max(map(len, table[start:].split("\n\n")[0].splitlines())) == terminal


def test_extreme_numbers_fit(htsr, terminal, tmp_path):
    nearly_equal = 1e150 * np.diag(1 + 1e-13 * np.arange(4))
    wide_range = np.diag(10.0 ** np.linspace(-100, 100, 5))
    names = {"n" * 100: nearly_equal, "w" * 100: wide_range}
    save_file(names, tmp_path / "extreme.safetensors")
    outcome = htsr("analyze", tmp_path / "extreme.safetensors")
    assert outcome.code == 0
    assert "e+1" in outcome.out
    assert max(map(len, rows_of_layers(outcome.out))) <= terminal


def test_names_cannot_talk_to_the_terminal(htsr, tmp_path):
    save_file(
        {"\x1b[31mred\n\u202e.weight": np.diag([1.0, np.nan])}, tmp_path / "hostile.safetensors"
    )
    analyzed = htsr("analyze", tmp_path / "hostile.safetensors")
    described = htsr("describe", tmp_path / "hostile.safetensors")
    for text in (analyzed.out, analyzed.err, described.out):
        assert r"\x1b[31mred\n\u202e" in text
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert analyzed.err.count("\n") == 2


def test_parts_of_different_sizes_are_said_to_be(htsr, tmp_path, model):
    corrections = {"fc1.weight": {"parts": [{"name": "q", "size": 20}, {"name": "k", "size": 12}]}}
    (tmp_path / "map.json").write_text(json.dumps(corrections))
    table = htsr("analyze", model, "--layers", tmp_path / "map.json", "--set", "fused=split").out
    assert "2 up to 24×20" in table


def test_nothing_to_analyze(htsr, tmp_path):
    save_file({"fc.bias": np.ones(3)}, tmp_path / "bias.safetensors")
    outcome = htsr("analyze", tmp_path / "bias.safetensors")
    assert (outcome.code, outcome.err) == (
        1,
        f"htsr: {tmp_path / 'bias.safetensors'}: no weight matrix was analyzed. `htsr describe` "
        "says what the file holds\n",
    )
    assert "no weight matrix was analyzed" in outcome.out
    assert "1 tensor (biases" in outcome.out


@pytest.mark.spec("RPT-3", "FMT-12", "FMT-14")
def test_a_weight_matrix_that_cannot_be_decoded_is_no_bias(htsr, tmp_path):
    path = tmp_path / "m.npz"
    np.savez(path, c=np.ones((12, 8), np.complex64), q=np.ones((9, 6), np.int64), bias=np.ones(3))
    reasons = {
        "c": "numbers of type complex64 are not decoded",
        "q": "int64 without a scale: declare its quantization",
    }
    analyzed, described = htsr("analyze", path), htsr("describe", path, "--json")
    listed = {layer["name"]: layer["skipped"] for layer in json.loads(described.out)["layers"]}
    assert listed == reasons | {"bias": "bias"}
    validated = htsr("validate", path)
    assert (analyzed.code, described.code, validated.code) == (1, 0, 0)
    for name, reason in reasons.items():
        assert f"skipped: {name}: {reason}\n" in analyzed.out
    assert "left out: 1 tensor (biases, norms, …)" in analyzed.out
    assert "no weight matrix was analyzed" in analyzed.err
    assert validated.out == (
        f"{path}: npz, 3 tensors, 0 stated by the file; all that can be read well formed "
        "and finite\n"
    )
    assert validated.err == f"htsr: warning: tensor 'c': not checked: {reasons['c']}\n"


def test_why_an_alpha_is_missing(htsr, tmp_path):
    save_file({"i.weight": np.eye(5), "z.weight": np.zeros((4, 3))}, tmp_path / "d.safetensors")
    table = htsr("analyze", tmp_path / "d.safetensors").out
    assert "warning: i: no alpha: all 4 positive values are equal" in table
    assert "warning: z: no alpha: all eigenvalues are zero" in table
    assert re.search(r"^alpha_hat\s+–\s+0 of 2 matrices$", table, re.M)

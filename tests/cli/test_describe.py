"""`htsr describe`: what a file holds and what an analysis would cost, from headers alone."""

import json
import re

import numpy as np
import pytest
from safetensors.numpy import save_file

from htsr_ref import open_weights
from htsr_ref.analysis.planning import plan
from htsr_ref.conventions import SDM2020
from htsr_ref.spectra.cost import estimate_cost
from htsr_ref.weights.stored import StoredTensor


def rows(table: str) -> dict[str, list[str]]:
    """Cells of the table's rows, by layer."""
    lines = table.split("\n\n")[0].splitlines()[2:]
    return {line.split()[0]: re.split(r"\s{2,}", line) for line in lines}


def test_every_tensor_is_listed_with_how_it_was_decided(htsr, model):
    outcome = htsr("describe", model)
    assert (outcome.code, outcome.err) == (0, "")
    conv, linear = "inferred: convolution (out, in, k)", "inferred: 2 axes (out, in)"
    assert "\nleft out: conv: min(N, M) = 4 is below min_dim = 50\n" in outcome.out
    assert rows(outcome.out) == {
        "conv": ["conv", "weight", "8×4×3×3", "float32", "–", conv],
        "fc1.bias": ["fc1.bias", "bias", "32", "float32", "–", "inferred: bias by name"],
        "fc1": ["fc1", "weight", "32×24", "float32", "1", linear],
        "fc2": ["fc2", "weight", "16×32", "float32", "1", linear],
    }


def test_the_convention_decides_what_would_be_analyzed(htsr, model):
    outcome = htsr("describe", model, "--set", "min_dim=0", "--set", "conv1d=skip")
    assert [cells[4] for cells in rows(outcome.out).values()] == ["9", "–", "1", "1"]
    assert "convention sdm2020 with conv1d = skip, min_dim = 0\n" in outcome.out


@pytest.mark.spec("SPC-8")
@pytest.mark.parametrize("solver", ["gram", "svd"])
def test_the_cost_is_that_of_all_matrices(htsr, examples, solver):
    path = examples[0]
    matrices = [m for item in plan(open_weights(path), SDM2020) for m in item.matrices]
    costs = [estimate_cost(matrix, solver) for matrix in matrices]
    flops, memory = sum(cost.flops for cost in costs), max(cost.memory for cost in costs)
    last = htsr("describe", path, "--solver", solver).out.splitlines()[-1]
    assert last == (
        f"to analyze: {len(matrices)} matrices, about {flops / 1e9:.3g} Gflop, "
        f"{memory / 2**20:.3g} MiB of work space"
    )


@pytest.mark.spec("SPC-8", "FMT-14")
def test_json(htsr, model, tmp_path):
    outcome = htsr("describe", model, "--json", "--solver", "svd")
    assert (outcome.code, outcome.err) == (0, "")
    assert htsr("describe", model, "--solver", "svd", "-o", tmp_path / "d.json").out == ""
    assert (tmp_path / "d.json").read_text() == outcome.out
    found = json.loads(outcome.out)
    assert (found["name"], found["format"], found["solver"]) == (model.name, "safetensors", "svd")
    assert found["convention"]["name"] == "sdm2020"
    layers = {layer["name"]: layer for layer in found["layers"]}
    assert list(layers) == ["conv", "fc1.bias", "fc1", "fc2"]
    assert layers["conv"]["skip_code"] == "min-dim"
    assert layers["conv"]["skipped"] == "min(N, M) = 4 is below min_dim = 50"
    assert (layers["fc1.bias"]["skip_code"], layers["fc1.bias"]["shape"]) == ("left-out", [32])
    (matrix,) = layers["fc1"]["matrices"]
    # 4·N·M² - 4/3·M³ and two arrays of N×M float64 (SPC-8).
    assert matrix["flops"] == pytest.approx(4 * 32 * 24**2 - 4 / 3 * 24**3)
    assert matrix == {
        "label": "",
        "N": 32,
        "M": 24,
        "flops": matrix["flops"],
        "memory": 2 * 8 * 32 * 24,
    }
    assert "a table or JSON" in htsr("describe", model, "-o", tmp_path / "d.csv").err


@pytest.mark.spec("FMT-13")
def test_no_weights_are_read_from_20_gigabytes(htsr, tmp_path, monkeypatch):
    shape = [1_250_000, 4000]
    size = 4 * shape[0] * shape[1]
    entry = {"dtype": "F32", "shape": shape, "data_offsets": [0, size]}
    header = json.dumps({"lm_head.weight": entry}).encode()
    path = tmp_path / "large.safetensors"
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + size)
    assert path.stat().st_size > 20 * 10**9
    monkeypatch.setattr(StoredTensor, "__getitem__", lambda *_: pytest.fail("weights were read"))
    outcome = htsr("describe", path)
    assert (outcome.code, outcome.err) == (0, "")
    assert rows(outcome.out)["lm_head"][2:] == [
        "1250000×4000",
        "float32",
        "1",
        "inferred: 2 axes (out, in)",
    ]
    assert "1 tensor; convention sdm2020" in outcome.out


def test_names_and_reasons_give_way_and_shapes_stay(htsr, terminal, tmp_path):
    save_file(
        {
            "model.layers.10.self_attn.rotary_embedding.inverse_frequencies": np.ones((1,) * 20),
            "model.embed_tokens.weight": np.ones((30, 20)),
        },
        tmp_path / "m.safetensors",
    )
    table = htsr("describe", tmp_path / "m.safetensors").out
    assert max(map(len, table.splitlines())) <= terminal
    assert "×".join("1" * 20) in table
    assert "inferred: embedding by name" in " ".join(
        line.split("  ")[-1].strip() for line in table.splitlines()
    )


def test_warnings_are_shown(htsr, tmp_path):
    save_file({"lstm.weight_hh": np.ones((30, 9))}, tmp_path / "m.safetensors")
    warnings = re.findall("^warning: .*", htsr("describe", tmp_path / "m.safetensors").out, re.M)
    assert len(warnings) == 1
    assert warnings[0].startswith("warning: lstm.weight_hh: its gates are fused")

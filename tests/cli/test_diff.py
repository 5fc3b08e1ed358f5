"""`htsr diff`: files and reports in any mix, exit codes."""

import json

import numpy as np
import pytest
from commands import tensors, trained
from safetensors.numpy import load_file, save_file


@pytest.fixture
def tuned(tmp_path):
    """The plain file with fc1 scaled by 2 and a little noise in fc2, as .npz."""
    arrays = tensors()
    arrays["fc1.weight"] = 2 * arrays["fc1.weight"]
    arrays["fc2.weight"][0, 0] += 1e-3
    path = tmp_path / "tuned.npz"
    np.savez(path, **arrays)
    return path


@pytest.mark.spec("AUD-21", "AUD-22")
def test_the_layer_that_changed_most_comes_first(htsr, terminal, model, tuned):
    outcome = htsr("diff", model, tuned)
    assert (outcome.code, outcome.err) == (0, "")
    assert " ".join(outcome.out.split()).startswith(f"{model} → {tuned}; convention sdm2020 ")
    lines = outcome.out.splitlines()
    lines = lines[lines.index("") - 1 :]
    assert [line.split()[0] for line in lines[4:6]] == ["fc1", "fc2"]
    assert max(map(len, lines[1:])) <= terminal
    # ‖W‖_F doubles, λ_max quadruples.
    assert "+0.301" in lines[4]
    assert htsr("diff", model, tuned, "--fail-if-changed").code == 1


@pytest.mark.spec("AUD-20", "AUD-22")
def test_a_report_and_its_file_are_identical(htsr, model, tmp_path):
    report = tmp_path / "report.json"
    htsr("analyze", model, "--convention", "alphapruning", "-o", report)
    for pair in ((report, model), (model, report)):
        outcome = htsr("diff", *pair, "--fail-if-changed")
        assert outcome.code == 0
        assert outcome.out.endswith(
            "convention alphapruning\n\nidentical: no number of 3 layers differs\n"
        )
    outcome = htsr("diff", report, model, "--convention", "sdm2020")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        f"htsr: error: {report}: it follows alphapruning, not sdm2020. Give its "
        f"weights, '{model}', in its place, or leave out the convention\n"
    )


@pytest.mark.spec("AUD-20", "AUD-22")
def test_json_and_layers_alone(htsr, model, tmp_path):
    arrays = load_file(model)
    arrays["head.weight"] = arrays.pop("fc1.weight")
    arrays["new.weight"] = np.ones((5, 5), np.float32)
    other = tmp_path / "other.safetensors"
    save_file(arrays, other)
    data = json.loads(htsr("diff", model, other, "--json").out)
    assert not data["identical"]
    assert data["only_after"] == ["new"]
    assert [(x["name"], x["other_name"], x["matched_by"]) for x in data["layers"]] == [
        ("fc2", "fc2", "name"),
        ("fc1", "head", "shape"),
    ]
    assert "matched by shape: fc1 → head" in htsr("diff", model, other).out


def test_bad_input(htsr, model, tmp_path):
    outcome = htsr("diff", model, tmp_path / "no.safetensors")
    assert outcome.code == 2
    assert htsr("diff", model, model, "-o", tmp_path / "a.csv").code == 2
    other = tmp_path / "other.safetensors"
    save_file({"x.weight": np.ones((5, 3), np.float32)}, other)
    outcome = htsr("diff", model, other)
    assert (outcome.code, outcome.out) == (2, "")
    assert "no layer in common" in outcome.err


@pytest.mark.spec("VRD-8", "VRD-13", "VRD-15")
def test_what_both_models_rest_on(htsr, tmp_path):
    for name, arrays in (("noise", tensors(1)), ("net", trained(1)), ("far", trained(1, 100.0))):
        save_file(arrays, tmp_path / f"{name}.safetensors")
    noise, net, far = (tmp_path / f"{name}.safetensors" for name in ("noise", "net", "far"))
    data = json.loads(htsr("diff", noise, net, "--json").out)
    assert [one["random_like"] for one in data["standings"]] == [True, False]
    assert data["notes"][0] == (
        "before: 1 of 1 matrix is random-like: its alpha_hat predicts nothing"
    )
    outcome = htsr("diff", net, far, "-o", tmp_path / "diff.md")
    assert outcome.code == 0
    text = (tmp_path / "diff.md").read_text(encoding="utf-8")
    assert "- mean log10 ‖W‖F differs by more than 0.5: another scale moves alpha" in text
    assert "| before | 2 |" in text
    nudged = trained(1)
    nudged["fc2.weight"] *= np.float32(1.01)
    save_file(nudged, tmp_path / "nudged.safetensors")
    (note,) = json.loads(htsr("diff", net, tmp_path / "nudged.safetensors", "--json").out)["notes"]
    assert note.endswith("of its errors: not separated")

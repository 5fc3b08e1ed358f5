"""`htsr synth` and `htsr analyze --expect`."""

import json

import numpy as np
import pytest

from htsr_ref.cli import synth
from htsr_ref.synthetic.expectations import Expectation, to_json
from htsr_ref.synthetic.recipes import ENSEMBLES
from htsr_ref.weights import TensorSpec, write_weights

PARETO = ("synth", "--ensemble", "pareto", "--mu", 1.5, "--shape", "128x64", "--layers", 2)


@pytest.mark.spec("RMT-11", "RMT-12")
def test_a_file_is_written_and_is_as_expected(htsr, tmp_path):
    path = tmp_path / "s.safetensors"
    outcome = htsr(*PARETO, path)
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    plain = htsr("analyze", path, "--json")
    checked = htsr("analyze", path, "--json", "--expect")
    assert checked.code == 0
    assert checked.err == (
        "htsr: numbers as expected: 4; not as expected: 0\n"
        "htsr: not compared, since they are known of the fit of sdm2020-text: 2\n"
    )
    assert checked.out == plain.out
    text = htsr("analyze", path, "--convention", "sdm2020-text", "--expect")
    assert (text.code, text.err) == (0, "htsr: numbers as expected: 6; not as expected: 0\n")


@pytest.mark.spec("RMT-12")
def test_a_miss_is_exit_code_1_and_the_report_is_still_written(htsr, tmp_path):
    path = tmp_path / "s.safetensors"
    htsr("synth", "--ensemble", "gaussian", "--shape", "8x4", path)
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    path.write_bytes(data[:start] + b"\0" * 64 + data[start + 64 :])
    assert htsr("analyze", path, "--expect", "--json").code == 0
    path.write_bytes(data[:start] + b"\0" * (len(data) - start))
    outcome = htsr("analyze", path, "--expect", "--json")
    assert outcome.code == 1
    assert "layer layer0: log10_frobenius_norm is undefined, expected" in outcome.err
    assert json.loads(outcome.out)["layers"][0]["matrices"][0]["rank"] == 0


@pytest.mark.spec("RMT-12")
def test_what_cannot_be_compared(htsr, tmp_path, examples):
    path = tmp_path / "s.safetensors"
    htsr(*PARETO, path)
    refused = htsr("analyze", path, "--expect", "--set", "normalization=glorot")
    assert (refused.code, refused.out) == (2, "")
    assert "normalization differs" in refused.err
    plain = htsr("analyze", examples[0], "--expect")
    assert plain.code == 2
    assert f"error: {examples[0].name}: it carries no expectations" in plain.err


@pytest.mark.spec("RMT-12")
def test_a_miss_that_chance_allows_is_shown_and_is_no_failure(htsr, tmp_path):
    path = tmp_path / "s.safetensors"
    unlikely = Expectation("rank", None, 3, None, 0.05, "so it is said")
    write_weights(
        path,
        {"fc": np.eye(2)},
        {"fc": TensorSpec("weight")},
        extra={"expected": to_json({"fc": (unlikely,)})},
    )
    outcome = htsr("analyze", path, "--expect")
    assert outcome.code == 0
    assert outcome.err == (
        "htsr: numbers as expected: 0; not as expected: 0\n"
        "htsr: not as expected, as chance allows: layer fc: rank is 2, expected at least 3: "
        "so it is said\n"
    )


@pytest.mark.spec("RMT-11")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--ensemble", "wishart", "--shape", "4x3"), "no ensemble 'wishart'"),
        (("--ensemble", "pareto", "--shape", "4x3"), "pareto needs mu"),
        (("--ensemble", "gaussian", "--mu", 1, "--shape", "4x3"), "no parameter mu"),
        (("--ensemble", "gaussian", "--shape", "4"), "such as 512x256"),
        (("--ensemble", "gaussian", "--shape", "4xb"), "--shape 4xb"),
        (("--ensemble", "spiked", "--spikes", "1;2", "--shape", "4x3"), "--spikes 1;2"),
        (("--ensemble", "gaussian", "--shape", "1000000x1000000"), "GB"),
        (("--ensemble", "gaussian", "--sigma", "nan", "--shape", "4x3"), "sigma is nan"),
        (("--ensemble", "gaussian", "--sigma", "1e200", "--shape", "4x3"), "range of binary64"),
        (("--ensemble", "power-law", "--alpha", "1.001", "--shape", "40x30"), "binary64"),
    ],
)
def test_bad_recipes_are_one_line_and_exit_code_2(htsr, tmp_path, arguments, words):
    outcome = htsr("synth", *arguments, tmp_path / "s.safetensors")
    assert (outcome.code, outcome.out) == (2, "")
    assert words in outcome.err
    assert outcome.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("scripts_here")
def test_only_its_own_files_are_replaced_unless_forced(htsr, tmp_path, examples):
    own, other = tmp_path / "own.h5", tmp_path / "other.safetensors"
    for _ in range(2):
        assert htsr(*PARETO, own).code == 0
    for content in (examples[0].read_bytes(), b"prose"):
        other.write_bytes(content)
        outcome = htsr(*PARETO, other)
        assert (outcome.code, outcome.err) == (
            2,
            f"htsr: error: {other}: it exists, and `htsr synth` did not write it. Name another "
            "file, or add --force\n",
        )
        assert other.read_bytes() == content
    assert htsr(*PARETO, "--force", other).code == 0
    assert htsr(*PARETO, other).code == 0


@pytest.mark.parametrize("name", ["k.npz", "k.npy", "k", "k.json"])
def test_a_name_of_another_format_is_refused(htsr, tmp_path, name):
    outcome = htsr(*PARETO, tmp_path / name)
    assert (outcome.code, outcome.out) == (2, "")
    assert "End it in .safetensors or .h5" in outcome.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.spec("RMT-11")
def test_the_help_names_every_ensemble():
    assert tuple(ENSEMBLES) == synth._NAMES


@pytest.mark.spec("FMT-7")
def test_only_a_file_is_replaced_and_only_by_a_whole_one(htsr, tmp_path):
    target, link = tmp_path / "target.safetensors", tmp_path / "link"
    target.write_text("old", encoding="utf-8")
    link.symlink_to(target)
    assert htsr(*PARETO, "--force", link).code == 0
    assert link.is_symlink()
    assert target.stat().st_size > 128 * 64 * 8 * 2
    outcome = htsr(*PARETO, tmp_path / f"{'x' * 253}.h5")
    assert outcome.code == 2
    assert "cannot be written (File name too long)" in outcome.err
    assert sorted(tmp_path.iterdir()) == [link, target]

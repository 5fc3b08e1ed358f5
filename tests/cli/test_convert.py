"""The commands over frameworks' own files, and `htsr convert`."""

import json
import os
import signal
import subprocess
import sys
import time

import ml_dtypes
import numpy as np
import pytest
from commands import environment
from conversions import FIXTURES, SAME
from safetensors.numpy import save_file

from htsr_ref import Report
from htsr_ref.weights import open_weights

FILES = {framework: FIXTURES / "same" / name for framework, name in SAME.items()}


def numbers(report):
    return {layer.name: layer.matrices for layer in report.layers if layer.matrices}


@pytest.mark.spec("FMT-22", "FMT-24")
@pytest.mark.parametrize(
    "framework",
    [
        framework
        if framework in ("gguf", "pytorch")
        else pytest.param(framework, marks=pytest.mark.slow)
        for framework in FILES
    ],
)
@pytest.mark.usefixtures("scripts_here")
def test_every_source_is_analyzed_and_converted(htsr, tmp_path, framework):
    small = ("--set", "min_dim=0", "-o")
    output = tmp_path / "x.safetensors"
    assert htsr("analyze", FILES[framework], *small, tmp_path / "a.json").code == 0
    assert htsr("convert", FILES[framework], "-o", output).code == 0
    assert htsr("analyze", output, *small, tmp_path / "b.json").code == 0
    before, after = (Report.load(tmp_path / name) for name in ("a.json", "b.json"))
    assert numbers(before) == numbers(after) != {}
    assert before.model == after.model
    assert after.source.origin["sha256"] == before.source.sha256
    assert after.source.origin["file"] == FILES[framework].name


@pytest.mark.spec("FMT-24")
@pytest.mark.parametrize(
    "command",
    [
        ("analyze", "--set", "min_dim=0"),
        ("describe",),
        ("validate",),
        ("rank", "--set", "min_dim=0"),
    ],
)
@pytest.mark.usefixtures("scripts_here")
def test_every_command_takes_them(htsr, command):
    name, *options = command
    done = htsr(name, FILES["pytorch"], *options)
    assert done.code == 0, done.err


@pytest.mark.usefixtures("scripts_here")
def test_spectrum_takes_them(htsr):
    described = json.loads(htsr("describe", FILES["pytorch"], "--json").out)
    layer = next(item["name"] for item in described["layers"] if item["role"] == "weight")
    done = htsr("spectrum", FILES["pytorch"], layer, "--set", "min_dim=0")
    assert done.code == 0
    assert len(done.out.splitlines()) > 1


@pytest.mark.spec("FMT-22")
@pytest.mark.usefixtures("scripts_here")
def test_include_exclude_layers_and_suffix(htsr, model, tmp_path):
    (tmp_path / "map.json").write_text('{"fc2": {"axes": ["in", "out"]}}')
    output = tmp_path / "x.h5"
    choice = ("--include", "fc*", "--exclude", "*.bias", "--layers", tmp_path / "map.json")
    done = htsr("convert", model, "-o", output, *choice)
    assert done.code == 0
    assert done.out == f"{output}: 2 tensors\n"
    assert "left out: 2 tensors: not chosen" in done.err
    weights = open_weights(output)
    assert weights.format == "hdf5"
    assert {layer.name: layer.shape for layer in weights.layers} == {
        "fc1": (32, 24),
        "fc2": (32, 16),
    }


@pytest.mark.spec("FMT-22")
@pytest.mark.parametrize(
    ("output", "what"),
    [("missing/x.safetensors", "no folder"), (".", "folder"), ("model.safetensors", "reads it")],
)
def test_a_bad_output_is_one_line(htsr, model, output, what):
    before = model.read_bytes()
    done = htsr("convert", model, "-o", model.parent / output)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert what in done.err
    assert model.read_bytes() == before


@pytest.mark.spec("FMT-22")
def test_an_output_is_needed(htsr, model):
    assert htsr("convert", model).code == 2


@pytest.mark.spec("FMT-25")
@pytest.mark.parametrize("command", ["analyze", "convert"])
def test_a_hostile_file_is_one_line_and_nothing_is_left(htsr, tmp_path, command):
    path = tmp_path / "model.pt"
    path.write_bytes(b"\x80\x02cos\nsystem\nq\x00X\x02\x00\x00\x00idq\x01\x85q\x02Rq\x03.")
    options = ("-o", tmp_path / "x.safetensors") if command == "convert" else ()
    done = htsr(command, path, *options)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert ".py says" in done.err
    assert list(tmp_path.iterdir()) == [path]


SLOW = """
import sys
from pathlib import Path
from htsr_ref.cli.main import run
from htsr_ref.weights.foreign import running
_, scripts, path = sys.argv
running.scripts_folder = lambda: Path(scripts)
sys.argv = ["htsr", "analyze", path]
run()
"""


@pytest.mark.spec("FMT-26")
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
        signal.SIGTERM,
        pytest.param(signal.SIGHUP, marks=pytest.mark.slow),
    ],
)
def test_a_signal_leaves_nothing(tmp_path, number):
    temporary, scripts = tmp_path / "temporary", tmp_path / "scripts"
    temporary.mkdir()
    scripts.mkdir()
    started = tmp_path / "started"
    (scripts / "pytorch.py").write_text(
        f"import time\nfrom pathlib import Path\nPath({str(started)!r}).touch()\ntime.sleep(60)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", SLOW, scripts, FILES["pytorch"]],
        env=environment(TMPDIR=str(temporary)),
        stderr=subprocess.PIPE,
    )
    while not started.exists() and child.poll() is None:
        time.sleep(0.01)
    assert len(list(temporary.iterdir())) == 1
    child.send_signal(number)
    _, said = child.communicate(timeout=30)
    assert child.returncode not in (0, None)
    assert b"Traceback" not in said
    assert list(temporary.iterdir()) == []


@pytest.mark.spec("FMT-22")
def test_a_layer_that_is_not_decoded_is_named(htsr, tmp_path):
    """What is written of it is no weight, so that a conversion is not all well."""
    one = np.ones((4, 4), np.float32)
    arrays = {"a.weight": one, "b.qweight": one.astype(np.int32), "b.wscales": one}
    save_file(arrays | {"c.parametrizations.weight.original": one}, tmp_path / "x.safetensors")
    outcome = htsr("convert", tmp_path / "x.safetensors", "-o", tmp_path / "y.safetensors")
    assert outcome.code == 1
    assert "not decoded: b.qweight: module 'b' is packed by SVDQuant" in outcome.err
    assert "not decoded: c.parametrizations.weight.original: it is under" in outcome.err
    assert "a.weight" not in outcome.err
    assert htsr("validate", tmp_path / "y.safetensors").code == 0
    direct = htsr("analyze", tmp_path / "x.safetensors")
    converted = htsr("analyze", tmp_path / "y.safetensors")
    assert converted.code == 1
    assert "layer skipped: b.qweight: module 'b' is packed by SVDQuant" in converted.err
    for outcome in (direct, converted):
        assert "layer skipped: c.parametrizations.weight.original: it is under" in outcome.err


@pytest.mark.spec("FMT-22")
@pytest.mark.parametrize("name", ["y.safetensors", "y.h5"])
def test_numbers_that_are_not_finite_are_counted(htsr, tmp_path, name):
    arrays = {f"{kind}.weight": np.ones((4, 4), kind) for kind in ("float16", "float32")}
    arrays["bfloat16.weight"] = np.ones((4, 4), ml_dtypes.bfloat16)
    for array in arrays.values():
        array[1, 2:] = np.nan, np.inf
    arrays["fine.weight"], arrays["n.bias"] = np.ones((4, 4)), np.full(4, np.nan)
    save_file(arrays, tmp_path / "x.safetensors")
    outcome = htsr("convert", tmp_path / "x.safetensors", "-o", tmp_path / name)
    assert outcome.code == 1
    bad = {line.split("bad data: ")[1] for line in outcome.err.splitlines()}
    kinds = ("bfloat16", "float16", "float32")
    assert bad == {f"{kind}.weight: 2 numbers not finite" for kind in kinds}

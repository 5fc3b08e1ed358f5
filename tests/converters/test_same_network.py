"""One network written by every framework: all give the same report."""

import importlib

import numpy as np
import pytest
from conversions import CONVERTERS, FIXTURES, SAME, convert

from htsr_ref import analyze

DIRECT = {"huggingface"}
"""What htsr reads without a converter."""


def test_every_converter_takes_part():
    assert SAME.keys() == CONVERTERS.keys() | DIRECT


def report_of(framework, folder):
    source = FIXTURES / "same" / SAME[framework]
    if framework in DIRECT:
        return analyze(source)
    converter = importlib.import_module(CONVERTERS[framework])
    path = folder / "same.safetensors"
    run = convert(converter, source, "-o", path)
    assert (run.code, run.err.count("error")) == (0, 0)
    return analyze(path)


@pytest.mark.parametrize("framework", SAME)
@pytest.mark.usefixtures("scripts_here")
def test_the_report_is_that_of_the_weights(framework, tmp_path):
    with np.load(FIXTURES / "same" / "numpy.npz") as arrays:
        weights = {name: arrays[f"{name}.weight"] for name in ("fc1", "fc2")}
    expected = {layer.shape: layer for layer in analyze(weights).layers}
    report = report_of(framework, tmp_path)
    # Names are the frameworks' own, and biases are listed where a file has them.
    found = [layer for layer in report.layers if layer.matrices]
    assert {layer.shape for layer in found} == expected.keys()
    for layer in found:
        twin = expected[layer.shape]
        assert (layer.role, layer.dtype) == ("weight", "float32")
        assert layer.matrices == twin.matrices
        assert (layer.means, layer.counts) == (twin.means, twin.counts)
    assert report.model.matrices == 2


@pytest.mark.usefixtures("scripts_here")
def test_the_models_numbers_are_the_same_to_the_last_bit(tmp_path):
    models = []
    for framework in SAME:
        (tmp_path / framework).mkdir()
        models.append(report_of(framework, tmp_path / framework).model)
    assert all(model == models[0] for model in models[1:])

# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=1.26", "h5py>=3.11"]
# ///
"""Convert a TensorFlow.js model (model.json and its shards) to a weight file.

Codes of 8 and 16 bits become float32. h5py is needed only for --format hdf5.
"""

if __name__ == "__main__":
    from common.interrupts import end_at_interrupts

    end_at_interrupts()

import argparse
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from common.containers import DAMAGED, read_at_most
from common.errors import ConversionError
from common.export import main
from common.facts import Facts
from common.sniff import sniff
from common.source import Source, Tensor
from common.strict_json import loads
from hdf5.keras_layers import Layer, facts_of, layers
from tfjs.graph import facts_by_name
from tfjs.manifest import STRING, Weight, read_weights

MODEL = "model.json"
MANIFEST = "weightsManifest"
MAX_JSON = 256 * 2**20


def open_model(path: Path, _: argparse.Namespace) -> Source:
    """Read a model's topology and its list of weights."""
    file = path / MODEL if path.is_dir() else path
    if not file.is_file():
        raise ConversionError(f"it is a folder without {MODEL}", "Name the model's JSON file")
    sniff(file)  # an empty file is refused
    content = read_at_most(file, MAX_JSON + 1)
    if len(content) > MAX_JSON:
        raise ConversionError(f"it has more than {MAX_JSON} bytes", DAMAGED)
    model = loads(content, file.name)
    groups = model.get(MANIFEST) if isinstance(model, dict) else model
    if not isinstance(groups, list):
        raise ConversionError(f"it has no {MANIFEST!r}", "Name the model's JSON file")
    topology = model.get("modelTopology") if isinstance(model, dict) else None
    weights, files = read_weights(file.parent, groups)
    stated = _facts(topology, weights)
    tensors, dropped = [], Counter[str]()
    for weight in weights:
        if weight.dtype == STRING:
            dropped["tensor of texts"] += 1
            continue
        facts = stated.get(weight.name, Facts())
        read, is_mapped = weight.read, weight.scale is None
        tensors.append(
            Tensor(weight.name, weight.shape, weight.dtype, read, facts, is_mapped=is_mapped)
        )
    coded = Counter(weight.stored for weight in weights if weight.scale is not None)
    notes = [f"{count} tensors of {name} codes become float32" for name, count in coded.items()]
    framework = "keras" if _configuration(topology) else "tensorflow"
    return Source(framework, path.name, tensors, [file, *files], dropped, notes)


def _configuration(topology: Any) -> Mapping[str, Any]:
    """Return the configuration of a Keras model; {} if it is another graph."""
    if not isinstance(topology, dict):
        return {}
    found = topology.get("model_config", topology)
    return found if isinstance(found, dict) and "config" in found else {}


def _facts(topology: Any, weights: list[Weight]) -> Mapping[str, Facts]:
    """Find what the topology states of the weights, by their names."""
    configuration = _configuration(topology)
    if configuration:
        known = {layer.name: layer for layer in layers(configuration)}
        return {weight.name: _of_layer(weight.name, known) for weight in weights}
    try:
        stated = facts_by_name(topology or {})
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ConversionError(f"its graph is damaged ({error!r})", DAMAGED) from error
    shapes = {weight.name: weight.shape for weight in weights}
    return {name: _fitting(stated[name], shapes[name]) for name in stated.keys() & shapes.keys()}


def _of_layer(name: str, known: Mapping[str, Layer]) -> Facts:
    group = tuple(name.split("/")[:-1])
    return facts_of(group, group, known, is_keras3=False)


def _fitting(facts: Facts, shape: tuple[int, ...]) -> Facts:
    """Facts of an operand, without its axes where the operator cannot take such a shape."""
    if facts.axes and len(facts.axes) != len(shape):
        return Facts()
    if facts.axes.count("out") == 2:
        return replace(facts, groups=max(shape[2], 1))
    return facts


if __name__ == "__main__":
    sys.exit(main(open_model, __doc__ or ""))

# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=1.26", "h5py>=3.11"]
# ///
"""Convert an ONNX model to a weight file, without ONNX's own library.

h5py is needed only for --format hdf5.
"""

if __name__ == "__main__":
    from common.interrupts import end_at_interrupts

    end_at_interrupts()

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import prod
from mmap import ACCESS_READ, mmap
from pathlib import Path

from common.containers import DAMAGED, open_regular
from common.errors import ConversionError
from common.export import main
from common.facts import Facts
from common.sniff import refuse, sniff
from common.source import Source, Tensor
from protobuf.onnx_directions import by_direction
from protobuf.onnx_facts import Consumers
from protobuf.onnx_graph import Model, read_model
from protobuf.onnx_numbers import place, read_numbers
from protobuf.onnx_views import View, Views, stored_parts

OPSETS = range(1, 29)
MAX_COPIES = 4
"""Operators may repeat numbers, but not fill the memory: at most so many times those stored."""
MAX_WORK = 64


def open_model(path: Path, _: argparse.Namespace) -> Source:
    """Read a model's structure."""
    word, description = sniff(path)
    if word:
        raise refuse(path, word, description)
    try:
        with open_regular(path) as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            model = read_model(data)
    except (ValueError, RecursionError) as error:
        raise ConversionError(f"it is no intact ONNX file ({error})", DAMAGED) from error
    opset = model.opsets.get("", 1)
    if opset not in OPSETS:
        raise ConversionError(
            f"its operators are of version {opset}, not of 1 to {OPSETS[-1]}",
            "Convert it with onnx.version_converter",
        )
    tensors, files, dropped = _tensors(path, model)
    unknown = sum(item.facts.role == "unknown" and len(item.shape) > 1 for item in tensors)
    counts = {
        "tensors of 2 or more axes that no known operation takes": unknown,
        "functions of the model's own, whose constants are not read": len(model.functions),
    }
    notes = [f"{what}: {count}" for what, count in counts.items() if count]
    return Source("onnx", path.name, tensors, files, dropped, notes)


def _tensors(path: Path, model: Model) -> tuple[list[Tensor], list[Path], Counter[str]]:
    """Tensors to be written, the files that hold their numbers, and how many are not and why."""
    shapes = {tensor.name: tensor.shape for tensor in model.tensors}
    model = replace(model, nodes=list(by_direction(model.nodes, shapes)))
    views = Views(model, lambda tensor: read_numbers(*place(path, tensor), tensor))
    consumers = Consumers(model, views)
    distinct = {view.name: view for view in views.by_name.values()}
    stated = {name: (view, consumers.facts(view)) for name, view in distinct.items()}
    scales = {name: role for _, facts in stated.values() for name, role in facts.scale_tensors()}
    for name, role in scales.items():
        view, facts = stated[name]
        stated[name] = (view, Facts(role, facts.rule))
    made = [
        view
        for view, facts in stated.values()
        if view.sources and (view.name in scales or (view.is_new and _is_taken(view, facts)))
    ]
    parts = stored_parts(made)
    _check_work(made, parts)
    dropped: Counter[str] = Counter()
    dropped.update({"sparse tensor": model.sparse} if model.sparse else {})
    stored, files = [], {path: None}
    for tensor in model.tensors:
        if not tensor.dtype or not tensor.name:
            unread = f"tensor of ONNX type {tensor.code}, which is not read"
            dropped[unread if tensor.name else "tensor without a name"] += 1
            continue
        facts = stated[tensor.name][1]
        is_part = tensor.name in parts
        if facts.role == "unknown" and tensor.is_constant and not is_part:
            dropped["constant that is no weight"] += 1
            continue
        file, start = place(path, tensor)
        files[file] = None
        if facts.role == "unknown" and is_part:
            dropped["tensor that is written as operators take it"] += 1
            continue
        read = partial(read_numbers, file, start, tensor)
        name, shape, dtype = tensor.name, tensor.shape, tensor.dtype
        stored.append(Tensor(name, shape, dtype, read, facts, is_mapped=start is not None))
    for view in made:
        facts = stated[view.name][1]
        stored.append(Tensor(view.name, view.shape, view.dtype, view.read, facts))
    return stored, list(files), dropped


def _is_taken(view: View, facts: Facts) -> bool:
    """Whether a layer takes a computed array; integers that are added are places or sizes."""
    is_size = facts.role == "bias" and view.dtype in ("int32", "int64")
    return facts.role not in ("unknown", "buffer") and not is_size


def _check_work(views: Sequence[View], parts: Mapping[str, View]) -> None:
    """Refuse a file whose operators fill memory or disk, or take time without end."""
    held = sum(prod(part.shape) for part in parts.values())
    made = sum(prod(view.shape) for view in views)
    largest = max((view.largest for view in views), default=0)
    work = sum(view.work for view in views)
    if max(made, largest) > MAX_COPIES * held or work > MAX_WORK * (held + len(views)):
        raise ConversionError(
            f"its operators make {max(made, largest, work)} numbers of {held}", "Simplify it first"
        )


if __name__ == "__main__":
    sys.exit(main(open_model, __doc__ or ""))

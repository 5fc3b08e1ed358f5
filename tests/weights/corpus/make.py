# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "torch==2.13.0", "torchvision==0.28.0", "transformers==5.24.0", "timm==1.0.31",
#   "safetensors==0.8.0", "numpy==2.4.6",
# ]
# ///
"""Write the corpus: names, shapes and meanings of published architectures, without weights.

    python make.py [NAME ...]

With transformers 4 installed, it writes the few models that version saves otherwise.
The models are really built and really saved, so that the names are those of real files; README.md
says how a meaning is found.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import timm
import torch
import transformers
from fusions import fusion_of
from meanings import Meaning, meaning_of
from models import TIMM, TRANSFORMERS, TRANSFORMERS_4
from provenance import Origin, origins
from safetensors import safe_open
from timm.models import save_for_hf

HERE = Path(__file__).parent
TORCH = f"torch {torch.__version__.partition('+')[0]}"


def header(file: Path) -> tuple[dict[str, str], dict[str, tuple[list[int], str]]]:
    """Metadata of a safetensors file, and the shape and dtype of each of its tensors."""
    with safe_open(file, "pt") as stored:
        parts = {name: stored.get_slice(name) for name in stored.keys()}  # noqa: SIM118
        found = {name: (part.get_shape(), part.get_dtype()) for name, part in parts.items()}
        return stored.metadata() or {}, found


def whole(name: str, shape: tuple[int, ...]) -> Origin:
    """Origin of a tensor that is saved as it is."""
    return Origin(name, shape, tuple(range(len(shape))), tuple((0, size) for size in shape))


def _parts(model: torch.nn.Module, origin: Origin, meaning: Meaning) -> dict[str, Any]:
    """The fused parts that are in the saved tensor, or nothing."""
    if "out" not in meaning.axes:
        return {}
    out = meaning.axes.index("out")
    path, _, name = origin.source.rpartition(".")
    fusion = fusion_of(model, path, name, origin.shape[out])
    if fusion is None:
        return {}
    assert sum(size for _, size in fusion.parts) == origin.shape[out]
    start, end = origin.bounds[out]
    if (start, end) == (0, origin.shape[out]):
        lying = {"interleaved": fusion.interleaved} if fusion.interleaved else {}
        return {"parts": [list(part) for part in fusion.parts], **lying}
    edges = [sum(size for _, size in fusion.parts[:at]) for at in range(len(fusion.parts) + 1)]
    assert not fusion.interleaved and edges.index(end) == edges.index(start) + 1
    return {}


def entry(model: torch.nn.Module, name: str, stored: tuple[list[int], str], origin: Origin) -> dict:
    """What the corpus says about one saved tensor."""
    path, _, own = origin.source.rpartition(".")
    tensor = model.state_dict()[origin.source]
    meaning = meaning_of(model, path, own, tensor)
    said: dict[str, Any] = {"shape": stored[0], "dtype": stored[1], "roles": list(meaning.roles)}
    if meaning.axes:
        said["axes"] = [meaning.axes[axis] for axis in origin.order]
        said["groups"] = meaning.groups
        said |= _parts(model, origin, meaning)
    if meaning.experts:
        said["experts_along_axis_0"] = meaning.experts
    if meaning.note:
        said["note"] = meaning.note
    if origin.source != name:
        said["state_dict"] = origin.source
    return said


def of_transformers(kind: str, config: dict[str, Any], folder: Path) -> dict[str, Any]:
    """One entry of the corpus, from a class of transformers and a small config."""
    model = getattr(transformers, kind)
    model = model(model.config_class(**config))
    model.save_pretrained(folder / "plain")
    metadata, stored = header(folder / "plain" / "model.safetensors")
    traced = origins(model, folder / "traced")
    assert traced.keys() == stored.keys()
    tensors = {name: entry(model, name, stored[name], traced[name]) for name in sorted(stored)}
    sources = {origin.source for origin in traced.values()}
    return {
        "source": f"transformers {transformers.__version__}, {TORCH}",
        "class": kind,
        "config": json.loads((folder / "plain" / "config.json").read_text()),
        "metadata": metadata,
        "not_saved": sorted(model.state_dict().keys() - sources),
        "tensors": tensors,
    }


def of_timm(kind: str, config: dict[str, Any], folder: Path) -> dict[str, Any]:
    """One entry of the corpus, from a model of timm."""
    model = timm.create_model(kind, **config)
    save_for_hf(model, folder, model_args=config or None, safe_serialization=True)
    metadata, stored = header(folder / "model.safetensors")
    assert stored.keys() == model.state_dict().keys()
    tensors = {
        name: entry(model, name, stored[name], whole(name, tuple(stored[name][0])))
        for name in sorted(stored)
    }
    return {
        "source": f"timm {timm.__version__}, {TORCH}",
        "class": type(model).__name__,
        "config": json.loads((folder / "config.json").read_text()),
        "metadata": metadata,
        "not_saved": [],
        "tensors": tensors,
    }


def write(name: str, architecture: dict[str, Any]) -> None:
    """Write one file: a line for each tensor, and one for each other field."""
    tensors = ",\n".join(
        f"  {json.dumps(name)}: {json.dumps(entry, separators=(',', ':'))}"
        for name, entry in architecture["tensors"].items()
    )
    fields = "".join(
        f"{json.dumps(key)}: {json.dumps(value, sort_keys=True)},\n"
        for key, value in architecture.items()
        if key != "tensors"
    )
    (HERE / f"{name}.json").write_text(f'{{\n{fields}"tensors": {{\n{tensors}\n}}\n}}\n')


def main(chosen: list[str]) -> None:
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    old = transformers.__version__.startswith("4.")
    listed = TRANSFORMERS_4 if old else TRANSFORMERS
    jobs = [(name, of_transformers, kind, config) for name, kind, config in listed]
    jobs += [] if old else [(f"timm-{kind}", of_timm, kind, config) for kind, config in TIMM]
    for name, make, kind, config in jobs:
        if chosen and name not in chosen:
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                write(name, make(kind, config, Path(folder)))
            except (LookupError, AssertionError) as problem:
                print(f"{name}: {problem!r}")


if __name__ == "__main__":
    main(sys.argv[1:])

"""Weight files of random matrices, with the numbers that are known of them beforehand."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from htsr_ref.errors import EnsembleError, HtsrError
from htsr_ref.machine.memory import physical_memory
from htsr_ref.synthetic.expectations import to_json
from htsr_ref.synthetic.known_answers import Parameters
from htsr_ref.synthetic.recipes import ENSEMBLES
from htsr_ref.text.nearest import one_of
from htsr_ref.version import __version__
from htsr_ref.weights import TensorSpec, open_weights, write_weights
from htsr_ref.weights.writer import format_of

GENERATOR = "numpy.random.PCG64(SeedSequence(seed).spawn(layers)[i])"
"""What layer i draws from."""


@dataclass(frozen=True)
class Recipe:
    """What a synthetic weight file is made of.

    Attributes
    ----------
    ensemble : a name of `ENSEMBLES`.
    parameters : those of the ensemble.
    shape : (out, in) of every layer.
    layers : number of layers.
    seed : of the generators: layer i draws from child i of the seed.

    Raises
    ------
    EnsembleError
        There is no such ensemble, or a parameter is missing or not one of it.

    Spec: RMT-11.
    """

    ensemble: str
    parameters: Parameters
    shape: tuple[int, int]
    layers: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.ensemble not in ENSEMBLES:
            raise EnsembleError(
                f"no ensemble {self.ensemble!r}. {one_of(self.ensemble, ENSEMBLES, 'Ensembles')}"
            )
        known = ENSEMBLES[self.ensemble].parameters
        unknown = [name for name in self.parameters if name not in known]
        if unknown:
            raise EnsembleError(
                f"{self.ensemble} has no parameter {unknown[0]}. "
                f"{one_of(unknown[0], known, 'Parameters')}"
            )
        missing = [name for name in known if self.complete[name] is None]
        if missing:
            raise EnsembleError(f"{self.ensemble} needs {missing[0]}")
        if self.layers < 1 or min(self.shape) < 1:
            raise EnsembleError("a file has at least one layer, and a layer one row and column")

    @property
    def complete(self) -> dict[str, Any]:
        """All parameters, given or not."""
        return {**ENSEMBLES[self.ensemble].parameters, **self.parameters}


def synth(
    path: str | os.PathLike[str],
    ensemble: str,
    shape: tuple[int, int],
    *,
    layers: int = 1,
    seed: int = 0,
    force: bool = False,
    **parameters: Any,
) -> None:
    """Write a weight file of random matrices whose numbers are known beforehand.

    Parameters
    ----------
    path : file to write: .safetensors, or .h5 or .hdf5 for HDF5.
    ensemble : what to draw: a name of `ENSEMBLES`.
    shape : (out, in) of every layer.
    layers : number of layers.
    seed : of the draws.
    force : whether a file is replaced that `synth` did not write.
    parameters : those of the ensemble, such as mu=1.5.

    Raises
    ------
    HtsrError
        The file would replace another or cannot be written; there is no such ensemble; or a
        parameter is missing or not one of it.

    Spec: RMT-11, RMT-12.
    """
    recipe = Recipe(ensemble, parameters, shape, layers, seed)
    place = Path(path)
    if place.is_file() and not force and not _is_synthetic(place):
        raise EnsembleError(
            f"{path}: it exists, and `htsr synth` did not write it. Name another file, or "
            "add --force"
        )
    write_synthetic(path, recipe)


def _is_synthetic(path: Path) -> bool:
    """Whether an earlier `synth` wrote the file, as its manifest says."""
    try:
        source = open_weights(path).source or {}
    except HtsrError:
        return False
    return (source.get("converter") or "").startswith("htsr synth ")


def write_synthetic(path: str | os.PathLike[str], recipe: Recipe) -> None:
    """Draw a recipe's matrices and write them with what is known of them.

    Parameters
    ----------
    path : file to write: HDF5 if it ends in .h5 or .hdf5, else safetensors.
    recipe : what to draw. The same recipe gives the same bytes.

    Raises
    ------
    EnsembleError
        A parameter or shape does not exist, or memory cannot hold the matrices.
    WeightFileError
        The format cannot hold them.
    OutputError
        The file cannot be written.

    Spec: RMT-11, RMT-12.
    """
    out, in_ = recipe.shape
    N, M = max(out, in_), min(out, in_)
    ensemble, parameters = ENSEMBLES[recipe.ensemble], recipe.complete
    _require_memory(8 * out * in_ * recipe.layers)
    arrays, tensors = {}, {}
    for index, child in enumerate(np.random.SeedSequence(recipe.seed).spawn(recipe.layers)):
        W = ensemble.draw(N, M, parameters, np.random.Generator(np.random.PCG64(child)))
        arrays[f"layer{index}.weight"] = W if out >= in_ else np.ascontiguousarray(W.T)
        tensors[f"layer{index}.weight"] = TensorSpec("weight", layer=f"layer{index}")
    try:
        expected = ensemble.expect(N, M, parameters)
    except OverflowError:
        raise EnsembleError(
            "the eigenvalues leave the range of binary64: take smaller parameters"
        ) from None
    extra = {
        "recipe": {
            "ensemble": recipe.ensemble,
            "parameters": parameters,
            "shape": list(recipe.shape),
            "layers": recipe.layers,
            "seed": recipe.seed,
            "generator": GENERATOR,
        },
        "expected": to_json({spec.layer or "": expected for spec in tensors.values()}),
    }
    write_weights(
        path,
        arrays,
        tensors,
        source={"framework": "random matrices", "converter": f"htsr synth {__version__}"},
        extra=extra,
        format=format_of(Path(path)),
    )


def _require_memory(needed: int) -> None:
    there = physical_memory()
    if there is not None and 2 * needed > there:
        raise EnsembleError(
            f"the layers take {needed // 10**9} GB, and the machine has {there // 10**9} GB: "
            "make fewer or smaller ones"
        )

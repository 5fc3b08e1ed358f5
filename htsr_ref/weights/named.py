"""Weights by name: what any process that reaches the same files can open."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from htsr_ref.errors import ExecutorError
from htsr_ref.text import strictjson
from htsr_ref.weights.asking import asked_weights
from htsr_ref.weights.remote.addresses import is_address

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from htsr_ref.weights.layer import Weights
    from htsr_ref.weights.opening import WeightSource


@dataclass(frozen=True)
class NamedWeights:
    """What a user asks for, without a number of it.

    Parameters
    ----------
    source, minus, base : absolute paths or addresses, see `asked_weights`.
    corrections : what is known better than the file, as JSON.
    include, exclude : see `select`.
    """

    source: str
    corrections: str | None
    include: tuple[str, ...] | None
    exclude: tuple[str, ...] | None
    minus: str | None
    base: str | None

    def open(self) -> Weights:
        """Open them; only headers are read.

        Raises
        ------
        WeightFileError
            One of the files cannot be read here.

        Spec: SCL-12.
        """
        return asked_weights(
            self.source,
            layers=None if self.corrections is None else strictjson.loads(self.corrections),
            include=self.include,
            exclude=self.exclude,
            minus=self.minus,
            base=self.base,
        )


def name_weights(
    source: WeightSource | Weights,
    layers: Mapping[str, Mapping[str, Any]] | None,
    include: Sequence[str] | None,
    exclude: Sequence[str] | None,
    minus: WeightSource | Weights | None,
    base: WeightSource | Weights | None,
) -> NamedWeights:
    """Name weights so that other processes can open them, see `asked_weights`.

    Raises
    ------
    ExecutorError
        Some of them are held by this process alone.

    Spec: SCL-12.
    """
    return NamedWeights(
        _path(source),
        None if layers is None else strictjson.dumps(layers),
        None if include is None else tuple(include),
        None if exclude is None else tuple(exclude),
        None if minus is None else _path(minus),
        None if base is None else _path(base),
    )


def _path(source: WeightSource | Weights) -> str:
    if not isinstance(source, (str, os.PathLike)):
        raise ExecutorError(
            "workers in other processes cannot reach weights that this one holds. Write them to a "
            "file and give its path, or take a ThreadPoolExecutor"
        )
    return str(source) if is_address(source) else str(Path(source).absolute())

"""The weights that a report was made from, where they can still be found as they were."""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from htsr_ref.errors import HtsrError, shown
from htsr_ref.weights.asking import asked_weights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from htsr_ref.reports.report import LayerReport, Report
    from htsr_ref.weights import Layer, Weights

_ON_OPENING = ("left-out", "not-understood")
"""Reasons to leave a layer out that are known without its numbers."""


def file_of(report: Report, path: Path) -> Path | None:
    """File of the name that a report gives its source, beside the report or in this folder.

    A name comes from whoever wrote the report: no other folder is looked into.

    Parameters
    ----------
    report, path : the report, and its file.

    Spec: SCL-25.
    """
    name = report.source.name
    if name in ("", ".", "..") or PurePath(name).name != name:
        return None
    places = (path.parent / name, Path(name))
    # Unlike that of Path, this function raises nothing, whatever the name.
    return next((place for place in places if os.path.exists(place)), None)  # noqa: PTH110 - as said


def weights_of(
    report: Report,
    path: Path,
    layers: Mapping[str, Mapping[str, Any]] | None,
    include: Sequence[str] | None,
    exclude: Sequence[str] | None,
) -> Weights:
    """Open the weights that a report was made from.

    Parameters
    ----------
    report, path : the report, and its file.
    layers, include, exclude : as for `analyze`; the same as when the report was made.

    Raises
    ------
    HtsrError
        They are not there, or not what the report is of; the message goes on from its name.

    Spec: SCL-25.
    """
    name = shown(report.source.name)
    if report.source.base is not None:
        raise HtsrError(f"its weights were computed from two files, {shown(report.source.title)}")
    if report.source.sha256 is None:
        raise HtsrError("it does not state the digest of its weights")
    file = file_of(report, path)
    if file is None:
        raise HtsrError(f"its weights, {name}, are not in its folder or this one")
    weights = asked_weights(file, layers=layers, include=include, exclude=exclude)
    if weights.sha256() != report.source.sha256:
        raise HtsrError(f"its weights, {shown(str(file))}, have changed since")
    if [_known(layer) for layer in weights.layers] != [_stated(layer) for layer in report.layers]:
        raise HtsrError("it was made with other --layers, --include or --exclude")
    return weights


def _known(layer: Layer) -> tuple[object, ...]:
    """Collect what a report states of a layer besides numbers."""
    return (*_identity(layer), layer.left_out if layer.code in _ON_OPENING else None)


def _stated(layer: LayerReport) -> tuple[object, ...]:
    return (*_identity(layer), layer.skipped if layer.skip_code in _ON_OPENING else None)


def _identity(layer: Layer | LayerReport) -> tuple[object, ...]:
    return (
        layer.name,
        layer.tensor,
        layer.role,
        tuple(layer.axes),
        tuple(layer.shape),
        layer.dtype,
        layer.decided,
    )

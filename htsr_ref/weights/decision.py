"""`Decision`: what a tensor was found to be, and how that was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from htsr_ref.weights.manifest import TensorSpec


@dataclass(frozen=True)
class Decision:
    """The meaning of a tensor.

    Parameters
    ----------
    spec : kind, axes and so on. The axes are those of the tensor as stored, in stored order.
    decided : "declared", "declared: <rule>", "inferred: <rule>" or "override: <pattern>".
    left_out : reason for not analyzing it that does not follow from kind, type and shape.
    warnings : what the user should know.
    """

    spec: TensorSpec
    decided: str
    left_out: str | None = None
    warnings: tuple[str, ...] = ()

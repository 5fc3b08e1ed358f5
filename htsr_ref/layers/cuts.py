"""Cutting a layer's tensor into its weight matrices, each way under its name."""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from htsr_ref.conventions import SDM2020, Convention
from htsr_ref.errors import LayerError, shown
from htsr_ref.layers.frequencies import frequency_matrices
from htsr_ref.layers.matrices import Origin, Pool, WeightMatrix, weight_matrix
from htsr_ref.layers.windows import windows
from htsr_ref.weights import Layer

Matrices = tuple[WeightMatrix | Pool, ...]


@dataclass(frozen=True)
class Section:
    """What is cut on its own: one element of a layer's stack, of one of its parts, of one group.

    Attributes
    ----------
    layer : the layer.
    above : indices along its stack axes.
    name : its part and group.
    rows : its range of the axis `out`.
    """

    layer: Layer
    above: tuple[int, ...]
    name: str
    rows: slice

    @property
    def out(self) -> int:
        """Number of outputs."""
        return int(self.rows.stop - self.rows.start)

    @property
    def in_(self) -> int:
        """Number of inputs, of one group."""
        return self.layer.shape[len(self.above) + 1]

    @property
    def kernel(self) -> tuple[int, ...]:
        """Sides of the kernel; empty without one."""
        return self.layer.shape[len(self.above) + 2 :]

    def positions(self) -> Iterator[tuple[int, ...]]:
        """Kernel positions in row-major order."""
        return itertools.product(*map(range, self.kernel))

    def origin(self, separate: int = 1) -> Origin:
        """Describe the section to a normalization."""
        return Origin(self.layer.is_conv, self.out, self.in_, math.prod(self.kernel), separate)

    def label(self, *position: int) -> str:
        """Name of a matrix: stack index, part and group, then `position`."""
        return " ".join(filter(None, (_indices(self.above), self.name, _indices(position))))


def layer_matrices(layer: Layer, convention: Convention = SDM2020) -> Matrices:
    """Cut a layer's tensor into its weight matrices, in the order of the specification.

    Parameters
    ----------
    layer : a layer with axes [stack…, out, in, k1…kd].
    convention : its `conv` or `linear` says how.

    Raises
    ------
    LayerError
        The groups do not divide the axis out, or the kernel is larger than `map_size`.

    Spec: MAT-2, MAT-5, MAT-6. Source: Martin & Mahoney, SDM 2020, section 2.
    """
    cut = CONV_CUTS[convention.conv] if layer.is_conv else LINEAR_CUTS[convention.linear]
    groups = layer.groups if layer.is_conv and convention.conv == "group-slices" else 1
    sections = _sections(layer, groups, split=convention.fused == "split")
    return tuple(matrix for section in sections for matrix in cut(section, convention))


def _sections(layer: Layer, groups: int, *, split: bool) -> Iterator[Section]:
    """Sections of a layer: stacks outermost, then parts if it is to be split, then groups.

    Spec: MAT-4, MAT-5, MAT-6, MAT-17.
    """
    out_axis = layer.axes.index("out")
    parts = layer.parts if split else ()
    bounds = [0, *itertools.accumulate(part.size for part in parts)]
    named = [
        (part.name, *ends) for part, ends in zip(parts, itertools.pairwise(bounds), strict=True)
    ]
    for above in itertools.product(*map(range, layer.shape[:out_axis])):
        for name, start, stop in named or [("", 0, layer.shape[out_axis])]:
            for group, rows in enumerate(_group_rows(layer, start, stop, groups)):
                label = f"group {group}" if groups > 1 else ""
                yield Section(layer, above, " ".join(filter(None, (name, label))), rows)


def _group_rows(layer: Layer, start: int, stop: int, groups: int) -> Iterator[slice]:
    height, rest = divmod(stop - start, groups)
    if rest:
        raise LayerError(
            f"tensor {shown(layer.tensor)}: {groups} groups do not divide {stop - start} output "
            "channels. Correct the declared groups"
        )
    for first in range(start, stop, height):
        yield slice(first, first + height)


def _slices(section: Section, _: Convention) -> tuple[WeightMatrix, ...]:
    """One matrix per kernel position.

    Spec: MAT-3, MAT-4.
    """
    origin = section.origin(separate=math.prod(section.kernel))
    return tuple(
        weight_matrix(
            section.layer.data,
            (*section.above, section.rows, slice(0, section.in_), *position),
            section.label(*position),
            origin,
        )
        for position in section.positions()
    )


def _pooled(section: Section, convention: Convention) -> tuple[Pool, ...]:
    """All kernel positions together.

    Spec: MAT-9, MAT-14.
    """
    members = _slices(section, convention)
    N, M = members[0].N, members[0].M
    toggled = convention.orientation == "toggled" and section.out < section.in_
    if toggled and len(members) % 2 == 0:
        N, M = M, N
    return (Pool(section.label(), N, M, members, section.origin()),)


def _row_blocks(section: Section, convention: Convention) -> tuple[Pool, ...]:
    """Blocks of rows of the oriented slices, each block pooled over the kernel positions.

    Spec: MAT-10. Source: FARMS (arXiv 2506.06280), its convolutions.
    """
    _, aspect, _ = convention.windows or (0, 1.0, 0)
    N, M = max(section.out, section.in_), min(section.out, section.in_)
    height = max(1, int(M // aspect)) if aspect > 1 else M
    width = M if aspect > 1 else max(1, int(M * aspect))
    pools = []
    for block in range(N // M):
        tall = slice(block * height, (block + 1) * height), slice(0, width)
        out, in_ = tall if section.out >= section.in_ else tall[::-1]
        rows = slice(section.rows.start + out.start, section.rows.start + out.stop)
        members = tuple(
            weight_matrix(section.layer.data, (*section.above, rows, in_, *position))
            for position in section.positions()
        )
        label = f"{section.label()} rows {tall[0].start}-{tall[0].stop - 1}".strip()
        pools.append(Pool(label, members[0].N, members[0].M, members, section.origin()))
    return tuple(pools)


def _flattened(section: Section, _: Convention) -> tuple[WeightMatrix, ...]:
    """One matrix, out × in·k.

    Spec: MAT-11.
    """
    whole = [slice(0, side) for side in section.kernel]
    index: tuple[int | slice, ...]
    index = (*section.above, section.rows, slice(0, section.in_), *whole)
    return (weight_matrix(section.layer.data, index, section.label(), section.origin()),)


def _operator(section: Section, convention: Convention) -> tuple[Pool, ...]:
    """Take the convolution as a linear map on periodic images, a block for each frequency.

    Spec: MAT-12. Source: Sedghi, Gupta & Long (arXiv 1805.10408).
    """
    size = convention.map_size or 0
    if size < max(section.kernel):
        raise LayerError(
            f"tensor {shown(section.layer.tensor)}: the kernel {section.kernel} is larger than the "
            f"images of map_size = {size}. Raise map_size"
        )
    groups = section.layer.groups
    places = size ** len(section.kernel)
    members = tuple(
        matrix
        for rows in _group_rows(section.layer, section.rows.start, section.rows.stop, groups)
        for matrix in frequency_matrices(section.layer.data, section.above, rows, size)
    )
    out, in_ = section.out * places, section.in_ * groups * places
    return (Pool(section.label(), max(out, in_), min(out, in_), members, section.origin()),)


def _windows(section: Section, convention: Convention) -> tuple[Pool, ...]:
    """Windows on a regular grid, which overlap where there are many.

    Spec: MAT-13. Source: FARMS (arXiv 2506.06280), `fixed_sampling`.
    """
    rows, aspect, count = convention.windows or (1, 1.0, 1)
    height, width = rows, max(1, int(rows * aspect))
    if convention.linear == "windows":
        height = min(rows, section.out, section.in_)
        width = max(1, min(int(height * aspect), section.in_))
    members = tuple(
        weight_matrix(
            section.layer.data,
            (
                *section.above,
                slice(section.rows.start + tall.start, section.rows.start + tall.stop),
                wide,
            ),
        )
        for tall in windows(section.out, height, count)
        for wide in windows(section.in_, width, count)
    )
    return (Pool(section.label(), members[0].N, members[0].M, members, section.origin()),)


def _indices(indices: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, indices))}]" if indices else ""


CONV_CUTS: Mapping[str, Callable[[Section, Convention], Matrices]] = MappingProxyType(
    {
        "slices": _slices,
        "group-slices": _slices,
        "pooled": _pooled,
        "row-blocks": _row_blocks,
        "flattened": _flattened,
        "operator": _operator,
        "skip": lambda *_: (),
    }
)
"""Ways to cut a convolution, by the value of `conv`."""

LINEAR_CUTS: Mapping[str, Callable[[Section, Convention], Matrices]] = MappingProxyType(
    {"whole": _slices, "windows": _windows, "fixed-windows": _windows}
)
"""Ways to cut any other layer, by the value of `linear`."""

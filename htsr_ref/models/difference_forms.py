"""What people read of a difference."""

from htsr_ref.models.difference import Change, Difference
from htsr_ref.models.standing_forms import STANDING_LEGEND, shares, standing_table
from htsr_ref.reports.blocks import Block, Lines, Table
from htsr_ref.reports.markdown import convention_text, number

LAYER_HEADER = (
    *("layer", "α", "change", "λmax", "change", "log‖W‖F", "change", "α·log λmax", "change"),
)
_SHOWN = ("alpha", "lambda_max", "log10_frobenius_norm", "weighted_alpha")


def difference_blocks(found: Difference) -> list[Block]:
    """Give the layers by largest change, the model, and what both models rest on.

    Spec: AUD-20, VRD-8, VRD-9.
    """
    title = (
        f"{found.before.name} → {found.after.name}; convention {convention_text(found.convention)}"
    )
    blocks: list[Block] = [Lines([title])]
    if found.identical:
        layers = f"{len(found.layers)} layer{'' if len(found.layers) == 1 else 's'}"
        return [*blocks, Lines([f"identical: no number of {layers} differs"])]
    if found.layers:
        rows = [
            [layer.name, *(cell for name in _SHOWN for cell in _cells(layer.numbers[name]))]
            for layer in found.layers
        ]
        model = [[name, *_cells(change)] for name, change in found.model.items()]
        blocks += [
            Table(LAYER_HEADER, rows, range(1, 9)),
            Table(("model", "mean", "change"), model, (1, 2)),
        ]
    standings = list(zip(("before", "after"), found.standings, strict=True))
    return [
        *blocks,
        standing_table(standings),
        Lines([*_remarks(found), *shares(standings), *found.notes, STANDING_LEGEND]),
    ]


def _remarks(found: Difference) -> list[str]:
    """Say which layers have no partner of their name."""
    return [
        *(f"only in {found.before.name}: {name}" for name in found.only_before),
        *(f"only in {found.after.name}: {name}" for name in found.only_after),
        *(
            f"matched by shape: {layer.name} → {layer.other_name}"
            for layer in found.layers
            if layer.matched_by == "shape"
        ),
    ]


def _cells(change: Change) -> tuple[str, str]:
    """Value after, and by how much it changed."""
    return number(change.after), number(change.difference, "+.3f")

"""What changed between two reports: layer by layer, the largest changes first."""

from dataclasses import dataclass

from htsr_ref.conventions import Convention
from htsr_ref.errors import HtsrError
from htsr_ref.models.apart import NORM_DISTANCE, why_apart
from htsr_ref.models.ranking import NORMAL_95, check_one_convention, separation
from htsr_ref.models.standing import Standing, standing_of
from htsr_ref.reports.blocks import blocks_markdown, blocks_text
from htsr_ref.reports.report import SPEC_VERSION, LayerReport, Report, Source, Tool
from htsr_ref.text import strictjson
from htsr_ref.text.lines import count, one_line
from htsr_ref.version import __version__
from htsr_ref.weights.matching import match_layers

NUMBERS = (
    "alpha",
    "lambda_max",
    "weighted_alpha",
    "log10_frobenius_norm",
    "log10_spectral_norm",
    "log10_alpha_norm",
    "stable_rank",
)
"""Numbers of a layer, means over its matrices, that are compared."""

MEANS = ("alpha_hat", "mean_alpha", "mean_log10_frobenius_norm", "mean_log10_spectral_norm")
"""Numbers of a model that are compared."""


@dataclass(frozen=True)
class Change:
    """A number before and after; None where it is undefined.

    Attributes
    ----------
    before, after : the numbers.
    difference : after − before; None if either is undefined.
    """

    before: float | None
    after: float | None
    difference: float | None


@dataclass(frozen=True)
class LayerChange:
    """A layer before and after.

    Attributes
    ----------
    name, other_name : its names before and after.
    matched_by : "name" or "shape".
    change : the largest relative change among α, λ_max and ‖W‖_F, between 0 and 1.
    numbers : changes by name of the number.

    Spec: AUD-21.
    """

    name: str
    other_name: str
    matched_by: str
    change: float
    numbers: dict[str, Change]


@dataclass(frozen=True)
class Difference:
    """What `htsr diff` finds.

    Attributes
    ----------
    before, after : the sources.
    convention : of both reports.
    identical : whether all layers have a partner and no number differs.
    layers : the layers of both, by largest change.
    only_before, only_after : layers without a partner.
    model : changes of the model's means.
    standings : what the numbers of each rest on, before and after.
    notes : what a reader should know of the two together.

    Spec: AUD-20, AUD-21, AUD-22.
    """

    spec_version: str
    tool: Tool
    before: Source
    after: Source
    convention: Convention
    identical: bool
    layers: tuple[LayerChange, ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]
    model: dict[str, Change]
    standings: tuple[Standing, Standing]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        layers = count(len(self.layers), "layer")
        what = f"{layers}, none of which differs" if self.identical else layers
        return one_line(f"<Difference {self.before.name} → {self.after.name}: {what}>")

    def __str__(self) -> str:
        """Lay out the changes as tables, the largest first."""
        from htsr_ref.models.difference_forms import difference_blocks

        return blocks_text(difference_blocks(self))

    def to_markdown(self) -> str:
        """Write the tables as Markdown."""
        from htsr_ref.models.difference_forms import difference_blocks

        return blocks_markdown("HT-SR difference", difference_blocks(self))

    def to_json(self) -> str:
        """Write the difference as JSON text.

        Spec: AUD-22.
        """
        return strictjson.dumps(self)


def compare_reports(before: Report, after: Report) -> Difference:
    """Compare two reports layer by layer.

    Parameters
    ----------
    before, after : made under one convention.

    Raises
    ------
    HtsrError
        The conventions differ, or no layer has a partner.

    Spec: AUD-20, AUD-21, AUD-22.
    """
    check_one_convention([before, after])
    pairs = match_layers(before.analyzed(), after.analyzed())
    if not pairs:
        raise HtsrError(
            f"{before.source.name} and {after.source.name} have no layer in common: neither names "
            "nor shapes agree"
        )
    layers = [_layer_change(first, second, how) for first, second, how in pairs]
    layers.sort(key=lambda layer: -layer.change)
    matched = {first.name for first, *_ in pairs}, {second.name for _, second, _ in pairs}
    alone = [
        tuple(layer.name for layer in report.analyzed() if layer.name not in names)
        for report, names in zip((before, after), matched, strict=True)
    ]
    standings = standing_of(before), standing_of(after)
    models = (before, standings[0]), (after, standings[1])
    same = all(c.before == c.after for layer in layers for c in layer.numbers.values())
    return Difference(
        spec_version=SPEC_VERSION,
        tool=Tool("htsr-ref", __version__),
        before=before.source,
        after=after.source,
        convention=before.convention,
        identical=same and not any(alone),
        layers=tuple(layers),
        only_before=alone[0],
        only_after=alone[1],
        model={
            name: change(getattr(before.model, name), getattr(after.model, name)) for name in MEANS
        },
        standings=standings,
        notes=_notes(models),
    )


def _notes(models: tuple[tuple[Report, Standing], tuple[Report, Standing]]) -> tuple[str, ...]:
    """Say what keeps two models from being compared, and how sure the change of alpha-hat is.

    Spec: VRD-13, VRD-14, VRD-15.
    """
    notes = [
        f"{when}: {reason}: its alpha_hat predicts nothing"
        for when, reason in zip(("before", "after"), why_apart(models), strict=True)
        if reason is not None
    ]
    old, new = (report.model.mean_log10_frobenius_norm for report, _ in models)
    if old is not None and new is not None and abs(new - old) > NORM_DISTANCE:
        notes.append(
            f"mean log10 ‖W‖F differs by more than {NORM_DISTANCE}: another scale moves alpha_hat"
        )
    errors = separation(*models)
    if errors is not None and 0.0 < errors <= NORMAL_95:
        notes.append(f"alpha_hat changes by {errors:.2g} of its errors: not separated")
    return tuple(notes)


def _layer_change(before: LayerReport, after: LayerReport, how: str) -> LayerChange:
    old, new = before.means or {}, after.means or {}
    numbers = {name: change(old[name], new[name]) for name in NUMBERS}
    norms = (_power_of_ten(means["log10_frobenius_norm"]) for means in (old, new))
    largest = max(
        relative(numbers["alpha"].before, numbers["alpha"].after),
        relative(numbers["lambda_max"].before, numbers["lambda_max"].after),
        relative(*norms),
    )
    return LayerChange(before.name, after.name, how, largest, numbers)


def _power_of_ten(log: float | None) -> float | None:
    return None if log is None else 10.0**log


def change(before: float | None, after: float | None) -> Change:
    """Compare a number before and after.

    >>> change(2.0, 2.5)
    Change(before=2.0, after=2.5, difference=0.5)
    """
    difference = None if before is None or after is None else after - before
    return Change(before, after, difference)


def relative(before: float | None, after: float | None) -> float:
    """Difference over the larger of two non-negative numbers; 1 if only one is defined.

    Spec: AUD-21.

    >>> relative(2.0, 2.5), relative(None, 2.0), relative(None, None)
    (0.2, 1.0, 0.0)
    """
    if before == after:
        return 0.0
    if before is None or after is None:
        return 1.0
    return abs(after - before) / max(abs(before), abs(after))

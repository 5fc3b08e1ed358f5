"""`fit_sample`: a power law, or another, in numbers that are not weight matrices."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from htsr_ref.conventions import DEFAULT, Convention, get_convention
from htsr_ref.errors import SampleError
from htsr_ref.samples.examining import examine_law, examine_sample
from htsr_ref.samples.samples import read_sample

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from htsr_ref.powerlaw import KsKind
    from htsr_ref.powerlaw.fit import XminRule
    from htsr_ref.samples.examining import Progress
    from htsr_ref.samples.sample_report import SampleReport


def fit_sample(
    sample: ArrayLike | os.PathLike[str],
    convention: Convention | str | None = None,
    *,
    key: str | None = None,
    name: str | None = None,
    law: str | None = None,
    xmin: float | XminRule | None = None,
    ks: KsKind | None = None,
    gof: int = 0,
    bootstrap: int = 0,
    compare: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> SampleReport:
    """Fit a power law to any positive sample and say how far to trust it.

    Parameters
    ----------
    sample : (n,) real, positive, in any order; or a .npy, .npz or text file.
    convention : whose fit to follow, the default if None; not with `law`.
    key : name of the array of an .npz file.
    name : where the numbers come from.
    law : another law to fit, whose xmin is searched by the rule "ks" unless it is given.
    xmin : the threshold or the rule for it, in place of the convention's.
    ks : "two-sided" or "one-sided", in place of the convention's.
    gof, bootstrap : replicas that test the fit, and that give intervals; 0 for none.
    compare : whether to compare with other laws.
    seed : of the random choices.
    progress : called with the replicas done and their total.

    Raises
    ------
    HtsrError
        The file cannot be read, a value is not positive, nothing can be fitted, or two options do
        not go together.

    Spec: PL-7, PL-17, PL-18, PL-55, PL-73, CNV-21.

    >>> fit_sample([1.0, 2.0, 3.0, 5.0], xmin=2.0).fit.tail_size
    3
    """
    if isinstance(sample, (str, os.PathLike)):
        name = Path(sample).name if name is None else name
        sample = read_sample(sample, key)
    elif key is not None:
        raise SampleError("key names an array of an .npz file, and numbers are given. Leave it out")
    name = "sample" if name is None else name
    try:
        if law is not None:
            if convention is not None or gof or bootstrap or compare:
                raise SampleError(
                    "law gives a fit alone. Leave out convention, gof, bootstrap and compare"
                )
            return examine_law(
                sample,
                name,
                law,
                ks=ks or "two-sided",
                xmin="ks" if xmin is None else xmin,
                progress=progress,
            )
        return examine_sample(
            sample,
            name,
            get_convention(DEFAULT if convention is None else convention, _changes(xmin, ks)),
            gof=gof,
            replicas=bootstrap,
            compare=compare,
            seed=seed,
            progress=progress,
        )
    except SampleError as error:
        raise type(error)(f"{name}: {error}") from error


def _changes(xmin: float | XminRule | None, ks: KsKind | None) -> dict[str, Any]:
    """Fields that stand in place of a convention's; the median is that of all values."""
    changes: dict[str, Any] = {}
    if xmin is not None:
        changes |= {"xmin": xmin, "xmin_position": 2.0 if xmin == "median" else None}
    if ks is not None:
        changes["ks"] = ks
    return changes

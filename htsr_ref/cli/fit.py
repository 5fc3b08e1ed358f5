"""`htsr fit`."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from htsr_ref.cli import options, output
from htsr_ref.cli.progress import amount_bar
from htsr_ref.conventions import DEFAULT, FIT_FIELDS
from htsr_ref.errors import HtsrError

if TYPE_CHECKING:
    from htsr_ref.conventions import Convention
    from htsr_ref.powerlaw.fit import XminRule

EPILOG = "Example: htsr fit eigenvalues.txt --compare --gof 2500"
_RULES = ("ks", "median", "peak", "peak-slip", "grid")
_LAWS = (
    "truncated_power_law",
    "bounded_power_law",
    "lognormal",
    "stretched_exponential",
    "exponential",
)


def _complete_set(incomplete: str) -> list[str]:
    return [text for text in options.complete_set(incomplete) if text.startswith(FIT_FIELDS)]


def fit(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA", help="A .npy or .npz file, or text of numbers; - for standard input."
        ),
    ],
    key: Annotated[
        str | None, typer.Option("--key", metavar="NAME", help="Array of an .npz file.")
    ] = None,
    xmin: Annotated[
        str | None,
        typer.Option(
            "--xmin",
            metavar="RULE|NUMBER",
            autocompletion=lambda: list(_RULES),
            help=f"The threshold, or how to choose it: {', '.join(_RULES)}. "
            "Short for --set xmin=….",
        ),
    ] = None,
    ks: Annotated[
        Literal["two-sided", "one-sided"] | None,
        typer.Option(
            "--ks",
            help="Both ends of each step (the definition), or the lower only. Short for "
            "--set ks=….",
        ),
    ] = None,
    law: Annotated[
        str | None,
        typer.Option(
            "--law",
            metavar="LAW",
            autocompletion=lambda: list(_LAWS),
            help=f"Fit another law instead: {', '.join(_LAWS)}; --xmin and --ks are ks and "
            "two-sided then if they are not given.",
        ),
    ] = None,
    convention: Annotated[
        str | None,
        options.convention_option(
            f"Fit as a convention fits eigenvalues, {DEFAULT} by default: see "
            "`htsr conventions`. Its choices about matrices, such as limits of size, play no part."
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            autocompletion=_complete_set,
            help="Change one choice of the convention about the fit, such as xmax=largest. "
            "Repeatable.",
        ),
    ] = None,
    gof: Annotated[
        int,
        typer.Option(
            "--gof",
            metavar="N",
            min=0,
            help="Test the fit with N replicas; 2500 give p to ±0.01, 0 makes no test.",
        ),
    ] = 0,
    replicas: Annotated[
        int,
        typer.Option("--bootstrap", metavar="N", min=0, help="Intervals from N resamples."),
    ] = 0,
    compare: Annotated[
        bool, typer.Option("--compare", help="Compare with other heavy-tailed laws.")
    ] = False,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", min=0, help="Seed of the random choices.")
    ] = 0,
    json: options.JsonOption = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot", metavar="PATH", help="Draw density, survival function, fit and thresholds."
        ),
    ] = None,
    out: options.TextOrJsonOption = None,
    quiet: options.QuietOption = False,
) -> None:
    """Fit a power law to any positive sample and say how far to trust it."""
    form = output.text_or_json(json, out, "the fit of a sample is text or JSON")

    if law is not None and (gof or replicas or compare or plot):
        raise HtsrError("--law gives a fit alone: leave out --gof, --bootstrap, --compare, --plot")
    if law is not None and (convention is not None or set_ is not None):
        raise HtsrError("--law is no choice of a convention: leave out --convention and --set")
    output.check_writable(out, data, convention)
    output.check_figure(plot, data, convention)

    from htsr_ref.samples.fitting import fit_sample
    from htsr_ref.samples.samples import parse_sample, read_sample

    chosen = None if law else _fit_convention(convention or DEFAULT, set_ or [])
    if data != "-":
        sample, name = read_sample(data, key), Path(data).name
    elif key is None:
        sample, name = parse_sample(sys.stdin.read(), "standard input"), "standard input"
    else:
        raise HtsrError("--key names an array of an .npz file, and DATA is text. Leave it out")
    with amount_bar("reading") as show:
        report = fit_sample(
            sample,
            chosen,
            name=name,
            law=law,
            xmin=_threshold(xmin),
            ks=ks,
            gof=gof,
            bootstrap=replicas,
            compare=compare,
            seed=seed,
            progress=partial(show, "replicas" if law is None else "thresholds"),
        )
    if plot is not None and report.convention is not None:
        from htsr_ref.analysis.tail_view import view_sample
        from htsr_ref.plots import save_figure, tail_figure, title_lines
        from htsr_ref.reports.markdown import convention_text

        title = title_lines(report.name, f"convention {convention_text(report.convention)}")
        view = view_sample(sample, report.fit, report.convention, report.comparisons)
        save_figure(tail_figure(view, title), plot)
    output.emit(report.to_json() if form == "json" else str(report), out)


def _fit_convention(name: str, overrides: list[str]) -> "Convention":
    """Build the convention; a choice that the fit would not follow is refused."""
    chosen = options.convention_of(name, overrides)
    for field in (text.partition("=")[0].strip() for text in overrides):
        if field not in FIT_FIELDS:
            raise HtsrError(
                f"--set {field}: it concerns matrices, and a sample is not one. A fit follows "
                f"{', '.join(FIT_FIELDS)}"
            )
    return chosen


def _threshold(text: str | None) -> "float | XminRule | None":
    if text is None or text in _RULES:
        return cast("XminRule | None", text)
    try:
        return float(text)
    except ValueError:
        raise HtsrError(f"--xmin {text!r}: give a number or one of {', '.join(_RULES)}") from None

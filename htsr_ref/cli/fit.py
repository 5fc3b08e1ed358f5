"""`htsr fit`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from htsr_ref.cli import options, output
from htsr_ref.conventions import CONVENTIONS, DEFAULT, FIT_FIELDS
from htsr_ref.errors import HtsrError, SampleError

if TYPE_CHECKING:
    from htsr_ref.conventions import Convention
    from htsr_ref.powerlaw.fit import XminRule
    from htsr_ref.samples.sample_report import SampleReport

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
        typer.Option(
            "--convention",
            metavar="NAME|FILE",
            autocompletion=lambda: list(CONVENTIONS),
            help=f"Fit as a convention fits eigenvalues, {DEFAULT} by default: see "
            "`htsr conventions`. Its choices about matrices, such as limits of size, play no part.",
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
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the random choices.")] = 0,
    json: options.JsonOption = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot", metavar="PATH", help="Draw density, survival function, fit and thresholds."
        ),
    ] = None,
    out: options.TextOrJsonOption = None,
) -> None:
    """Fit a power law to any positive sample and say how far to trust it."""
    form = output.text_or_json(json, out, "the fit of a sample is text or JSON")

    if law is not None and (gof or replicas or compare or plot):
        raise HtsrError("--law gives a fit alone: leave out --gof, --bootstrap, --compare, --plot")
    if law is not None and (convention is not None or set_ is not None):
        raise HtsrError("--law is no choice of a convention: leave out --convention and --set")
    output.check_writable(out, data, convention)
    output.check_figure(plot, data, convention)

    from htsr_ref.analysis.analyzing import Progress
    from htsr_ref.samples.examining import examine_law, examine_sample
    from htsr_ref.samples.samples import parse_sample, read_sample

    threshold = _threshold(xmin)
    chosen = _fit_convention(convention or DEFAULT, _with_short_forms(set_, xmin, ks))
    if data != "-":
        sample, name = read_sample(data, key), Path(data).name
    elif key is None:
        sample, name = parse_sample(sys.stdin.read(), "standard input"), "standard input"
    else:
        raise HtsrError("--key names an array of an .npz file, and DATA is text. Leave it out")
    with _named(name), output.progress_bar() as show:

        def progress(done: int, total: int) -> None:
            show(Progress("replicas" if law is None else "thresholds", done, total))

        if law is not None:
            report = examine_law(
                sample, name, law, ks=ks or "two-sided", xmin=threshold, progress=progress
            )
        else:
            report = examine_sample(
                sample,
                name,
                chosen,
                gof=gof,
                replicas=replicas,
                compare=compare,
                seed=seed,
                progress=progress,
            )
    if plot is not None:
        from htsr_ref.analysis.tail_view import view_sample
        from htsr_ref.plots import save_figure, tail_figure, title_lines
        from htsr_ref.reports.markdown import convention_text

        title = title_lines(report.name, f"convention {convention_text(chosen)}")
        view = view_sample(sample, report.fit, chosen, report.comparisons)
        save_figure(tail_figure(view, title), plot)
    output.emit(report.to_json() if form == "json" else _text(report), out)


def _with_short_forms(set_: list[str] | None, xmin: str | None, ks: str | None) -> list[str]:
    """Write --xmin and --ks as --set writes them; --xmin median is the half of the values."""
    short = []
    if xmin is not None:
        position = "2" if xmin == "median" else "none"
        short += [f"xmin={xmin}", f"xmin_position={position}"]
    if ks is not None:
        short.append(f"ks={ks}")
    return [*short, *(set_ or [])]


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


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Say of which sample an error speaks."""
    try:
        yield
    except SampleError as error:
        raise SampleError(f"{name}: {error}") from error


def _threshold(text: str | None) -> "float | XminRule":
    if text is None:
        return "ks"
    if text in _RULES:
        return cast("XminRule", text)
    try:
        return float(text)
    except ValueError:
        raise HtsrError(f"--xmin {text!r}: give a number or one of {', '.join(_RULES)}") from None


def _text(report: "SampleReport") -> str:
    from htsr_ref.reports.markdown import convention_text

    fit = report.fit
    head = f"{report.name}: {report.sample_size} values"
    rule = "" if report.xmin_rule is None else f"  (rule: {report.xmin_rule})"
    end = "" if fit.xmax is None else f", xmax {fit.xmax:.6g}"
    if report.law is not None:
        lines = [f"{head}, {report.law}"]
        for name, value in report.parameters.items():
            error = report.stderr.get(name)
            lines.append(f"{name:<12} {value:.6g}" + ("" if error is None else f" ± {error:.2g}"))
    else:
        convention = report.convention
        low, high = fit.ci95
        lines = [
            head if convention is None else f"{head}; convention {convention_text(convention)}",
            f"alpha        {fit.alpha:.4f} ± {fit.stderr:.4f}, "
            f"95 % {low:.4f} … {high:.4f} (xmin taken as known)",
        ]
    lines += [
        f"xmin         {fit.xmin:.6g}{end}{rule}",
        f"tail         {fit.tail_size} values, {fit.tail_size / report.sample_size:.0%}",
        f"D            {fit.ks_distance:.4f}  ({fit.ks})",
    ]
    if report.log_likelihood is not None:
        lines.append(f"ln L         {report.log_likelihood:.4f}")
    if report.extreme_value is not None:
        extreme = report.extreme_value
        alpha = extreme.implied_alpha
        implied = "" if alpha is None else f", which implies alpha {alpha:.3f}"
        lines.append(
            f"ξ            {extreme.xi:.3f} ± {extreme.stderr:.3f} from {extreme.k} values: "
            f"{extreme.verdict}{implied}"
        )
    if report.alpha_bootstrap95 is not None:
        low, high = report.alpha_bootstrap95
        lines.append(f"bootstrap    alpha 95 % {low:.4f} … {high:.4f}")
    if report.xmin_bootstrap95 is not None:
        low, high = report.xmin_bootstrap95
        lines.append(f"             xmin  95 % {low:.6g} … {high:.6g}")
    if report.p_value is not None:
        lines.append(
            f"p            {report.p_value:.4f}  ({report.gof_replicas} replicas, "
            f"seed {report.seed})"
        )
    for law, test in report.comparisons.items():
        if test is None:
            continue  # A warning says why.
        p_value = "undefined" if test.p_value is None else f"{test.p_value:.3g}"
        lines.append(
            f"against {law}: log-likelihood ratio {test.log_likelihood_ratio:.3f}, "
            f"p {p_value}, favors {test.favored or 'neither'}"
        )
    lines += [f"warning: {text}" for text in report.warnings]
    return "\n".join(lines) + "\n"

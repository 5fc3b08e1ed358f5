"""The report of a sample as text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from htsr_ref.reports.markdown import convention_text

if TYPE_CHECKING:
    from htsr_ref.samples.sample_report import SampleReport


def sample_text(report: SampleReport) -> str:
    """Say what was found, a line for each number."""
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

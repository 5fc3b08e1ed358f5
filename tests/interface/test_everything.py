"""Whatever a command can do, Python can: by an argument of the function, or by what it returns."""

import inspect

import pytest
import typer

import htsr_ref
from htsr_ref.cli.main import app
from htsr_ref.reports.report import Report

COMMANDS = typer.main.get_command(app).commands
WEIGHTS = {"file": "source", "keep_converted": None}
CHOICES = {"convention": "convention", "set_": "convention"}
FORMS = dict.fromkeys(("json", "csv", "markdown", "out"))
TABLE = dict.fromkeys(("columns", "sort", "skipped"))
FIGURES = {"plot": None}
SILENCE = {"quiet": None}
SAME = {name: name for name in ("layers", "include", "exclude", "solver")}
CACHE = {"cache": "cache", "cache_size": None}
MACHINE = {"jobs": "jobs", "max_memory": "max_memory", **CACHE}
MANY = {
    "files": "sources",
    "everything": "everything",
    **SAME,
    **CHOICES,
    **MACHINE,
    **FORMS,
    **SILENCE,
}
MATRICES = (
    *("minus", "base", "gof", "compare", "shuffles", "seed"),
    *("jobs", "blas_threads", "max_memory", "digest"),
)
ENSEMBLE = (
    *("mu", "dof", "alpha", "xmin", "rho", "rank", "strength", "weight", "scale", "sigma"),
    *("spikes", "singular_values"),
)
OF_WEIGHTS = (
    *("layers", "include", "exclude", "convention", "set_", "solver", "quiet"),
    *("jobs", "max_memory", "cache", "cache_size"),
)
"""Options of `htsr report` that say how weights are analyzed, as `analyze` takes them."""

IN_PYTHON = {
    "analyze": {
        **WEIGHTS,
        **SAME,
        **CACHE,
        **CHOICES,
        **FORMS,
        **FIGURES,
        **SILENCE,
        **{name: name for name in MATRICES},
        "null": "shuffles",
        **TABLE,
        "resume": "journal",
        "dask": "executor",
        **dict.fromkeys(("per", "spark", "fail_if", "expect", "allow_skipped")),
        "files": "source",
        **dict.fromkeys(("manifest", "skip_existing", "part")),
    },
    "describe": {**WEIGHTS, **SAME, **CHOICES, **FORMS, **TABLE},
    "convert": {**WEIGHTS, "out": "path", "dtype": "dtype", **SAME, **SILENCE},
    "spectrum": {
        **WEIGHTS,
        **CACHE,
        **CHOICES,
        **FORMS,
        **FIGURES,
        **SILENCE,
        **{name: name for name in ("layer", "matrix", "layers", "solver")},
        **dict.fromkeys(("include", "exclude")),
    },
    "fit": {
        "data": "sample",
        "replicas": "bootstrap",
        **{name: name for name in ("key", "xmin", "ks", "law", "gof", "compare", "seed")},
        **CHOICES,
        **FORMS,
        **FIGURES,
        **SILENCE,
    },
    "rank": MANY,
    "report": {"files": "reports", "out": None, **dict.fromkeys(OF_WEIGHTS)},
    "trend": {
        **MANY,
        **FIGURES,
        **{name: name for name in ("accuracy", "column", "resamples", "seed")},
        "time": None,
    },
    "watch": {
        **{name: name for name in ("places", "interval", "once", "jobs", "max_memory")},
        **SAME,
        **CHOICES,
        **FORMS,
        **SILENCE,
        **dict.fromkeys(("until", "fail_if", "reports")),
    },
    "diff": {
        **MANY,
        **FIGURES,
        "before": "before",
        "after": "after",
        "fail_if_changed": None,
    },
    "audit": {
        "weights": "source",
        "theirs": "theirs",
        "map_": "columns",
        "keep_converted": None,
        "changes": "changes",
        **SAME,
        **CACHE,
        **CHOICES,
        **FORMS,
        **FIGURES,
        **SILENCE,
    },
    "synth": {
        **{name: name for name in ("path", "ensemble", "shape", "layers", "seed", "force")},
        **dict.fromkeys(ENSEMBLE, "parameters"),
    },
    "validate": {**WEIGHTS, **SAME, **SILENCE, "source": "made_from"},
}
"""Python's argument for every option of a command; None where what is returned does it."""

RETURNED = {
    "analyze": ("to_json", "to_csv", "to_markdown", "failures", "bad_layers", "plot", "load"),
    "describe": ("to_json",),
    "spectrum": ("positive", "eigenvalues"),
    "rank": ("to_json", "to_csv", "to_markdown"),
    "trend": ("to_json", "to_csv", "to_markdown"),
    "over_time": ("to_json", "to_csv", "to_markdown"),
    "watch": ("report",),
    "diff": ("to_json", "to_markdown", "identical"),
    "fit_sample": ("to_json",),
    "audit": ("to_json", "to_markdown", "counts"),
}
"""What the records have that functions return, for what is no argument."""

OTHERWISE = {"fit": "fit_sample", "report": "report_page"}
"""Functions of other names than their commands."""

ELSEWHERE = {"show", "conventions", "help", "merge", "cache"}
"""Commands that are no function: `Report.load`, the module `conventions`, `help()`; parts are
files of the command line, where Python gives the layers to an executor; and what a look into a
folder does."""


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - ELSEWHERE))
def test_every_option_is_an_argument_or_what_is_returned(command):
    function = getattr(htsr_ref, OTHERWISE.get(command, command))
    arguments = set(inspect.signature(function).parameters)
    options = {param.name for param in COMMANDS[command].params} - {"help"}
    assert options <= IN_PYTHON[command].keys()
    used = {IN_PYTHON[command][name] for name in options} - {None}
    assert used <= arguments


def test_what_is_returned_does_the_rest():
    records = {
        "analyze": Report,
        "describe": htsr_ref.Description,
        "spectrum": htsr_ref.Spectrum,
        "rank": htsr_ref.Ranking,
        "trend": htsr_ref.TrendReport,
        "over_time": htsr_ref.Course,
        "watch": htsr_ref.Checkpoint,
        "diff": htsr_ref.Difference,
        "fit_sample": htsr_ref.SampleReport,
        "audit": htsr_ref.AuditReport,
    }
    for function, members in RETURNED.items():
        fields = {*dir(records[function]), *records[function].__dataclass_fields__}
        assert set(members) <= fields


def test_commands_without_a_function():
    assert {name for name in COMMANDS if not hasattr(htsr_ref, name)} == {
        *OTHERWISE,
        *ELSEWHERE - {"conventions"},
    }
    assert set(htsr_ref.conventions.__all__) >= {"CONVENTIONS", "CITATIONS", "FIELDS"}

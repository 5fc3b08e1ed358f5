"""The public interface: its names, its signatures, and how it shows itself."""

import inspect
import pydoc
import subprocess
import sys
from dataclasses import is_dataclass
from pathlib import Path

import numpy as np
import pytest
from commands import environment

import htsr_ref

ARGUMENTS = {
    "analyze": "source convention layers include exclude minus base solver gof compare shuffles "
    "seed jobs blas_threads max_memory cache store journal executor digest progress",
    "audit": "source theirs convention columns changes layers include exclude solver cache",
    "check_expected": "report source",
    "convert": "source path layers include exclude dtype progress",
    "describe": "source convention layers include exclude solver",
    "diff": "before after convention layers include exclude solver jobs max_memory cache",
    "fit_power_law": "sample ks xmin",
    "fit_sample": "sample convention key name law xmin ks gof bootstrap compare seed progress",
    "get_convention": "convention overrides",
    "open_weights": "source layers facts_first keep_converted",
    "over_time": "sources convention layers include exclude solver jobs max_memory cache "
    "everything",
    "rank": "sources convention layers include exclude solver jobs max_memory cache everything",
    "report_page": "reports spectra",
    "spectrum": "source layer matrix convention layers solver cache store",
    "synth": "path ensemble shape layers seed force parameters",
    "trend": "sources accuracy convention column layers include exclude solver jobs "
    "max_memory cache resamples seed everything",
    "validate": "source layers include exclude made_from",
    "watch": "places convention layers include exclude solver jobs max_memory interval once "
    "left_out notice progress",
    "write_weights": "path arrays tensors source format extra",
}
"""Functions and their arguments, in order: who changes them changes what users wrote."""

RECORDS = {
    *("AuditReport", "Change", "Checkpoint", "Convention", "Converted", "Course"),
    *("DescribedLayer", "DescribedMatrix"),
    *("Description", "Difference", "ExpectationCheck", "ExtremeValue", "LawComparison", "Layer"),
    *("LayerChange", "LayerReport", "MatrixReport", "ModelReport", "Progress", "RankedModel"),
    *("Ranking", "Report"),
    *("SampleReport", "Source", "Spectrum", "TailFit", "TensorSpec", "Trend", "TrendReport"),
    *("Validation", "Weights"),
}

ERRORS = {
    *(
        "CacheError",
        "ChangedWeightsError",
        "ConventionError",
        "EnsembleError",
        "ExecutorError",
        "ExpectationError",
        "GateError",
        "HtsrError",
    ),
    *(
        "JournalError",
        "LayerError",
        "NoFitError",
        "OutputError",
        "ReportError",
        "SampleError",
        "TableError",
    ),
    "WeightFileError",
}


def test_the_interface_is_what_it_was():
    names = {*ARGUMENTS, *RECORDS, *ERRORS, "conventions", "__version__"}
    assert set(htsr_ref.__all__) == names


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments(name):
    found = inspect.signature(getattr(htsr_ref, name)).parameters
    assert " ".join(found) == ARGUMENTS[name]


def test_records_are_frozen_and_errors_are_of_one_family():
    for name in RECORDS:
        record = getattr(htsr_ref, name)
        assert is_dataclass(record), name
        assert record.__dataclass_params__.frozen, name
    assert all(issubclass(getattr(htsr_ref, name), htsr_ref.HtsrError) for name in ERRORS)


def test_dir_shows_the_interface_and_nothing_else():
    assert dir(htsr_ref) == sorted(htsr_ref.__all__)
    namespace = {}
    exec("from htsr_ref import *", namespace)
    assert set(htsr_ref.__all__) <= set(namespace)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_help_fits_a_screen(name):
    text = pydoc.plaintext.document(getattr(htsr_ref, name))
    assert 8 < text.count("\n") <= 50
    if name == "analyze":
        assert 24 <= text.count("\n") <= 48


def test_a_name_that_does_not_exist():
    with pytest.raises(AttributeError, match="module 'htsr_ref' has no attribute 'analyse'"):
        htsr_ref.analyse  # noqa: B018 - the access itself raises


def test_a_report_prints_as_a_table_and_shows_as_a_line(htsr, examples):
    report = htsr_ref.analyze(examples[0])
    assert htsr("analyze", examples[0]).out == str(report)
    layer = next(layer for layer in report.layers if layer.matrices)
    for record in (report, layer, layer.matrices[0], htsr_ref.describe(examples[0])):
        assert repr(record).startswith(f"<{type(record).__name__}")
        assert repr(record).isprintable()
        assert len(repr(record)) < 120


@pytest.fixture
def examples():
    return sorted((Path(__file__).parents[2] / "spec" / "examples").glob("mlp_*.safetensors"))


def test_a_convention_by_name_file_or_itself(tmp_path):
    weights = {"fc": np.random.default_rng(0).standard_t(3, (60, 40))}
    mine = tmp_path / "mine.toml"
    mine.write_text('name = "mine"\nbase = "weightwatcher-0.7.7"\n')
    by_name, by_file, by_alias, itself = (
        htsr_ref.analyze(weights, convention)
        for convention in (
            "weightwatcher-0.7.7",
            str(mine),
            "weightwatcher",
            htsr_ref.get_convention("weightwatcher"),
        )
    )
    assert by_name == by_alias == itself
    assert by_name.layers == by_file.layers
    assert by_file.convention.name == "mine"
    with pytest.raises(htsr_ref.ConventionError, match="Did you mean 'sdm2020'"):
        htsr_ref.analyze(weights, "smd2020")


SCRIPT = """
import numpy as np
import htsr_ref
from htsr_ref import analyze, rank

report = analyze({"fc": np.ones((3, 2))}, "weightwatcher", gof=0, compare=True)
reveal_type(report)
reveal_type(report.layers[0].matrices[0].alpha)
reveal_type(htsr_ref.spectrum("x.safetensors", "fc").eigenvalues)
reveal_type(htsr_ref.fit_sample([1.0, 2.0]).p_value)
reveal_type(htsr_ref.open_weights("x.npz").layers)
reveal_type(htsr_ref.diff("a", report))
reveal_type(htsr_ref.conventions.CONVENTIONS)
analyze(3)
analyze("x", gof="many")
"""


@pytest.mark.slow
def test_a_checker_of_types_sees_the_types(tmp_path):
    pytest.importorskip("mypy")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", str(script)],
        env={**environment(), "MYPYPATH": str(Path(htsr_ref.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    of_script = [line for line in done.stdout.splitlines() if line.startswith("script.py")]
    revealed = [line.partition("is ")[2].strip('"') for line in of_script if "note: Rev" in line]
    assert revealed[0] == "htsr_ref.reports.report.Report"
    assert revealed[1] in ("float | None", "Union[builtins.float, None]", "builtins.float | None")
    assert "float64" in revealed[2]
    assert "tuple[htsr_ref.weights.layer.Layer, ...]" in revealed[4]
    assert revealed[5] == "htsr_ref.models.difference.Difference"
    errors = [line for line in of_script if "error:" in line]
    assert len(errors) == 2
    assert 'Argument 1 to "analyze"' in errors[0]
    assert 'Argument "gof" to "analyze"' in errors[1]

"""htsr_ref against every golden vector, one test a case.

The format of the vectors and the rules of comparison: spec/vectors/README.md.
"""

import json
import math
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest import mock

import jsonschema
import numpy as np
import pytest
from schemas import MODEL_MEANS

from htsr_ref.analysis import analyzing as analysis
from htsr_ref.analysis import fitting, layer_analysis, matrix_analysis
from htsr_ref.analysis.bad_entries import first_nonfinite
from htsr_ref.conventions import SDM2020_TEXT
from htsr_ref.errors import LayerError, NoFitError, SampleError
from htsr_ref.layers.matrices import matrix_from_array
from htsr_ref.powerlaw import TailFit, fit_power_law
from htsr_ref.powerlaw.distributions import PowerLaw
from htsr_ref.reports.report import MatrixReport
from htsr_ref.spectra.eigenvalues import Spectrum, spectrum
from htsr_ref.spectra.solvers import NonFiniteError

SPEC = Path(__file__).parents[2] / "spec"
FILES = sorted((SPEC / "vectors").glob("*.json"))
DOCUMENTS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FILES}
STORED_TYPES = {"binary64": np.float64, "binary32": np.float32, "binary16": np.float16}
METRICS = DOCUMENTS["met"]["keys"].keys() & {field.name for field in fields(MatrixReport)}

Json = Any


# Comparison


def mismatches(expected: Json, got: Json, tolerance: Json, path: str) -> Iterator[str]:
    """Describe every number of `got` that is not the expected one, by the rules of README.md."""
    if isinstance(expected, dict) and isinstance(got, dict) and got.keys() == expected.keys():
        for key, value in expected.items():
            yield from mismatches(value, got[key], tolerance, f"{path}.{key}")
    elif isinstance(expected, list) and isinstance(got, list) and len(got) == len(expected):
        for i, value in enumerate(expected):
            own = tolerance and {kind: pick(bounds, i) for kind, bounds in tolerance.items()}
            yield from mismatches(value, got[i], own, f"{path}[{i}]")
    elif not agrees(expected, got, tolerance):
        yield f"{path} is {got!r}, expected {expected} within {tolerance or 'nothing'}"


def pick(bounds: str | list[str], index: int) -> str:
    return bounds[index] if isinstance(bounds, list) else bounds


def agrees(expected: Json, got: Json, tolerance: dict[str, str] | None) -> bool:
    """Compare two scalars, in exact arithmetic where there is a tolerance."""
    if not isinstance(got, float):
        return type(got) is type(expected) and got == expected
    if not isinstance(expected, str) or not math.isfinite(got):
        return False
    if tolerance is None:
        return got == float(expected)
    [(kind, bound)] = tolerance.items()
    reference = abs(Fraction(expected)) if kind == "relative" else 1
    return abs(Fraction(got) - Fraction(expected)) <= Fraction(bound) * reference


# Adapters: the input of a case -> what htsr_ref makes of it, in the form of `expected`


def compute_spectrum(given: Json) -> Json:
    W = np.array([[float(entry) for entry in row] for row in given["matrix"]])
    stored = W.astype(STORED_TYPES[given["stored_type"]])
    np.testing.assert_array_equal(stored, W)
    try:
        found = spectrum(stored, normalization=given["normalization"], solver=given["solver"])
    except NonFiniteError:
        index = first_nonfinite(matrix_from_array(W).data)
        return {"error": {"kind": "bad-entry", "index": index and list(index)}}
    except LayerError:
        return {"error": {"kind": "out-of-range"}}
    return {
        "N": found.N,
        "M": found.M,
        "solver": found.solver,
        "eigenvalues": found.eigenvalues.tolist(),
        "num_zero": found.num_zero,
        "rank": found.rank,
    }


def compute_fit(given: Json) -> Json:
    sample = [float(value) for value in given["sample"]]
    try:
        fit = fit_power_law(sample, ks=given["ks"], xmin=given["xmin"])
    except NoFitError as error:
        reasons = {"one positive": "one-value", "are equal": "all-equal"}
        reason = [name for words, name in reasons.items() if words in str(error)]
        return {"error": {"kind": "no-fit", "reason": reason[0] if reason else str(error)}}
    except SampleError as error:
        found = re.search(r"value (\d+) of the sample is (\S+):", str(error))
        index = int(found[1]) if found else None
        if found:
            assert float(found[2]) == sample[int(found[1])] or found[2] == "nan"
        return {"error": {"kind": "bad-sample", "index": index}}
    return {
        "alpha": fit.alpha,
        "xmin": fit.xmin,
        "tail_size": fit.tail_size,
        "sample_size": fit.sample_size,
        "ks_distance": fit.ks_distance,
        "stderr": fit.stderr,
        "ci95": list(fit.ci95),
    }


def compute_metrics(given: Json) -> Json:
    """Follow the path of a report, with the spectrum and the fit replaced by the given ones."""
    M, alpha = given["M"], given["alpha"]
    eigenvalues = np.array(given["eigenvalues"])
    scale = 1 / given["N"] if given["normalization"] == "1/N" else 1.0
    given_spectrum = Spectrum(eigenvalues, given["N"], M, scale, "gram", 2.0**-53)
    assert given_spectrum.rank == given["rank"]
    # xmin enters none of these metrics; 5e-324 lies below every positive eigenvalue.
    law = PowerLaw(alpha, 5e-324) if alpha is not None else None
    positive = int(np.count_nonzero(eigenvalues > 0))
    fit = TailFit(law, 0, positive, 0.1, "two-sided", 0) if law is not None else None
    with (
        mock.patch.object(matrix_analysis, "spectrum_under", return_value=given_spectrum),
        mock.patch.object(fitting, "fit_power_law", side_effect=[fit or NoFitError("given")]),
    ):
        report = matrix_analysis.analyze_matrix(matrix_from_array(np.eye(M)), SDM2020_TEXT)
    return {key: getattr(report, key) for key in METRICS}


def compute_means(given: Json) -> Json:
    """Analyze a model of convolutions, a kernel position a matrix, whose metrics are given."""
    prepared = [matrix_report(numbers) for layer in given["layers"] for numbers in layer]
    kernels = {f"{i}": np.ones((2, 2, 1, len(layer))) for i, layer in enumerate(given["layers"])}
    alpha_range = given["alpha_range"] and tuple(given["alpha_range"])
    convention = replace(SDM2020_TEXT, min_dim=0, average=given["average"], alpha_range=alpha_range)
    with mock.patch.object(layer_analysis, "analyze_matrix", side_effect=prepared):
        report = analysis.analyze(kernels, convention)
    model, line = report.model, report.model.pl_norm_relation
    return {
        **{key: getattr(model, key) for key in (*MODEL_MEANS, "counts")},
        "layer_counts": [
            {key: layer.counts[key] for key in MODEL_MEANS.values()} for layer in report.layers
        ],
        "layer_means": [
            {key: layer.means[key] for key in MODEL_MEANS.values()} for layer in report.layers
        ],
        "pl_norm_relation": line and asdict(line),
    }


def matrix_report(numbers: dict[str, float | None]) -> MatrixReport:
    """Make a report of a matrix with these metrics and no others."""
    return MatrixReport(**{field.name: numbers.get(field.name) for field in fields(MatrixReport)})


# The vectors


def cases(chapter: str, prefix: str = "") -> Any:
    """Parametrize a test with the cases whose id begins with a prefix."""
    chosen = [case for case in DOCUMENTS[chapter]["cases"] if case["id"].startswith(prefix)]
    return pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in chosen])


def check(chapter: str, case: Json, compute: Callable[[Json], Json]) -> None:
    """Fail with the case, the requirement and the number, for every number that is wrong."""
    name, expected, got = case["id"], case["expected"], compute(case["input"])
    about = ", ".join(case["requirements"])
    assert got.keys() == expected.keys(), f"{name} breaks {about}: got {got}, expected {expected}"
    failures = [
        f"{name} breaks {DOCUMENTS[chapter]['keys'].get(key, about)}: {text}"
        for key, value in expected.items()
        for text in mismatches(value, got[key], case["tolerance"].get(key), key)
    ]
    assert not failures, "\n".join(failures)


@pytest.mark.spec("MAT-1", "SPC-1", "SPC-2", "SPC-3", "SPC-4", "SPC-5", "SPC-6", "SPC-7")
@cases("spc")
def test_spectrum(case):
    check("spc", case, compute_spectrum)


@pytest.mark.spec("PL-1", "PL-2", "PL-3", "PL-4", "PL-5", "PL-6", "PL-7", "PL-9", "PL-10")
@cases("pl")
def test_power_law(case):
    check("pl", case, compute_fit)


@pytest.mark.spec("MET-1", "MET-2", "MET-3", "MET-4", "MET-5", "MET-6", "MET-7", "MET-8")
@cases("met", "met/matrix/")
def test_metrics_of_a_matrix(case):
    check("met", case, compute_metrics)


@pytest.mark.spec("MET-9", "MET-10", "MET-11")
@cases("met", "met/model/")
def test_metrics_of_a_model(case):
    check("met", case, compute_means)


# The files themselves


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_files_have_the_documented_form(path):
    schema = json.loads((SPEC / "schemas" / "vectors.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(DOCUMENTS[path.stem])
    assert path.stat().st_size <= 150_000


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_cases_name_requirements_that_exist(document):
    pages = (path.read_text(encoding="utf-8") for path in SPEC.glob("*.md"))
    defined = {name for page in pages for name in re.findall(r"(?m)^### (\S+) ", page)}
    named = {name for case in document["cases"] for name in case["requirements"]}
    assert named | set(document["keys"].values()) <= defined
    assert len({case["id"] for case in document["cases"]}) == len(document["cases"])
    for case in document["cases"]:
        assert case["expected"].keys() <= document["keys"].keys() | {"error"}
        assert case["tolerance"].keys() <= case["expected"].keys()


def generate(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-B", str(folder / "generate.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "chapters", [("spc", "met"), pytest.param((), id="all", marks=pytest.mark.slow)]
)
def test_the_committed_files_are_what_the_generator_makes(chapters):
    result = generate(SPEC / "vectors", *chapters, "--check")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_an_edited_file_is_noticed(tmp_path):
    folder = shutil.copytree(SPEC / "vectors", tmp_path / "vectors")
    text = (folder / "met.json").read_text(encoding="utf-8")
    (folder / "met.json").write_text(text.replace("0.", "1.", 1), encoding="utf-8")
    result = generate(folder, "met", "--check")
    assert result.returncode == 1
    assert "met.json" in result.stderr


@pytest.mark.parametrize(
    ("expected", "got", "tolerance", "agree"),
    [
        ("1.5", 1.5, None, True),
        ("1.5", math.nextafter(1.5, 2.0), None, False),
        ("100.0", 100.0 + 0.9e-10, {"relative": "1.0e-12"}, True),
        ("-100.0", -100.0 - 1.1e-10, {"relative": "1.0e-12"}, False),
        ("0.0", 1e-300, {"relative": "1.0e-12"}, False),
        ("100.0", 100.0 + 1e-10, {"absolute": "1.0e-12"}, False),
        ("0.0", -1e-12, {"absolute": "1.1e-12"}, True),
        ("1.0", math.nan, {"absolute": "9.0"}, False),
        ("1.0", None, {"absolute": "9.0"}, False),
        (None, 0.0, None, False),
        (None, None, None, True),
        (3, 3, None, True),
        (3, 4, None, False),
        ("gram", "svd", None, False),
        (["1.0", "2.0"], [1.0], {"absolute": "1.0"}, False),
        (["1.0", "2.0"], [1.5, 2.0], {"absolute": ["1.0", "0.1"]}, True),
        (["1.0", "2.0"], [1.0, 2.5], {"absolute": ["1.0", "0.1"]}, False),
        ({"slope": "1.0"}, {"slope": 2.0}, {"absolute": "0.5"}, False),
        ({"slope": "1.0"}, None, {"absolute": "0.5"}, False),
    ],
)
def test_comparison(expected, got, tolerance, agree):
    assert (not list(mismatches(expected, got, tolerance, "number"))) is agree

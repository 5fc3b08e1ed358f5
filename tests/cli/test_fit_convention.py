"""`htsr fit --convention`: a sample fitted as a matrix's eigenvalues would be."""

import json

import numpy as np
import pytest

from htsr_ref.analysis.fitting import fit_eigenvalues
from htsr_ref.conventions import CONVENTIONS, FIELDS, FIT_FIELDS
from htsr_ref.powerlaw import fit_power_law
from htsr_ref.spectra.accuracy import sample_accuracy

SAMPLE = np.sort(np.random.default_rng(4).pareto(1.5, 120) + 1.0)


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("\n".join(map(repr, map(float, SAMPLE))))
    return path


@pytest.mark.spec("CNV-21")
def test_the_fit_of_a_convention(htsr, data):
    outcome = htsr("fit", data, "--convention", "tempbalance", "--set", "xmin_position=3", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    found = json.loads(outcome.out)
    tail = SAMPLE[40:]
    alpha = 1 + 80 / np.log(tail / tail[0]).sum()
    assert found["alpha"] == pytest.approx(alpha, rel=1e-13)
    assert (found["xmin"], found["tail_size"], found["xmax"]) == (tail[0], 80, None)
    assert found["alpha_ci95"][1] == pytest.approx(alpha + 1.96 * (alpha - 1) / 80**0.5, rel=1e-4)
    assert found["convention"]["overrides"] == ["xmin_position"]
    assert set(FIELDS) <= set(found["convention"])


@pytest.mark.spec("CNV-21")
def test_the_text_names_convention_fit_and_end(htsr, data):
    text = htsr("fit", data, "--convention", "sdm2020").out
    assert "120 values; convention sdm2020\n" in text
    assert f"xmax {SAMPLE[-1]:.6g}" in text
    assert htsr("fit", data).out == text
    fit = fit_power_law(SAMPLE, ks="one-sided")
    other = htsr("fit", data, "--convention", "sdm2020-text", "--set", "ks=one-sided").out
    assert f"alpha        {fit.alpha:.4f} ± {fit.stderr:.4f}" in other
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.spec("CNV-21", "CNV-2")
@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--law", "exponential"], "--law is no choice of a convention"),
        (["--set", "xmin=median"], "needs xmin_position"),
        (["--set", "min_dim=0"], "--set min_dim: it concerns matrices, and a sample is not one"),
        (["--set", " min_eigenvalues = 20"], "--set min_eigenvalues: it concerns matrices"),
        (["--set", "failed_alpha=0"], "A fit follows drop_smallest, eigenvalue_floor, equal"),
    ],
)
def test_what_does_not_go_with_a_convention(htsr, data, flags, complaint):
    outcome = htsr("fit", data, "--convention", "sdm2020-text", *flags)
    assert (outcome.code, outcome.out) == (2, "")
    assert complaint in outcome.err


@pytest.mark.spec("CNV-21")
def test_short_forms_are_choices_of_the_convention(htsr, data):
    long = ("--set", "xmin=median", "--set", "xmin_position=2", "--set", "ks=two-sided")
    short = htsr("fit", data, "--xmin", "median", "--ks", "two-sided").out
    assert short == htsr("fit", data, *long).out
    assert "sdm2020 with xmin = median, xmin_position = 2.0, ks = two-sided" in short


class Recorder:
    """A convention that notes which of its fields are read."""

    def __init__(self, convention):
        self.convention, self.read = convention, set()

    def __getattr__(self, name):
        self.read.add(name)
        return getattr(self.convention, name)


@pytest.mark.spec("CNV-21")
def test_the_fields_that_may_be_set_are_those_that_a_fit_reads():
    read = set()
    for convention in CONVENTIONS.values():
        recorder = Recorder(convention)
        fit_eigenvalues(SAMPLE, sample_accuracy(SAMPLE), recorder)
        read |= recorder.read
    assert read == set(FIT_FIELDS)


@pytest.mark.spec("CNV-21")
def test_every_shipped_convention_fits_a_sample(htsr, data):
    for name in CONVENTIONS:
        assert htsr("fit", data, "--convention", name).code == 0, name

"""`htsr analyze --null shuffle`, as a user calls it."""

import re

import pytest

from htsr_ref import Report, analyze

pytestmark = pytest.mark.spec("RMT-66")


def test_it_gives_the_report_of_the_library(htsr, model):
    outcome = htsr("analyze", model, "--null", "shuffle", "--seed", 7, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    assert Report.from_json(outcome.out) == analyze(model, shuffles=19, seed=7)
    more = htsr("analyze", model, "--null", "shuffle", "--shuffles", 20, "--seed", 7, "--json")
    assert Report.from_json(more.out) == analyze(model, shuffles=20, seed=7)


def test_the_table_gains_the_verdicts(htsr, model):
    plain = htsr("analyze", model).out
    outcome = htsr("analyze", model, "--null", "shuffle")
    assert (outcome.code, outcome.err) == (0, "")
    verdicts = re.findall(r"^fc\d +(neither|correlations) .*$", outcome.out, re.M)
    assert len(verdicts) == 2
    assert "shuffled λmax" in outcome.out
    assert "shuffled" not in plain


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--null", "shuffle", "--shuffles", 18), "19"),
        (("--null", "permute"), "permute"),
        (("--shuffles", 19), "--shuffles is the number of copies for --null shuffle. Add that"),
    ],
)
def test_what_makes_no_sense_is_bad_input(htsr, model, options, message):
    outcome = htsr("analyze", model, *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err

"""The search for the fewest choices, with made-up misses in place of weights."""

import pytest

from htsr_ref.audits.affected import AFFECTED
from htsr_ref.audits.searching import changes_of, search
from htsr_ref.conventions import CONVENTIONS, FIELDS, SDM2020_TEXT

ALL = frozenset({"alpha", "lambda_max", "log10_frobenius_norm", "entropy", "lambda_min", "N"})


def differing(truth, weights=None):
    """Misses one number for each field that differs from a convention."""

    def missed(convention, limit):
        return [
            quantity
            for name, quantity in (weights or {}).items()
            if getattr(convention, name) != getattr(truth, name)
        ]

    return missed


WEIGHTS = {"ks": "alpha", "normalization": "lambda_max", "norms": "log10_frobenius_norm"}


def find(bases, truth, most=3, digits=lambda convention: 15):
    return search(bases, ALL, differing(truth, WEIGHTS), digits, most)


@pytest.mark.spec("AUD-12")
def test_nothing_is_changed_without_need():
    found = find([SDM2020_TEXT], SDM2020_TEXT.override({"rank": "matrix-rank"}))
    assert (dict(found.best.changes), found.ties, found.tried) == ({}, (), 1)


@pytest.mark.spec("AUD-12")
@pytest.mark.parametrize(
    "changes",
    [
        {"ks": "one-sided"},
        {"normalization": "glorot", "ks": "one-sided"},
    ],
)
def test_the_smallest_set_is_found_up_to_the_limit(changes):
    truth = SDM2020_TEXT.override(changes)
    found = find([SDM2020_TEXT], truth, most=len(changes))
    assert dict(found.best.changes) == changes
    assert found.ties == ()
    less = find([SDM2020_TEXT], truth, most=len(changes) - 1)
    assert len(less.best.changes) == len(changes) - 1
    assert less.ties == ()


@pytest.mark.slow
@pytest.mark.spec("AUD-12")
def test_three_changes_are_found_together():
    weights = {"norms": "log10_frobenius_norm", "entropy": "entropy", "lambda_min": "lambda_min"}
    changes = {"norms": "scaled", "entropy": "shifted", "lambda_min": "greatest"}
    missed = differing(SDM2020_TEXT.override(changes), weights)
    found = search([SDM2020_TEXT], frozenset(weights.values()), missed, lambda _: 15, 3)
    assert dict(found.best.changes) == changes
    assert found.ties == ()


@pytest.mark.slow
@pytest.mark.spec("AUD-12")
def test_the_nearest_convention_is_taken_as_the_base():
    truth = CONVENTIONS["weightwatcher-0.2.7"].override({"normalization": "glorot"})
    found = find(list(CONVENTIONS.values()), truth)
    near = [name for name, c in CONVENTIONS.items() if (c.ks, c.norms) == ("one-sided", "scaled")]
    assert found.best.base.name == near[0]
    assert dict(found.best.changes) == {"normalization": "glorot"}
    assert {tie.base.name for tie in found.ties} == set(near[1:])


@pytest.mark.spec("AUD-13")
def test_of_ties_the_closest_comes_first():
    truth = SDM2020_TEXT.override({"ks": "one-sided"})

    def missed(convention, limit):
        return [] if convention.normalization in ("none", "glorot") else ["lambda_max"]

    def digits(convention):
        return 12 if convention.normalization == "glorot" else 8

    found = search([truth], ALL, missed, digits, 2)
    assert dict(found.best.changes) == {"normalization": "glorot"}
    assert [dict(tie.changes) for tie in found.ties] == [{"normalization": "none"}]


@pytest.mark.slow
@pytest.mark.spec("AUD-12")
def test_every_change_makes_sense_and_differs():
    for convention in CONVENTIONS.values():
        for change in changes_of(convention, ALL):
            changed = convention.override(change)
            assert all(getattr(convention, name) != value for name, value in change.items())
            assert all(getattr(changed, name) == value for name, value in change.items())


@pytest.mark.spec("AUD-12")
def test_fields_that_cannot_matter_are_left_alone():
    assert set(AFFECTED) <= set(FIELDS)
    names = {name for change in changes_of(SDM2020_TEXT, frozenset({"entropy"})) for name in change}
    assert {"rank", "entropy", "normalization", "eigenvalue_floor"} <= names
    assert not names & {"ks", "norms", "lambda_min", "log_base", "average", "alpha_range"}

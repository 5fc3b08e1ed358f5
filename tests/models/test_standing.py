"""VRD-9 to VRD-12: what the numbers of a model rest on."""

import math
from dataclasses import replace

import numpy as np
import pytest
from builders import gaussian, power_law_matrix
from model_reports import model

from htsr_ref import analyze
from htsr_ref.conventions import SDM2020
from htsr_ref.models.standing import alpha_hat_stderr, standing_of

SERIES = {
    "a": power_law_matrix(1.5, n=80),
    "b": power_law_matrix(2.5, n=60, scale=100.0),
    "c": gaussian(80, 60),
    "d": 0.5 * np.eye(5),
}


@pytest.mark.spec("VRD-9")
def test_matrices_are_counted():
    report = analyze(SERIES)
    found = [layer.matrices[0] for layer in report.layers]
    standing = standing_of(report)
    assert sum(standing.verdicts.values()) == 4
    assert standing.judged == 3
    for name, number in standing.verdicts.items():
        assert number == sum(matrix.verdict.name == name for matrix in found)
    alphas = [matrix.alpha for matrix in found if matrix.alpha is not None]
    assert standing.alpha_outside == sum(not 2 <= alpha <= 6 for alpha in alphas) >= 1
    assert standing.lambda_max_below_1 == sum(matrix.lambda_max < 1 for matrix in found) == 1


@pytest.mark.spec("VRD-9")
def test_a_number_that_stands_for_a_failed_fit_is_no_alpha():
    failed = SDM2020.override({"failed_alpha": -1.0})
    assert standing_of(analyze({"d": np.eye(30)}, failed)).alpha_outside == 0


@pytest.mark.spec("VRD-10")
def test_the_share_of_the_model_is_said():
    arrays = {f"conv{place}.weight": np.ones((n, n, 1, 1)) for place, n in enumerate((60, 9, 9))}
    report = analyze(arrays | {"fc.weight": gaussian(9, 8), "fc.bias": np.ones(9)})
    convolutions, linear = standing_of(report).coverage
    assert str(convolutions) == "1 of 3 convolutions analyzed: the others are below 50"
    assert str(linear) == "1 of 1 linear layers analyzed"
    bad = gaussian(9, 8)
    bad[0, 0] = np.nan
    (linear,) = standing_of(analyze({"a.weight": bad, "b.weight": gaussian(9, 8)})).coverage
    assert (linear.analyzed, linear.total, linear.left_out) == (1, 2, ("damaged",))


def mixed(**verdicts):
    """Report with a number of matrices for each verdict."""
    report = model("m")
    (layer,) = report.layers
    (matrix,) = layer.matrices
    matrices = [
        replace(matrix, verdict=replace(matrix.verdict, name=name.replace("_", " ")))
        for name, number in verdicts.items()
        for _ in range(number)
    ]
    return replace(report, layers=(replace(layer, matrices=tuple(matrices)),))


@pytest.mark.spec("VRD-11")
@pytest.mark.parametrize(
    ("noise", "others", "expected"),
    [
        (4, {}, True),
        (3, {"too_few_eigenvalues": 9}, True),
        (0, {"too_few_eigenvalues": 9}, False),
        (18, {"undecided": 1}, False),
        (19, {"undecided": 1}, True),
        (190, {"undecided": 10}, True),
        (190, {"undecided": 11}, False),
        (999, {"power_law": 1}, False),
        (0, {}, False),
    ],
)
def test_a_model_is_random_like_but_for_what_chance_allows(noise, others, expected):
    report = mixed(**{"random-like": noise}, **others)
    assert standing_of(report).random_like is expected


@pytest.mark.spec("VRD-12")
def test_the_error_of_alpha_hat():
    """Errors .3 and .4 with λ_max of 10 and 100: √(.3² + .8²)/2 over two matrices."""
    report = mixed(power_law=2)
    (layer,) = report.layers
    one, two = layer.matrices
    one = replace(one, lambda_max=10.0, alpha_stderr=0.3, alpha=3.0)
    two = replace(two, lambda_max=100.0, alpha_stderr=0.4, alpha=9.0)

    def error(*layers, **changes):
        layers = tuple(replace(layer, matrices=matrices) for matrices in layers)
        convention = SDM2020.override(changes)
        return alpha_hat_stderr(replace(report, layers=layers, convention=convention))

    assert error((one, two)) == pytest.approx(math.hypot(0.3, 0.8) / 2, rel=1e-14)
    assert error((one,), (two, two), average="layers") == pytest.approx(
        math.hypot(0.3, 0.4, 0.4) / 2, rel=1e-14
    )
    assert error((one, two), log_base="e") == pytest.approx(
        math.log(10) * math.hypot(0.3, 0.8) / 2, rel=1e-14
    )
    assert error((one, two), alpha_range=(1.0, 5.0)) == pytest.approx(0.3, rel=1e-14)
    assert error((one,), (one, two), average="layers", alpha_range=(1.0, 5.0)) == 0.3
    assert error((one, replace(two, alpha_stderr=None))) is None
    assert error((one, replace(two, weighted_alpha=None))) == pytest.approx(0.3, rel=1e-14)
    assert error() is None


@pytest.mark.spec("VRD-12")
def test_the_error_is_that_of_draws_with_xmin_known():
    """Scatter of α̂ over 400 samples from two power laws with known λ_max and xmin."""
    rng = np.random.default_rng(0)
    estimates, errors = [], []
    for _ in range(400):
        draws = rng.pareto(1.5, (2, 200)) + 1
        alphas = 1 + 200 / np.log(draws).sum(axis=1)
        weights = np.array([1.0, -2.0])
        estimates.append((weights * alphas).mean())
        errors.append(math.sqrt(((weights * (alphas - 1) / math.sqrt(200)) ** 2).sum()) / 2)
    assert np.std(estimates) == pytest.approx(np.mean(errors), rel=0.1)

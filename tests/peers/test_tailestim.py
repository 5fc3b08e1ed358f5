"""The estimators against the package `tailestim`: run with `pytest -m peers` where it is installed.

Its estimators are the published code of Voitalov et al. 2019. Where the two differ, and why, is
stated under PL-67 and in the last section of spec/pl-extreme.md.
"""

import numpy as np
import pytest

tailestim = pytest.importorskip("tailestim")

from tailestim.estimators.tail_methods import moments_dbs_prefactor  # noqa: E402

from htsr_ref.powerlaw.extreme import tail_index  # noqa: E402
from htsr_ref.powerlaw.extreme.bootstrap import moment_constant  # noqa: E402

pytestmark = [
    pytest.mark.peers,
    # It divides by zero in tied tails and goes on with NaN.
    pytest.mark.filterwarnings("ignore::RuntimeWarning:tailestim"),
]

SIZE = 4096
SAMPLES = {
    "pareto": lambda rng: rng.random(SIZE) ** -0.5,
    "lognormal": lambda rng: rng.lognormal(0.0, 1.0, SIZE),
    "bounded": lambda rng: 2.0 - rng.random(SIZE) ** (2 / 3),
}


@pytest.fixture(params=SAMPLES)
def sample(request):
    return SAMPLES[request.param](np.random.default_rng(21))


def theirs(estimator, sample):
    estimator.fit(sample)
    result = estimator.get_result()
    return np.asarray(result.k_arr_), np.asarray(result.xi_arr_)


@pytest.mark.spec("PL-61", "PL-62")
@pytest.mark.parametrize(
    ("name", "peer"), [("moment", "MomentsEstimator"), ("hill", "HillEstimator")]
)
def test_moment_and_hill(sample, name, peer):
    k, xi = theirs(getattr(tailestim, peer)(bootstrap=False), sample)
    for chosen in (2, 3, 10, 100, 1000, SIZE - 1):
        ours = tail_index(sample, estimator=name, k=chosen).xi
        # Its M_2 is a difference of cumulative sums, which costs digits in short tails.
        assert ours == pytest.approx(float(xi[k == chosen][0]), rel=1e-7)


@pytest.mark.spec("PL-63")
def test_pickands(sample):
    m, xi = theirs(tailestim.PickandsEstimator(), sample)
    for chosen in (1, 5, 100, 1000):
        ours = tail_index(sample, estimator="pickands", k=4 * chosen).xi
        assert ours == pytest.approx(float(xi[m == chosen][0]), rel=1e-11)


@pytest.mark.spec("PL-64")
def test_kernel(sample):
    # Its bandwidths are a geometric grid; with these sizes they are 2^-j, and h n is whole.
    k, xi = theirs(tailestim.KernelTypeEstimator(bootstrap=False, hsteps=13), sample)
    whole = [int(chosen) for chosen in k if chosen in 2.0 ** np.arange(3, 12)]
    assert len(whole) >= 5
    for chosen in whole:
        ours = tail_index(sample, estimator="kernel", k=chosen).xi
        assert ours == pytest.approx(float(xi[k == chosen][0]), rel=1e-9)


@pytest.mark.spec("PL-67")
@pytest.mark.parametrize("xi", [1.0, 0.3, -0.1, -0.4, -2.0])
@pytest.mark.parametrize("k1", [20, 100, 400])
def test_the_constant_of_the_moment_estimator(xi, k1):
    n1 = 500
    rho = np.log(k1) / (2 * np.log(k1 / n1))
    assert moment_constant(xi, rho) == pytest.approx(moments_dbs_prefactor(xi, n1, k1), rel=1e-10)


@pytest.mark.spec("PL-67")
@pytest.mark.parametrize(
    ("name", "peer"), [("moment", "MomentsEstimator"), ("hill", "HillEstimator")]
)
def test_double_bootstraps_agree_within_their_error(name, peer):
    # Resamples, range of k and (for Hill) the constant differ: only ξ can be compared.
    sample = (1 / np.random.default_rng(22).random(2000) - 1) ** 0.5
    estimator = getattr(tailestim, peer)(base_seed=1)
    estimator.fit(sample)
    result = estimator.get_result()
    ours = tail_index(sample, estimator=name, k="double-bootstrap")
    assert abs(ours.xi - result.xi_star_) < 3 * ours.stderr

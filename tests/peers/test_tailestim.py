"""The moment estimator against `tailestim`: run with `pytest -m peers` where it is installed.

Its estimators are the published code of Voitalov et al. 2019. Where the two differ, and why, is
stated in the last section of spec/pl-extreme.md.
"""

import numpy as np
import pytest

tailestim = pytest.importorskip("tailestim")

from htsr_ref.powerlaw.extreme.moment import moment  # noqa: E402

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


@pytest.mark.spec("PL-61")
@pytest.mark.parametrize("name", SAMPLES)
def test_the_moment_estimator(name):
    sample = SAMPLES[name](np.random.default_rng(21))
    estimator = tailestim.MomentsEstimator(bootstrap=False)
    estimator.fit(sample)
    theirs = estimator.get_result()
    k, xi = np.asarray(theirs.k_arr_), np.asarray(theirs.xi_arr_)
    for chosen in (2, 3, 10, 100, 1000, SIZE - 1):
        # Its M_2 is a difference of cumulative sums, which costs digits in short tails.
        expected = float(xi[k == chosen][0])
        assert moment(np.sort(sample), chosen) == pytest.approx(expected, rel=1e-7)

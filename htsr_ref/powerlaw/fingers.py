"""Fingers: a few largest values that lie apart from the tail and bend its fit."""

from numpy.typing import ArrayLike

from htsr_ref.errors import NoFitError
from htsr_ref.powerlaw.distributions import PowerLaw
from htsr_ref.powerlaw.fit import checked_sample, fit_power_law
from htsr_ref.powerlaw.ks import KsKind
from htsr_ref.powerlaw.tail_fit import TailFit

ALPHA_DROP = 1.0
"""By how much alpha must fall for WeightWatcher to accept a clipped fit (`finger_thresh`)."""

LEAST_ALPHA = 2.0
"""WeightWatcher stops clipping when alpha falls to this (`min_alpha`)."""


def clip_fingers(
    sample: ArrayLike, *, max_fingers: int = 10, ks: KsKind = "two-sided"
) -> TailFit[PowerLaw]:
    """Leave out the 2, 3, … largest values until alpha has fallen by more than 1.

    Parameters
    ----------
    sample : (n,) real, positive, in any order.
    max_fingers : one more than the greatest number of values left out.
    ks : kind of the KS distance.

    Returns
    -------
    TailFit of the remaining values; its `sample_size` says how many they are.

    Raises
    ------
    SampleError, NoFitError
        As `fit_power_law` for the whole sample.

    Spec: PL-15. Source: WeightWatcher 0.7.7, `fit_clipped_powerlaw`.

    >>> clip_fingers(range(1, 50)).sample_size
    49
    """
    x = checked_sample(sample)
    whole = fit_power_law(x, ks=ks)
    for clipped in range(2, min(max_fingers, x.size)):
        try:
            fit = fit_power_law(x[:-clipped], ks=ks)
        except NoFitError:
            break
        if fit.alpha + ALPHA_DROP < whole.alpha:
            return fit
        if fit.alpha <= LEAST_ALPHA:
            break
    return whole

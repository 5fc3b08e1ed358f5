"""What can be said of one sample under the fit of a convention."""

from dataclasses import asdict, dataclass

from numpy.typing import ArrayLike

from htsr_ref.analysis.evidence import extreme_value, fit_warnings
from htsr_ref.analysis.fitting import fit_eigenvalues
from htsr_ref.conventions import Convention
from htsr_ref.powerlaw.fit import checked_sample
from htsr_ref.reports.report import SPEC_VERSION, Tool
from htsr_ref.samples.sample_report import whole_number_warning
from htsr_ref.spectra.spectrum import Spectrum
from htsr_ref.text import strictjson
from htsr_ref.version import __version__


@dataclass(frozen=True)
class ConventionFit:
    """What `htsr fit --convention` finds in one sample.

    Attributes
    ----------
    name : where the sample comes from.
    convention : the choices that were followed; those about matrices and means play no part.
    others : as in `MatrixReport`.
    """

    spec_version: str
    tool: Tool
    name: str
    convention: Convention
    sample_size: int
    alpha: float
    alpha_stderr: float
    alpha_ci95: tuple[float, float]
    xmin: float
    xmax: float | None
    tail_size: int
    ks_distance: float
    warnings: tuple[str, ...]

    def to_json(self) -> str:
        """Write the report as JSON text."""
        return strictjson.dumps(asdict(self))


def fit_by_convention(sample: ArrayLike, name: str, convention: Convention) -> ConventionFit:
    """Fit a sample as a convention fits the eigenvalues of a matrix.

    Parameters
    ----------
    sample : (n,) real, positive, in any order.
    name : where it comes from.
    convention : the choices.

    Raises
    ------
    SampleError, NoFitError
        As `fit_power_law`.

    Spec: PL-17, CNV-21.

    >>> from htsr_ref.conventions import PAPER
    >>> fit = fit_by_convention([1.0, 2.0, 3.0, 5.0], "x", PAPER.override({"xmin": 2.0}))
    >>> fit.tail_size, fit.xmin
    (3, 2.0)
    """
    x = checked_sample(sample)
    found = fit_eigenvalues(Spectrum(x, x.size, x.size, 1.0, "svd", 0.0), convention)
    return ConventionFit(
        spec_version=SPEC_VERSION,
        tool=Tool("htsr-ref", __version__),
        name=name,
        convention=convention,
        sample_size=x.size,
        alpha=found.alpha,
        alpha_stderr=found.stderr,
        alpha_ci95=found.ci95,
        xmin=found.xmin,
        xmax=found.xmax,
        tail_size=found.tail_size,
        ks_distance=found.ks_distance,
        warnings=(*whole_number_warning(x), *fit_warnings(found.tail_size, extreme_value(x))),
    )

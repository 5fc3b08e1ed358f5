"""What a user asks of every matrix besides its metrics."""

from dataclasses import dataclass

from htsr_ref.analysis.replicating import require_repeatable
from htsr_ref.conventions import Convention
from htsr_ref.spectra.shuffle import check_shuffles


@dataclass(frozen=True)
class Checks:
    """What is asked about every matrix besides the extreme-value index, which always is.

    Attributes
    ----------
    gof : replicas of the goodness-of-fit test; 0 for none.
    compare : whether the power law is compared with other laws.
    seed : of the random choices. The goodness-of-fit test takes it for every matrix; shuffles take
        it with the places of layer and matrix, so that the order of the work does not matter.
    shuffles : shuffled copies of every matrix; 0 for none.

    Raises
    ------
    HtsrError
        Too few shuffles.

    Spec: RMT-66.
    """

    gof: int = 0
    compare: bool = False
    seed: int = 0
    shuffles: int = 0

    def __post_init__(self) -> None:
        if self.shuffles:
            check_shuffles(self.shuffles)

    @property
    def recorded_seed(self) -> int | None:
        """The seed if anything is drawn with it.

        Spec: RPT-4.
        """
        return self.seed if self.gof or self.shuffles else None

    def require_fit_for(self, convention: Convention) -> None:
        """Refuse the goodness-of-fit test of a fit that its replicas cannot repeat.

        Spec: CNV-2, PL-73.
        """
        if self.gof:
            require_repeatable(convention, "the goodness-of-fit test")


NO_CHECKS = Checks()
"""Nothing besides the extreme-value index."""

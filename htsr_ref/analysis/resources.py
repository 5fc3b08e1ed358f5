"""What an analysis may use of the machine."""

from dataclasses import dataclass, replace

from htsr_ref.errors import HtsrError
from htsr_ref.machine.cores import usable_cores
from htsr_ref.machine.memory import usable_memory

MEMORY_SHARE = 0.8
"""Share of the memory that the process may use which layers take by default (SCL-3)."""


@dataclass(frozen=True)
class Resources:
    """What an analysis may use of the machine; none of it but `blas_threads` changes a digit.

    Attributes
    ----------
    jobs : layers that are analyzed side by side; None for as many as there are usable cores.
    blas_threads : threads of each call of linear algebra. More than 1 may change last digits.
    max_memory : bytes that layers take together at their peak; None for most of what is usable.

    Raises
    ------
    HtsrError
        A number is not positive.

    Spec: SCL-1, SCL-2, SCL-3.
    """

    jobs: int | None = None
    blas_threads: int = 1
    max_memory: int | None = None

    def __post_init__(self) -> None:
        for name in ("jobs", "blas_threads", "max_memory"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise HtsrError(f"{name} is {value}: it is a positive number")

    def settled(self) -> "Resources":
        """Put what the machine offers in place of what was not chosen."""
        memory = self.max_memory
        if memory is None and (usable := usable_memory()) is not None:
            memory = int(MEMORY_SHARE * usable)
        return replace(self, jobs=self.jobs or usable_cores(), max_memory=memory)

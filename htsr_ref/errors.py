"""The exceptions of htsr_ref: every one of them is a message for a person."""

from typing import Any


class HtsrError(Exception):
    """Base of all errors raised on purpose; the command line turns it into exit code 2."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Let it pass from process to process with its message, whatever it was made of."""
        return _remade, (type(self), self.args), self.__dict__


def _remade(kind: type[HtsrError], args: tuple[Any, ...]) -> HtsrError:
    error = kind.__new__(kind)
    error.args = args
    return error


SHOWN = 200
"""Characters of a name that an error shows."""


def shown(name: str) -> str:
    """Quote a name, cut in its middle if it is long: names of tensors come from strangers.

    >>> print(shown("fc1"), len(shown("x" * 1000)))
    'fc1' 203
    """
    half = SHOWN // 2
    return repr(name if len(name) <= SHOWN else f"{name[:half]}…{name[-half:]}")


class WeightFileError(HtsrError):
    """A weight file that cannot be read.

    Parameters
    ----------
    path : the file (or folder) at fault.
    problem : what is wrong with it.
    cure : what the user can do about it.
    tensor : the tensor at fault, where there is one.
    """

    def __init__(self, path: object, problem: str, cure: str, tensor: str | None = None) -> None:
        where = f"{path}: tensor {shown(tensor)}" if tensor is not None else f"{path}"
        super().__init__(f"{where}: {problem}. {cure}")
        self.path = str(path)
        self.tensor = tensor
        self.problem = problem
        self.cure = cure


class ChangedWeightsError(WeightFileError):
    """A weight file that has changed since it was opened."""


class OutputError(HtsrError):
    """A file, pipe or device that cannot be written.

    Parameters
    ----------
    path : the output as the user named it.
    problem : what is wrong with it, and the cure where there is one.
    """

    def __init__(self, path: object, problem: str) -> None:
        super().__init__(f"{path}: {problem}")


class JournalError(HtsrError):
    """A journal that cannot be written, belongs to other work, or is in use.

    Parameters
    ----------
    path : the journal.
    problem : what is wrong with it, and the cure.
    """

    def __init__(self, path: object, problem: str) -> None:
        super().__init__(f"{path}: {problem}")


class CacheError(HtsrError):
    """A folder that is no cache of spectra, or that cannot be made one.

    Parameters
    ----------
    folder : as the user named it.
    problem : what is wrong with it, and the cure.
    """

    def __init__(self, folder: object, problem: str) -> None:
        super().__init__(f"{folder}: {problem}")


class ExecutorError(HtsrError):
    """Work that was given to other processes or machines, and did not come back."""


class LayerError(HtsrError):
    """One layer whose data cannot be analyzed; the other layers are not affected."""


class SampleError(HtsrError):
    """Numbers that no power law can be fitted to."""


class NoFitError(SampleError):
    """A valid sample in which no threshold can be chosen, such as one of equal values."""


class ConventionError(HtsrError):
    """A convention, or a value of one of its fields, that does not exist or is not implemented."""


class ReportError(HtsrError):
    """A report file that is not one."""


class EnsembleError(HtsrError):
    """A random matrix that does not exist or that memory cannot hold."""


class ExpectationError(HtsrError):
    """Expectations that a file does not carry, or that a report cannot be compared with."""


class TableError(HtsrError):
    """A table of numbers that cannot be read, or that does not belong to the weights."""

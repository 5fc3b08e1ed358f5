"""What comes of a request for a range of bytes, and the ways in which it fails."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fetched:
    """Bytes of a remote file, and what their store says of the file.

    Parameters
    ----------
    content : the bytes from the start that was asked for, or more of them if the store sends a
        small file whole.
    size : bytes of the file.
    tag : which version of the file it is: the store's entity tag, else size and time.
    """

    content: bytes
    size: int
    tag: str


class TransientError(OSError):
    """A failure that may pass, such as a busy server.

    Parameters
    ----------
    problem : what happened, without the address.
    wait : seconds to wait that the server asks for; None if it names none.
    """

    def __init__(self, problem: str, wait: float | None = None) -> None:
        super().__init__(problem)
        self.wait = wait


class NoRangesError(OSError):
    """A server that sends whole files only."""

    def __init__(self) -> None:
        super().__init__("its server ignores ranges of bytes and would send the whole file")


def refusal(status: int) -> OSError:
    """Error for an HTTP status that brings no bytes."""
    problem = f"its server answered {status}"
    if status in (404, 410):
        return FileNotFoundError(problem)
    if status in (401, 403):
        return PermissionError(problem)
    if status in (408, 425, 429) or status >= 500:
        return TransientError(problem)
    return OSError(problem)

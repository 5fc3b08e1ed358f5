"""A folder in which a training run writes while it is watched."""

from collections.abc import Callable

import pytest

from htsr_ref.runs.following import watch


class RunOverError(Exception):
    """Raised instead of another interval of waiting."""


@pytest.fixture
def watched(monkeypatch, tmp_path):
    """Watch a folder while things happen between looks; checkpoints and notices."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()

    def call(*happens: Callable[[], object] | None, place: object = "run", **options: object):
        events, checkpoints, notices = iter(happens), [], []

        def wait(_: float) -> None:
            try:
                event = next(events)
            except StopIteration:
                raise RunOverError from None
            if event is not None:
                event()

        monkeypatch.setattr("time.sleep", wait)
        with pytest.raises(RunOverError):
            # What comes before the end is kept.
            checkpoints.extend(watch(place, notice=notices.append, **options))
        return checkpoints, notices

    return call

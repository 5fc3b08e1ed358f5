import pytest
from loopback import loopback


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with loopback() as board:
        monkeypatch.setenv("HF_ENDPOINT", board.url)
        yield board


@pytest.fixture
def waits(monkeypatch):
    """Seconds that were waited for, in no time."""
    waited = []
    monkeypatch.setattr("htsr_ref.weights.remote.remote_path.time.sleep", waited.append)
    return waited

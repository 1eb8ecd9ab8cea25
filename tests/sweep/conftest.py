"""What the tests of sweeps share: a key that opens nothing, and a server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sweep.holds import KEYS, Provider


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def server(keys: None) -> Iterator[Provider]:
    provider = Provider()
    with provider.running():
        yield provider

"""What all tests share: one event loop for async tests, and bounded property tests."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings

# Derandomized: red for one is red for all. `--hypothesis-profile=search` looks further.
settings.register_profile(
    "tracktwo",
    max_examples=40,
    deadline=None,
    derandomize=True,
    # A debate shrinks for minutes and hardly gets smaller: the seed says enough.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("search", max_examples=1000, deadline=None)
settings.load_profile("tracktwo")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"

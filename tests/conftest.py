"""What all tests share: one event loop for async tests, and bounded property tests."""

from __future__ import annotations

from collections.abc import Iterator

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


@pytest.fixture(scope="session", autouse=True)
def _nothing_kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests measure of judges is kept apart from what the user of this machine measured."""
    folder = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRACKTWO_CALIBRATIONS", str(folder / "calibrations"))
        patch.setenv("TRACKTWO_CARDS", str(folder / "cards"))
        yield

"""The bridge killed at every single write of a session: before it, or in the middle of it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.streaming.bridging import Bed, hashed, scoring

from .dying import live

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(400)]

#: Deeds after which a life that is killed again and again dies: enough for a new part and a little signal.
FEW = 12


@pytest.fixture
def scored(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the URL of a Redis beside which a scorer runs that notices new sessions at once."""
    monkeypatch.setattr("streaming.consumer.DISCOVER_S", 0.05)
    with scoring(redis_url):
        yield redis_url


def record_of(bed: Bed) -> dict[str, Any]:
    """Return what a crash must not change: scores and ledger; each window has one result, the one of its own bits."""
    bed = bed.again()
    scores = bed.scores()
    assert scores == {index: hashed(x_uv) for index, x_uv in bed.remade().items()}
    return {"scores": scores, **{key: (bed.folder.ledger() or {})[key] for key in ("ledger", "windows", "reason")}}


def test_a_crash_at_any_write_changes_nothing(scored: str, tmp_path: Path) -> None:
    """Whatever a crash left, the next life ends with the very record of a session without one (laws 2, 3, 5)."""
    whole = Bed.make(scored, tmp_path / "whole")
    assert live(scored, whole.folder.path, None, torn=False) == 0
    expected = record_of(whole)
    assert len(expected["scores"]) == 6
    for deed in count():
        bed = Bed.make(scored, tmp_path / str(deed), bed=f"B{deed}")
        died = live(scored, bed.folder.path, deed, torn=bool(deed % 2))
        if died == 0:
            break
        assert died == -signal.SIGKILL
        assert live(scored, bed.folder.path, None, torn=False) == 0, f"after a death at deed {deed}"
        assert record_of(bed) == expected, f"after a death at deed {deed}"
    assert deed > 25, "a session has more writes than that"


def test_a_bridge_that_dies_again_and_again_gets_there(scored: str, tmp_path: Path) -> None:
    """Life after life is killed a few writes after its begin; all of them together make the same record."""
    whole = Bed.make(scored, tmp_path / "whole")
    assert live(scored, whole.folder.path, None, torn=False) == 0
    bed = Bed.make(scored, tmp_path / "torn", bed="B2")
    lives = [bed.folder.path.name]
    while (died := live(scored, bed.folder.path, FEW, torn=bool(len(lives) % 2))) != 0:
        assert died == -signal.SIGKILL
        lives.append("another")
        assert len(lives) < 100, "no life comes further than the one before"
    assert len(lives) > 2
    assert record_of(bed) == record_of(whole)

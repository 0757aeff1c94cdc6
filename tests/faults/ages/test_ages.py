"""Ages in a real browser while real processes and lines fail: nothing old looks fresh, nothing fresh looks old.

The quick rows; ``make ages`` plays all of them.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from .play import Found, play_all
from .rig import PATIENCE_S
from .stage import stage_in

#: A browser that is starved by tests beside it shows what it showed, and nothing can be said of it.
pytestmark = [pytest.mark.thorough, pytest.mark.browser, pytest.mark.timeout(5 * PATIENCE_S)]

#: Beside each other they take a quarter of a minute.
QUICK = ("line-hangs", "line-lost", "clock-back", "bridge-killed")


async def _play(folder: Path, models: Mapping[str, str], chromium: str) -> list[Found]:
    async with stage_in(folder, models, chromium) as stage:
        return [found async for found in play_all(stage, QUICK, number=False)]


def test_no_old_value_looks_fresh_and_no_fresh_one_old(models: Mapping[str, str], chromium: str) -> None:
    """A bridge dies, a line hangs, one is lost, a clock is set: the looks follow the ages (law 7)."""
    with tempfile.TemporaryDirectory(prefix="flexion-ages-") as folder:
        found = asyncio.run(_play(Path(folder), models, chromium))
    assert {one.row.name: one.complaints for one in found} == {name: [] for name in QUICK}

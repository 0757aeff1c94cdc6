"""Playing rows: a page is well, the fault comes, the page is well again; then what it showed is judged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from playwright.async_api import Error

from .rig import Bed
from .rows import TABLE, Row
from .stage import Stage, View
from .verdict import Tally, judge, well_again_s

#: Seconds that a page is watched before a fault, and after it looks well again.
BEFORE_S, AFTER_S = 3.0, 4.0
#: Seconds that an old value may look fresh past its limit: panels are drawn four times a second, looks taken five.
LATE_S = 1.0
#: Seconds that a value may look older than it is: the server asks Redis once a second, tells ages as often, and the
#: page draws them within another quarter; a look is a fifth late.
EARLY_S = 2.5
#: Pages beside each other.
SIDE = 4


@dataclass(frozen=True)
class Found:
    """What came of one row.

    Parameters
    ----------
    row : Row
        Which.
    tallies : mapping
        By value.
    well_s : float or None
        How long after the trouble had ended all looked fresh.
    complaints : list of str
        What was not as it must be.
    """

    row: Row
    tallies: Mapping[str, Tally]
    well_s: float | None
    complaints: list[str]

    @property
    def late_s(self) -> float:
        """Longest that any value looked fresher than it was."""
        return max((tally.late_s for tally in self.tallies.values()), default=0.0)

    @property
    def early_s(self) -> float:
        """Furthest before its limit that any value looked old."""
        return max((tally.early_s for tally in self.tallies.values()), default=0.0)


async def play(stage: Stage, row: Row, view: View, others: Sequence[View] = ()) -> Found:
    """Play one row and judge what the page, and others beside it, showed."""
    views = [view, *others]
    for one in views:
        await one.well()
    begun_s = time.monotonic()
    await asyncio.sleep(BEFORE_S)
    await row.play(stage, view)
    ended_s = time.monotonic()
    if view.final_from_s > ended_s:
        for one in views:
            await one.well()
        await asyncio.sleep(AFTER_S)
    return found_of(stage, row, views, begun_s, ended_s)


async def play_page(stage: Stage, row: Row, bed: Bed, room: asyncio.Semaphore) -> Found:
    """Play a row on a page of its own, when there is room."""
    async with room:
        view = await stage.open(bed)
        try:
            return await played(stage, row, view)
        finally:
            await stage.close(view)


async def played(stage: Stage, row: Row, view: View, others: Sequence[View] = ()) -> Found:
    """Play one row; one that cannot be played to its end has failed, and the others go on."""
    try:
        return await play(stage, row, view, others)
    except (AssertionError, Error) as error:
        return Found(row, {}, None, [str(error)])


async def play_all(stage: Stage, names: Sequence[str], *, number: bool, side: int = SIDE) -> AsyncIterator[Found]:
    """Play rows: those that hit one page or one bed beside each other, then those that hit everybody, one by one.

    Parameters
    ----------
    stage : Stage
        Where.
    names : sequence of str
        Of rows.
    number : bool
        Whether to wait until the outcome has a number; the quick way begins as soon as the traces run.
    side : int
        Pages beside each other.
    """
    rows = [TABLE[name] for name in names]
    well = stage.admit("well")
    beds = {row.name: stage.admit(row.name) for row in rows if row.kind == "bed"}
    first = await stage.open(well)
    await first.well()
    if number:
        await first.await_that("a number", lambda sample: sample.shown["number"] is not None)
    room = asyncio.Semaphore(side)
    alone = [play_page(stage, row, beds.get(row.name, well), room) for row in rows if row.kind != "all"]
    for playing in asyncio.as_completed(alone):
        yield await playing
    card = [await stage.open(well, "/")] if any(row.kind == "all" for row in rows) else []
    for row in rows:
        if row.kind == "all":
            yield await played(stage, row, first, card)


def found_of(stage: Stage, row: Row, views: Sequence[View], begun_s: float, ended_s: float) -> Found:
    """Judge what pages showed since a moment."""
    tallies: dict[str, Tally] = {}
    complaints, well_s = [], None
    for view in views:
        samples = [sample for sample in view.samples if sample.asked_s >= begun_s]
        truth, excused = stage.witness.truth, [*view.excused]
        tallies |= judge(samples, truth, view.bed.session, view.way, excused, view.final_from_s)
        complaints += [f"a script failed: {error}" for error in view.errors]
        if view.final_from_s > ended_s:
            again_s = well_again_s(samples, view.mended_s or ended_s)
            well_s = max(well_s or 0.0, again_s or 0.0)
    for value, tally in tallies.items():
        if tally.late_s > LATE_S:
            complaints.append(f"{value} looked fresh for {tally.late_s:.1f} s too long ({tally.worst})")
        if tally.early_s > EARLY_S:
            complaints.append(f"{value} looked old {tally.early_s:.1f} s too early ({tally.worst})")
    for value, look in row.reached.items():
        if look not in tallies.get(value, Tally()).looks:
            complaints.append(f"{value} never looked {look}: was there a fault?")
    return Found(row, tallies, well_s, complaints)

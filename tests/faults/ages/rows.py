"""The faults: each is played into a running session while its page is watched.

``page`` rows have a page of their own on one bed, ``bed`` rows a bed of their own, both beside each other; ``all`` rows
hit everybody and come one after the other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from .stage import FIND_S, Stage, View

#: Seconds until a value is struck through, and until it is gone, with some to spare (contract: 10 and 30).
STRUCK_S, GONE_S = 12.0, 33.0
#: Seconds by which clocks are set.
HOUR_S = 3600.0
#: Seconds after which a page takes its line for dead.
DEAD_S = 5.0

Play = Callable[[Stage, View], Awaitable[None]]


@dataclass(frozen=True)
class Row:
    """One fault.

    Parameters
    ----------
    name : str
        Its key.
    kind : str
        Whom it hits.
    words : str
        What goes wrong.
    play : callable
        Plays it; the page is well before, and must be again after.
    reached : mapping
        How values must have looked meanwhile, or the fault was none.
    skewed : bool
        Whether it sets the wall clock of processes.
    """

    name: str
    kind: Literal["page", "bed", "all"]
    words: str
    play: Play
    reached: Mapping[str, str]
    skewed: bool


#: Every row by its name, in the order of the docs.
TABLE: dict[str, Row] = {}


def row(kind: Literal["page", "bed", "all"], *, skewed: bool = False, **reached: str) -> Callable[[Play], Play]:
    """Enter a row into the table; its docstring is what goes wrong."""

    def enter(play: Play) -> Play:
        name = play.__name__.replace("_", "-")
        TABLE[name] = Row(name, kind, (play.__doc__ or "").strip(), play, reached, skewed)
        return play

    return enter


# -- one bed ------------------------------------------------------------------------------------------


@row("bed", outcome="struck", lanes="grey", source="struck")
async def bridge_killed(stage: Stage, view: View) -> None:
    """The bridge is killed, and started again 12 s later"""
    view.bed.bridge.kill()
    await asyncio.sleep(STRUCK_S)
    view.bed.bridge.start()


@row("bed", outcome="gone", lanes="grey", quality="gone")
async def bridge_frozen(stage: Stage, view: View) -> None:
    """The bridge stands still for 33 s"""
    view.bed.bridge.freeze()
    await asyncio.sleep(GONE_S)
    view.bed.bridge.thaw()


@row("bed", outcome="gone", lanes="grey")
async def source_killed(stage: Stage, view: View) -> None:
    """The amplifier dies, and is back 85 s later: contact stays, progress is missing"""
    view.bed.source.kill()
    await asyncio.sleep(85.0)
    view.bed.source.start()


@row("bed", outcome="struck", lanes="grey")
async def source_frozen(stage: Stage, view: View) -> None:
    """The amplifier stands still for 45 s, then hands over all that it kept"""
    view.bed.source.freeze()
    await asyncio.sleep(45.0)
    view.bed.source.thaw()


@row("bed", outcome="struck")
async def page_opened_late(stage: Stage, view: View) -> None:
    """The page is opened 15 s after the bridge died"""
    view.bed.bridge.kill()
    await asyncio.sleep(15.0)
    await view.page.reload()
    await asyncio.sleep(4.0)
    view.bed.bridge.start()
    view.mended()


@row("bed", outcome="fresh")
async def session_closed(stage: Stage, view: View) -> None:
    """The session is closed, and the bridge with it: final, and for 35 s no older"""
    await asyncio.to_thread(stage.rig.close, view.bed)
    await view.await_that("final", lambda sample: sample.words["updated"].startswith("final"))
    view.final_from_s = time.monotonic()
    await asyncio.sleep(35.0)


# -- one page -----------------------------------------------------------------------------------------


@row("page", outcome="struck", lanes="grey")
async def line_cut(stage: Stage, view: View) -> None:
    """Connections break, and new ones are refused for 12 s"""
    with view.cut():
        await view.line.cut()
        await asyncio.sleep(STRUCK_S)
        await view.line.open()


@row("page", outcome="struck", lanes="grey")
async def line_hangs(stage: Stage, view: View) -> None:
    """Nothing passes for 12 s and nothing is closed; then all that waited comes at once"""
    with view.cut():
        view.line.hang()
        await asyncio.sleep(STRUCK_S)
        view.line.resume()


@row("page", outcome="grey", lanes="grey")
async def line_lost(stage: Stage, view: View) -> None:
    """Today's connections carry nothing ever again and stay open; new ones work"""
    view.way.cut(time.monotonic())
    view.line.lose()
    await asyncio.sleep(DEAD_S - 1)
    view.way.mend(time.monotonic())
    view.mended()


@row("page", outcome="grey", lanes="grey")
async def line_slow(stage: Stage, view: View) -> None:
    """Everything comes 6 s late, for 25 s"""
    begun_s = time.monotonic()
    view.excused.append((begun_s, begun_s + 25.0))
    view.way.slow.append((begun_s, begun_s + 25.0, 6.0))
    view.line.delay_s = 6.0
    await asyncio.sleep(25.0)
    view.line.delay_s = 0.0
    view.mended()


@row("page", lanes="grey")
async def line_narrow(stage: Stage, view: View) -> None:
    """The line carries 20 kB/s, the traces need 33: for 30 s they fall behind"""
    view.line.rate = 20_000.0
    await asyncio.sleep(30.0)
    view.line.rate = None
    view.mended()


@row("page")
async def clock_ahead(stage: Stage, view: View) -> None:
    """The browser's clock is set an hour ahead"""
    await view.page.evaluate(f"__lens.wallMs += {1000 * HOUR_S}")
    view.mended(2.0)
    await asyncio.sleep(5.0)


@row("page")
async def clock_back(stage: Stage, view: View) -> None:
    """The browser's clock is set an hour back"""
    await view.page.evaluate(f"__lens.wallMs -= {1000 * HOUR_S}")
    view.mended(0.0)
    await asyncio.sleep(5.0)


@row("page", outcome="gone", lanes="grey")
async def laptop_sleeps(stage: Stage, view: View) -> None:
    """The browser's machine sleeps for 40 s, its monotonic clock stands still; the network is back 5 s after it woke"""
    devtools = await view.page.context.new_cdp_session(view.page)
    with view.cut():
        view.line.hang()
        view.unseen = True
        await devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
        await asyncio.sleep(40.0)
        await view.page.evaluate("__lens.monoMs -= 40000")
        await devtools.send("Page.setWebLifecycleState", {"state": "active"})
        await asyncio.sleep(0.5)
        view.unseen = False
        await asyncio.sleep(5.0)
        view.line.resume()


@row("page")
async def tab_hidden(stage: Stage, view: View) -> None:
    """The tab is hidden for 12 s, and shown"""
    await view.page.evaluate("__lens.hide()")
    await asyncio.sleep(STRUCK_S)
    await view.page.evaluate("__lens.show()")
    view.mended(0.0)


@row("page", outcome="struck", lanes="grey")
async def tab_hidden_line_hangs(stage: Stage, view: View) -> None:
    """The tab is hidden, its line hangs, and it is shown 12 s later"""
    with view.cut():
        await view.page.evaluate("__lens.hide()")
        view.line.hang()
        await asyncio.sleep(STRUCK_S)
        await view.page.evaluate("__lens.show()")
        await asyncio.sleep(4.0)
        view.line.resume()


# -- everybody ----------------------------------------------------------------------------------------


@row("all", outcome="struck", card="struck")
async def scorer_killed(stage: Stage, view: View) -> None:
    """The scorer is killed, and started again 12 s later"""
    stage.rig.scorer.kill()
    await asyncio.sleep(STRUCK_S)
    stage.rig.scorer.start()


@row("all", outcome="struck", card="struck")
async def scorer_frozen(stage: Stage, view: View) -> None:
    """The scorer stands still for 12 s"""
    stage.rig.scorer.freeze()
    await asyncio.sleep(STRUCK_S)
    stage.rig.scorer.thaw()


@row("all", outcome="struck", card="struck")
async def aggregator_killed(stage: Stage, view: View) -> None:
    """The aggregator is killed, and started again 12 s later"""
    stage.rig.aggregator.kill()
    await asyncio.sleep(STRUCK_S)
    stage.rig.aggregator.start()


@row("all", outcome="struck", card="struck")
async def aggregator_frozen(stage: Stage, view: View) -> None:
    """The aggregator stands still for 12 s"""
    stage.rig.aggregator.freeze()
    await asyncio.sleep(STRUCK_S)
    stage.rig.aggregator.thaw()


@row("all", outcome="struck", redis="struck", lanes="grey")
async def redis_frozen(stage: Stage, view: View) -> None:
    """Redis stands still for 12 s"""
    stage.rig.freeze_redis()
    await asyncio.sleep(STRUCK_S)
    stage.rig.thaw_redis()
    _mended(stage)


@row("all", outcome="gone", redis="gone", lanes="grey")
async def redis_killed(stage: Stage, view: View) -> None:
    """Redis is killed, and started again 33 s later with what its log holds"""
    stage.rig.kill_redis()
    await asyncio.sleep(GONE_S)
    await asyncio.to_thread(stage.rig.start_redis)
    _mended(stage)


@row("all")
async def redis_wiped(stage: Stage, view: View) -> None:
    """Redis forgets everything at once"""
    stage.rig.wipe_redis()
    _mended(stage)
    await asyncio.sleep(5.0)


@row("all", outcome="struck", redis="struck", lanes="grey")
async def redis_line_hangs(stage: Stage, view: View) -> None:
    """Nothing passes between the server and Redis for 12 s; then all that waited comes at once"""
    async with stage.all_cut():
        stage.redis_line.hang()
        await asyncio.sleep(STRUCK_S)
        stage.redis_line.resume()


@row("all", outcome="struck", lanes="grey", card="struck")
async def server_killed(stage: Stage, view: View) -> None:
    """The pages' server is killed, and started again 12 s later"""
    async with stage.all_cut(until=stage.rig.answers):
        stage.rig.dashboard.kill()
        await asyncio.sleep(STRUCK_S)
        stage.rig.dashboard.start()


@row("all", outcome="gone", lanes="grey", card="gone")
async def server_frozen(stage: Stage, view: View) -> None:
    """The pages' server stands still for 33 s"""
    async with stage.all_cut():
        stage.rig.dashboard.freeze()
        await asyncio.sleep(GONE_S)
        stage.rig.dashboard.thaw()


@row("all", outcome="struck")
async def server_new_bridge_dead(stage: Stage, view: View) -> None:
    """The bridge dies, then the server; the new server has never heard that bridge"""
    view.bed.bridge.kill()
    await asyncio.sleep(2.0)
    async with stage.all_cut(until=stage.rig.answers):
        stage.rig.dashboard.kill()
        await asyncio.sleep(8.0)
        stage.rig.dashboard.start()
    await asyncio.sleep(FIND_S)
    view.bed.bridge.start()
    _mended(stage)


@row("all", outcome="grey")
async def server_thawed_bridge_dead(stage: Stage, view: View) -> None:
    """The server stands still for 8 s; the bridge dies meanwhile, its last heartbeats wait in the line"""
    async with stage.all_cut():
        stage.rig.dashboard.freeze()
        await asyncio.sleep(2.0)
        view.bed.bridge.kill()
        await asyncio.sleep(6.0)
        stage.rig.dashboard.thaw()
    await asyncio.sleep(4.0)
    view.bed.bridge.start()
    _mended(stage)


@row("all", skewed=True)
async def server_clock_ahead(stage: Stage, view: View) -> None:
    """The wall clock of Redis and of the pages' server is set an hour ahead"""
    _set(stage, HOUR_S)
    await asyncio.sleep(STRUCK_S)


@row("all", skewed=True)
async def server_clock_back(stage: Stage, view: View) -> None:
    """The wall clock of Redis and of the pages' server is set two hours back"""
    _set(stage, -HOUR_S)
    await asyncio.sleep(STRUCK_S)


@row("all", skewed=True, outcome="grey", lanes="grey")
async def source_dead_clock_back(stage: Stage, view: View) -> None:
    """The same once more, and the amplifier dies: its results, stamped ahead of the clock, age all the same"""
    _set(stage, -2 * HOUR_S)
    view.bed.source.kill()
    await asyncio.sleep(32.0)
    view.bed.source.start()


def _set(stage: Stage, seconds: float) -> None:
    assert stage.skew is not None
    stage.skew.set(seconds)
    _mended(stage, 2.0)


def _mended(stage: Stage, excuse_s: float = FIND_S) -> None:
    for view in stage.views:
        view.mended(excuse_s)

"""The stage of a fault: pages in a real browser, each behind a line of its own, watched five times a second."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from playwright.async_api import Browser, Error, Page, async_playwright

from tests.browser.conftest import ARGUMENTS

from .line import Line
from .rig import PATIENCE_S, Bed, Rig, running
from .skew import Skew
from .truth import Way, Witness
from .verdict import Sample

#: Seconds between two collections of what a page showed.
EVERY_S = 0.2
#: Seconds that a page may take to find a way that is there again: it takes a line for dead after 5.
FIND_S = 9.0
#: Size of the pages: small, so that many are drawn at once.
SIZE = {"width": 900, "height": 560}

LENS = Path(__file__).with_name("lens.js")


@dataclass
class View:
    """A page that is watched.

    Parameters
    ----------
    bed : Bed
        Whose values it shows.
    page : Page
        In the browser.
    line : Line
        Its way to the server.
    """

    bed: Bed
    page: Page
    line: Line
    way: Way = field(default_factory=Way)
    samples: list[Sample] = field(default_factory=list)
    excused: list[tuple[float, float]] = field(default_factory=list)
    final_from_s: float = inf
    #: When the last trouble ended.
    mended_s: float | None = None
    #: What its scripts failed with.
    errors: list[str] = field(default_factory=list)
    #: Between what our clock less the page's lies.
    bounds: tuple[float, float] = (-inf, inf)
    #: Whether nobody can look at it: hidden, or its machine sleeps.
    unseen: bool = False

    @contextmanager
    def cut(self, *, excuse_s: float = FIND_S) -> Iterator[None]:
        """While the block runs nothing reaches the page; then it may take a while to find that."""
        self.way.cut(time.monotonic())
        yield
        self.way.mend(time.monotonic())
        self.mended(excuse_s)

    def mended(self, excuse_s: float = FIND_S) -> None:
        """The trouble is over; for so long the page may look older than it must."""
        self.mended_s = time.monotonic()
        self.excused.append((self.mended_s, self.mended_s + excuse_s))

    async def sample(self) -> None:
        """Take what was seen since the last time; question and answer tie the page's clock to ours."""
        asked_s = time.monotonic()
        taken = await self.page.evaluate("bed => window.__lens.taken(bed)", self.bed.name)
        bounds = asked_s - taken["now"], time.monotonic() - taken["now"]
        anew = bounds[0] > self.bounds[1] or bounds[1] < self.bounds[0]  # it was loaded anew
        self.bounds = bounds if anew else (max(bounds[0], self.bounds[0]), min(bounds[1], self.bounds[1]))
        self.errors = taken["errors"]
        for seen in taken["looks"]:
            at_s, words = seen["at"] + sum(self.bounds) / 2, seen["shown"].pop("words", {})
            if not seen["hidden"] and not self.unseen:
                self.samples.append(Sample(at_s, at_s, seen["shown"], seen["end"], words))

    async def watch(self) -> None:
        """Look at it for ever."""
        while True:
            with contextlib.suppress(Error):  # it is being loaded: nothing stands there
                await self.sample()
            await asyncio.sleep(EVERY_S)

    async def await_that(self, what: str, condition: Callable[[Sample], bool], patience_s: float = PATIENCE_S) -> None:
        """Wait until what it shows fulfils a condition."""
        deadline_s = time.monotonic() + patience_s
        while not (self.samples and condition(self.samples[-1])):
            last = self.samples[-1] if self.samples else None
            assert time.monotonic() < deadline_s, f"{self.bed.name}: never {what}; it shows {last}"
            await asyncio.sleep(EVERY_S)

    async def well(self) -> None:
        """Wait until all of it looks fresh."""
        await self.await_that("fresh", lambda sample: sample.well)


class Stage:
    """Everything that a fault may lay hands on.

    Parameters
    ----------
    rig : Rig
        The processes.
    witness : Witness
        Who knows how old everything is.
    browser : Browser
        For the pages.
    redis_line : Line
        The server's way to Redis.
    skew : Skew or None
        The wall clock of Redis and of the server, where it can be set.
    """

    def __init__(self, rig: Rig, witness: Witness, browser: Browser, redis_line: Line, skew: Skew | None) -> None:
        self.rig, self.witness, self.redis_line, self.skew = rig, witness, redis_line, skew
        self._browser = browser
        self._watching: dict[int, asyncio.Task[None]] = {}
        self.views: list[View] = []

    async def open(self, bed: Bed, path: str | None = None) -> View:
        """Open a page of a bed, or the ward's, and watch it."""
        line = Line(("127.0.0.1", self.rig.port))
        await line.open()
        # Little may move: what is drawn costs most of a page, and says nothing of ages.
        context = await self._browser.new_context(viewport=SIZE, reduced_motion="reduce")
        context.set_default_timeout(1000 * PATIENCE_S)
        await context.add_init_script(path=LENS)
        page = await context.new_page()
        view = View(bed, page, line)
        await page.goto(f"http://127.0.0.1:{line.port}{path or f'/beds/{bed.name}'}", wait_until="commit")
        self.views.append(view)
        self._watching[id(view)] = asyncio.create_task(view.watch())
        return view

    async def close(self, view: View) -> None:
        """Close a page."""
        self.views.remove(view)
        self._watching.pop(id(view)).cancel()
        await view.page.context.close()
        await view.line.cut()

    @asynccontextmanager
    async def all_cut(self, *, until: Callable[[], bool] = lambda: True) -> AsyncIterator[None]:
        """While the block runs, and until something holds again after it, nothing reaches any page."""
        with contextlib.ExitStack() as stack:
            for view in self.views:
                stack.enter_context(view.cut())
            yield
            await self.until(until)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something outside the pages."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not await asyncio.to_thread(condition):
            assert time.monotonic() < deadline_s, "in vain"
            await asyncio.sleep(EVERY_S)

    def admit(self, name: str) -> Bed:
        """Begin a session of a simulated patient."""
        return self.rig.admit(name, self.witness)


@asynccontextmanager
async def stage_in(
    folder: Path, models: Mapping[str, str], chromium: str, skew: Skew | None = None
) -> AsyncIterator[Stage]:
    """Run everything, with the server's way to Redis through a line, and a browser on it."""
    with running(folder, models, skew) as rig, Witness(rig.redis.url) as witness:
        redis_line = Line(str(folder / "redis" / "redis.sock"))
        await redis_line.open(str(rig.line_path))
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            stage = Stage(rig, witness, browser, redis_line, skew)
            try:
                yield stage
            finally:
                for view in [*stage.views]:
                    await stage.close(view)
                await browser.close()
                await redis_line.cut()

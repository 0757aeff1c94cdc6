"""One page at a time, measured from outside: the browser's processor time, what scripts hold, a slowed processor."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: Size of the screen, of a bedside tablet.
VIEWPORT = {"width": 1280, "height": 800}


@dataclass(frozen=True)
class MeasuredPage:
    """A page, and the browser's own tools on it.

    Parameters
    ----------
    page : playwright Page
        It has ``bench.begin()`` and ``bench.measured()``.
    tools : playwright CDPSession
    """

    page: Any
    tools: Any

    def wait(self, seconds: float) -> None:
        """Let it run."""
        self.page.wait_for_timeout(1000 * seconds)

    def slow_down(self, times: float) -> None:
        """Have its main thread run so many times slower."""
        self.tools.send("Emulation.setCPUThrottlingRate", {"rate": times})

    def heap_bytes(self) -> int:
        """Return what its scripts hold once nothing is left to collect."""
        self.tools.send("HeapProfiler.collectGarbage")
        return int(self.tools.send("Runtime.getHeapUsage")["usedSize"])

    def watched(self, seconds: float) -> tuple[dict[str, Any], float]:
        """Return what the page measured over the next seconds, and the browser's share of a core."""
        self.page.evaluate("bench.begin()")
        cpu_s, wall_s = browsers_cpu_s(), time.perf_counter()
        self.wait(seconds)
        share = (browsers_cpu_s() - cpu_s) / (time.perf_counter() - wall_s)
        return self.page.evaluate("bench.measured()"), share


@contextmanager
def opened(browser: Browser, url: str) -> Iterator[MeasuredPage]:
    """Open a page; it is closed with the block."""
    context = browser.new_context(viewport=VIEWPORT)  # type: ignore[arg-type]
    try:
        page = context.new_page()
        page.goto(url)
        yield MeasuredPage(page, context.new_cdp_session(page))
    finally:
        context.close()


def browsers_cpu_s() -> float:
    """Return the processor time of all processes that came from this one and live: the browser's, and its driver's."""
    return sum(_cpu_s(pid) for pid in _children())


def _cpu_s(pid: int) -> float:
    fields = _stat(pid)
    return 0.0 if fields is None else (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str] | None:
    """Return what the kernel says of a process, from its state on; None if it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _children() -> set[int]:
    """Return the processes that came from this one, and from those."""
    pids = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    parents = {pid: int(fields[1]) for pid in pids if (fields := _stat(pid)) is not None}
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}

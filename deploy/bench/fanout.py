"""``flexion bench fanout``: what many viewers of many beds cost the server, and how late they hear.

A real Redis, a real server process, a feed in a third one; the viewers are here. The same viewers then watch beside
some that never read, and then a peer: a relay that makes a JSON object of each frame.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np

from acquisition.errors import BadEnvironment
from deploy.bench.fanout_feed import FRAMES_HZ
from deploy.bench.fanout_viewers import Crowd, Heard, watch
from deploy.bench.machine import Machine, this_machine
from deploy.bench.report import markdown
from streaming.server import PrivateServer

#: Heads of the table.
HEAD = ("round", "CPU of a core", "memory", "its growth", "frames/s", "lost", "p50", "p99", "latest", "sent/s")
#: Seconds that each round runs before it counts.
WARM_S = 3.0
#: Seconds within which a process must be ready.
READY_S = 30.0
#: Whose versions belong to the record.
LIBRARIES = ("flexion", "fastapi", "uvicorn", "websockets", "redis", "hiredis")
#: Share of the frames below which it is said that not all came: then shares of a core are too small.
KEPT_PACE = 0.95
PEER = "a JSON object per frame"


@dataclass(frozen=True)
class Round:
    """What one round found.

    Parameters
    ----------
    name : str
    seconds : float
        That counted.
    cpu_share : float
        Of one core, of the server's process.
    rss_mib, rss_growth_mib : float
        Its memory at the end, and how much more that is than when counting began.
    frames, lost, wave_bytes, event_bytes, ended : int
        See `Heard`.
    p50_ms, p99_ms, max_ms : float or None
        From sending to receipt; None where nothing came.
    """

    name: str
    seconds: float
    cpu_share: float
    rss_mib: float
    rss_growth_mib: float
    frames: int
    lost: int
    wave_bytes: int
    event_bytes: int
    ended: int
    p50_ms: float | None
    p99_ms: float | None
    max_ms: float | None

    def per_frame(self, what: float) -> float | None:
        """Return a quantity by the frames that it was spent on."""
        return what / self.frames if self.frames else None

    def row(self) -> tuple[str, ...]:
        """Return its row of the table, under ``HEAD``."""
        return (
            self.name,
            f"{100 * self.cpu_share:.1f} %",
            f"{self.rss_mib:.0f} MiB",
            f"{self.rss_growth_mib:+.1f} MiB",
            f"{self.frames / self.seconds:.0f}",
            f"{self.lost}",
            *(("---" if value is None else f"{value:.1f} ms") for value in (self.p50_ms, self.p99_ms, self.max_ms)),
            f"{(self.wave_bytes + self.event_bytes) / self.seconds / 1e6:.2f} MB",
        )


@dataclass(frozen=True)
class FanoutReport:
    """The whole bench.

    Parameters
    ----------
    machine : Machine
    beds, viewers, stalled : int
        How many; viewers of each bed, of its wave and of its events.
    ours, beside_stalled, waves_alone, peer : Round
        The peer has waves alone.
    """

    machine: Machine
    beds: int
    viewers: int
    stalled: int
    ours: Round
    beside_stalled: Round
    waves_alone: Round
    peer: Round

    @property
    def ratios(self) -> dict[str, float | None]:
        """Return ours by the peer's, waves alone: below 1 is better."""
        ours, peer = self.waves_alone, self.peer
        return {
            "cpu_per_frame": _ratio(ours.per_frame(ours.cpu_share), peer.per_frame(peer.cpu_share)),
            "bytes_per_frame": _ratio(ours.per_frame(ours.wave_bytes), peer.per_frame(peer.wave_bytes)),
            "p99": _ratio(ours.p99_ms, peer.p99_ms),
        }

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        more = {"machine": self.machine.to_json(), "ratios": self.ratios, "pace": self.pace}
        return {"bench": "fanout", **asdict(self), **more}

    @property
    def pace(self) -> float:
        """Return the smallest share of a round's frames that came: below 1 the machine, or the server, was too slow."""
        due = self.beds * self.viewers * FRAMES_HZ
        rounds = (self.ours, self.beside_stalled, self.waves_alone, self.peer)
        return min(each.frames / each.seconds / due for each in rounds)

    @property
    def words(self) -> str:
        """Where and what, in sentences."""
        slow = f" As little as {100 * self.pace:.0f} % of the frames came in time." if self.pace < KEPT_PACE else ""
        versions = ", ".join(f"{name} {number}" for name, number in self.machine.versions.items())
        said = ", ".join(f"{name} {ratio:.2g}" for name, ratio in self.ratios.items() if ratio is not None)
        return (
            f"{self.machine.words}, {self.machine.measured_utc}, Python {self.machine.python}, {versions}. "
            f"{self.beds} beds, {self.viewers} viewers of the wave and of the events of each, {self.ours.seconds:g} s; "
            f"stalled: {self.stalled} more that never read. Viewers and feed run on the same machine. "
            f"Ours by the peer's ({PEER}), waves alone: {said}.{slow}"
        )

    def rows(self) -> list[tuple[str, ...]]:
        """Return the rows of the table, under ``HEAD``."""
        return [each.row() for each in (self.ours, self.beside_stalled, self.waves_alone, self.peer)]

    def markdown(self) -> str:
        """Return words and table as a page has them."""
        return f"{self.words}\n\n{markdown(HEAD, self.rows())}"


def run(
    folder: Path, beds: int, viewers: int, stalled: int, seconds: float, tell: Callable[[str], None]
) -> FanoutReport:
    """Measure everything.

    Parameters
    ----------
    folder : Path
        Empty.
    beds, viewers, stalled : int
        How many; viewers of each bed.
    seconds : float
        Of each of the four rounds.
    tell : callable
        Hears what is being done.

    Raises
    ------
    NoRedisServer
        If there is none to be run.
    BadEnvironment
        If a process does not begin.
    """
    machine = this_machine(LIBRARIES)
    names = [f"B{n + 1}" for n in range(beds)]
    with PrivateServer(folder / "redis", allow_bundled=True) as redis, _feed(redis.url, beds):
        with _server("-m", "deploy", "dashboard", "--redis", redis.url, "--data", str(folder), "--port") as (url, pid):
            tell(f"{machine.words}. {beds} beds with {viewers} viewers each, {seconds:g} s.")
            ours = _round("ours", url, pid, names, Crowd(viewers, viewers), seconds)
            tell(f"The same beside {stalled} viewers that never read.")
            beside = _round(f"beside {stalled} stalled", url, pid, names, Crowd(viewers, viewers, stalled), seconds)
            tell("The same without events, as the peer has none.")
            alone = _round("waves alone", url, pid, names, Crowd(viewers), seconds)
        tell(f"The peer: {PEER}.")
        with _server("-m", "deploy.bench.fanout_peer", redis.url) as (url, pid):
            peer = _round(f"peer: {PEER}", url, pid, names, Crowd(viewers), seconds)
    return FanoutReport(machine, beds, viewers, stalled, ours, beside, alone, peer)


def _round(name: str, url: str, pid: int, beds: list[str], crowd: Crowd, seconds: float) -> Round:
    used: list[tuple[float, float]] = []
    timer = threading.Timer(WARM_S, lambda: used.append(usage(pid)))
    timer.start()
    heard = asyncio.run(watch(url, beds, crowd, WARM_S, seconds))
    used.append(usage(pid))
    timer.join()
    (cpu_before_s, rss_before), (cpu_after_s, rss_after) = used
    return _found(name, seconds, (cpu_after_s - cpu_before_s) / seconds, rss_before, rss_after, heard)


def _found(name: str, seconds: float, cpu: float, rss_before: float, rss_after: float, heard: Heard) -> Round:
    delays_ms = 1000 * np.asarray(heard.delays_s)
    p50, p99, latest = np.percentile(delays_ms, [50, 99, 100]).tolist() if len(delays_ms) else [None] * 3
    return Round(
        name=name,
        seconds=seconds,
        cpu_share=cpu,
        rss_mib=rss_after,
        rss_growth_mib=rss_after - rss_before,
        frames=heard.frames,
        lost=heard.lost,
        wave_bytes=heard.size,
        event_bytes=heard.events,
        ended=heard.ended,
        p50_ms=p50,
        p99_ms=p99,
        max_ms=latest,
    )


def usage(pid: int) -> tuple[float, float]:
    """Return the seconds of processor that a process has used, and its memory in MiB."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextmanager
def _feed(redis_url: str, beds: int) -> Iterator[None]:
    """Tell of the beds in a process of its own while the block runs."""
    command = [sys.executable, "-m", "deploy.bench.fanout_feed", redis_url, str(beds)]
    with _process(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise _failed(command, "it ended before it was ready")
        yield


@contextmanager
def _server(*arguments: str) -> Iterator[tuple[str, int]]:
    """Run a server while the block runs: Python with these arguments and a port that is free; yield URL and process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url, command = f"http://127.0.0.1:{port}", [sys.executable, *arguments, str(port)]
    with _process(command) as process:
        end_s = time.monotonic() + READY_S
        while not _answers(f"{url}/healthz"):
            if process.poll() is not None or time.monotonic() > end_s:
                raise _failed(command, f"it does not answer on port {port}")
            time.sleep(0.05)
        yield url, process.pid


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=1.0) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


@contextmanager
def _process(command: list[str], **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **more)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _failed(command: list[str], why: str) -> BadEnvironment:
    return BadEnvironment(
        f"{' '.join(command[1:4])} of the bench failed: {why}.",
        subject="bench fanout",
        remedy="Run it by hand to read what it says.",
    )


def _ratio(ours: float | None, theirs: float | None) -> float | None:
    return ours / theirs if ours is not None and theirs else None

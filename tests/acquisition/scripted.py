"""A stream that does as a test says, on a clock that a test moves: inlets, and the search that finds them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from acquisition.clock import FakeClock
from acquisition.discovery import SourceSpec, StreamInfo
from acquisition.errors import FlexionError, LostSource
from acquisition.inlet import Chunk
from acquisition.items import Item
from acquisition.montage import Channel, Montage
from acquisition.sender_clock import Offset
from acquisition.source import StampJudge
from acquisition.stamps import StampDecider
from acquisition.stream_source import Opened, StreamSource

MONTAGE = Montage("counted", 1000.0, (Channel("C3", "eeg"), Channel("C4", "eeg")))
INFO = StreamInfo("Amp", "EEG", "amp-1", "bed4-pc", "u1", 2, 1000.0, "float32", ("C3", "C4"), ("uV", "uV"))
CRITERIA = SourceSpec(source_id="amp-1", hostname="bed4-pc")
LOST = LostSource("Stream 'Amp' on bed4-pc is gone.")


@dataclass
class ScriptedInlet:
    """An inlet that hands over what it was given; waiting moves the clock."""

    clock: FakeClock
    info: StreamInfo
    chunks: deque[Chunk] = field(default_factory=deque)
    offsets: list[Offset] = field(default_factory=list)
    dead: bool = False
    left: bool = False

    def pull(self, timeout_s: float) -> Chunk:
        """Return the next chunk, or none after the timeout."""
        if self.dead:
            raise LOST
        if self.chunks:
            return self.chunks.popleft()
        self.clock.sleep(timeout_s)
        return Chunk(np.empty((0, 2), np.float32), np.empty(0))

    def take_offsets(self) -> list[Offset]:
        """Return the measurements that the test put in."""
        taken, self.offsets = self.offsets, []
        return taken

    def leave(self) -> None:
        """Note that nobody wants it any more."""
        self.left = True

    close = leave


class ScriptedSearch:
    """A search that finds what a test says."""

    def __init__(self, known: StreamInfo | None, barred: dict[str, FlexionError], silent: str) -> None:
        self.known, self.barred, self.silent = known, barred, silent
        self.found: Opened | None = None
        self.refusal: FlexionError | None = None
        self.opening = self.stopped = False

    def take(self) -> Opened | None:
        """Return what was found."""
        return self.found

    def stop(self) -> None:
        """Note that it is over."""
        self.stopped = True

    def join(self) -> None:
        """Return at once."""


class Script:
    """One source and everything around it.

    Parameters
    ----------
    monkeypatch : MonkeyPatch
        Puts the scripted search in the place of the real one.
    decider : StampDecider, optional
        Of a later life.
    more : optional
        For the ``StreamSource``.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, decider: StampDecider | None = None, **more: object) -> None:
        self.clock = FakeClock()
        self.searches: list[ScriptedSearch] = []
        self.settled = True
        decider = decider or StampDecider(1000.0, part=1, any_rate=True)
        monkeypatch.setattr("acquisition.stream_source.seek_stream", self._seek)
        settings = {"patience_s": 10.0, "marked": False, "settled": lambda: self.settled} | more
        self.source = StreamSource(CRITERIA, MONTAGE, StampJudge(decider, MONTAGE), self.clock, **settings)

    def _seek(self, *_: object, **sought: Any) -> ScriptedSearch:
        self.searches.append(ScriptedSearch(**sought))
        return self.searches[-1]

    @property
    def search(self) -> ScriptedSearch:
        """The newest search."""
        return self.searches[-1]

    @property
    def state(self) -> str:
        """Where the source stands."""
        return self.source.state[0]

    def pull(self, times: int = 1) -> list[Item]:
        """Pull as a bridge does."""
        return [item for _ in range(times) for item in self.source.pull(0.02)]

    def wait(self, seconds: float) -> list[Item]:
        """Pull until so much time has passed."""
        return self.pull(round(seconds / 0.02))

    def find(self, uid: str = "u1") -> ScriptedInlet:
        """Let the search find a stream, and the source take it."""
        inlet = ScriptedInlet(self.clock, replace(INFO, uid=uid))
        self.search.found = Opened(inlet.info, MONTAGE.bind(INFO.labels, INFO.units), inlet)
        self.pull()
        assert self.state == "CONNECTING"
        self.pull()
        return inlet

    def send(self, inlet: ScriptedInlet, n: int = 20, *, age_s: float = 0.0, ahead_s: float = 0.0) -> None:
        """Let samples arrive, the newest so old, by a sender's clock that is ahead of ours."""
        last_s = self.clock.lsl_s() - age_s + ahead_s
        stamps = last_s - np.arange(n - 1, -1, -1) / 1000.0
        inlet.chunks.append(Chunk(np.zeros((n, 2), np.float32), stamps))

    def stream(self, inlet: ScriptedInlet, seconds: float, *, ahead_s: float = 0.0, rate: float = 1.0) -> list[Item]:
        """Let the sender run for a while, 20 ms at a time; at another rate each chunk has more or fewer samples."""
        items: list[Item] = []
        for _ in range(round(seconds / 0.02)):
            self.clock.sleep(0.02)
            n = round(20 * rate)
            last_s = self.clock.lsl_s() + ahead_s
            stamps = last_s - np.arange(n - 1, -1, -1) * (0.02 / n)
            inlet.chunks.append(Chunk(np.zeros((n, 2), np.float32), stamps))
            items += self.pull()
        return items


def kinds(items: Sequence[Item]) -> list[str]:
    """Return the kinds of the decisions among what came."""
    return [item.kind for item in items if hasattr(item, "kind")]

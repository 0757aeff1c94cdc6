"""All beds for the pages of the ward: their cards once a second, and four traces of each ten times a second.

Everything is encoded once and shared by all viewers. While nobody looks at the ward, no trace is gathered.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dashboard.card import BedCard
from dashboard.envelope import FRAMES_KEPT, message_of, runs_of
from dashboard.viewers import WaveViewer

#: Seconds between two messages of traces.
ENVELOPE_S = 0.1
#: Messages of traces that a viewer may be behind: a second.
MESSAGES_KEPT = 10


@dataclass
class Gathered:
    """The frames of one bed since the last message, and when the newest came."""

    frames: deque[bytes] = field(default_factory=lambda: deque(maxlen=FRAMES_KEPT))
    newest_s: float = 0.0


class Ward:
    """The viewers of the ward, and what they are sent.

    Parameters
    ----------
    clock : callable
        Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._gathered: dict[str, Gathered] = {}
        self.viewers: set[WaveViewer] = set()

    def watch(self, cards: Iterable[BedCard], stamp: Mapping[str, Any]) -> WaveViewer:
        """Return a viewer that is told the cards, then gets what comes."""
        viewer = WaveViewer(MESSAGES_KEPT)
        viewer.say(cards_message(cards, stamp))
        self.viewers.add(viewer)
        return viewer

    def leave(self, viewer: WaveViewer) -> None:
        """Forget a viewer; with the last one, the traces."""
        self.viewers.discard(viewer)
        if not self.viewers:
            self._gathered.clear()

    def tell(self, cards: Iterable[BedCard], stamp: Mapping[str, Any]) -> None:
        """Say how it stands with all beds.

        Parameters
        ----------
        cards : iterable of BedCard
            All of them, with their ages now.
        stamp : mapping
            The clock by which these are told, as it is now.
        """
        if self.viewers:
            message = cards_message(cards, stamp)
            for viewer in self.viewers:
                viewer.say(message)

    def take(self, session: str, frame: bytes, came_s: float) -> None:
        """Take a frame of a session, and when it came, or should have come."""
        if self.viewers:
            gathered = self._gathered.setdefault(session, Gathered())
            gathered.frames.append(frame)
            gathered.newest_s = came_s

    def send(self, drawn: Mapping[str, tuple[int, Sequence[int]]]) -> None:
        """Send the traces that came since the last time; nothing if none did.

        Parameters
        ----------
        drawn : mapping
            By session: its wave key, and the channels that are drawn. What came of others is forgotten.
        """
        now_s, gathered = self._clock(), self._gathered
        self._gathered = {}
        runs: list[bytes] = []
        for session, came in gathered.items():
            if session in drawn:
                runs += runs_of(drawn[session][0], came.frames, drawn[session][1], now_s - came.newest_s)
        if runs:
            message = message_of(runs)
            for viewer in self.viewers:
                viewer.put(message)


def cards_message(cards: Iterable[BedCard], stamp: Mapping[str, Any]) -> str:
    """Return the text that says how it stands with all beds."""
    beds = [card.model_dump() for card in cards]
    return json.dumps({"type": "beds", "clock": stamp, "beds": beds}, separators=(",", ":"), allow_nan=False)

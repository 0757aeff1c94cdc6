"""How old everything really is: a witness beside the pages hears Redis itself, and who cut which way when is known.

All times are seconds of this machine's monotonic clock, by which senders stamp heartbeats and samples too.
"""

from __future__ import annotations

import bisect
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from dashboard.contact import ROLES
from streaming import keys
from streaming.connection import connect
from streaming.errors import TransportDown
from streaming.heartbeat import Beat
from streaming.records import ResultRecord
from streaming.waves import newest_of

#: Seconds between two looks at Redis.
LOOK_S = 0.05


@dataclass
class Truth:
    """When everything was last well; each list in order."""

    #: Redis answered.
    answers: list[float] = field(default_factory=list)
    #: A heartbeat was sent, by role; a bridge's by its session.
    beats: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    #: A window got its first result, by session; before that, when the session began.
    commits: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    #: One past the last sample of a frame, and when that sample was taken, by session.
    frames: dict[str, list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))

    def redis_s(self, at_s: float, known_s: float) -> float:
        """Return the seconds since Redis answered."""
        return at_s - _last(self.answers, known_s)

    def role_s(self, role: str, session: str, at_s: float, known_s: float) -> float:
        """Return the seconds since a role of this session lived."""
        return at_s - _last(self.beats[session if role == "bridge" else role], known_s)

    def contact_s(self, session: str, at_s: float, known_s: float) -> float:
        """Return the age of the contact that the outcome needs."""
        roles = (self.role_s(role, session, at_s, known_s) for role in ROLES)
        return max(at_s - known_s, self.redis_s(at_s, known_s), *roles)

    def progress_s(self, session: str, at_s: float, known_s: float) -> float:
        """Return the seconds since a window was committed, or the session began."""
        return at_s - _last(self.commits[session], known_s)

    def lane_s(self, session: str, at_s: float, end: int) -> float:
        """Return the age of the newest sample that a page was handed."""
        frames = self.frames[session]
        i = bisect.bisect_right(frames, (end, inf))
        return at_s - frames[i - 1][1] if i else inf


def _last(times: Sequence[float], at_s: float) -> float:
    i = bisect.bisect_right(times, at_s)
    return times[i - 1] if i else -inf


@dataclass
class Way:
    """What a page can know: the way from Redis to it, and when that was cut or slow.

    Parameters
    ----------
    cuts : list of [float, float]
        From when to when nothing came through; the end is infinite while it lasts.
    slow : list of (float, float, float)
        From when to when all came so many seconds late.
    """

    cuts: list[list[float]] = field(default_factory=list)
    slow: list[tuple[float, float, float]] = field(default_factory=list)

    def cut(self, at_s: float) -> None:
        """Nothing comes through from now on."""
        self.cuts.append([at_s, inf])

    def mend(self, at_s: float) -> None:
        """All comes through again."""
        self.cuts[-1][1] = at_s

    def known_s(self, at_s: float) -> float:
        """Return up to when everything that happened may be known at a moment."""
        known = [at_s, *(begin for begin, end in self.cuts if begin <= at_s < end)]
        return min(known + [max(begin, at_s - late) for begin, end, late in self.slow if begin <= at_s < end])


class Witness:
    """Hears heartbeats, results and waves from Redis itself, in a thread.

    Parameters
    ----------
    url : str
        The Redis, not a line to it.
    """

    def __init__(self, url: str) -> None:
        self.truth = Truth()
        self._url = url
        self._redis = connect(url, "witness")
        self._done: dict[str, set[int]] = {}
        self._after: dict[str, str] = {}
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._for_ever, args=(f,)) for f in (self._hear, self._look)]

    def begin(self, session: str) -> None:
        """A session begins."""
        self.truth.commits[session].append(time.monotonic())
        self._done[session], self._after[session] = set(), "0-0"

    def __enter__(self) -> Witness:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _for_ever(self, work: Callable[[], None]) -> None:
        while not self._stop.is_set():
            try:
                work()
            except TransportDown:
                self._stop.wait(LOOK_S)

    def _hear(self) -> None:
        """Listen to what is published, until Redis is gone."""
        from streaming.subscription import Subscription

        listening = Subscription(connect(self._url, "witness", blocking=True), [keys.HEARTBEATS, keys.wave("*")])
        try:
            while not self._stop.is_set():
                message = listening.get(0.5)
                if message is not None:
                    self._take(message.channel, message.data)
        finally:
            listening.close()

    def _take(self, channel: str, data: bytes) -> None:
        now_s = time.monotonic()
        if channel == keys.HEARTBEATS:
            beat = Beat.decode(data)
            who = str(beat.session) if beat.role == "bridge" else beat.role
            bisect.insort(self.truth.beats[who], min(now_s, beat.at_monotonic))
            return
        newest = newest_of(data)
        assert newest is not None
        self.truth.frames[_session_of(channel)].append((newest[0], now_s - newest[1]))

    def _look(self) -> None:
        """Ask whether Redis lives, and for new results."""
        while not self._stop.wait(LOOK_S):
            asked_s = time.monotonic()
            self._redis.ping()
            self.truth.answers.append(asked_s)
            for session in [*self._after]:
                self._read(session)

    def _read(self, session: str) -> None:
        key = keys.results(session)
        found: Mapping[bytes, list[tuple[bytes, Mapping[bytes, bytes]]]] = dict(
            self._redis.xread({key: self._after[session]}) or []  # type: ignore[arg-type]
        )
        entries = found.get(key.encode(), [])
        if not entries and not self._redis.exists(key):
            self._after[session] = "0-0"  # wiped: what is told again is known
        for entry_id, fields in entries:
            self._after[session] = entry_id.decode()
            index = ResultRecord.decode(fields).index
            if index not in self._done[session]:
                self._done[session].add(index)
                self.truth.commits[session].append(time.monotonic())


def _session_of(channel: str) -> str:
    return channel.split("{")[1].split("}")[0]

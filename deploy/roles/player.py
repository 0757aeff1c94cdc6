"""Player: the process that offers a session's stream: a simulated patient, or a recording, as an amplifier would.

Nothing is sent before the session's bridge has said that its inlets are open, and the stream stays until the session
has ended (a consumer count is not enough: an inlet that merely exists may miss the first samples).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

import numpy as np

from acquisition.clock import LiveClock
from acquisition.inlet import lsl_clock_s
from acquisition.ledger import samples_of
from acquisition.montage import Montage
from acquisition.outlet import MarkerOutlet, OutletSpec, SignalOutlet
from acquisition.paradigm import ParadigmPlan
from acquisition.player import Piece, patient_pieces, play, recording_pieces
from acquisition.recording import Recording
from acquisition.session import SessionFolder, SessionInfo
from acquisition.simulator import Patient
from acquisition.source import played
from deploy.ear import beat_of
from deploy.recorded import played_again
from deploy.settings import Settings
from streaming import keys
from streaming.connection import connect
from streaming.errors import TransportDown
from streaming.events import EventLog
from streaming.subscription import Subscription

#: States of the bridge's source in which its inlets are open.
OPEN = ("SETTLING", "LIVE", "LATE", "STALLED")
#: Seconds of signal that may be sent beyond what the bridge has counted: well below what LSL's buffers hold (360 s).
MOST_AHEAD_S = 240.0
#: Seconds after which a bridge that is not heard (Redis is away) holds nothing back any more.
DEAF_S = 5.0
#: LSL's names of the sample types that a recording may have; anything else is sent as float64, which holds it.
LSL_TYPES = {"float32": "float32", "float64": "double64", "int32": "int32", "int16": "int16"}


@dataclass(frozen=True)
class Simulation:
    """A patient that does not exist."""

    seed: int
    recovery: float


@dataclass(frozen=True)
class Playback:
    """A recording, and how fast."""

    path: Path
    speed: float


def run(session: str, what: Simulation | Playback, settings: Settings, stop: Event) -> None:
    """Offer the stream that a session's description names, until the session has ended or `stop`."""
    folder = SessionFolder.find(settings.data_dir, session)
    info = folder.info
    assert settings.redis_url is not None and info.source is not None
    watch = SessionWatch(settings.redis_url, session, folder)
    name, source_id = info.source["name"], info.source["source_id"]
    montage = Montage.from_json(info.montage)
    clock = LiveClock(lsl_clock_s)
    if isinstance(what, Simulation):
        spec = OutletSpec.of(montage, name, source_id)
        patient = replace(Patient.draw(what.seed, mains_hz=info.mains_hz), recovery=what.recovery)
        pieces = patient_pieces(patient, ParadigmPlan(n_trials=None), montage)
        speed, brake = 1.0, None
    else:
        recorded = played_again(what.path, info)
        spec = spec_of(recorded.parts[0], montage, info)
        pieces = one_after_another(played(recorded.parts, info.rounds))
        speed, brake = what.speed, Brake(settings.redis_url, session, spec.rate_hz, clock.monotonic_s)
    with SignalOutlet(spec) as signal, MarkerOutlet(f"{name} markers", source_id) as markers:
        play(
            pieces,
            signal,
            markers,
            clock,
            rate_hz=spec.rate_hz,
            speed=speed,
            go=watch.is_open,
            until=watch.has_ended,
            stop=lambda: stop.is_set() or watch.has_ended(),
            held=brake.holds if brake else never,
        )


def never(n_sent: int) -> bool:
    """Hold nothing back."""
    return False


class SessionWatch:
    """Whether the bridge's inlets are open, and whether the session has ended; Redis may be away meanwhile."""

    def __init__(self, url: str, session: str, folder: SessionFolder) -> None:
        self._events = EventLog(connect(url, "player"), session)
        self._folder = folder
        self._open = False

    def is_open(self) -> bool:
        """Return whether its inlets are open by the bridge's last word: those that a player before us had are not."""
        try:
            events = self._events.read()
        except TransportDown:
            return self._open
        for event in events:
            self._open = event.data["state"] in OPEN if event.type == "source" else self._open
        return self._open

    def has_ended(self) -> bool:
        """Return whether the session's end is written down."""
        return bool((self._folder.ledger() or {}).get("ended"))


class Brake:
    """Holds a playback back while its bridge is so far behind that LSL's buffers would overflow without a word.

    Parameters
    ----------
    url : str
        Redis.
    session : str
        Whose bridge it is.
    rate_hz : float
        Of the stream.
    monotonic_s : callable
        Time.
    """

    def __init__(self, url: str, session: str, rate_hz: float, monotonic_s: Callable[[], float]) -> None:
        self._redis = connect(url, "player-brake")
        self._session = session
        self._most = round(MOST_AHEAD_S * rate_hz)
        self._monotonic_s = monotonic_s
        self._beats: Subscription | None = None
        self._counted = 0
        self._heard_s = monotonic_s()

    def holds(self, n_sent: int) -> bool:
        """Tell whether to wait before more is sent; a bridge that is not heard holds nothing back."""
        if n_sent - self._counted <= self._most:
            return False
        try:
            self._listen()
        except TransportDown:
            return False
        return n_sent - self._counted > self._most and self._monotonic_s() - self._heard_s < DEAF_S

    def _listen(self) -> None:
        if self._beats is None:
            self._beats, self._heard_s = Subscription(self._redis, [keys.HEARTBEATS]), self._monotonic_s()
        while message := self._beats.get(0.0):
            beat = beat_of(message.data)
            if beat is not None and beat.role == "bridge" and beat.session == self._session:
                self._counted, self._heard_s = samples_of(beat.info["ledger"]), self._monotonic_s()


def one_after_another(recordings: Iterable[Recording]) -> Iterator[Piece]:
    """Yield recordings as one: the next begins one sample after the last, whatever lay between them.

    What lay between them is in the decisions that go with the replay, not in the time that passes.
    """
    start_s = 0.0
    for recording in recordings:
        end_s = start_s
        for piece in recording_pieces(recording):
            markers = [(due_s + start_s, stamp_s + start_s, text) for due_s, stamp_s, text in piece.markers]
            yield Piece(piece.samples, piece.due_s + start_s, piece.stamps_s + start_s, markers)
            end_s = start_s + float(piece.due_s[-1]) + 1.0 / recording.rate_hz
        start_s = end_s


def spec_of(recording: Recording, montage: Montage, info: SessionInfo) -> OutletSpec:
    """Return what the stream of a recording says about itself: the recording's own channels and type."""
    assert info.source is not None
    kinds = dict(zip(montage.labels, montage.kinds, strict=True))
    return OutletSpec(
        name=info.source["name"],
        source_id=info.source["source_id"],
        labels=recording.labels,
        kinds=tuple(kinds.get(label, "misc") for label in recording.labels),
        units=tuple(unit or "" for unit in recording.units),
        rate_hz=recording.rate_hz,
        origin="simulated" if recording.origin == "simulated" else "recorded",
        dtype=LSL_TYPES.get(np.dtype(recording.samples.dtype).name, "double64"),  # type: ignore[arg-type]
    )

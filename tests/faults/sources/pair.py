"""Two amplifiers of one session: what each sends, and what the session says of both after its end.

Both are told to begin at one moment of the LSL clock, and each counts its own samples: a recording shows by itself how
far the two samples of a row were taken from each other, whatever their stamps say.
"""

from __future__ import annotations

import math
import socket
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from acquisition.decisions import Decision
from acquisition.formats.xdf import read_part
from acquisition.inlet import lsl_clock_s
from acquisition.montage import Montage
from acquisition.outlet import OutletSpec
from streaming.connection import connect
from streaming.events import Event, EventLog
from tests.streaming.bridging import Bed, hashed

from .account import same
from .amplifier import Amplifier
from .rig import Rig
from .script import AMP, INDEX, LABELS, MONTAGE, RATE_HZ, Script, steady

#: Columns of each amplifier: its channels, its own count of its samples, and which amplifier it is.
EEG, EMG = [0, 1, 2, 3, 4, INDEX, AMP], [5, 6, INDEX, AMP]
EEG_LABELS = tuple(LABELS[column] for column in EEG)
EMG_LABELS = ("RF", "BF", "EMG INDEX", "EMG AMP")
#: Most that the two samples of a row may have been taken apart, in s: three quarters of a sample, before a slip, and
#: what a quarter of a second of medians leaves open. Both clocks are one machine's: what was measured between them, and
#: recorded, is an error of the measurement and comes on top, up to what the session itself says that it may be, or to
#: the least that a busy machine leaves in doubt.
APART_S, MEASURED_S = 1.1e-3, 0.5e-3


def eeg(n_samples: int, amp: int = 0) -> Script:
    """Return what the first amplifier sends."""
    script = steady(n_samples, amp)
    return replace(script, samples=script.samples[:, EEG])


def emg(n_samples: int, amp: int = 0, *, ppm: float = 0.0, late: tuple[float, float, float] = (0, 0, 0)) -> Script:
    """Return what the second one sends.

    Parameters
    ----------
    n_samples, amp : int
        As for ``steady``.
    ppm : float
        How much faster than it should.
    late : (float, float, float)
        From when until when what was taken is sent so many seconds late; then all at once.
    """
    script = steady(n_samples, amp).paced(RATE_HZ * (1 + ppm * 1e-6))
    first_s, stop_s, by_s = late
    held = (script.due_s >= first_s) & (script.due_s < stop_s)
    due_s = np.maximum.accumulate(script.due_s + np.where(held, by_s, 0.0))
    return Script(script.samples[:, EMG], script.stamps_s, due_s)


#: Seconds before their moment at which both amplifiers are told of it: neither begins without the other.
BEFORE_S = 0.5


class Pair:
    """The two amplifiers of a row, and its session.

    Parameters
    ----------
    rig : Rig
        Of the row.
    n : int
        Processes; two, and one for each that is started again.
    """

    def __init__(self, rig: Rig, n: int = 2) -> None:
        self.rig = rig
        self.amplifiers: Sequence[Amplifier] = rig.amplifiers(n)
        self._emg_id = uuid.uuid4().hex
        self._ppm = 0.0

    @property
    def eeg_spec(self) -> OutletSpec:
        """What the first stream says of itself."""
        return self.rig.spec(labels=EEG_LABELS)

    @property
    def emg_spec(self) -> OutletSpec:
        """What the second stream says of itself; it sends whole counts."""
        return replace(self.rig.spec(name="Emg", source_id=self._emg_id, labels=EMG_LABELS), dtype="int32")

    def open(self) -> None:
        """Offer both streams."""
        first, second, *_ = self.amplifiers
        first.open(self.eeg_spec)
        second.open(self.emg_spec)

    def listen(self, *, planned: int, montage: Montage = MONTAGE) -> None:
        """Open the session of both, and wait until it hears them."""
        spec = self.emg_spec
        partner = {"name": spec.name, "source_id": spec.source_id, "hostname": socket.gethostname()}
        partner |= {"channel_count": len(EMG_LABELS), "channels": ["RF", "BF"]}
        self.rig.listen(planned=planned, montage=montage, channel_count=len(EEG_LABELS), partner=partner)

    def play(self, planned: int, *, ppm: float = 0.0, late: tuple[float, float, float] = (0, 0, 0)) -> float:
        """Let both begin, and return the moment; they send more than is planned."""
        self._ppm = ppm
        first, second, *_ = self.amplifiers
        origin_s = first.play(eeg(planned + 2_000), lsl_clock_s() + BEFORE_S)
        second.play(emg(planned + 2_000, ppm=ppm, late=late), origin_s)
        return origin_s

    def finish(self) -> PairAccount:
        """Wait for the end, and return what the session has to say for itself."""
        return PairAccount.of(self.rig.ended(), self._ppm)


@dataclass(frozen=True, eq=False)
class PairAccount:
    """A session of two streams that has ended, and that was found to be sound.

    Parameters
    ----------
    bed : Bed
    rows : ndarray, shape (n_samples, 11)
        Both streams as recorded, all parts.
    decisions : sequence of Decision
        As read back, all on the first stream.
    taken : ndarray of bool
        Which rows are on the grid.
    places : ndarray of int
        The grid sample of each of these.
    ledger : dict
        As written.
    events : sequence of Event
        What the screen was told.
    """

    bed: Bed
    rows: NDArray[np.float64]
    decisions: Sequence[Decision]
    taken: NDArray[np.bool_]
    places: NDArray[np.int64]
    ledger: dict[str, object]
    uncertainty_s: float
    events: Sequence[Event]

    @classmethod
    def of(cls, bed: Bed, ppm: float) -> PairAccount:
        """Read a session, and check what must hold of every one."""
        folder = bed.again().folder
        rows = np.concatenate([part.samples for part in folder.parts()])
        decisions = folder.decisions()
        ended = folder.ledger()
        assert ended is not None and ended["ended"] and ended["ledger"]["balanced"]
        taken, places = _zip(decisions, [len(part.stamps) for part in folder.parts()])
        with connect(bed.url, "test") as redis:
            events = EventLog(redis, bed.session).read()
        uncertainty_s = ended["alignment"]["uncertainty_s"] or 0.0
        account = cls(bed, rows, decisions, taken, places, ended["ledger"], uncertainty_s, events)
        account._check_windows()
        account._check_pairs(ppm)
        return account

    def _check_windows(self) -> None:
        """The windows that were made live are those of the folder, bit for bit, and so is the ledger (laws 1 and 2)."""
        chain, windows = self.bed.replayed()
        same(chain.ledger.to_json(), self.ledger)
        same(self.bed.scores(), {window.index: hashed(window.x_uv.tobytes()) for window in windows})

    def _check_pairs(self, ppm: float) -> None:
        """Each row's two samples were taken at one time, each was sent, and none is there twice (law 3)."""
        rows = self.rows[self.taken]
        same(len(rows), self.ledger["received"])
        index, emg_index = rows[:, EEG_LABELS.index("INDEX")], rows[:, len(EEG_LABELS) + 2]
        apart_s = emg_index / (RATE_HZ * (1 + ppm * 1e-6)) - index / RATE_HZ
        most_s = APART_S + min(self._measured_s(), self._doubt_s)
        assert np.abs(apart_s).max() <= most_s, (
            f"paired {np.abs(apart_s).max() * 1e3:.2f} of {most_s * 1e3:.2f} ms apart"
        )
        assert (np.diff(index) > 0).all() and (np.diff(emg_index) > 0).all(), "a sample is there twice"
        assert (np.diff(index - self.places) >= 0).all(), "a row is not where it belongs"
        first, second = eeg(1 + int(index.max())), emg(1 + int(emg_index.max()))
        assert np.array_equal(rows[:, :5], first.samples[index.astype(int), :5])
        assert np.array_equal(rows[:, 7:9], second.samples[emg_index.astype(int), :2].astype(np.int32))

    @property
    def doubt(self) -> int:
        """By how many samples a measurement of the clocks may have put the partner wrong, as the session says."""
        return math.ceil(self._doubt_s * RATE_HZ)

    @property
    def _doubt_s(self) -> float:
        return max(MEASURED_S, self.uncertainty_s)

    def _measured_s(self) -> float:
        """Return how far the clocks' recorded offsets are from the truth, which is 0 on one machine: both together."""
        folder = self.bed.again().folder
        parts = [read_part(folder.part_path(part)).streams for part in folder.part_numbers()]
        return max(sum(np.abs(streams[n].offsets[:, 1]).max(initial=0.0) for n in (0, 2)) for streams in parts)

    @property
    def index(self) -> NDArray[np.int64]:
        """The first amplifier's own number of each row on the grid."""
        return self.rows[self.taken][:, EEG_LABELS.index("INDEX")].astype(np.int64)

    @property
    def decided(self) -> list[str]:
        """The decisions on the samples, a line each; those of one kind and reason in a row are one line."""
        lines = []
        for (kind, reason), group in groupby(self.decisions, lambda d: (d.kind, d.data.get("reason"))):
            told = list(group)
            if kind in ("segment", "clock_reset"):
                lines += [f"{kind}: {d.data.get('reason')}" for d in told]
            elif kind in ("bridged", "lost", "reject", "unpaired"):
                words = f"{kind} {sum(d.data['n'] for d in told)}"
                lines.append(words if reason is None else f"{words}: {reason}")
            elif kind == "slip":
                lines += [f"slip {d.data['n']:+d}" for d in told]
        return lines

    def of_kind(self, kind: str, reason: str | None = None) -> list[Decision]:
        """Return the decisions of a kind, and of a reason where one is named."""
        return [d for d in self.decisions if d.kind == kind and reason in (None, d.data.get("reason"))]

    @property
    def states(self) -> list[tuple[str, str]]:
        """The states of the source with their causes, as the screen was told."""
        return [(event.data["state"], event.data["cause"]) for event in self.events if event.type == "source"]

    @property
    def notices(self) -> list[str]:
        """The notices, as the screen was told."""
        return [event.data["text"] for event in self.events if event.type == "notice"]


def _zip(decisions: Sequence[Decision], n_rows: Sequence[int]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return which rows are on the grid, and the place of each of these."""
    before = np.concatenate([[0], np.cumsum(n_rows)])
    taken = np.ones(before[-1], bool)
    gaps = np.zeros(before[-1] + 1, np.int64)
    reached = 0
    for decision in decisions:
        at = int(before[decision.part - 1]) + decision.at
        if decision.kind == "reject":
            reached = max(reached, at)
            taken[reached : reached + decision.data["n"]] = False
            reached += decision.data["n"]
        elif decision.kind in ("bridged", "lost"):
            gaps[at] += decision.data["n"]
    places = np.cumsum(gaps[:-1]) + np.cumsum(taken) - 1
    return taken, places[taken]

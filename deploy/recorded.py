"""A recording that is to be scored or played again: its samples, and the decisions that were taken on them (law 1).

Score, bridge and player open it here, each in a process of its own, and get the same samples and decisions: of the
whole, or of the part that is wanted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from acquisition.decisions import Decision
from acquisition.errors import RecordingError
from acquisition.excerpt import excerpt, grid_length
from acquisition.montage import Binding, Montage
from acquisition.reading import AS_IT_IS, Reading, decided
from acquisition.recording import Recording
from acquisition.session import SessionFolder, SessionInfo
from acquisition.source import flatten_decisions
from acquisition.tape import Block, tape_of
from deploy.times import words_of


@dataclass(frozen=True)
class Between:
    """Which part of a recording is wanted.

    Attributes
    ----------
    from_s, to_s : float
        On the recording's grid, lost samples included; no ``to_s`` is its end.
    """

    from_s: float = 0.0
    to_s: float | None = None


#: All of it.
WHOLE = Between()


@dataclass(frozen=True)
class Recorded:
    """A recording with the decisions on it.

    Attributes
    ----------
    path : Path
        Of a file, or of a session's folder.
    parts : tuple of Recording
        In order; those without samples are left out.
    decisions : tuple of Decision
        All of them, flat: in part 1, counted from the first sample of the first part. The last is ``end``.
    excerpt : mapping, optional
        ``from_s`` and ``to_s``, where it is a part of a recording.
    """

    path: Path
    parts: tuple[Recording, ...]
    decisions: tuple[Decision, ...]
    excerpt: Mapping[str, float] | None = None

    @property
    def n_samples(self) -> int:
        """Samples of all parts."""
        return sum(len(part.stamps) for part in self.parts)

    def tape(self, binding: Binding) -> Iterator[Decision | Block]:
        """Yield all of it as one part, in the order in which the chain takes it."""
        first, *others = self.parts
        if others:
            samples, stamps = (np.concatenate([getattr(p, key) for p in self.parts]) for key in ("samples", "stamps"))
            first = replace(first, samples=samples, stamps=stamps)
        return tape_of(first, binding, self.decisions)

    def between(self, wanted: Between) -> Recorded:
        """Return a part of it, as the session that it would have been; all of it is returned as it is.

        Raises
        ------
        RecordingError
            If the part lies beyond its end, or no sample lies there.
        """
        if wanted == WHOLE:
            return self
        rate_hz = self.parts[0].rate_hz
        length = grid_length(self.decisions, self.n_samples)
        start = round(wanted.from_s * rate_hz)
        stop = length if wanted.to_s is None else round(wanted.to_s * rate_hz)
        for option, place, last in (("--from", start, length - 1), ("--to", stop, length)):
            if place > last:
                raise self._beyond(option, place / rate_hz, length / rate_hz)
        cut = excerpt(self.decisions, self.n_samples, start, stop)
        if cut is None:
            span = f"{words_of(start / rate_hz)} to {words_of(stop / rate_hz)}"
            message = f"{self.path} has no sample from {span}: nothing was received then."
            raise RecordingError(message, subject=str(self.path), remedy="Name a longer part, or another one.")
        lies = {"from_s": cut.first_sample / rate_hz, "to_s": cut.stop_sample / rate_hz}
        return Recorded(self.path, tuple(self._rows(cut.first_row, cut.stop_row)), cut.decisions, lies)

    def _beyond(self, option: str, at_s: float, length_s: float) -> RecordingError:
        message = f"{self.path} is {words_of(length_s)} long; {option} {words_of(at_s)} lies beyond its end."
        return RecordingError(message, subject=str(self.path), remedy=f"Name an earlier time, or leave {option} out.")

    def _rows(self, first: int, stop: int) -> Iterator[Recording]:
        """Yield the samples of some rows, part by part, each part with the markers that came among them."""
        for part in self.parts:
            n = len(part.stamps)
            rows = slice(max(0, first), min(stop, n))
            if rows.start < rows.stop:
                earliest = part.stamps[rows.start] if rows.start else -np.inf
                latest = part.stamps[rows.stop] if rows.stop < n else np.inf
                markers = tuple(m for m in part.markers if earliest <= m.stamp_s < latest)
                yield replace(part, samples=part.samples[rows], stamps=part.stamps[rows], markers=markers)
            first, stop = first - n, stop - n


def open_recorded(
    path: Path,
    montage: Montage,
    unit: str | None,
    reading: Reading = AS_IT_IS,
    mains_hz: float = 50.0,
    wanted: Between = WHOLE,
) -> Recorded:
    """Read a session's folder or a recording, with the decisions on it.

    Parameters
    ----------
    path : Path
        Of either.
    montage : Montage
        Its channels.
    unit : str or None
        Of channels that state none.
    reading : Reading
        What the user says about a foreign recording.
    mains_hz : float
        For which a calibration kept beside a foreign recording must have been taken.
    wanted : Between
        Which part of it.

    Raises
    ------
    RecordingError, MontageError, UnitError, RateError
        If it cannot be read or does not fit.
    """
    if path.is_dir():
        folder = SessionFolder.open(path)
        parts = folder.parts()
        decisions = flatten_decisions(parts, folder.decisions())
        return recorded_of(path, parts, decisions).between(wanted)
    recording, binding = reading.open(path, montage, unit)
    decisions = decided(recording, montage, binding, mains_hz).decisions
    return recorded_of(path, [recording], decisions).between(wanted)


def recorded_of(path: Path, parts: list[Recording], decisions: list[Decision]) -> Recorded:
    """Return parts and flat decisions as one; a session that was cut off ends with its last sample.

    Raises
    ------
    RecordingError
        If there is no sample.
    """
    kept = tuple(part for part in parts if len(part.stamps))
    n_samples = sum(len(part.stamps) for part in kept)
    if not n_samples:
        remedy = "Choose another one."
        raise RecordingError(f"{path} is empty: it has no samples.", subject=str(path), remedy=remedy)
    if not any(decision.kind == "end" for decision in decisions):
        decisions = [*decisions, Decision("end", 1, 0, n_samples, {"reason": "end of recording"})]
    return Recorded(path, kept, tuple(decisions))


def played_again(path: Path, info: SessionInfo) -> Recorded:
    """Return what a session plays again, as its ``session.json`` says, in whichever process.

    Parameters
    ----------
    path : Path
        Of the recording.
    info : SessionInfo
        Of the replay.

    Raises
    ------
    RecordingError, MontageError, UnitError, RateError
        As by ``open_recorded``.
    """
    wanted = WHOLE if info.excerpt is None else Between(**info.excerpt)
    return open_recorded(
        path, Montage.from_json(info.montage), info.unit, Reading.of(info.source), info.mains_hz, wanted
    )

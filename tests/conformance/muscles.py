"""Real muscles: when they begin to fire before the knee moves, with and without our conditioning.

Two recordings of one person by others (1000 Hz): a seated knee extension (``sen``) and a standing knee flexion
(``pie``), with a goniometer. The movement begins where the angle's speed passes a tenth of its peak; the muscle begins
where ``acquisition.measures.onset`` finds its first rise. The movements follow each other too closely for the second of
rest that the paradigm gives: 0.3 s stand for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acquisition.chain import Chain, drive
from acquisition.measures.envelope import envelope
from acquisition.measures.onset import CUTOFF_HZ, first_rise
from acquisition.montage import Channel, Montage
from acquisition.recording import read_recording
from acquisition.tape import decide, tape_of

Array = NDArray[np.float64]

RATE_HZ = 1000.0
THIGH = Montage("thigh", RATE_HZ, tuple(Channel(label, "emg") for label in ("RF", "BF", "VM", "ST")))
#: The goniometer gave 50 values a second, which the file repeats up to 1000.
GONIOMETER_STEP = 20
#: Share of its peak speed at which a movement has begun.
BEGUN = 0.1
#: A muscle is looked for from so long before the movement until so long after its start, in samples.
BEFORE, AFTER = 400, 200
#: What the envelopes before and after conditioning are laid over each other by, at most, in samples.
MOST_DELAY = 100
#: Rest, in samples, right before that.
REST = 300


@dataclass(frozen=True)
class Exercise:
    """One recording: the muscles that make its movement, and whether that makes the angle rise or fall."""

    name: str
    file: str
    agonists: tuple[str, str]
    direction: int


EXERCISES = (
    Exercise("seated knee extension", "5Nsen.txt", ("VM", "RF"), -1),
    Exercise("standing knee flexion", "5Npie.txt", ("ST", "BF"), 1),
)


@dataclass(frozen=True, eq=False)
class Recorded:
    """A recording before and after our conditioning, shape (n_samples, 4) in microvolts, and the knee's angle."""

    raw_uv: Array
    conditioned_uv: Array
    angle_deg: Array
    starts: tuple[int, ...]

    def lags_ms(self, muscle: str) -> tuple[list[float | None], list[float | None]]:
        """Return how long after the knee a muscle begins, per movement: before conditioning, and after it."""
        before, after = (_lags(x_uv[:, THIGH.labels.index(muscle)], self.starts) for x_uv in self.traces)
        return before, after

    def delays_ms(self, muscle: str) -> list[int]:
        """Return by how much conditioning delays a muscle's whole envelope, in each movement."""
        before, after = (envelope(x_uv[:, THIGH.labels.index(muscle)], RATE_HZ, CUTOFF_HZ) for x_uv in self.traces)
        return [_delay(before, after, max(MOST_DELAY, start - BEFORE), start + BEFORE) for start in self.starts]

    @property
    def traces(self) -> tuple[Array, Array]:
        """Before conditioning, and after it."""
        return self.raw_uv, self.conditioned_uv


def read(shared_data: Path, exercise: Exercise) -> Recorded:
    """Read an exercise, and run it through the chain; settling is kept: these amplifiers have no offset to forget."""
    recording = read_recording(shared_data / "emg-uci-lowerlimb" / exercise.file)
    binding = THIGH.bind(recording.labels, recording.units)
    tape = tape_of(recording, binding, decide(recording, THIGH, binding))
    filtered = [trace.x_uv for step in drive(Chain(THIGH, 50.0), tape) for trace in step.traces]
    angle_deg = recording.samples[:, recording.labels.index("FX")].astype(np.float64)
    starts = _starts(exercise.direction * angle_deg)
    return Recorded(binding.to_uv(recording.samples), np.concatenate(filtered).astype(np.float64), angle_deg, starts)


def shifts_ms(before: list[float | None], after: list[float | None]) -> list[float]:
    """Return by how much conditioning moved each onset that was found both times."""
    return [b - a for a, b in zip(before, after, strict=True) if a is not None and b is not None]


def table(shared_data: Path) -> list[str]:
    """Return the rows of a Markdown table: median and range over the movements, in ms."""
    rows = ["| exercise | muscle | onsets | before, ms | after, ms | moved by, ms | envelope delayed by, ms |"]
    rows.append("|---" * 7 + "|")
    for exercise in EXERCISES:
        recorded = read(shared_data, exercise)
        for muscle in exercise.agonists:
            before, after = recorded.lags_ms(muscle)
            found = [[lag for lag in lags if lag is not None] for lags in (before, after)]
            moved = shifts_ms(before, after)
            cells = [_median_and_range(values) for values in (*found, moved, recorded.delays_ms(muscle))]
            rows.append(f"| {exercise.name} | {muscle} | {len(moved)} of {len(before)} | {' | '.join(cells)} |")
    return rows


def _starts(rising: Array) -> tuple[int, ...]:
    """Return the first sample of each rise of an angle."""
    angle = rising[::GONIOMETER_STEP]
    speed = np.gradient(angle)
    middle = (angle.max() + angle.min()) / 2
    crossings = np.flatnonzero((angle[:-1] < middle) & (angle[1:] >= middle))
    return tuple(GONIOMETER_STEP * _begin(speed, int(crossing)) for crossing in crossings)


def _begin(speed: Array, at: int) -> int:
    """Go back from the middle of a movement to where it began."""
    least = BEGUN * speed[at - 10 : at + 10].max()
    while speed[at] > least:
        at -= 1
    return at + 1


def _lags(x_uv: Array, starts: tuple[int, ...]) -> list[float | None]:
    trace = envelope(x_uv, RATE_HZ, CUTOFF_HZ)
    return [_lag(trace, start) for start in starts]


def _lag(trace: Array, start: int) -> float | None:
    first = max(start - BEFORE, start // 2)  # the first movement comes early
    rise = first_rise(trace[max(0, first - REST) : first], trace[first : start + AFTER], RATE_HZ)
    return None if rise is None else 1000.0 * (rise + first - start) / RATE_HZ


def _delay(before: Array, after: Array, first: int, last: int) -> int:
    """Return by how many samples a stretch has to be moved to lie best over what became of it."""
    stretch = before[first:last] - before[first:last].mean()
    shifts = range(-MOST_DELAY, MOST_DELAY + 1)
    moved = [after[first + shift : last + shift] for shift in shifts]
    fits = [stretch @ (x - x.mean()) / np.linalg.norm(x - x.mean()) for x in moved if len(x) == len(stretch)]
    return shifts[int(np.argmax(fits))]


def _median_and_range(values: Sequence[float]) -> str:
    return f"{np.median(values):.0f} ({min(values):.0f} to {max(values):.0f})"

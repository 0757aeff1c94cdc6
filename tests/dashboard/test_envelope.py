"""Envelopes of the ward: nothing between two columns is lost, nothing is joined over a hole."""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.envelope import MAGIC, message_of, runs_of
from streaming.waves import WaveFrame

LANES = [0, 2]


@dataclass
class Run:
    """What a reader makes of a run."""

    key: int
    segment: int
    first: int
    age_s: float
    per_column: int
    columns: np.ndarray


def read(message: bytes) -> list[Run]:
    """Read a message as the page does: by its documented layout."""
    magic, n_runs = struct.unpack_from("<4sH", message)
    assert magic == MAGIC
    runs, at = [], 6
    for _ in range(n_runs):
        key, segment, first, age_s, per_column, n, n_lanes = struct.unpack_from("<IIqfHHH", message, at)
        at += 26
        columns = np.frombuffer(message, "<i2", n * n_lanes * 2, at).reshape(n, n_lanes, 2)
        at += columns.nbytes
        runs.append(Run(key, segment, first, age_s, per_column, columns))
    assert at == len(message)
    return runs


def frame(first: int, n: int = 20, segment: int = 0, channels: int = 4) -> bytes:
    """Return a frame whose channel c holds c * 100 + the sample's index, in steps."""
    steps = (np.arange(first, first + n)[:, None] % 100 + 100 * np.arange(channels)).astype(np.int16)
    return WaveFrame(segment, first, 5.0, steps, 0).encode(5.25)


def runs(frames: Sequence[bytes], waited_s: float = 0.5) -> list[Run]:
    """Return the runs of these frames."""
    return read(message_of(runs_of(9, frames, LANES, waited_s)))


def test_frames_in_a_row_are_one_run() -> None:
    """Each frame is a column with the least and the greatest of each lane; the age is that of the newest."""
    (run,) = runs([frame(0), frame(20), frame(40)])
    assert (run.key, run.segment, run.first, run.per_column) == (9, 0, 0, 20)
    assert run.age_s == pytest.approx(0.75)
    assert run.columns.tolist() == [[[low, low + 19], [200 + low, 219 + low]] for low in (0, 20, 40)]


@pytest.mark.parametrize("other", [frame(60), frame(20, segment=1), frame(20, n=7)], ids=["hole", "segment", "short"])
def test_what_does_not_follow_begins_a_new_run(other: bytes) -> None:
    """A hole, a new segment and a short frame are never joined to what was before."""
    assert [len(run.columns) for run in runs([frame(0), other])] == [1, 1]


def test_what_is_no_frame_is_left_out() -> None:
    """Garbage, an empty frame and one with too few channels spoil nothing beside them."""
    empty = WaveFrame(0, 20, 0.0, np.empty((0, 4), np.int16), 0).encode()
    bad = [b"", b"FXW2", b"rubbish" * 20, empty, frame(0, channels=2)]
    assert runs(bad) == []
    assert [run.first for run in runs([bad[2], frame(40), bad[0]])] == [40]


def test_an_age_that_nobody_knows_stays_unknown() -> None:
    """A feeder without stamps says so; the page then counts from arrival alone."""
    steps = np.zeros((20, 4), np.int16)
    (run,) = runs([WaveFrame(0, 0, math.nan, steps, 0).encode()])
    assert math.isnan(run.age_s)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 20)), max_size=30))
def test_every_sample_is_in_one_column(plan: list[tuple[bool, int]]) -> None:
    """Whatever is lost on the way: the columns cover what came, once, and nothing else (law 3)."""
    at, frames, came = 0, [], []
    for lost, n in plan:
        if not lost:
            frames.append(frame(at, n))
            came += range(at, at + n)
        at += n
    covered = [run.first + i for run in runs(frames) for i in range(run.per_column * len(run.columns))]
    assert covered == came


@given(st.lists(st.binary(max_size=120), max_size=5))
def test_no_bytes_are_too_strange(frames: list[bytes]) -> None:
    """Whatever is published, the ward goes on."""
    read(message_of(runs_of(1, frames, LANES, 0.0)))

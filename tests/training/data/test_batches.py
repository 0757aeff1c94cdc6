"""Batches: every window once a pass, in an order that the generator alone decides, read while others are learned."""

from __future__ import annotations

import threading
import time
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.data.batches import AHEAD, Batch, Batches, samples_of, tokens_of
from training.data.windows import PatientWindows


def patient(name: str, n: int, *, good: bool = True, x: Path | None = None) -> PatientWindows:
    """Return a patient of n windows whose tokens say who and which, with weights of 1, 2, 3, ..."""
    tokens = np.full((n, 2, 4), int(name), np.float32) + np.arange(n, dtype=np.float32)[:, None, None] / 100
    windows = None
    if x is not None:
        np.save(x, -tokens)
        windows = np.load(x, mmap_mode="r")
    return PatientWindows(
        name, good, None, np.arange(1.0, n + 1), np.arange(n), n, 0, tokens, windows, "f", 50.0, "s", "synthetic"
    )


def passed(batches: Batches) -> Batch:
    """Return one pass as one batch."""
    return Batch(*map(np.concatenate, zip(*batches, strict=True)))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 7), min_size=1, max_size=5).filter(any), st.integers(1, 9), st.integers(0, 99))
def test_each_window_comes_once_a_pass_with_what_is_its_own(counts, batch, seed):
    """Tokens, label and share belong together; patients count alike, windows by their weight."""
    patients = [patient(str(i), n, good=i % 2 == 0) for i, n in enumerate(counts)]
    batches = Batches(patients, batch, np.random.default_rng(seed), tokens_of)
    sizes = [len(one.indices) for one in batches]
    assert sizes[:-1] == [batch] * (len(batches) - 1) and sum(sizes) == batches.n_windows == sum(counts)
    whole = passed(batches)
    order = np.argsort(whole.indices)
    assert np.array_equal(whole.indices[order], np.arange(sum(counts)))
    assert np.array_equal(whole.x[order], np.concatenate([one.tokens for one in patients]))
    who = np.repeat(np.arange(len(counts)), counts)
    assert np.array_equal(whole.y[order], (who % 2 == 0).astype(np.float32))
    sums = np.bincount(who, whole.share[order], len(counts))[np.array(counts) > 0]
    assert np.allclose(sums, sums[0], rtol=1e-5) and np.isclose(whole.share.mean(), 1.0, rtol=1e-5)
    assert [column.dtype.name for column in whole] == ["float32", "float32", "float32", "int64"]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 9))
def test_even_batches_differ_by_one_at_most(n, batch, seed):
    """So many as there would be otherwise, none of them larger, and every window once."""
    uneven, even = (
        Batches([patient("1", n)], batch, np.random.default_rng(seed), tokens_of, even=even) for even in (False, True)
    )
    sizes = [len(one.indices) for one in even]
    assert len(sizes) == len(even) == len(list(uneven)) and max(sizes) <= batch and max(sizes) - min(sizes) <= 1
    assert sorted(passed(even).indices) == list(range(n))


def test_the_generator_s_state_is_the_order_s():
    """A run that goes on from a stored state sees the passes that the other would have seen, and no pass twice."""
    patients = [patient("1", 20), patient("2", 11)]
    generator = np.random.default_rng(5)
    batches = Batches(patients, 4, generator, tokens_of)
    first = passed(batches)
    state = generator.bit_generator.state
    second = passed(batches)
    resumed = np.random.default_rng()
    resumed.bit_generator.state = state
    again = passed(Batches(patients, 4, resumed, tokens_of))
    assert np.array_equal(again.indices, second.indices) and np.array_equal(again.x, second.x)
    assert not np.array_equal(first.indices, second.indices)


def test_reading_ahead_draws_nothing():
    """A pass that is left early has taken the generator as far as a whole one."""
    generator, other = np.random.default_rng(5), np.random.default_rng(5)
    patients = [patient("1", 20)]
    assert len(list(islice(Batches(patients, 4, generator, tokens_of), 2))) == 2
    passed(Batches(patients, 4, other, tokens_of))
    assert generator.bit_generator.state == other.bit_generator.state


def test_windows_are_read_where_they_lie(tmp_path):
    """Mapped windows become copies that may be changed; the file stays what it was."""
    one = patient("3", 6, x=tmp_path / "x.npy")
    batch = next(iter(Batches([one], 6, np.random.default_rng(0), samples_of)))
    assert type(batch.x) is np.ndarray and np.array_equal(batch.x, one.x[batch.indices])
    batch.x[:] = 0
    assert one.x.all()


def test_windows_that_were_not_prepared_are_asked_for():
    """The words say how they are prepared."""
    with pytest.raises(ValueError, match=r"windows of patient 1 were not prepared: prepare\(cohort, raw=True\)"):
        Batches([patient("1", 2)], 2, np.random.default_rng(0), samples_of)


def test_no_windows_are_no_batches():
    """Nothing to learn from is a mistake of the caller's."""
    with pytest.raises(ValueError, match="no patient has a window"):
        Batches([patient("1", 0)], 2, np.random.default_rng(0), tokens_of)


def test_the_next_batches_are_read_meanwhile(monkeypatch):
    """While one batch is learned from, the next are read; what was waited for is counted."""
    read = threading.Semaphore(0)
    reading = Batches._read

    def counted(self: Batches, indices: np.ndarray) -> Batch:
        time.sleep(0.001)
        batch = reading(self, indices)
        read.release()
        return batch

    monkeypatch.setattr(Batches, "_read", counted)
    batches = Batches([patient("1", 12)], 2, np.random.default_rng(0), tokens_of)
    pass_ = iter(batches)
    next(pass_)
    assert all(read.acquire(timeout=10) for _ in range(1 + AHEAD))
    assert not read.acquire(blocking=False)
    assert len(list(pass_)) == 5
    assert batches.waiting_s > 0


def test_a_window_that_cannot_be_read_ends_the_pass(monkeypatch):
    """What fails in the thread is raised where the batch was wanted."""

    def failing(self: Batches, indices: np.ndarray) -> Batch:
        raise OSError("gone")

    monkeypatch.setattr(Batches, "_read", failing)
    with pytest.raises(OSError, match="gone"):
        passed(Batches([patient("1", 4)], 2, np.random.default_rng(0), tokens_of))

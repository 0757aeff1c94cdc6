"""Batches: windows of many patients in a shuffled order, read ahead while the network learns (law 9: shares).

Which windows come when is decided by a generator alone, at the start of each pass; a thread reads them. Windows that
lie on disk are copied row by row, so that memory holds a few batches and not the cohort.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.data.windows import PatientWindows

#: Batches that are read while one is learned from.
AHEAD = 2


class Batch(NamedTuple):
    """Some windows, in the order in which they are shown.

    Attributes
    ----------
    x : ndarray, shape (batch, n_steps, n_tokens) or (batch, n_samples, n_channels), float32
        Tokens, or z-scored windows; a copy of one's own.
    y : ndarray, shape (batch,), float32
        1 for a good outcome, else 0.
    share : ndarray, shape (batch,), float32
        What each window counts: its weight in its patient's sum, so that patients count alike; mean 1 over all.
    indices : ndarray, shape (batch,), int64
        Of each among all windows, the patients' one after the other.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    share: NDArray[np.float32]
    indices: NDArray[np.int64]


class Batches:
    """All windows of some patients, in a new order with each pass.

    The state of a run is the generator's: a pass that begins with the same state is the same pass.

    Parameters
    ----------
    patients : sequence of PatientWindows
        Each with at least one window.
    batch : int
        Windows at a time; the last of a pass has what is left.
    seed_generator : numpy.random.Generator
        Of the order; drawn from once a pass, when it begins.
    raw : bool
        Whether the windows themselves are shown, not their tokens.

    Raises
    ------
    ValueError
        If there is no window, or the windows are wanted and were not prepared.

    Examples
    --------
    >>> batches = Batches([], 32, np.random.default_rng(0))
    Traceback (most recent call last):
        ...
    ValueError: no patient has a window
    """

    def __init__(
        self,
        patients: Sequence[PatientWindows],
        batch: int,
        seed_generator: np.random.Generator,
        *,
        raw: bool = False,
    ) -> None:
        if not any(map(len, patients)):
            raise ValueError("no patient has a window")
        self._tables = [_table(patient, raw) for patient in patients]
        self._batch = batch
        self._generator = seed_generator
        n = np.array([len(patient) for patient in patients])
        self._patient = np.repeat(np.arange(len(patients)), n)
        self._row = np.concatenate([np.arange(count) for count in n])
        self._y = np.repeat(np.array([patient.good for patient in patients], np.float32), n)
        share = np.concatenate([patient.weights / patient.weights.sum() for patient in patients])
        self._share = (share / share.mean()).astype(np.float32)
        self.waiting_s = 0.0

    @property
    def n_windows(self) -> int:
        """Windows of a pass."""
        return len(self._y)

    def __len__(self) -> int:
        """Batches of a pass."""
        return -(-self.n_windows // self._batch)

    def __iter__(self) -> Iterator[Batch]:
        order = self._generator.permutation(self.n_windows)
        pending = deque(order[first : first + self._batch] for first in range(0, self.n_windows, self._batch))
        with ThreadPoolExecutor(1) as reader:
            ahead: deque[Future[Batch]] = deque()
            while pending or ahead:
                while pending and len(ahead) <= AHEAD:
                    ahead.append(reader.submit(self._read, pending.popleft()))
                yield self._wait(ahead.popleft())

    def _wait(self, batch: Future[Batch]) -> Batch:
        asked_s = time.perf_counter()
        read = batch.result()
        self.waiting_s += time.perf_counter() - asked_s
        return read

    def _read(self, indices: NDArray[np.int64]) -> Batch:
        rows = [self._tables[self._patient[index]][self._row[index]] for index in indices]
        return Batch(np.stack(rows), self._y[indices], self._share[indices], indices)


def _table(patient: PatientWindows, raw: bool) -> NDArray[np.float32]:
    if not raw:
        return patient.tokens
    if patient.x is None:
        raise ValueError(f"the windows of patient {patient.patient} were not prepared: prepare(cohort, raw=True)")
    return patient.x

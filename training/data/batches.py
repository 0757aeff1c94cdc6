"""Batches: windows of many patients in a shuffled order, read ahead while the network learns (law 9: shares).

Which windows come when is decided by a generator alone, at the start of each pass; a thread reads them. Windows that
lie on disk are copied row by row, so that memory holds a few batches and not the cohort.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from training.data.windows import PatientWindows

#: Batches that are read while one is learned from.
AHEAD = 2


class Dealt(Protocol):
    """A patient as a fit knows one: rows of windows or slices, what each counts, and the outcome."""

    @property
    def patient(self) -> str:
        """Pseudonym."""

    @property
    def good(self) -> bool:
        """Whether the outcome was good."""

    @property
    def fma(self) -> float | None:
        """Points at follow-up."""

    @property
    def weights(self) -> NDArray[np.float64]:
        """What each row counts among the patient's, shape (n,)."""

    @property
    def fingerprint(self) -> str:
        """Of what made the rows from a recording or a scan."""

    @property
    def sha256(self) -> str:
        """Hash of what a network learns from and is judged by."""

    def __len__(self) -> int:
        """Return how many rows there are."""


P = TypeVar("P", bound=Dealt)


class Batch(NamedTuple):
    """Some windows, in the order in which they are shown.

    Attributes
    ----------
    x : ndarray, shape (batch, n_steps, n_tokens), (batch, n_samples, n_channels) or (batch, 3, size, size), float32
        Tokens, z-scored windows or slices; a copy of one's own.
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
    """All windows, or slices, of some patients, in a new order with each pass.

    The state of a run is the generator's: a pass that begins with the same state is the same pass.

    Parameters
    ----------
    patients : sequence of Dealt
        Each with at least one window.
    batch : int
        Windows at a time; the last of a pass has what is left.
    seed_generator : numpy.random.Generator
        Of the order; drawn from once a pass, when it begins.
    table : callable
        Gives a patient's rows, which may lie on disk.
    even : bool
        Whether all batches of a pass have the same size but for one: what is measured over a batch of one or two, as
        by batch normalisation, would be noise.

    Raises
    ------
    ValueError
        If there is no window.

    Examples
    --------
    >>> batches = Batches([], 32, np.random.default_rng(0), tokens_of)
    Traceback (most recent call last):
        ...
    ValueError: no patient has a window
    """

    def __init__(
        self,
        patients: Sequence[P],
        batch: int,
        seed_generator: np.random.Generator,
        table: Callable[[P], NDArray[np.float32]],
        *,
        even: bool = False,
    ) -> None:
        if not any(map(len, patients)):
            raise ValueError("no patient has a window")
        self._tables = [table(patient) for patient in patients]
        self._batch, self._even = batch, even
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
        cuts = len(self) if self._even else range(self._batch, self.n_windows, self._batch)
        pending = deque(np.array_split(order, cuts))
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


def tokens_of(patient: PatientWindows) -> NDArray[np.float32]:
    """Return a patient's band tokens."""
    return patient.tokens


def samples_of(patient: PatientWindows) -> NDArray[np.float32]:
    """Return a patient's z-scored windows.

    Raises
    ------
    ValueError
        If they were not prepared.
    """
    if patient.x is None:
        raise ValueError(f"the windows of patient {patient.patient} were not prepared: prepare(cohort, raw=True)")
    return patient.x

"""What one pass over a recording's samples sees: holes, sizes, mains and a digest that a copy shares.

Nothing is filtered and nothing is learned: it is what a person would look for before believing a file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from acquisition.decisions import Decision
from acquisition.quality import QualitySpec
from acquisition.tape import Block
from training.audit.mains import MainsMeter

Array = NDArray[np.float64]

#: Seconds of one stretch: short enough that a drifting electrode hardly moves, long enough for bins of 1 Hz.
STRETCH_S = 1.0
#: Share of the stretches below which a channel's larger size lies: muscles work part of the time.
WORKING = 95.0
#: A stretch whose range is below this, in µV, is flat.
FLAT_UV = QualitySpec().flat_uv


@dataclass(frozen=True)
class Seen:
    """What was seen of one recording.

    Attributes
    ----------
    n_samples, n_lost : int
        Samples that are there, and samples that were declared lost.
    rate_hz : float
    nan_share, flat_share : ndarray, shape (n_channels,), float64
        Share of samples that are no number, and of whole stretches without any change.
    size_uv, working_uv : ndarray, shape (n_channels,), float64
        Standard deviation within a second: of the median second, and of the 95th of a hundred.
    mains_hz : float or None
        Where its mains line stands; None where none is seen.
    digest : str or None
        Of the sums of its stretches: a copy under another name, header or format has the same. None where nothing was
        measured, in which all recordings are alike: no whole second, no numbers, or no change.
    """

    n_samples: int
    n_lost: int
    rate_hz: float
    nan_share: Array
    flat_share: Array
    size_uv: Array
    working_uv: Array
    mains_hz: float | None
    digest: str | None

    @property
    def seconds(self) -> float:
        """Seconds of signal that are there."""
        return self.n_samples / self.rate_hz


def see(tape: Iterable[Decision | Block], n_channels: int, rate_hz: float) -> Seen:
    """Look at a recording once, from its first sample to its last.

    Parameters
    ----------
    tape : iterable of Decision and Block
        Samples in µV, shape (n_samples, n_channels), and the decisions on them.
    n_channels : int
    rate_hz : float

    Returns
    -------
    Seen
        Sizes are NaN for a channel without a single whole second of numbers.
    """
    look = _Look(n_channels, rate_hz)
    for item in tape:
        if isinstance(item, Decision):
            look.hear(item)
        else:
            look.add(item.x_uv)
    return look.close()


@dataclass
class _Look:
    n_channels: int
    rate_hz: float
    n_samples: int = 0
    n_lost: int = 0
    sizes: list[Array] = field(default_factory=list)
    flats: list[NDArray[np.bool_]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._n_stretch = round(STRETCH_S * self.rate_hz)
        self._waiting: list[Array] = []
        self._n_waiting = 0
        self._n_nan = np.zeros(self.n_channels)
        self._digest = hashlib.sha256()
        self._mains = MainsMeter(self._n_stretch, self.rate_hz)

    def hear(self, decision: Decision) -> None:
        """Count what was lost; no stretch spans the beginning of a segment (law 4)."""
        if decision.kind == "lost":
            self.n_lost += decision.count("n")
        elif decision.kind == "segment":
            self._waiting, self._n_waiting = [], 0

    def add(self, x_uv: Array) -> None:
        self.n_samples += len(x_uv)
        self._waiting.append(x_uv)
        self._n_waiting += len(x_uv)
        if self._n_waiting >= self._n_stretch:
            for stretch in self._stretches():
                self._look(stretch)

    def _stretches(self) -> Iterator[Array]:
        joined = np.concatenate(self._waiting)
        whole = len(joined) // self._n_stretch * self._n_stretch
        self._waiting, self._n_waiting = [joined[whole:]], len(joined) - whole
        yield from np.split(joined[:whole], whole // self._n_stretch)

    def _look(self, x_uv: Array) -> None:
        finite = np.isfinite(x_uv)
        self._digest.update(x_uv.sum(axis=0).tobytes())
        if not finite.all():
            self._n_nan += np.count_nonzero(~finite, axis=0)
        with np.errstate(invalid="ignore"):
            size = x_uv.std(axis=0)
            self.flats.append(np.ptp(x_uv, axis=0) < FLAT_UV)
        self.sizes.append(size)
        self._mains.add(x_uv, size)

    def close(self) -> Seen:
        n = len(self.sizes)
        sizes = np.array(self.sizes).reshape(n, self.n_channels)
        flats = np.array(self.flats).reshape(n, self.n_channels)
        return Seen(
            n_samples=self.n_samples,
            n_lost=self.n_lost,
            rate_hz=self.rate_hz,
            nan_share=self._n_nan / max(1, n * self._n_stretch),
            flat_share=flats.mean(axis=0) if n else np.zeros(self.n_channels),
            size_uv=_percentile(sizes, 50.0),
            working_uv=_percentile(sizes, WORKING),
            mains_hz=self._mains.line_hz(),
            digest=self._digest.hexdigest() if np.any(sizes > 0) else None,
        )


def _percentile(sizes: Array, share: float) -> Array:
    """Return a percentile of each column's numbers; NaN where it has none."""
    columns = [column[np.isfinite(column)] for column in sizes.T]
    return np.array([np.percentile(column, share) if len(column) else np.nan for column in columns])

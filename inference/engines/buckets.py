"""Buckets: the few batch sizes that a backend of fixed shapes is built for; a batch between two is padded (pure).

The rows that fill a bucket belong to nobody. That nothing of them reaches a patient's row is shown, never assumed:
with NaN and with huge numbers in them, every other row must keep its bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: What the padding is filled with when it is proven harmless; 0 is what it holds while serving.
FILLERS = (0.0, float("nan"), float("inf"), 1e30)

Compute = Callable[[NDArray[np.float32], float], Mapping[str, NDArray[np.float32]]]


def bucket_of(n: int) -> int:
    """Return the smallest power of two that holds n windows; 1 or more."""
    return 1 << max(n - 1, 0).bit_length()


def buckets_to(n: int) -> tuple[int, ...]:
    """Return every bucket up to the one that holds n windows."""
    return tuple(1 << i for i in range(bucket_of(n).bit_length()))


def padded(x: NDArray[Any], filler: float = 0.0) -> NDArray[Any]:
    """Return x, shape (n, ...), with rows of ``filler`` up to its bucket; x itself where it fills it."""
    rows = bucket_of(len(x)) - len(x)
    return np.concatenate([x, np.full((rows, *x.shape[1:]), filler, x.dtype)]) if rows else x


def harmless_padding(compute: Compute, x: NDArray[np.float32], max_batch: int) -> bool:
    """Return whether what fills a bucket leaves no bit in the rows before it.

    Parameters
    ----------
    compute : callable
        Takes windows and the filler of the rows after them; returns outputs of the windows alone.
    x : ndarray, shape (n, ...)
        Windows, at least one; they are repeated where a bucket needs more.
    max_batch : int
        Every bucket up to it is tried, one window more than the bucket before it holds.
    """
    for bucket in buckets_to(max_batch):
        windows = np.resize(x, (bucket // 2 + 1, *x.shape[1:]))
        clean, *others = (compute(windows, filler) for filler in FILLERS)
        if any(clean[key].tobytes() != other[key].tobytes() for other in others for key in clean):
            return False
    return True

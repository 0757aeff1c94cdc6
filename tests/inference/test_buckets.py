"""Buckets: batches of a backend with fixed shapes, and whether what fills them leaves a trace."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from inference.engines.buckets import bucket_of, buckets_to, harmless_padding, padded

X = np.ones((1, 3, 2), np.float32)


@given(st.integers(1, 300))
def test_a_bucket_is_the_next_power_of_two(n: int) -> None:
    """Never smaller, never twice as large."""
    bucket = bucket_of(n)
    assert n <= bucket < 2 * n or bucket == n == 1
    assert bucket in buckets_to(n) and buckets_to(n)[-1] == bucket and buckets_to(n)[0] == 1


@given(st.integers(1, 20), st.sampled_from([0.0, 7.0]))
def test_padding_follows_the_windows(n: int, filler: float) -> None:
    """The windows keep their slots; the rest of the bucket is the filler."""
    x = np.arange(1, n + 1, dtype=np.float32)[:, np.newaxis]
    filled = padded(x, filler)
    assert filled.shape == (bucket_of(n), 1) and filled.dtype == np.float32
    assert filled[:n].tobytes() == x.tobytes() and (filled[n:] == filler).all()


def test_rows_that_keep_to_themselves_are_harmless() -> None:
    """Every bucket is asked, with every filler."""
    seen: set[tuple[int, bool]] = set()

    def compute(x: NDArray[np.float32], filler: float) -> dict[str, NDArray[np.float32]]:
        seen.add((len(x), bool(np.isnan(filler))))
        return {"logit": padded(x, filler).sum(axis=(1, 2))[: len(x)]}

    assert harmless_padding(compute, X, 8)
    assert {n for n, _ in seen} == {1, 2, 3, 5} and (5, True) in seen


@pytest.mark.parametrize("leak", [np.sum, np.max, np.mean])
def test_a_row_that_leaks_is_found(leak: np.ufunc) -> None:
    """One scale for the whole batch is how it happens."""

    def compute(x: NDArray[np.float32], filler: float) -> dict[str, NDArray[np.float32]]:
        whole = padded(x, filler)
        return {"logit": (whole.sum(axis=(1, 2)) + np.float32(leak(np.abs(whole))))[: len(x)]}

    assert not harmless_padding(compute, X, 4)

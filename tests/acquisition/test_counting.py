"""Columns that count samples: found, and checked where one is named (law 3)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from acquisition.counting import check_counts, counters
from acquisition.errors import RecordingError


def test_columns_that_count_samples_are_found():
    """A counter that begins again and one that does not; neither signal nor a constant is one."""
    count = np.delete(np.arange(2000), [500, 1500])
    samples = np.column_stack([count % 256, count, np.ones(1998), np.sin(count), np.where(count == 3, np.nan, count)])
    assert counters("abcde", samples) == [("a", 256), ("b", None)]
    assert counters("ab", samples[:5, :2]) == []


@pytest.mark.parametrize(
    ("counts", "modulo"),
    [
        (np.arange(1000) % 256, 256),
        (np.arange(1000), None),
        (np.flatnonzero(np.arange(1000) % 3), None),
        (np.where(np.arange(1000) % 10 == 3, np.inf, np.arange(1000)), 256),
        (np.zeros(5), 256),
    ],
    ids=["begins again", "never", "a third lost", "some no numbers", "too few to tell"],
)
def test_a_counter_is_one_whatever_was_lost(counts, modulo):
    """Losses and damaged counts leave most steps regular."""
    check_counts(Path("a.txt"), "i", counts.astype(np.float64), modulo)


@pytest.mark.parametrize(
    ("counts", "modulo", "words"),
    [
        (np.arange(1000) * 7 % 256, 256, r"a\.txt: column 'i' does not count samples, beginning again at 256: 0% of"),
        (np.round(50 * np.sin(np.arange(1000))), None, "does not count samples: .*--counter NAME:N"),
    ],
)
def test_a_signal_is_no_counter(counts, modulo, words):
    """It would make a loss or a repetition of every sample, and take ages."""
    with pytest.raises(RecordingError, match=words):
        check_counts(Path("a.txt"), "i", counts.astype(np.float64), modulo)

"""Nobody is in two parts, nobody is left out, and every part has both outcomes (law 9)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.splits import PARTS, split


@given(st.integers(20, 60), st.integers(20, 60), st.integers(0, 5))
def test_every_patient_is_in_exactly_one_part(n_good: int, n_poor: int, seed: int):
    """The parts cover the patients and are disjoint; each has about its share of good outcomes."""
    labels = [True] * n_good + [False] * n_poor
    parts = split(labels, seed)
    assert sorted(i for members in parts.values() for i in members) == list(range(n_good + n_poor))
    for part, share in PARTS.items():
        assert abs(sum(labels[i] for i in parts[part]) - share * n_good) <= 1
        assert abs(len(parts[part]) - share * (n_good + n_poor)) <= 2


def test_a_split_depends_on_its_seed_alone():
    """The same seed deals the same patients, another one others."""
    labels = [True, False] * 50
    assert split(labels, 1) == split(labels, 1) != split(labels, 2)


def test_too_few_patients_of_one_outcome_are_refused():
    """A part that cannot be judged is not made."""
    with pytest.raises(ValueError, match="2 patients of poor outcome are too few for part 'stop': add patients"):
        split([True] * 50 + [False] * 2, 0)

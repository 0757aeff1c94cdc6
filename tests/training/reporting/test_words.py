"""How figures read: what is missing is named, never 0, and nothing is claimed beyond the digits."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.reporting.words import MISSING, count, figure, listed, number, p_value, text, value_of


@pytest.mark.parametrize("value", [None, math.nan, math.inf, "0.5", {"value": None}, {}, {"value": math.nan}])
def test_what_is_no_number_is_named(value: object) -> None:
    """No form of a missing value becomes a number."""
    assert number(value) == figure(value) == count(value) == p_value(value) == MISSING


@given(st.floats(-1e6, 1e6), st.integers(0, 6))
def test_a_number_keeps_its_value_and_never_says_minus_zero(value: float, digits: int) -> None:
    """Rounded to its digits, it is the number that it was."""
    words = number(value, digits)
    assert float(words) == pytest.approx(value, abs=0.51 * 10**-digits)
    assert not (words.startswith("-") and float(words) == 0)


def test_a_figure_has_its_interval_where_both_ends_are_known() -> None:
    """Half an interval is none."""
    assert figure({"value": 0.781, "low": 0.6, "high": 0.9}).replace("\N{NO-BREAK SPACE}", " ") == "0.78 (0.60 to 0.90)"
    assert figure({"value": 0.781, "low": 0.6, "high": None}) == "0.78"
    assert figure(0.65) == "0.65"


def test_a_p_value_is_never_zero() -> None:
    """Below a thousandth no more is claimed."""
    assert p_value(0.0) == "below 0.001"
    assert p_value(0.0213) == "0.021"


def test_a_mean_counts_as_a_value() -> None:
    """The AUC within folds is a mean without an interval."""
    assert value_of({"mean": 0.7, "n_folds": 25}) == 0.7


def test_words_and_lists() -> None:
    """A missing word is named; names read as a sentence does."""
    assert (text(None), text(""), text(7)) == (MISSING, MISSING, "7")
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"

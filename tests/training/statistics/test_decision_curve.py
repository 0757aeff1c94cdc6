"""Net benefit by hand."""

import pytest

from training.statistics.decision_curve import THRESHOLDS, decision_curve, net_benefit

#: Two good patients and two poor ones.
GOOD = [True, True, False, False]
P = [0.9, 0.3, 0.6, 0.1]


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [(0.05, (2 - 2 * 0.05 / 0.95) / 4), (0.2, (2 - 1 * 0.25) / 4), (0.5, (1 - 1) / 4), (0.75, 1 / 4), (0.95, 0.0)],
)
def test_net_benefit_by_hand(threshold, expected):
    """Finds less mistakes by the odds of the threshold, over all patients."""
    assert net_benefit(GOOD, P, threshold) == pytest.approx(expected)


def test_a_curve_stands_between_everybody_and_nobody():
    """At low thresholds whoever acts on everybody is right; nobody is always 0; the band holds the curve."""
    rows = decision_curve(GOOD * 10, P * 10, seed=0)
    assert [row["threshold"] for row in rows] == list(THRESHOLDS)
    assert rows[0]["net_benefit"] == pytest.approx(rows[0]["all"])
    assert rows[9]["all"] == pytest.approx(0.0)
    assert all(row["none"] == 0.0 and row["low"] <= row["net_benefit"] <= row["high"] for row in rows)

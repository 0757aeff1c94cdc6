"""The figures: what is missing is a hole, not a 0, and nothing tells two lines apart by colour alone."""

from __future__ import annotations

import re

import pytest

from tests.training import reports
from training.errors import RunError
from training.reporting import figures
from training.reporting.learning import curves

MODELS = reports.sample()["models"]


def test_lines_differ_by_stroke_as_well_as_by_colour() -> None:
    """Whoever sees no colour sees the dashes."""
    svg = figures.roc(MODELS).svg
    dashes = dict(re.findall(r"stroke-dasharray: ([\d., ]+);[^\"]*?stroke: (#\w+)", svg))
    assert len(dashes) == len(set(dashes.values())) == len(MODELS) - 1


def test_text_is_text_and_a_dollar_sign_is_one() -> None:
    """Words of a figure can be read out and searched for, and no name is taken for mathematics."""
    svg = figures.roc([{**MODELS[0], "name": "$x_i$ & <b>"}]).svg
    assert "$x_i$ &amp; &lt;b&gt;, AUC" in svg


def test_colours_follow_the_page() -> None:
    """In a page every colour is a variable that a dark screen sets otherwise."""
    html = str(figures.roc(MODELS).inline())
    assert not re.search(r"(?:fill|stroke): #", html)
    assert "var(--series-1, #0072b2)" in html


def test_points_without_patients_are_not_drawn() -> None:
    """An empty group of a reliability figure is left out, of the words too."""
    whole = MODELS[0]["reliability"]
    points = [*whole, {"p": 0.05, "observed": None, "n": 0, "low": None, "high": None}]
    alt = figures.reliability({**MODELS[0], "reliability": points}).alt
    assert f"in {len(whole)} groups" in alt
    assert "0.05" not in alt


def test_a_missing_auc_is_no_point() -> None:
    """A number of windows that too few patients have is left out, not drawn at 0."""
    rows = [*MODELS[0]["by_windows"][:2], {**MODELS[0]["by_windows"][2], "auc": None}]
    assert "after 12" not in figures.by_windows({**MODELS[0], "by_windows": rows}).alt


def test_net_benefit_says_where_it_is_of_use() -> None:
    """A curve that is nowhere above both simple rules says so."""
    useless = [{**point, "net_benefit": -0.1} for point in MODELS[0]["decision"]]
    useful = [{**point, "net_benefit": 1.0} if 0.3 <= point["threshold"] <= 0.7 else point for point in useless]
    assert "at 9 of 19 thresholds, between 0.30 and 0.70" in figures.decision({**MODELS[0], "decision": useful}).alt
    assert "above both at no threshold" in figures.decision({**MODELS[0], "decision": useless}).alt


def test_permuted_labels_are_a_histogram_with_the_true_ones_in_it() -> None:
    """Both are in the words too."""
    control = {**reports.sample()["permuted"], "values": [0.4, 0.5, 0.5, 0.6], "observed": 0.74}
    alt = figures.permuted(control).alt
    assert "Histogram of 4 AUCs of band-power" in alt
    assert "with the true labels 0.74" in alt


def test_learning_curves_keep_each_fold_and_its_best_epoch() -> None:
    """Folds of unequal length are no fault: the mean is of those still running. A tick claims no more than is known."""
    rows = [{"fold": fold, "epoch": str(epoch), "loss": "0.5", "stop_loss": str(0.6 - 0.1 * (epoch == best))}
            for fold, epochs, best in (("r0f0", 3, 1), ("r0f1", 5, 4)) for epoch in range(epochs)]  # fmt: skip
    found = curves(rows)
    assert found is not None
    assert found[1] == [1, 4]
    assert [len(epochs) for epochs, _ in found[0][0]["folds"]] == [3, 5]
    drawn = figures.learning(*found)
    assert "2 fits" in drawn.alt
    assert "Both losses are the logit's" in drawn.caption and "unless the untrained one was as good" in drawn.caption
    assert curves([]) is None


@pytest.mark.parametrize(
    "broken", [{"loss": "0.5"}, {"loss": "0.5", "stop_loss": "much"}], ids=["no column", "no number"]
)
def test_a_broken_table_of_losses_is_refused(broken: dict[str, str]) -> None:
    """Fold, epoch and column are named, and what to do."""
    with pytest.raises(RunError, match="no number as stop_loss of fold r0f0, epoch 0") as refused:
        curves([{"fold": "r0f0", "epoch": "0", **broken}])
    assert "delete it" in refused.value.remedy

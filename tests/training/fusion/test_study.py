"""The study of simulated heads: they are as was asked for, and fusing equal ones does not lose."""

from __future__ import annotations

import numpy as np
import pytest

from training.fusion import study
from training.fusion.study import Cell, judges, main, rows_of, simulated
from training.statistics.auc import aucs


@pytest.mark.parametrize("correlation", study.CORRELATIONS)
@pytest.mark.parametrize("quality", study.QUALITIES)
def test_heads_are_as_good_and_as_alike_as_was_asked(correlation: float, quality: tuple[float, float]) -> None:
    """Among the judges to three digits; among simulated patients within chance."""
    cell = Cell(4000, correlation, quality)
    logits, good = judges(cell)
    assert aucs(good, logits) == pytest.approx(quality, abs=1e-3)
    assert np.corrcoef(logits[:, good])[0, 1] == pytest.approx(correlation, abs=0.01)
    logits, good = simulated(cell, np.random.default_rng(0))
    assert aucs(good, logits) == pytest.approx(quality, abs=0.03)
    assert good.sum() == 2000


def test_fusing_equal_heads_gains() -> None:
    """Thirty cohorts of 60 suffice to see it; the default loses nowhere against the better head on average."""
    rows = {row.method: row for row in rows_of(Cell(60, 0.2, (0.72, 0.72)), 30)}
    assert rows["equal"].low > 0.0 and rows["logit_stack"].low > 0.0
    assert rows["logit_stack"].log_loss < rows["logit_stack"].log_loss_better


def test_heads_that_know_nothing_stay_at_chance() -> None:
    """Nothing fused of nothing is nothing."""
    for row in rows_of(Cell(60, 0.2, (0.5, 0.5)), 10):
        assert row.auc == pytest.approx(0.5, abs=1e-6)


def test_a_cell_has_its_own_cohorts_whatever_else_is_tried() -> None:
    """The same numbers alone and among others; another seed gives others."""
    cell = Cell(13, 0.5, (0.72, 0.68))
    assert rows_of(cell, 3) == rows_of(cell, 3) != rows_of(cell, 3, seed=1)


def test_the_command_prints_both_tables(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each cell, gains with their spread and the share of cohorts that did not lose."""
    monkeypatch.setattr(study, "SIZES", (13,))
    monkeypatch.setattr(study, "CORRELATIONS", (0.2,))
    assert main(["--cohorts", "3"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "| AUC of the heads | correlation | patients | better head | equal | logit_stack | mean_prob |"
    assert [line.split(" | ")[0] for line in out[2:5]] == ["| 0.72 and 0.72", "| 0.72 and 0.68", "| 0.80 and 0.65"]
    assert out[6].startswith("| AUC of the heads | patients | better head alone |") and len(out) == 11

"""Two runs' logits become one number for patients that had no say in it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.training.fused_runs import cohort_of, runs_of
from training.errors import TrainingError
from training.evaluation.scores import Scores
from training.fusion.fitting import N_PARTS, Pair, dealt, in_parts, predictions_of, whole_curve
from training.runs.predictions import Prediction, read_predictions
from training.splitting.dealing import STRATA
from training.statistics.auc import auc

METHODS = ("equal", "logit_stack", "mean_prob")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Prediction], list[Prediction]]:
    """Return both runs' predictions."""
    folder = tmp_path_factory.mktemp("pair")
    runs = runs_of(folder, cohort_of(folder / "cohort"))
    return tuple(list(read_predictions(run.predictions_path)) for run in runs)  # type: ignore[return-value]


def pair_of(eeg: list[Prediction], fmri: list[Prediction], fmri_model: str = "cnn-shufflenet") -> Pair:
    """Return the two heads of these rows."""
    return Pair.of(Scores.of(eeg, "lstm-bands"), Scores.of(fmri, fmri_model))


def test_who_lacks_a_modality_is_not_fused_but_calibrates_the_other(rows) -> None:
    """34 of 40 have both; the image head's curves are of all 40."""
    pair = pair_of(*rows)
    assert len(pair.patients) == 34 and "001" not in pair.patients
    assert pair.fmri.patients == pair.eeg_emg.patients
    assert pair.fmri.curves is not None
    fewer = [row for row in rows[1] if row.patient in pair.patients]
    assert pair_of(rows[0], fewer).fmri.curves[0, 0] != pair.fmri.curves[0, 0]


@pytest.mark.parametrize("method", METHODS)
def test_nobody_has_a_say_in_his_own_number(rows, method: str) -> None:
    """With the outcomes of a part turned round, its own numbers stay as they are, and others' change."""
    turned = [[replace(r, label=not r.label) if (r.repeat, r.fold) == (0, 1) else r for r in some] for some in rows]
    before, after = (pair_of(*some).cross_fitted(method) for some in (rows, turned))
    pair = pair_of(*rows)
    mine = pair.parts[0] == 1
    assert mine.sum() > 5
    np.testing.assert_array_equal(before[0, mine], after[0, mine])
    assert (before[0, ~mine] != after[0, ~mine]).all()


def test_fusing_two_good_heads_is_no_worse_than_either(rows) -> None:
    """The heads share little but the outcome."""
    pair = pair_of(*rows)
    alone = max(auc(pair.good, head.mean(axis=0)) for head in pair.alone())
    assert auc(pair.good, pair.cross_fitted("logit_stack").mean(axis=0)) >= alone - 0.02


def test_a_head_that_says_one_number_to_everybody_takes_no_part_in_the_ranking(rows) -> None:
    """As a network that learned nothing does: its log-odds are the share of good outcomes among the others."""
    constant = [replace(row, logit=0.3, p=0.57) for row in rows[1] if row.model == "cnn-shufflenet"]
    pair = pair_of(rows[0], constant)
    head, image = pair.alone()
    for part in np.unique(pair.parts[0]):
        mine = pair.parts[0] == part
        assert len(set(image[0, mine])) == 1 and abs(image[0, mine][0]) < 0.5
        fused = pair.cross_fitted("logit_stack")[0, mine]
        assert (np.argsort(fused) == np.argsort(head[0, mine])).all()


def test_weights_of_all_patients_come_with_draws(rows) -> None:
    """As many as were asked for; equal has none."""
    pair = pair_of(*rows)
    weights, draws = pair.weigh("logit_stack", n_draws=30)
    assert len(draws) == 30 and len({draw.eeg_emg for draw in draws}) > 20
    assert min(d.eeg_emg for d in draws) < weights.eeg_emg < max(d.eeg_emg for d in draws)
    assert pair.weigh("logit_stack", n_draws=30) == (weights, draws)
    assert pair.weigh("equal")[1] == ()


def test_weights_are_fitted_behind_the_lines_of_the_bundles(rows) -> None:
    """Another calibration before them gives other weights."""
    pair = pair_of(*rows)
    curve = whole_curve(pair.eeg_emg)
    assert pair.weigh("logit_stack", (curve, None), n_draws=1) == pair.weigh("logit_stack", n_draws=1)
    steeper = replace(curve, a=tuple(2 * a for a in curve.a))
    assert pair.weigh("logit_stack", (steeper, None), n_draws=1)[0] != pair.weigh("logit_stack", n_draws=1)[0]


def test_runs_without_a_common_patient_are_refused(rows) -> None:
    """Or with one outcome alone among them."""
    few = [row for row in rows[1] if row.patient < "007"]
    with pytest.raises(TrainingError, match="lstm-bands and cnn-shufflenet share 0 patients, not of both outcomes"):
        pair_of(rows[0], few)


def test_patients_of_one_fold_are_dealt_evenly() -> None:
    """Each stratum into all parts; who was not judged is in none."""
    good, poor, *without = STRATA.values()
    strata = {good: [f"g{i}" for i in range(7)], poor: [f"p{i}" for i in range(6)], without[0]: ["x"], without[1]: []}
    judged = [*strata[good], *strata[poor]]
    part_of = dealt(strata, judged, 3)
    assert sorted(part_of) == sorted(judged)
    sizes = [list(part_of.values()).count(part) for part in range(N_PARTS)]
    assert max(sizes) - min(sizes) <= 1
    assert {part_of[patient] for patient in strata[good]} == set(range(N_PARTS))
    assert part_of == dealt(strata, judged[::-1], 3) != dealt(strata, judged, 4)


def test_rows_are_moved_to_the_part_of_their_patient(rows) -> None:
    """Whoever has no part is left out."""
    moved = in_parts(rows[0], {"010": 3})
    assert {(row.patient, row.fold) for row in moved} == {("010", 3)}


def test_what_is_said_reads_back_as_it_was_fused(rows) -> None:
    """A row for each patient and repeat, calibrated before."""
    pair = pair_of(*rows)
    both = pair.cross_fitted("mean_prob")
    made = list(predictions_of("both", both, pair, {"010": 20.0}))
    assert {row.fma for row in made if row.patient == "010"} == {20.0}
    scores = Scores.calibrated_before(made, "both")
    assert scores.calibrated and scores.unit == "patient"
    np.testing.assert_array_equal(scores.log_odds(), both)
    np.testing.assert_array_equal(scores.select(pair.good).log_odds(), both[:, pair.good])

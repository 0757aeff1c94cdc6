"""The control of a fusion: on cohorts without an effect, the true outcomes lie among those that were dealt."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest

from training.errors import RunError
from training.evaluation.dealt_anew import weighed_anew
from training.evaluation.fusing import fusion_evaluation_of
from training.evaluation.scores import Scores
from training.evaluation.sureness import Sureness
from training.fusion.fitting import Pair, predictions_of
from training.runs.predictions import Prediction
from training.statistics.auc import auc
from training.statistics.logistic import sigmoid

#: Patients that have both, and that have a scan alone; repeats and folds; deals.
N, N_ALONE, N_REPEATS, N_FOLDS, N_DEALS = 40, 2, 2, 10, 30
#: Deviation of one network's logit of a patient from another's.
NETWORK_SD = 0.3
#: What either network scores.
WINDOW: Literal["window"] = "window"
SLICE: Literal["slice"] = "slice"


@pytest.fixture(autouse=True)
def without_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fit every calibration without the resamples of its interval, which no control asks for."""
    monkeypatch.setattr("training.evaluation.scores.N_DRAWS", 0)


def heads(seed: int, effect: float = 0.0) -> tuple[Scores, Scores]:
    """Return what two networks say of a cohort; the folds hold as many of either outcome."""
    rng = np.random.default_rng(seed)
    n = N + N_ALONE
    good = rng.permutation(np.arange(n) % 2 == 0)
    tends = rng.standard_normal((2, n)) + effect * (good - 0.5)
    rows: list[Prediction] = []
    for repeat in range(N_REPEATS):
        fold = np.empty(n, int)
        for side in (good, ~good):
            members = rng.permutation(np.flatnonzero(side))
            fold[members] = np.arange(len(members)) % N_FOLDS
        for model, unit, n_judged, tend in (("lstm", WINDOW, N, tends[0]), ("cnn", SLICE, n, tends[1])):
            for i in range(n_judged):
                x = float(tend[i] + NETWORK_SD * rng.standard_normal())
                row = Prediction(model, repeat, int(fold[i]), f"{i:03d}", unit, 0, 1.0, x, float(sigmoid(x)),
                                 bool(good[i]))  # fmt: skip
                rows.append(row)
    return Scores.of(rows, "lstm"), Scores.of(rows, "cnn")


def fused(eeg_emg: Scores, fmri: Scores, method: str) -> Scores:
    """Return their fusion as a run of fusions has it."""
    pair = Pair.of(eeg_emg, fmri)
    return Scores.calibrated_before(list(predictions_of("both", pair.cross_fitted(method), pair, {})), "both")


def control(seed: int, method: str = "logit_stack", effect: float = 0.0) -> dict[str, Any]:
    """Return the control of one cohort."""
    made = heads(seed, effect)
    return weighed_anew(fused(*made, method), *made, method, N_DEALS, 0)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_without_an_effect_a_fusion_lies_among_its_deals() -> None:
    """Over two dozen cohorts z has the spread that it claims; 1.5 where heads keep the truth's calibration."""
    z = np.array([control(seed)["z"] for seed in range(24)])
    assert z.std(ddof=1) < 1.3
    assert np.abs(z).max() < 3.5
    assert abs(z.mean()) < 3.0 / np.sqrt(len(z))


@pytest.mark.parametrize("method", ["logit_stack", "mean_prob", "equal"])
def test_what_can_be_found_lies_far_from_its_deals(method: str) -> None:
    """By every method; the deals themselves lie about one half."""
    found = control(1, method, effect=2.0)
    assert found["z"] > 3.5
    assert found["mean"] == pytest.approx(0.5, abs=0.05)


def test_the_true_outcomes_give_what_the_fusion_reached() -> None:
    """One window each: the line that is fitted to the true outcomes is the one that the run was fused by."""
    made = heads(3, effect=1.0)
    for repeat in (0, 1):
        assert {row.fold for row in made[0].rows[repeat]} == set(range(N_FOLDS))
    fusion = fused(*made, "logit_stack")
    found = weighed_anew(fusion, *made, "logit_stack", 20, 0)
    parts = [np.array([row.fold for row in rows]) for rows in fusion.rows]
    reached = [
        auc(fusion.good[of == fold], x[of == fold])
        for of, x in zip(parts, fusion.logits(), strict=True) for fold in range(N_FOLDS)
    ]  # fmt: skip
    assert found["observed"] == pytest.approx(np.mean(reached), abs=0.02)


@pytest.mark.parametrize("lacking", ["a patient", "a repeat", "an outcome"])
def test_a_network_whose_predictions_changed_since_is_refused(lacking: str) -> None:
    """Otherwise its line would be fitted to something else than was fused."""
    eeg_emg, fmri = heads(0)
    fusion = fused(eeg_emg, fmri, "logit_stack")
    rows = [row for rows in fusion.rows for row in rows]
    said = [Prediction("both", row.repeat, row.fold, row.patient, "patient", None, 1.0, row.logit(), 0.5, row.good)
            for row in rows]  # fmt: skip
    if lacking == "a patient":
        eeg_emg = eeg_emg.select(np.array([patient != "007" for patient in eeg_emg.patients]))
    elif lacking == "a repeat":
        eeg_emg = Scores(eeg_emg.model, eeg_emg.unit, eeg_emg.patients, eeg_emg.good, eeg_emg.rows[:1])
    else:
        turned = eeg_emg.good ^ np.array([patient == "007" for patient in eeg_emg.patients])
        eeg_emg = Scores(eeg_emg.model, eeg_emg.unit, eeg_emg.patients, turned, eeg_emg.rows)
    made = {"models": [{"name": "both", "kind": "fusion", "method": "logit_stack", "heads": ["both", "both"]}]}
    what = "repeat 1" if lacking == "a repeat" else "patient 007"
    with pytest.raises(RunError, match=f"other predictions than were fused: {what} differs"):
        fusion_evaluation_of(said, {}, "synthetic", Sureness(20, 100), made, (eeg_emg, fmri))

"""Evaluation of runs whose answer is known: the patient is the unit, and what is judged was not fitted (law 9)."""

import json
import math
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from tests.training.evaluations import N_WINDOWS, material, predictions, sample
from training.errors import RunError
from training.evaluation import acceptance
from training.evaluation.evaluation import Sureness, evaluation_of
from training.evaluation.figures import by_windows, model_figures, paired, window_level
from training.evaluation.groups import days_group
from training.evaluation.listing import flags, patients
from training.evaluation.points import fma, ordinal
from training.evaluation.scores import Scores, models_of
from training.statistics.logistic import sigmoid
from training.statistics.metrics import calibration_intercept, calibration_slope
from training.statistics.weighting import bundle_calibration, curve_of, scored_rows

FEW = Sureness(permutations=20, bootstrap=100)


@pytest.fixture(scope="module")
def whole():
    """Return the evaluation of forty simulated patients."""
    return sample()


def close(one, other):
    """Tell whether two JSON values are the same but for the last bits of their numbers."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(close(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(close, one, other))
    return one == other if one is None or isinstance(one, str) else one == pytest.approx(other, abs=1e-9)


def test_an_evaluation_is_json_without_a_number_that_is_none(whole):
    """NaN and infinity are no JSON."""
    assert json.loads(json.dumps(whole, allow_nan=False)) == whole
    assert [(model["name"], model["kind"]) for model in whole["models"]] == [
        ("lstm-bands", "network"), ("band-power", "baseline"), ("majority", "baseline"),
    ]  # fmt: skip
    assert len(whole["patients"]) == whole["models"][0]["n"] == 40


@settings(max_examples=3, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_and_patients_leaves_no_trace(whole, shuffler: random.Random):
    """Predictions and patients come from files that anybody may sort."""
    made = material()
    rows, people = list(made.predictions), list(made.participants.items())
    shuffler.shuffle(rows)
    shuffler.shuffle(people)
    found = evaluation_of(replace(made, predictions=rows, participants=dict(people)), "synthetic", FEW)
    assert all(close(found[key], whole[key]) for key in found)


def test_twice_the_windows_are_not_more_patients():
    """A patient whose windows come twice changes no figure of patients, only the number of windows."""
    rows = [row for row in predictions() if row.model == "lstm-bands"]
    again = [replace(row, index=row.index + N_WINDOWS) for row in rows if row.patient == "004"]
    once, twice = (model_figures(Scores.of(some, "lstm-bands"), 0, 100) for some in (rows, rows + again))
    assert close(once["figures"], twice["figures"])
    assert twice["window_level"]["n"] == once["window_level"]["n"] + N_WINDOWS


def test_one_number_for_everybody_is_chance(whole):
    """Calibration by fold would rank patients backwards; the number stays as it is."""
    majority = whole["models"][2]
    assert [majority["figures"]["auc"][key] for key in ("value", "low", "high")] == [0.5, 0.5, 0.5]
    assert majority["figures"]["accuracy"]["value"] == majority["n_good"] / majority["n"]
    assert majority["figures"]["calibration_slope"]["value"] is None
    assert [model["calibrated"] for model in whole["models"]] == [True, True, None]


def test_the_headline_is_of_the_mean_over_repeats(whole):
    """One score per patient, n patients, whatever the number of repeats."""
    rows = [row for row in predictions() if row.model == "lstm-bands"]
    label = {row.patient: row.label for row in rows}
    mean = {patient: np.mean([row.logit for row in rows if row.patient == patient]) for patient in label}
    figures = whole["models"][0]["figures"]
    assert figures["auc"]["value"] == pytest.approx(roc_auc_score([*label.values()], [*mean.values()]))
    assert len(figures["auc_per_repeat"]) == 2
    assert figures["auc_within_fold"]["n_folds"] <= 10


def test_calibration_takes_back_what_was_done_to_the_logits():
    """Logits that are four times too large, or too small, become the same probabilities, with a slope near 1."""
    found = {}
    for scale in (0.25, 1.0, 4.0):
        scores = Scores.of(predictions(120, spread=3.0, scale=scale), "lstm-bands")
        found[scale] = scores.probabilities()
        assert 0.8 < calibration_slope(scores.good, scores.log_odds()).value < 1.25
        assert abs(calibration_intercept(scores.good, scores.log_odds()).value) < 0.1
    assert found[0.25] == pytest.approx(found[4.0], abs=0.02)


def test_who_is_judged_has_no_part_in_its_calibration():
    """Other outcomes of a fold's patients change the curves of the other folds, and not its own."""
    rows = predictions()
    turned = [replace(row, label=not row.label) if (row.repeat, row.fold) == (0, 1) else row for row in rows]
    before, after = (Scores.of(some, "lstm-bands").curves for some in (rows, turned))
    assert before[0, 1].a == after[0, 1].a
    assert before[0, 2].a != after[0, 2].a


def test_a_profile_of_one_fold_is_not_calibrated():
    """There are no other folds: logits stay as they are, and it is said."""
    scores = Scores.of([replace(row, fold=0) for row in predictions() if row.repeat == 0], "lstm-bands")
    assert not scores.calibrated
    assert scores.probabilities() == pytest.approx(sigmoid(scores.logits()[0]))
    assert scores.intervals() == [None] * 40
    assert Scores.of(predictions(), "lstm-bands").calibrated


def test_rows_by_windows_are_of_the_patients_that_have_them():
    """Twelve windows of most, two of some; a number that most do not reach has no row."""
    rows = [row for row in predictions() if row.unit == "window" and (row.patient > "010" or row.index < 2)]
    steps = {step["n_windows"]: step["patients"] for step in by_windows(Scores.of(rows, "lstm-bands"), 0, 100)}
    assert steps == {1: 40, 2: 40, 3: 30, 6: 30, 12: 30, "all": 40}


def test_windows_are_a_secondary_unit():
    """Every window once, in however many repeats."""
    level = window_level(Scores.of(predictions(), "lstm-bands"))
    assert level["n"] == 40 * N_WINDOWS
    assert level["note"].startswith("secondary")


def test_pairs_are_of_the_patients_that_both_have_scored():
    """A baseline that lacks ten patients is compared on thirty."""
    rows = [row for row in predictions() if row.model != "band-power" or row.patient > "010"]
    pairs = {(pair["a"], pair["b"]): pair["n"] for pair in paired(models_of(rows), 0)}
    assert pairs == {("lstm-bands", "band-power"): 30, ("lstm-bands", "majority"): 40, ("band-power", "majority"): 30}


def test_a_model_that_judged_one_outcome_alone_is_not_judged():
    """And without any other there is nothing to evaluate."""
    made = material()
    rows = [row for row in made.predictions if row.label]
    with pytest.raises(RunError, match="No model of the run has judged patients of both outcomes"):
        evaluation_of(replace(made, predictions=rows), "synthetic", FEW)


def test_groups_have_an_auc_where_both_outcomes_have_patients(whole):
    """By site, territory and time for the network; sites left out for the baselines that are fitted anew."""
    rows = whole["groups"]
    for by in ("site", "infarct_territory", "days_since_onset"):
        assert sum(row["n"] for row in rows if row["by"] == by) == 40
        assert {row["model"] for row in rows if row["by"] == by} == {"lstm-bands"}
    assert {(row["value"], row["model"]) for row in rows if row["by"] == "leave-one-site-out"} == {
        (site, model) for site in ("north", "south") for model in ("baseline-fma", "band-power")
    }
    assert all((row["auc"] is None) == (min(row["n_good"], row["n"] - row["n_good"]) < 5) for row in rows)
    assert any(row["auc"] is None for row in rows)


def test_one_site_is_no_group():
    """Nor is a cohort left without any."""
    made = material()
    alone = {name: replace(one, site=None) for name, one in made.participants.items()}
    found = evaluation_of(replace(made, participants=alone), "synthetic", FEW)
    assert not {"site", "leave-one-site-out"} & {row["by"] for row in found["groups"]}


@pytest.mark.parametrize(
    ("days", "words"),
    [(None, "not stated"), (13.9, "below 14 days"), (14.0, "14 to 30 days"), (90.0, "90 days and more")],
)
def test_times_since_onset_have_words(days, words):
    """Two weeks, one month, three months."""
    assert days_group(days) == words


def test_the_paper_s_row_stands_first_and_names_its_unit(whole):
    """Accuracy, recall, F1, precision is the paper's order; the keys are ours."""
    paper, ours = whole["paper_table"][:2]
    assert [paper[key] for key in ("accuracy", "recall", "f1", "precision")] == [0.68, 0.6833, 0.6753, 0.6763]
    assert (paper["unit"], paper["n"], ours["unit"], ours["n"]) == ("not stated", None, "patient", 40)
    assert "simulated" in ours["note"]
    assert "simulated" not in sample(origin="clinical")["paper_table"][1]["note"]


def test_points_are_judged_by_what_a_bundle_would_say():
    """Three points of noise in each of twelve windows; nine in ten patients lie within the interval."""
    rows = predictions(120)
    found = fma(rows, 0, 100)
    error = {}
    for row in rows:
        if row.unit == "window":
            error.setdefault((row.patient, row.repeat), []).append(row.fma_predicted - row.fma)
    assert found["n"] == 120
    assert found["mae"]["value"] == pytest.approx(np.mean([abs(np.mean(one)) for one in error.values()]))
    assert found["r"]["value"] > 0.9
    assert 0.8 < found["coverage"]["value"] < 1.0
    assert found["mae"]["value"] < found["interval_half_width"] < 3 * found["mae"]["value"]


def test_a_run_without_extra_heads_says_nothing_of_them():
    """Null, not a figure."""
    rows = [replace(row, fma_predicted=None, above_17=None) for row in predictions()]
    assert fma(rows, 0, 100) is None
    assert ordinal(rows) is None


def test_too_few_patients_for_an_interval_of_points_have_none():
    """Eight cannot hold nine in ten."""
    found = fma(predictions(8), 0, 100)
    assert (found["interval_half_width"], found["coverage"]) == (None, None)


def test_every_step_of_the_ordinal_head_is_judged(whole):
    """9, 17 and 25 points."""
    assert [step["above"] for step in whole["ordinal"]["steps"]] == [9, 17, 25]
    assert whole["ordinal"]["steps"][1]["auc"]["value"] > 0.9


def test_a_patient_s_row_holds_every_model_and_the_way_to_it(whole):
    """The last point of the way is the probability itself, inside its interval."""
    for row in whole["patients"]:
        assert row["by_model"]["lstm-bands"] == row["p"] == pytest.approx(row["by_windows"][-1]["p"])
        assert [step["n"] for step in row["by_windows"]] == [1, 2, 3, 6, 12]
        assert row["interval"][0] < row["p"] < row["interval"][1]


def test_the_way_to_a_probability_ends_in_it_also_where_others_have_more_windows():
    """Five windows of one patient, twelve of the rest: each way ends with the patient's own last window."""
    made = material()
    scores = models_of([row for row in made.predictions if row.patient != "004" or (row.index or 0) < 5])
    ways = {row["patient"]: row for row in patients(scores, made.participants, made.windows)}
    assert [step["n"] for step in ways["004"]["by_windows"]] == [1, 2, 3, 5]
    assert [step["n"] for step in ways["005"]["by_windows"]] == [1, 2, 3, 6, 12]
    assert all(row["by_windows"][-1]["p"] == row["p"] for row in ways.values())
    [_, *baselines] = scores
    assert all(row["by_windows"] == [] for row in patients(baselines, made.participants, made.windows))


def test_recordings_that_are_not_as_they_should_be_are_flagged():
    """Few windows, low weights, and no calibration of the artifact stage."""
    one = material().windows["001"]
    poor = replace(one, n_made=6, n_uncalibrated=2, weights=np.full(3, 0.4))
    assert flags(poor) == [
        "3 of 6 windows good enough to be scored",
        "mean weight 0.40 by signal quality",
        "2 windows before the artifact stage was calibrated",
    ]
    assert flags(replace(one, n_uncalibrated=1)) == []


def test_a_bundle_s_calibration_is_of_single_networks():
    """Both aggregations, as the bedside reads them; on average over the repeats it is the curve of each fold."""
    rows = predictions(80)
    found = bundle_calibration(rows, n_draws=50)
    assert found.keys() == {"logit_mean_quality", "prob_mean"}
    slopes = [curve.at(12).a for curve in Scores.of(rows, "lstm-bands").curves.values()]
    assert min(slopes) < curve_of(found["logit_mean_quality"]).at(12).a < max(slopes)
    assert len(scored_rows(rows)) == 160


@pytest.mark.parametrize(("z", "met"), [(1.0, True), (3.6, False), (-3.6, False), (None, False)])
def test_without_an_effect_nothing_may_be_found(whole, z, met):
    """A z of 3.5 is the limit, either way; no z is no proof."""
    run, control = {**whole["run"], "effect": 0.0}, {**whole["permuted"], "z": z}
    assert [one.met for one in acceptance.demands({**whole, "run": run, "permuted": control})] == [met]


@pytest.mark.parametrize(("observed", "met"), [(0.5, True), (0.6, False), (0.4, False)])
def test_one_number_for_everybody_is_nothing_found(whole, observed, met):
    """Weights of 0 leave no spread and no z: chance in every deal and in truth is what is asked for, and only that."""
    control = {"model": "both", "n": 20, "mean": 0.5, "sd": 0.0, "observed": observed, "z": None, "values": [0.5] * 20}
    [one] = acceptance.demands({**whole, "run": {**whole["run"], "effect": 0.0}, "permuted": control})
    assert one.met == met
    assert ("one number for everybody" in one.found) == met


@pytest.mark.parametrize(
    ("auc", "low", "slope", "n", "code"),
    [
        (0.8, 0.6, 1.0, 12, 0),
        (0.74, 0.6, 1.0, 12, 1),
        (0.8, 0.49, 1.0, 12, 1),
        (1.0, None, 1.0, 12, 1),
        (0.8, 0.6, 0.79, 3, 1),
        (0.8, 0.6, 1.26, "all", 1),
        (0.8, 0.6, None, 12, 1),
    ],
)
def test_an_easy_effect_must_be_found_and_meant(tmp_path, capsys, whole, auc, low, slope, n, code):
    """The command says what was asked and found, and its exit code whether that is enough."""
    found = json.loads(json.dumps(whole))
    network = found["models"][0]
    network["figures"]["auc"] |= {"value": auc, "low": low}
    network["by_windows"] = [
        {"n_windows": count, "calibration_slope": {"value": slope if count == n else 1.1, "low": 0.5, "high": 1.5}}
        for count in (3, 12, "all")
    ]
    (tmp_path / "evaluation.json").write_text(json.dumps(found))
    assert acceptance.main([str(tmp_path)]) == code
    said = capsys.readouterr().out
    assert f"found {auc:.3f} ({math.nan if low is None else low:.3f}" in said and said.count("NOT MET") == code
    assert ("found none" in said) == (slope is None)


def test_a_network_that_few_looked_at_so_often_means_nothing(whole):
    """Nobody has 12 windows here."""
    few = [row for row in whole["models"][0]["by_windows"] if row["n_windows"] != 12]
    models = [{**whole["models"][0], "by_windows": few}]
    asked = acceptance.demands({**whole, "run": {**whole["run"], "effect": 2.0}, "models": models})
    assert [one.met for one in asked if "after 12 windows" in one.words] == [False]


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"run": {}}'])
def test_a_run_that_was_not_evaluated_has_no_verdict(tmp_path, capsys, text):
    """Missing, torn, or something else: the command says which comes first."""
    if text is not None:
        (tmp_path / "evaluation.json").write_text(text)
    assert acceptance.main([str(tmp_path)]) == 3
    assert f"Run flexion evaluate {tmp_path} first." in capsys.readouterr().err


def test_of_networks_of_scans_nothing_is_demanded(tmp_path, capsys, whole):
    """Their patients are simulated with effect 2, and the command does not say that they are not."""
    networks = [{**whole["models"][0], "name": "cnn-shufflenet"}]
    found = {**whole, "run": {**whole["run"], "modality": "fmri", "effect": 2.0}, "models": networks}
    (tmp_path / "evaluation.json").write_text(json.dumps(found))
    assert acceptance.main([str(tmp_path)]) == 3
    said = capsys.readouterr().err
    assert "with effect 2 only lstm-bands is held to anything" in said and "not simulated" not in said


@pytest.mark.parametrize("effect", [None, 1.0])
def test_of_other_patients_nothing_is_demanded(tmp_path, capsys, whole, effect):
    """Real ones, or a hard effect."""
    (tmp_path / "evaluation.json").write_text(json.dumps({**whole, "run": {**whole["run"], "effect": effect}}))
    assert acceptance.main([str(tmp_path)]) == 3
    assert "nothing is demanded: the patients are not simulated with effect 0 or 2" in capsys.readouterr().err


def test_a_fold_is_calibrated_by_everybody_else_in_every_repeat():
    """As the bundle is by everybody: what its own patients score changes nothing, what others score elsewhere does."""
    rows = [row for row in predictions() if row.model == "lstm-bands"]
    judged = {row.patient for row in rows if (row.repeat, row.fold) == (0, 0)}

    def curve(change):
        return Scores.of([replace(row, logit=-row.logit) if change(row) else row for row in rows], "lstm-bands").curves[
            0, 0
        ]

    as_it_is = curve(lambda row: False)
    assert as_it_is is not None
    assert curve(lambda row: row.patient in judged) == as_it_is
    assert curve(lambda row: row.patient not in judged and row.repeat == 1) != as_it_is

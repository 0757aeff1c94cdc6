"""Baselines are what scikit-learn makes of the same patients; but for the majority, nobody who is judged is fitted."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from tests.training.evaluations import folds, participants, windows
from training.band_power import band_power_logits, band_powers
from training.baselines import Table, fold_predictions
from training.statistics.logistic import sigmoid


@pytest.fixture
def table():
    """Return forty patients; one in seven has no baseline score, and nobody balance or strength."""
    return Table.of(participants().values(), windows())


def logits(rows, model):
    """Return the logits of one model by repeat and patient."""
    return {(row.repeat, row.patient): row.logit for row in rows if row.model == model}


def test_band_powers_are_weighted_means_and_deviations():
    """A window of weight two is two windows."""
    one = windows(2)["001"]
    weighted = replace(one, weights=np.array([1.0, 2.0, 1.0]))
    twice = replace(one, weights=np.ones(4), tokens=one.tokens[[0, 1, 1, 2]])
    assert band_powers(weighted) == pytest.approx(band_powers(twice), abs=1e-9)
    flat = one.tokens.reshape(-1, 8).astype(float)
    assert band_powers(one) == pytest.approx(np.concatenate([flat.mean(0), flat.std(0)]), abs=1e-9)


def test_the_band_power_line_is_scikit_learn_s(table):
    """Standardised on those that are fitted, C the reciprocal of the number of features."""
    train, test = table.parts(folds()[0])
    scale = StandardScaler().fit(table.powers[train])
    model = LogisticRegression(C=1 / table.powers.shape[1], tol=1e-10, max_iter=10_000)
    model.fit(scale.transform(table.powers[train]), table.good[train])
    expected = model.decision_function(scale.transform(table.powers[test]))
    assert band_power_logits(table.powers, table.good, train, test) == pytest.approx(expected, abs=1e-5)


def test_every_patient_is_judged_once_per_repeat(table):
    """By every baseline that knows something of it; what is missing is not made up."""
    rows = fold_predictions(table, folds())
    assert {row.model for row in rows} == {"majority", "baseline-fma", "band-power"}
    assert len(logits(rows, "majority")) == len(logits(rows, "band-power")) == 2 * 40
    known = {one.id for one in participants().values() if one.fma_baseline is not None}
    assert {patient for _, patient in logits(rows, "baseline-fma")} == known
    assert all((row.unit, row.index, row.weight) == ("patient", None, 1.0) for row in rows)


def test_epos_is_fitted_where_its_columns_are():
    """Sitting balance and leg strength."""
    known = {
        name: replace(one, sitting_balance=float(i % 4), leg_strength=5.0 * bool(one.good))
        for i, (name, one) in enumerate(participants().items())
    }
    rows = fold_predictions(Table.of(known.values(), windows()), folds())
    assert all((logit > 0) == known[patient].good for (_, patient), logit in logits(rows, "epos").items())


def test_the_majority_s_number_ranks_nobody(table):
    """The same in every fold: the share of good outcomes, as log-odds."""
    found = set(logits(fold_predictions(table, folds()), "majority").values())
    assert [sigmoid(logit) for logit in found] == pytest.approx([table.good.mean()])


@pytest.mark.parametrize("model", ["baseline-fma", "band-power"])
def test_who_is_judged_has_no_part_in_the_fit(table, model):
    """Another outcome, score and signal of one patient changes nobody else's logit in the folds that test it."""
    i = table.patients.index("002")
    good, powers, columns = table.good.copy(), table.powers.copy(), table.columns["baseline-fma"].copy()
    good[i], powers[i], columns[i] = ~good[i], 9.0, 34.0
    other = replace(table, good=good, powers=powers, columns={**table.columns, "baseline-fma": columns})
    testing = [fold for fold in folds() if "002" in fold.test]
    before, after = (logits(fold_predictions(one, testing), model) for one in (table, other))
    assert len(before) > 8
    assert {who: x for who, x in before.items() if who[1] != "002"} == {
        who: x for who, x in after.items() if who[1] != "002"
    }


def test_a_fold_whose_fitted_patients_have_one_outcome_is_left_out(table):
    """There is nothing to learn from them."""
    good = [name for name, yes in zip(table.patients, table.good, strict=True) if yes]
    fold = replace(folds()[0], train=tuple(good[:5]), test=tuple(good[5:]))
    assert fold_predictions(table, [fold]) == []


def test_without_a_signal_the_table_of_patients_is_all_that_is_known(table):
    """The same rows but for the band powers, of whoever is asked for."""
    scanned = Table.without_signal(participants().values(), windows())
    rows = fold_predictions(scanned, folds())
    assert rows == [row for row in fold_predictions(table, folds()) if row.model != "band-power"]

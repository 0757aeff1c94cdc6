"""Weights of two heads: never negative, the same as by plain search, more equal where few patients chose them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from inference.manifest import METHODS, FusionDraw
from training.fusion import methods
from training.fusion.methods import BIAS_PRIOR, GRID, PRIOR, draws_of, fit_weights, fused


def cohort(n: int, seed: int, of_x: float = 1.0, of_y: float = 1.0):
    """Return log-odds of two heads that know the outcome by so much, and the outcomes."""
    rng = np.random.default_rng(seed)
    good = rng.permutation(np.arange(n) % 2 == 0)
    x, y = (of * (2 * good - 1) + rng.standard_normal(n) for of in (of_x, of_y))
    return x, y, good


def penalised(weights, x, y, good):
    """Return the loss of a stack as its docstring has it, written anew."""
    z = weights[0] * x + weights[1] * y + weights[2]
    loss = np.sum(np.log1p(np.exp(-np.where(good, z, -z))))
    return loss + 0.5 * PRIOR * ((weights[0] - 0.5) ** 2 + (weights[1] - 0.5) ** 2) + 0.5 * BIAS_PRIOR * weights[2] ** 2


@pytest.mark.parametrize(("of_x", "of_y"), [(1.0, 1.0), (1.5, 0.0), (-1.5, 1.0), (1.0, -1.5), (-1.5, -1.5)])
def test_a_stack_is_what_a_bounded_search_finds(of_x: float, of_y: float) -> None:
    """Also on the edges, where a head would like to speak against itself."""
    x, y, good = cohort(60, 3, of_x, of_y)
    bounds = [(0, None), (0, None), (None, None)]
    found = optimize.minimize(penalised, (0.5, 0.5, 0.0), args=(x, y, good), bounds=bounds, tol=1e-12)
    assert fit_weights("logit_stack", x, y, good) == pytest.approx(found.x, abs=1e-4)


def test_the_mean_of_probabilities_has_the_smallest_log_loss_of_its_grid() -> None:
    """Of 21 weights, tried one by one."""
    x, y, good = cohort(40, 5, 1.0, 0.3)
    p, q = (1 / (1 + np.exp(-part)) for part in (x, y))
    losses = {w: -np.sum(np.log(np.where(good, w * p + (1 - w) * q, 1 - w * p - (1 - w) * q))) for w in GRID}
    weights = fit_weights("mean_prob", x, y, good)
    assert weights.tolist() == [min(losses, key=losses.__getitem__), 1 - weights[0], 0.0]
    assert len(GRID) == 21 and weights[0] > 0.5


@pytest.mark.parametrize("method", ["logit_stack", "mean_prob"])
def test_two_heads_that_say_the_same_weigh_the_same(method: str) -> None:
    """A tie goes to equal weights."""
    x, _, good = cohort(50, 1)
    weights = fit_weights(method, x, x, good)
    assert weights[0] == pytest.approx(weights[1], abs=1e-6)


def test_equal_asks_nobody() -> None:
    """One half each, whatever the outcomes."""
    x, y, good = cohort(20, 2, 3.0, -3.0)
    assert draws_of(fit_weights("equal", x, y, good, np.ones((2, 20)))) == (FusionDraw(0.5, 0.5, 0.0),) * 2


@settings(deadline=None)
@given(st.sampled_from(METHODS), st.integers(0, 2**32 - 1), st.integers(4, 40), st.floats(-3, 3), st.floats(-3, 3))
def test_weights_are_such_as_a_bundle_may_hold(method: str, seed: int, n: int, of_x: float, of_y: float) -> None:
    """Finite, at least 0, and those of a mean of probabilities sum to 1 without a bias."""
    a, b, bias = fit_weights(method, *cohort(n, seed, of_x, of_y))
    assert np.isfinite([a, b, bias]).all() and a >= 0.0 and b >= 0.0
    if method != "logit_stack":
        assert (a + b, bias) == (pytest.approx(1.0), 0.0)


@pytest.mark.parametrize("method", METHODS)
def test_resamples_are_fitted_as_if_each_were_alone(method: str) -> None:
    """A row of shares is a cohort in which each patient stands so many times."""
    x, y, good = cohort(30, 7, 1.0, 0.4)
    shares = np.random.default_rng(0).integers(0, 3, (4, 30)).astype(float)
    together = fit_weights(method, x, y, good, shares)
    for row, weights in zip(shares.astype(int), together, strict=True):
        alone = fit_weights(method, np.repeat(x, row), np.repeat(y, row), np.repeat(good, row))
        assert weights == pytest.approx(alone, abs=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_rows_of_log_odds_are_fitted_as_if_each_were_alone(method: str) -> None:
    """Where outcomes are dealt anew, each deal has a calibration of its own."""
    cohorts = [cohort(30, seed, of_x, 0.4) for seed, of_x in ((7, 1.0), (8, -1.5), (9, 0.2))]
    together = fit_weights(method, *(np.stack(parts) for parts in zip(*cohorts, strict=True)))
    for one, weights in zip(cohorts, together, strict=True):
        assert weights == pytest.approx(fit_weights(method, *one), abs=1e-9)


def test_fewer_patients_are_drawn_nearer_to_equal_weights() -> None:
    """The same evidence a tenth as often moves the weights less."""
    x, y, good = cohort(200, 11, 1.5, 0.2)
    many, few = (fit_weights("logit_stack", x, y, good, np.full(200, share)) for share in (1.0, 0.05))
    assert abs(few[0] - few[1]) < abs(many[0] - many[1])


def test_one_outcome_has_weights_too() -> None:
    """A resample or a part may lack an outcome: the prior keeps the weights finite."""
    x, y, _ = cohort(10, 4)
    assert np.isfinite(fit_weights("logit_stack", x, y, np.ones(10, bool))).all()


def test_long_steps_are_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Log-odds a hundred times too large still end at the optimum of the penalised loss."""
    x, y, good = cohort(60, 9, 1.0, 1.0)
    weights = fit_weights("logit_stack", 100 * x, 100 * y, good)
    nearby = [weights + step for step in np.eye(3) * 1e-4]
    assert all(penalised(weights, 100 * x, 100 * y, good) <= penalised(w, 100 * x, 100 * y, good) for w in nearby)


def test_training_fuses_as_the_bedside_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """One function has the arithmetic."""
    seen = []
    monkeypatch.setattr(methods, "combine", lambda *arguments: seen.append(arguments))
    fused("mean_prob", np.array([0.3, 0.7, 0.0]), 1.0, 2.0)
    assert seen == [("mean_prob", FusionDraw(0.3, 0.7, 0.0), 1.0, 2.0)]

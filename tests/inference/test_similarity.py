"""Similarity to the training patients: told where there is a number, safe for every covariance, never hiding it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import chi2

from inference.bundle import Bundle
from inference.manifest import Embedding
from inference.outcome import State, outcome_of
from inference.similarity import LIMIT, SHRINKAGE, Similarity, notice_of, reason_of, similarity_of
from streaming.records import ResultRecord
from tests.inference import tiny

N = 8
FINITE = st.floats(-1e6, 1e6)


def training(covariance: np.ndarray, mean: np.ndarray | None = None) -> Embedding:
    """Return what a bundle says of its patients."""
    return Embedding(tuple(np.zeros(len(covariance)) if mean is None else mean), tuple(map(tuple, covariance)))


def windows(bundle: Bundle | None, *embeddings: object, weight: float = 1.0) -> list[ResultRecord]:
    """Return a scored result for each of some embeddings."""
    return [
        tiny.result(bundle, i, 0.4, embedding=tuple(map(float, row)), weight=weight)  # type: ignore[call-overload]
        for i, row in enumerate(embeddings)
    ]


def near(*numbers: float) -> np.ndarray:
    """Return an embedding that begins with these numbers."""
    return np.array([*numbers, *[0.0] * (N - len(numbers))])


def test_the_distance_is_in_widths_of_the_training_patients() -> None:
    """Two windows at 1 and 3 lie at 2; a window of half the weight counts half."""
    found = similarity_of(windows(None, near(1.0), near(3.0)), training(np.eye(N)))
    assert found is not None and found.distance == pytest.approx(2.0)
    mixed = [*windows(None, near(3.0)), replace(windows(None, near(), near(0.0), weight=0.5)[1])]
    assert similarity_of(mixed, training(4 * np.eye(N))).distance == pytest.approx(1.0)  # type: ignore[union-attr]


@pytest.mark.parametrize("n", [1, 2, 8, 32, 600])
@pytest.mark.parametrize("share", [1e-6, 0.01, 0.5, 0.99, 0.999999])
def test_the_percentile_is_that_of_chi_square_where_all_directions_are_equal(n: int, share: float) -> None:
    """A ball stays a ball when it is shrunk, so that the exact law is known."""
    row = [float(np.sqrt(chi2.ppf(share, n))), *[0.0] * (n - 1)]
    found = similarity_of(windows(None, row), training(np.eye(n)))
    assert found is not None and found.percentile == pytest.approx(share, rel=1e-8)


def test_the_percentile_holds_for_patients_of_a_very_narrow_distribution() -> None:
    """Widths from 1 to a millionth: drawn from it, as many lie within a percentile as it says."""
    widths = np.logspace(0, -6, N)
    patients = np.random.default_rng(3).normal(size=(4000, N)) * np.sqrt(widths)
    found = [similarity_of(windows(None, row), training(np.diag(widths))) for row in patients]
    shares = np.array([one.percentile for one in found if one])
    assert np.mean(shares > 0.5) == pytest.approx(0.5, abs=0.06)
    assert np.mean(shares > LIMIT) == pytest.approx(0.01, abs=0.006)


@settings(max_examples=60, deadline=None)
@given(arrays(float, (5, N), elements=FINITE), arrays(float, N, elements=FINITE), arrays(float, N, elements=FINITE))
def test_any_covariance_of_patients_gives_a_share(few: np.ndarray, mean: np.ndarray, row: np.ndarray) -> None:
    """Five patients span four of eight directions: singular, of any size; a share comes out, or nothing is said."""
    covariance = np.cov(few.T)
    found = similarity_of(windows(None, row), training(covariance, mean))
    assert found is None or (0.0 <= found.percentile <= 1.0 and found.distance >= 0.0)
    assert (found is None) <= (np.trace(covariance) < 1e-6)


@given(arrays(float, (6, N), elements=st.floats(-10, 10)), st.floats(1e-3, 1e3))
@settings(max_examples=40, deadline=None)
def test_the_unit_of_the_embedding_does_not_matter(rows: np.ndarray, scale: float) -> None:
    """A network whose embedding is a thousand times larger says the same."""
    covariance = np.diag(np.linspace(0.1, 2.0, N))
    one = similarity_of(windows(None, *rows), training(covariance))
    other = similarity_of(windows(None, *rows * scale), training(covariance * scale**2))
    assert one is not None and other is not None
    assert other.percentile == pytest.approx(one.percentile, abs=1e-6)


def test_farther_is_never_more_alike() -> None:
    """Along any direction, up to what no number holds."""
    spread = training(np.diag(np.linspace(0.01, 1.0, N)))
    shares = [similarity_of(windows(None, near(10.0**e)), spread).percentile for e in range(-8, 200, 8)]  # type: ignore[union-attr]
    assert shares == sorted(shares) and shares[-1] == 1.0


def test_nothing_is_said_where_nothing_is_known() -> None:
    """No embeddings in the bundle or the windows, patients who are all one, and a matrix that is no covariance."""
    some = windows(None, near(1.0))
    assert similarity_of(some, None) is None
    assert similarity_of([tiny.result(None, 0, 0.4)], training(np.eye(N))) is None
    assert similarity_of([], training(np.eye(N))) is None
    assert similarity_of(some, training(np.eye(4))) is None
    assert similarity_of(some, training(np.zeros((N, N)))) is None
    crossed = np.eye(2)[::-1] + np.diag([1.5, 0.1])
    assert np.linalg.eigvalsh(crossed)[0] < -SHRINKAGE
    assert similarity_of(windows(None, [1.0, 0.0]), training(crossed)) is None


def test_an_unlike_session_keeps_its_number_and_says_why_not_to_lean_on_it(bundle: Bundle) -> None:
    """Beyond the limit: a reason in the outcome, a notice for people, and the number stays."""
    far = outcome_of(windows(bundle, *[near(9.0)] * 3), bundle)
    told = far.to_json()["similarity"]
    assert far.similarity is not None and far.number is not None and far.state is State.PARTIAL
    assert told["unlike"] and told["modality"] == "eeg_emg" and told["limit"] == LIMIT
    assert far.reasons == (reason_of(far.similarity),) and far.reasons[0].startswith("Unlike training data")
    notice = notice_of(far.similarity)
    assert notice is not None and notice["text"].startswith("Unlike training data") and notice["remedy"]


def test_a_session_like_the_others_says_so_and_no_more(bundle: Bundle) -> None:
    """No reason, no notice; before there is a number there is no similarity either."""
    alike = outcome_of(windows(bundle, *[near(0.1)] * 3), bundle)
    assert alike.similarity is not None and not alike.similarity.unlike and alike.reasons == ()
    assert notice_of(alike.similarity) is None and notice_of(None) is None
    for outcome in (
        outcome_of(windows(bundle, near(9.0)), bundle),
        outcome_of(windows(bundle, *[near(9.0)] * 3), bundle, mismatch="other channels"),
    ):
        assert outcome.to_json()["similarity"] is None


def test_the_limit_itself_is_still_alike() -> None:
    """Beyond means beyond."""
    assert not Similarity(3.0, LIMIT).unlike and Similarity(3.0, np.nextafter(LIMIT, 1)).unlike

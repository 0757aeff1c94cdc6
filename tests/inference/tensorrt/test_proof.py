"""Proof: which lanes may serve, whatever the kernels below them do."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from inference.engines.tensorrt.lane import Outputs
from inference.engines.tensorrt.proof import LaneProof, prove, serving
from inference.manifest import Golden, TensorSpec

BUCKETS = (1, 8, 32)
GOLDEN = (Golden("noise", 0, 0.0), Golden("noise", 1, 0.0), Golden("zeros", 0, 0.0))

Spoil = Callable[[NDArray[np.float32], int], object]


class FakeLane:
    """A lane whose logits are 0 but for what a fault adds, given its rows, the number of rows and of runs."""

    def __init__(self, bucket: int, spoil: Spoil) -> None:
        self.bucket, self._spoil, self._runs = bucket, spoil, 0

    def run(self, x: NDArray[np.float32], padding: float = 0.0) -> Outputs:
        """Return the logits of the windows alone."""
        self._runs += 1
        rows = np.full((self.bucket, *x.shape[1:]), padding, np.float32)
        rows[: len(x)] = x
        logit = np.zeros(self.bucket, np.float32) + np.float32(1e-6) * np.asarray(self._spoil(rows, self._runs))
        return {"logit": logit[: len(x)].astype(np.float32)}


def proven(spoil: Spoil, atol: float = 1e-4) -> tuple[LaneProof, ...]:
    """Return the proofs of three lanes with one fault."""
    tensor = TensorSpec("x", ("batch", 6, 2), "float32")
    model = SimpleNamespace(inputs=(tensor,), golden=GOLDEN, logit_atol=atol)
    return prove([FakeLane(bucket, spoil) for bucket in BUCKETS], model)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda rows, runs: 0, (1, 8, 32)),
        (lambda rows, runs: len(rows) == 1, (8, 32)),
        (lambda rows, runs: len(rows), (32,)),
        (lambda rows, runs: len(rows) == 32 and runs, (1, 8)),
        (lambda rows, runs: np.nansum(rows), (1,)),
        (lambda rows, runs: len(rows) > 1 and np.nanmax(np.abs(rows)), (1,)),
        (lambda rows, runs: len(rows) > 1 and np.isnan(rows).any(), (1,)),
        (lambda rows, runs: np.arange(len(rows)) == 4, (1,)),
        (lambda rows, runs: np.arange(len(rows)) == 19, (1, 8)),
        (lambda rows, runs: runs, ()),
        (lambda rows, runs: 1000, ()),
        (lambda rows, runs: np.nan, ()),
    ],
    ids=[
        "honest", "one alone differs", "every bucket differs", "the largest changes", "everything leaks",
        "neighbours leak", "NaN in the padding leaks", "one slot differs", "a slot of the largest differs",
        "two runs differ", "too far off", "no number",
    ],
)  # fmt: skip
def test_only_lanes_that_change_nothing_serve(spoil: Spoil, expected: tuple[int, ...]) -> None:
    """The largest sound lane and those of its bits; one window alone where no batch is sound; or none."""
    assert serving(proven(spoil)) == expected


def test_how_far_it_is_off_is_said() -> None:
    """Also where it is no number at all."""
    assert [proof.largest for proof in proven(lambda rows, runs: 3)] == pytest.approx([3e-6] * 3)
    assert {proof.largest for proof in proven(lambda rows, runs: np.nan)} == {float("inf")}


@given(st.lists(st.builds(LaneProof, st.sampled_from(BUCKETS), *[st.booleans()] * 3, st.just(0.0), st.booleans())))
def test_no_lane_serves_that_is_off_or_not_repeatable(proofs: list[LaneProof]) -> None:
    """And more than one window go together only in lanes that leave a batch as it is."""
    good = {proof.bucket for proof in proofs if proof.repeatable and proof.within}
    together = {proof.bucket for proof in proofs if proof.sound and proof.agrees}
    assert set(serving(proofs)) <= good and set(serving(proofs)) - {1} <= together

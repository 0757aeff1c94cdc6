"""A scan's score: one logit of one patient, from slices that the bundle's own preparation made."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.bundle import Bundle
from inference.engines.engine import Engine
from inference.errors import BundleError, BundleMismatch, EngineError, ScanError
from inference.fmri.gradcam import Readout
from inference.fmri.parameters import ExpectedScan
from inference.fmri.score import ScanScore, run, score, score_file
from tests.inference import tiny
from tests.inference.fmri import standin


class Bent:
    """An engine whose outputs a test may bend."""

    def __init__(self, engine: Engine, bend: Any) -> None:
        self.info, self._engine, self._bend = engine.info, engine, bend

    def run(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._bend(dict(self._engine.run(inputs)))


def test_the_patients_logit_is_the_mean_of_the_slices(scored: ScanScore) -> None:
    """Every slice that counts has its logit, and the calibrated number is of that many slices."""
    assert len(scored.logits) == len(scored.prepared.slices) == scored.prepared.quality.n_slices
    assert scored.logit == pytest.approx(scored.logits.mean(), abs=1e-12)
    line = scored.bundle.model.calibration["logit_mean_quality"].at(len(scored.logits))
    assert scored.verdict.log_odds == line.a * scored.logit + line.b
    low, high = scored.verdict.interval
    assert low < scored.verdict.probability < high


def test_the_papers_score_is_the_mean_of_probabilities(scored: ScanScore, standin_engine: Engine) -> None:
    """With prob_mean the log-odds of the mean probability."""
    bundle = scored.bundle
    curves = {"prob_mean": bundle.model.calibration["logit_mean_quality"]}
    other = replace(bundle, model=replace(bundle.model, aggregation="prob_mean", calibration=curves))
    p = np.mean(1 / (1 + np.exp(-scored.logits)))
    found = score(scored.prepared, (), other, standin_engine)
    assert found.logit == pytest.approx(math.log(p / (1 - p)), abs=1e-9) and found.logit != scored.logit


def test_slices_do_not_depend_on_their_batch(scored: ScanScore, standin_engine: Engine) -> None:
    """The same bits one by one (law 1)."""
    slices = scored.prepared.slices
    alone = [run(slices[i : i + 1], scored.bundle, standin_engine) for i in range(len(slices))]
    assert [float(logits[0]) for logits, _ in alone] == scored.logits.tolist()


def test_attention_lies_partly_in_the_brain(scored: ScanScore) -> None:
    """As a share of each slice's attention; the map has the scan's shape and nothing in slices that do not count."""
    assert scored.looked.shape == scored.prepared.mean.shape
    left_out = np.setdiff1d(np.arange(scored.looked.shape[2]), scored.prepared.indices)
    assert not scored.looked[:, :, left_out].any()
    assert ((scored.in_brain > 0) & (scored.in_brain < 1)).all()


def test_a_simulated_scan_and_a_synthetic_model_are_said(scored: ScanScore) -> None:
    """Either makes the score synthetic (law 9)."""
    head = replace(scored.bundle.model.head, origin="clinical")
    clinical = replace(scored.bundle, model=replace(scored.bundle.model, head=head))
    real = replace(scored.prepared, origin="clinical")
    assert replace(scored, bundle=clinical).origin == "synthetic"
    assert replace(scored, prepared=real).origin == "synthetic"
    assert replace(scored, bundle=clinical, prepared=real).origin == "clinical"


def test_a_bundle_of_another_kind_is_refused(scan: Path, bundle: Bundle, standin_engine: Engine) -> None:
    """An eeg_emg bundle scores no scan."""
    with pytest.raises(
        BundleMismatch, match=r"tiny .* is of kind eeg_emg and scores no scan\. Name a bundle of kind fmri"
    ):
        score_file(scan, bundle, standin_engine)


def test_a_bundle_without_a_preparation_is_refused(scan: Path, fmri_bundle: Bundle, standin_engine: Engine) -> None:
    """What a slice is must be said in full."""
    with pytest.raises(BundleError, match="missing"):
        score_file(scan, fmri_bundle, standin_engine)


def test_a_scan_too_far_from_the_bundles_is_refused(tmp_path: Path, scan: Path, standin_engine: Engine) -> None:
    """Beyond twice its tolerance, by name."""
    other = standin.build(tmp_path, scan=ExpectedScan(tr_s=0.7).to_json())
    with pytest.raises(ScanError, match=r"tr 2 s, expected 0\.7 within 0\.5"):
        score_file(scan, other, standin_engine)


def test_what_is_outside_a_tolerance_is_flagged(tmp_path: Path, scan: Path, standin_engine: Engine) -> None:
    """Up to twice the tolerance it may pass."""
    other = standin.build(tmp_path, scan=ExpectedScan(tr_s=1.2).to_json())
    [deviation] = score_file(scan, other, standin_engine).deviations
    assert deviation.name == "tr" and not deviation.refused


@pytest.mark.parametrize("output", ["logit", "features"])
def test_what_is_no_number_is_no_score(scored: ScanScore, standin_engine: Engine, output: str) -> None:
    """A model that gives NaN fails aloud."""
    bent = Bent(standin_engine, lambda values: values | {output: values[output] * np.float32("nan")})
    with pytest.raises(EngineError, match=r"standin .* gave a logit or a feature that is not finite"):
        score(scored.prepared, (), scored.bundle, bent)


def test_a_readout_of_another_model_is_refused(tmp_path: Path, scored: ScanScore, standin_engine: Engine) -> None:
    """Where it looked must be told by the very layers that made the logit."""
    layer = standin.readout().linears[0]
    Readout.of((layer.weight, layer.bias + 0.01)).save(tmp_path / "head.npz")
    other = tiny.write(tmp_path, standin.manifest(), standin.graph().SerializeToString())
    with pytest.raises(
        BundleError, match=r"its readout gives logits that differ from its model's by up to 0\.01, more"
    ):
        score(scored.prepared, (), other, standin_engine)

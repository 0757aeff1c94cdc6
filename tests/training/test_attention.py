"""Where networks looked: in the slice with the strongest attention, by networks that had not seen the patient."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.inference import tiny
from tests.training import scans
from tests.training.scans import SCREEN_SHARE, SIZE, scanned_cohort  # noqa: F401 (a fixture)
from training.backbones.backbone import create
from training.backbones.kept import write_backbone
from training.backbones.weights import Weights
from training.cohort.cohort import Cohort
from training.data.slices import prepare_slices
from training.evaluation.attention import GAP, N_OF_EACH, Looked, attention_of, chosen_rows, look
from training.fitting.checkpoints import BEST
from training.imaging.fold import task_name
from training.runs.image_config import load_image_config
from training.runs.predictions import Prediction
from training.runs.run_folder import RunFolder
from training.splitting.splits import splits_of


def row(patient: str, good: bool, repeat: int = 0, fold: int = 0) -> Prediction:
    """Return what a network says of a patient."""
    return Prediction("cnn-shufflenet", repeat, fold, patient, "patient", None, 1.0, 0.4, 0.6, good, 20.0)


def test_the_slice_with_the_strongest_attention_is_shown() -> None:
    """A slice of nothing but noise around zero is not it; the map is a share of the strongest cell of the scan."""
    patient = scans.patient(3, n=4)
    patient.slices[[0, 1, 3]] *= 0.01
    looked = look(create("shufflenet", weights=Weights.of("none"), seed=1), patient)
    assert np.abs(looked.signed).max() <= 1.0 + 1e-9
    assert (looked.grey.min(), looked.grey.max()) == (0.0, 1.0)
    assert looked.signed.shape == (SIZE, SIZE)
    assert 0.0 <= looked.towards <= 1.0


def test_the_picture_is_the_slice_and_the_slice_with_attention_over_it() -> None:
    """Grey on the left; orange where a cell pushed towards the better outcome, blue where away from it."""
    signed = np.zeros((10, 10))
    signed[0, 0], signed[9, 9] = 1.0, -0.5
    looked = Looked(0, np.full((10, 10), 0.5), signed)
    picture = np.asarray(Image.open(io.BytesIO(looked.png()))).astype(int)
    assert picture.shape == (10, 20 + GAP, 3)
    assert (picture[:, :10] == 128).all()
    right = picture[:, 10 + GAP :]
    assert right[0, 0, 0] > 200 > right[0, 0, 2] and right[9, 9, 2] > right[9, 9, 0]
    assert (right[4, 4] == 128).all()
    assert looked.towards == pytest.approx(2 / 3)
    assert Looked(0, np.zeros((2, 2)), np.zeros((2, 2))).towards == 0.5


def test_nobody_is_chosen_by_what_is_to_be_seen() -> None:
    """The first by name of each outcome, in the first repeat."""
    said = [row(f"{i:03d}", i % 3 == 0, repeat) for repeat in (1, 0) for i in range(9, 0, -1)]
    assert [(one.patient, one.repeat) for one in chosen_rows(said)] == [("003", 0), ("006", 0), ("001", 0), ("002", 0)]
    assert N_OF_EACH == 2


def test_each_patient_is_shown_by_the_network_that_had_not_seen_him(
    scanned_cohort: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the checkpoint of the fold that tests him, of the backbone that the run exports; pictures lie in figures."""
    shutil.copytree(scanned_cohort, tmp_path / "cohort")
    cohort = Cohort.open(tmp_path / "cohort")
    splits = splits_of(cohort, "nested", 0, repeats=1, folds=2)
    flags = {"split.repeats": 1, "split.folds": 2, "model.weights": "none", "scan.screen_share": SCREEN_SHARE}
    config = load_image_config(flags=flags)
    slices = prepare_slices(cohort, config.preparation)
    run = RunFolder.create(tmp_path / "runs", config, cohort, splits, slices.values())
    assert attention_of(run, cohort, []) is None
    run.note(final={"fold": "final", "backbone": "shufflenet", "checkpoint": "final/shufflenet"})
    for number, fold in enumerate(splits.folds):
        folder = run.checkpoints_path(task_name(fold, "shufflenet"))
        folder.mkdir(parents=True)
        write_backbone(folder / BEST, create("shufflenet", weights=Weights.of("none"), seed=number), {})
    people = {one.id: one for one in cohort.participants}
    said = [row(p, bool(people[p].good), 0, fold.fold) for fold in splits.folds for p in fold.test]
    seen: list[tuple[str, float]] = []

    def noting(net, patient):
        seen.append((patient.patient, float(next(net.parameters()).detach().sum())))
        return look(net, patient)

    monkeypatch.setattr("training.evaluation.attention.look", noting)
    found = attention_of(run, cohort, said)
    assert found is not None
    assert len(found["panels"]) == 4
    nets = {
        number: float(next(create("shufflenet", weights=Weights.of("none"), seed=number).parameters()).detach().sum())
        for number in (0, 1)
    }
    for patient, weight in seen:
        assert weight == nets[next(k for k, fold in enumerate(splits.folds) if patient in fold.test)]
    assert "that had not seen the patient" in found["words"] and "drawn anew" not in found["words"]
    tiny.write(run.bundle_path, tiny.fmri_manifest())
    again = attention_of(run, cohort, said)
    assert again is not None and "weights drawn anew correlate with its own by 0.10 (20 slices)" in again["words"]
    for panel in found["panels"]:
        assert Image.open(run.path / panel["file"]).size == (2 * 224 + GAP, 224)
        assert " mm, number " in panel["caption"]

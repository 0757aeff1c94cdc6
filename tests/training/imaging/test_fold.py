"""A fold of a backbone: a row for each slice and each patient, a seed of its own, and no more left than is needed."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.scans import patients
from training.fitting.checkpoints import BEST, LAST
from training.fold import SAID, run_fold, seed_of
from training.imaging.fold import SliceTask, model_name, slice_spec, task_name
from training.runs.image_config import load_image_config
from training.runs.predictions import read_predictions
from training.splitting.splits import Fold

PEOPLE = {one.patient: one for one in patients(9, 0, 1.0)}
NAMES = sorted(PEOPLE)
FOLD = Fold("r1f2", 1, 2, tuple(NAMES[:5]), tuple(NAMES[5:7]), tuple(NAMES[7:]))


@pytest.mark.parametrize("profile", ["nested", "paper"])
def test_every_slice_and_every_patient_has_a_row(tmp_path, profile):
    """The patient's is made of the slices': their mean, or that of their probabilities in the paper's profile."""
    config = load_image_config(None, {"split.profile": profile, "model.weights": "none", "fit.epochs": 1})
    task = SliceTask(FOLD, slice_spec(config, "shufflenet", 3), tmp_path)
    rows = run_fold(task, PEOPLE)
    assert task.done and list(read_predictions(tmp_path / SAID)) == rows
    assert {(row.model, row.repeat, row.fold, row.weight) for row in rows} == {("cnn-shufflenet", 1, 2, 1.0)}
    for name in FOLD.test:
        slices = [row for row in rows if (row.patient, row.unit) == (name, "slice")]
        assert [row.index for row in slices] == PEOPLE[name].index.tolist()
        (whole,) = (row for row in rows if (row.patient, row.unit) == (name, "patient"))
        assert (whole.index, whole.label, whole.fma) == (None, PEOPLE[name].good, PEOPLE[name].fma)
        mean = np.mean([row.logit if profile == "nested" else row.p for row in slices])
        assert (whole.logit if profile == "nested" else whole.p) == pytest.approx(mean)
    assert sorted(path.name for path in tmp_path.iterdir()) == [BEST, SAID]
    assert not (tmp_path / LAST).exists()


def test_each_backbone_of_each_fold_has_a_seed_of_its_own():
    """By its name, which is that of its folder."""
    names = [task_name(FOLD, backbone) for backbone in ("shufflenet", "ghostnet")]
    assert names == ["r1f2/shufflenet", "r1f2/ghostnet"]
    assert len({seed_of(0, names[0]), seed_of(0, names[1]), seed_of(1, names[0])}) == 3
    assert model_name("regnet") == "cnn-regnet"


def test_the_settings_reach_the_fit():
    """All of them; a backbone that is held shorter has fewer epochs, never more."""
    flags = {"fit.at_most": {"resnet50": 8, "regnet": 99}, "augmentation.flip": False, "model.weights": "none"}
    config = load_image_config(None, flags)
    spec = {name: slice_spec(config, name, 5) for name in ("shufflenet", "regnet", "resnet50")}
    assert {name: one.epochs for name, one in spec.items()} == {"shufflenet": 50, "regnet": 50, "resnet50": 8}
    one = spec["shufflenet"]
    assert (one.batch, one.patience, one.schedule, one.learning_rate) == (16, 8, "plateau", 1e-3)
    assert (one.augmentation.flip, one.augmentation.rotation_deg, one.weights) == (False, 15.0, "none")

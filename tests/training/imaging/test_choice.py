"""A fold takes the backbone that its stopping patients liked best; who tests it has no say."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.backbones.backbone import create
from training.backbones.catalogue import NAMES
from training.backbones.kept import write_backbone
from training.backbones.weights import Weights
from training.errors import RunError
from training.fitting.checkpoints import BEST
from training.imaging.choice import CHOSEN, choices, choose, chosen_rows
from training.imaging.fold import SliceTask, slice_spec
from training.runs.image_config import load_image_config
from training.runs.predictions import Prediction
from training.splitting.splits import Fold

losses = st.dictionaries(st.sampled_from(NAMES), st.floats(0, 9), min_size=1)


@given(losses)
def test_nobody_has_a_lower_loss_than_the_chosen(of_each):
    """Of equals the one that is named first."""
    choice = choose(of_each)
    least = min(of_each.values())
    assert of_each[choice.backbone] == least
    assert choice.backbone == next(name for name in of_each if of_each[name] == least)
    assert choice.to_json() == {"backbone": choice.backbone, "stop_losses": of_each}


def task(tmp_path, name: str, backbone: str) -> SliceTask:
    """Return a task of a fold; nothing of it is made."""
    fold = Fold(name, 0, int(name[-1]), ("1",), ("2",), ("3",))
    return SliceTask(fold, slice_spec(load_image_config(), backbone, 0), tmp_path / name / backbone)


def test_each_fold_chooses_for_itself(tmp_path):
    """By what its networks' files say of the patients that stopped them."""
    found = {
        ("r0f0", "shufflenet"): 0.6,
        ("r0f0", "ghostnet"): 0.7,
        ("r0f1", "shufflenet"): 0.9,
        ("r0f1", "ghostnet"): 0.5,
    }
    tasks = [task(tmp_path, fold, backbone) for fold, backbone in found]
    for one, loss in zip(tasks, found.values(), strict=True):
        one.folder.mkdir(parents=True)
        net = create(one.spec.backbone, weights=Weights(), seed=0)
        write_backbone(one.folder / BEST, net, {"best_epoch": 0, "stop_loss": loss})
    assert {fold: choice.backbone for fold, choice in choices(tasks).items()} == {
        "r0f0": "shufflenet",
        "r0f1": "ghostnet",
    }
    (tasks[0].folder / BEST).write_bytes(b"torn")
    with pytest.raises(RunError, match="cannot be read"):
        choices(tasks)


def test_the_chosen_say_of_patients_what_their_backbone_says():
    """Under a name of their own, one row for each patient and fold; slices are not said twice."""
    row = Prediction("cnn-shufflenet", 0, 0, "001", "patient", None, 1.0, 0.5, 0.62, True)
    rows = [
        row, replace(row, unit="slice", index=7), replace(row, model="cnn-ghostnet", logit=0.1),
        replace(row, fold=1, patient="002"), replace(row, fold=1, patient="002", model="cnn-ghostnet", logit=0.2),
    ]  # fmt: skip
    said = chosen_rows(rows, {(0, 0): "shufflenet", (0, 1): "ghostnet"})
    assert [(one.model, one.patient, one.logit) for one in said] == [(CHOSEN, "001", 0.5), (CHOSEN, "002", 0.2)]

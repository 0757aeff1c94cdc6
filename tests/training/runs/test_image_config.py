"""A configuration of a run on scans: the defaults of its profile with what the file changes; the rest is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.fmri.preparation import PreparationSpec
from training.backbones.augmentation import SliceAugmentation
from training.backbones.catalogue import NAMES
from training.errors import ConfigError
from training.runs.config import load_config
from training.runs.image_config import ImageConfig, example, load_image_config
from training.runs.sections import settings_of

#: Where the example stands for people.
PAGE = Path(__file__).parents[3] / "docs" / "training-fmri.md"

values = {
    "run.seed": st.integers(0, 2**32 - 1),
    "split.profile": st.sampled_from(["nested", "paper"]),
    "scan.recipe": st.sampled_from(["mean", "functional"]),
    "scan.screen_share": st.floats(0, 1, exclude_min=True),
    "model.backbones": st.lists(st.sampled_from(NAMES), min_size=1, unique=True).map(tuple),
    "model.weights": st.sampled_from(["imagenet", "none"]),
    "model.aggregation": st.sampled_from(["logit_mean_quality", "prob_mean"]),
    "augmentation.flip": st.booleans(),
    "fit.at_most": st.dictionaries(st.sampled_from(NAMES), st.integers(1, 99)),
    "fit.learning_rate": st.floats(0, 1, exclude_min=True),
}


def written(folder: Path, text: str) -> Path:
    """Return a file with the text."""
    path = folder / "train.toml"
    path.write_text(text, "utf-8")
    return path


@settings(deadline=None)
@given(st.fixed_dictionaries({}, optional=values))
def test_a_resolved_copy_reads_back_equal(tmp_path_factory, flags: dict[str, Any]):
    """The copy in the run folder is the configuration, every float bit for bit, tables too."""
    config = load_image_config(flags=flags)
    assert load_image_config(written(tmp_path_factory.getbasetemp(), config.to_toml())) == config
    assert flags.items() <= config.flat().items()


def test_the_defaults_are_the_paper_s():
    """Batch 16, 50 epochs, the rate by the stopping loss, 15 degrees; probabilities in its profile alone."""
    nested, paper = (load_image_config(flags={"split.profile": name}) for name in ("nested", "paper"))
    fit = nested.fit
    assert (fit.batch, fit.epochs, fit.schedule) == (16, 50, "plateau")
    assert SliceAugmentation(**nested.augmentation.model_dump()) == SliceAugmentation()
    assert (nested.model.aggregation, paper.model.aggregation) == ("logit_mean_quality", "prob_mean")
    assert nested.preparation == PreparationSpec()
    said = load_image_config(flags={"split.profile": "paper", "model.aggregation": "logit_mean_quality"})
    assert said.model.aggregation == "logit_mean_quality"


def test_random_weights_learn_faster_unless_it_is_said():
    """Published ones are moved gently."""
    rates = [load_image_config(flags={"model.weights": name}).fit.learning_rate for name in ("imagenet", "none")]
    assert rates == [1e-4, 1e-3]
    assert load_image_config(flags={"model.weights": "none", "fit.learning_rate": 1e-5}).fit.learning_rate == 1e-5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[model]\nbackbones = ['vgg']",
            "'vgg' is no backbone; known are shufflenet, fbnet, ghostnet, regnet, resnet50",
        ),
        ("[model]\nbackbones = ['fbnet', 'fbnet']", "a backbone is named twice in model.backbones"),
        ("[model]\nbackbones = []", r"sets model.backbones to \[\]: value should have at least 1 item"),
        ("[model]\nbackbones = ['fbnet', 'regnet']\nweights = 'x.pth'", "model.weights names one file, and"),
        ("[fit]\nat_most = { vgg = 3 }", "'vgg' in fit.at_most is no backbone"),
        ("[fit]\nat_most = { regnet = 0 }", "sets fit.at_most to .*: input should be greater than or equal to 1"),
        ("[fit]\nbatch = 1", "sets fit.batch to 1: input should be greater than or equal to 2"),
        ("[fit]\nchannel_dropout = 0.1", "sets 'fit.channel_dropout', which is no setting"),
        ("[scan]\nrecip = 'mean'", "sets 'scan.recip', which is no setting. The nearest is scan.recipe"),
        ("[model]\nkind = 'bands'", "is for model.kind bands, and the command asks for fmri.*flexion train eeg"),
        ("model = 3", "sets model to 3; it is a section"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(tmp_path: Path, text: str, said: str):
    """The file, the key, the value, and what would be right."""
    with pytest.raises(ConfigError, match=said):
        load_image_config(written(tmp_path, text))


def test_a_file_for_scans_is_none_for_eeg(tmp_path: Path):
    """Its kind is not known there."""
    with pytest.raises(ConfigError, match="sets model.kind to 'fmri'. Known: bands, raw"):
        load_config(written(tmp_path, load_image_config().to_toml()))


def test_every_setting_says_what_it_is():
    """The example has a word on each."""
    described = {f"{section}.{key}": meaning for section, key, meaning in settings_of(ImageConfig)}
    assert described.keys() == ImageConfig().flat().keys()
    assert all(described.values())


def test_the_docs_show_the_defaults(tmp_path: Path):
    """Nobody copies a setting that no longer is one."""
    (shown,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert shown == example()
    assert load_image_config(written(tmp_path, shown)) == ImageConfig()

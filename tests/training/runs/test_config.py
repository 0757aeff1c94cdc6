"""A configuration is the defaults of its kind with what the file changes; whatever does not fit is refused."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.errors import ConfigError
from training.runs.config import Config, example, load_config
from training.runs.config import settings as all_settings

#: Where the example stands for people.
PAGE = Path(__file__).parents[3] / "docs" / "training-config.md"

values = {
    "run.name": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True),
    "run.seed": st.integers(0, 2**32 - 1),
    "run.workers": st.integers(1, 64),
    "split.profile": st.sampled_from(["nested", "paper"]),
    "split.repeats": st.integers(1, 100),
    "split.folds": st.integers(2, 20),
    "split.inner": st.floats(0.05, 0.5),
    "model.readout": st.sampled_from(["mean", "last"]),
    "model.widths": st.lists(st.integers(1, 256).map(lambda n: 4 * n), min_size=1, max_size=8).map(tuple),
    "model.dropout": st.floats(0, 1, exclude_max=True),
    "model.heads": st.lists(st.sampled_from(["fma", "ordinal"]), unique=True).map(tuple),
    "fit.epochs": st.integers(1, 10_000),
    "fit.learning_rate": st.floats(0, 1, exclude_min=True),
    "fit.weight_decay": st.floats(0, 1),
    "fit.device": st.sampled_from(["auto", "cpu", "cuda", "cuda:1"]),
    "fit.amp": st.booleans(),
}


def written(folder: Path, text: str) -> Path:
    """Return a file with the text."""
    path = folder / "train.toml"
    path.write_text(text, "utf-8")
    return path


@settings(deadline=None)
@given(st.sampled_from(["bands", "raw"]), st.fixed_dictionaries({}, optional=values))
def test_a_resolved_copy_reads_back_equal(tmp_path_factory, kind: Any, flags: dict[str, Any]):
    """The copy in the run folder is the configuration, every float bit for bit."""
    config = load_config(kind=kind, flags=flags)
    assert load_config(written(tmp_path_factory.getbasetemp(), config.to_toml())) == config
    assert flags.items() <= config.flat().items()


def test_a_file_changes_what_it_names_alone(tmp_path: Path):
    """Everything else stays at the default of its kind."""
    path = written(tmp_path, '[model]\nkind = "raw"\n[fit]\nepochs = 7\nlearning_rate = 1\n')
    changed = {"fit.epochs": 7, "fit.learning_rate": 1.0}
    assert load_config(path).flat() == load_config(kind="raw").flat() | changed


def test_the_kinds_have_their_own_defaults():
    """Raw is the paper's: Adam at 1e-3, batches of 32, 50 epochs, halved rates, the last state; no more heads."""
    bands, raw = (load_config(kind=kind) for kind in ("bands", "raw"))
    assert bands == Config()
    fit, model = raw.fit, raw.model
    assert (fit.learning_rate, fit.weight_decay, fit.batch, fit.epochs, fit.patience) == (1e-3, 0.0, 32, 50, 8)
    assert (fit.schedule, model.readout, model.widths, model.heads) == ("plateau", "last", (128, 64, 32), ())
    assert not (fit.tf32 or fit.amp or bands.fit.tf32 or bands.fit.amp or bands.model.learn_bank)


def test_the_command_sets_over_the_file(tmp_path: Path):
    """What was typed last counts; a flag that was not given changes nothing."""
    path = written(tmp_path, '[split]\nprofile = "paper"\nfolds = 3\n')
    config = load_config(path, flags={"split.profile": "nested", "run.workers": None})
    assert (config.split.profile, config.split.folds, config.run.workers) == ("nested", 3, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[fit]\nepoch = 3", r"train.toml sets 'fit.epoch', which is no setting. The nearest is fit.epochs"),
        ("epochs = 3", r"sets 'epochs', which is no setting. The nearest is fit.epochs"),
        ("[fit]\ndropout = 0.1", r"sets 'fit.dropout', which is no setting. The nearest is model.dropout"),
        ("[fit]\nsede = 1", r"The nearest is run.seed or split.seed"),
        ("[fitt]\nepochs = 3", r"sets 'fitt', which is no setting. The nearest is fit"),
        ("zzz = 3", r"sets 'zzz', which is no setting. Known: run.name, run.seed"),
        ("fit = 3", r"sets fit to 3; it is a section. Write \[fit\] on a line of its own"),
        ("[fit]\nepochs = 0", r"sets fit.epochs to 0: input should be greater than or equal to 1. It is: passes over"),
        ("[fit]\nepochs = '3'", r"sets fit.epochs to '3': input should be a valid integer"),
        ("[fit]\nepochs = true", r"sets fit.epochs to True: input should be a valid integer"),
        ("[fit]\nlearning_rate = nan", r"sets fit.learning_rate to nan: input should be a finite number"),
        ("[fit]\ndevice = 'tpu'", r"sets fit.device to 'tpu': string should match pattern"),
        ("[run]\nname = '../x'", r"sets run.name to '../x': string should match pattern"),
        ("[model]\nwidths = []", r"sets model.widths to \[\]: value should have at least 1 item"),
        ("[model]\nwidths = [0]", r"sets model.widths to \[0\]: input should be greater than or equal to 4"),
        ("[model]\nwidths = [33]", r"sets model.widths to \[33\]: input should be a multiple of 4"),
        ("[model]\nheads = ['fma', 'fma']", r"train.toml: a head is named twice in model.heads"),
        ("[model]\nkind = 'raw'\nlearn_bank = true", r"model.learn_bank is for model.kind bands: raw has no bank"),
        ("[fit]\nwarm_start = 2", r"fit.warm_start is for model.kind raw: bands has no long windows"),
        ("[model]\nkind = 'lstm'", r"sets model.kind to 'lstm'. Known: bands, raw"),
        ("[model]\nkind = ['raw']", r"sets model.kind to \['raw'\]. Known: bands, raw"),
        ("[fit", r"train.toml cannot be read as TOML: Expected"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(tmp_path: Path, text: str, said: str):
    """The file, the key, the value, and what would be right."""
    with pytest.raises(ConfigError, match=said):
        load_config(written(tmp_path, text))


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path):
    """Both by name."""
    with pytest.raises(ConfigError, match=r"nowhere.toml cannot be read as TOML: No such file"):
        load_config(tmp_path / "nowhere.toml")
    (tmp_path / "image.toml").write_bytes(b"\xff\xd8")
    with pytest.raises(ConfigError, match=r"image.toml cannot be read as TOML: 'utf-8' codec"):
        load_config(tmp_path / "image.toml")


def test_a_file_for_another_kind_than_the_command_asks_for_is_refused(tmp_path: Path):
    """Its other settings were chosen for its own kind."""
    path = written(tmp_path, "[model]\nkind = 'raw'")
    assert load_config(path, "raw") == load_config(kind="raw")
    with pytest.raises(ConfigError, match=r"is for model.kind raw, and the command asks for bands.*Leave out --model"):
        load_config(path, "bands")


def test_a_flag_that_does_not_fit_is_the_commands_fault():
    """Not the file's."""
    with pytest.raises(ConfigError, match=r"The command sets split.folds to 1: input should be greater"):
        load_config(flags={"split.folds": 1})


def test_every_setting_says_what_it_is():
    """The example has a word on each."""
    described = {f"{section}.{key}": meaning for section, key, meaning in all_settings()}
    assert described.keys() == Config().flat().keys()
    assert all(described.values())


def test_the_docs_show_the_defaults(tmp_path: Path):
    """Nobody copies a setting that no longer is one: the page has the example, and what differs for raw."""
    bands, raw = re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert bands == example()
    assert load_config(written(tmp_path, bands)) == Config()
    assert load_config(written(tmp_path, raw)) == load_config(kind="raw")
    differing = Config().flat().items() ^ load_config(kind="raw").flat().items()
    stated = {f"{name}.{key}" for name, section in tomllib.loads(raw).items() for key in section}
    assert stated == {key for key, _ in differing}

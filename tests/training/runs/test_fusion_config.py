"""A configuration of a run of fusions: four small sections; what is none is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.errors import ConfigError
from training.runs.fusion_config import FusionConfig, load_fusion_config


def test_a_file_reads_back_as_it_was_written(tmp_path: Path) -> None:
    """Every setting is in it, and nothing of a network."""
    made = load_fusion_config(flags={"run.name": "both", "fusion.method": "equal", "split.repeats": 2})
    path = tmp_path / "config.toml"
    path.write_text(made.to_toml())
    assert load_fusion_config(path) == made != FusionConfig()
    assert {key.partition(".")[0] for key in made.flat()} == {"run", "split", "fusion", "evaluation"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[fusion]\nmethod = "mean"\n', r"sets fusion.method to 'mean'"),
        ("[fusion]\nmethods = 1\n", r"sets 'fusion.methods', which is no setting"),
        ('[model]\nkind = "bands"\n', r"sets 'model', which is no setting"),
        ("[fit]\nepochs = 1\n", r"sets 'fit', which is no setting"),
        ("[fusion\n", "cannot be read as TOML"),
    ],
)
def test_what_is_no_setting_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """With the key, and what it may be."""
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words) as refused:
        load_fusion_config(path)
    assert refused.value.remedy

"""A trained backbone on disk: its weights, which network it is, and what its fit says of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.backbones.backbone import Backbone, build
from training.backbones.catalogue import ARCHITECTURES
from training.backbones.weights import Initialised
from training.errors import RunError
from training.fitting.checkpoints import read_checkpoint, write_checkpoint


def write_backbone(path: Path, backbone: Backbone, facts: Mapping[str, Any]) -> None:
    """Write a network so that ``read_backbone`` builds it again.

    Parameters
    ----------
    path : Path
        Replaced whole.
    backbone : Backbone
    facts : mapping
        Plain values that whoever exports it wants to know.

    Raises
    ------
    DiskFull
        If the disk does not take it.
    """
    state = {name: value.detach().cpu().contiguous() for name, value in backbone.net.state_dict().items()}
    kept = {"backbone": backbone.name, "initialised": backbone.initialised.to_json(), "net": state}
    write_checkpoint(path, {**kept, "facts": dict(facts)})


def read_backbone(path: Path) -> tuple[Backbone, dict[str, Any]]:
    """Return a network that was kept, for judging, with the facts that were kept with it.

    Raises
    ------
    RunError
        If the file is missing, broken or holds no backbone.
    """
    kept = read_checkpoint(path)
    if kept.get("backbone") not in ARCHITECTURES:
        raise _refusal(path, "holds no image network")
    architecture = ARCHITECTURES[kept["backbone"]]
    # What is built is only a place for the numbers that are read into it.
    net = build(architecture, n_outputs=1, seed=0)
    try:
        net.load_state_dict(kept["net"], strict=True)
    except RuntimeError as error:
        words = f"holds tensors that are not those of {architecture.words} in the {architecture.library} of today"
        raise _refusal(path, words) from error
    return Backbone(architecture, net, Initialised(**kept["initialised"])).eval(), kept["facts"]


def _refusal(path: Path, what: str) -> RunError:
    remedy = "Delete it: the fold is then trained from its beginning."
    return RunError(f"Checkpoint {path} {what}.", subject=str(path), remedy=remedy)

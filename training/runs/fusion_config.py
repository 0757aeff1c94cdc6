"""Configuration of a run of fusions: what it is called, the split of its two runs, its method, how it is judged."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from training.runs.sections import (
    EvaluationSettings,
    RunName,
    Section,
    Seed,
    Settings,
    SplitSettings,
    read_file,
    resolved,
)

Method = Literal["equal", "logit_stack", "mean_prob"]


class FusionRunSettings(Section):
    """What the run is called."""

    name: RunName = "fusion"
    seed: Annotated[Seed, Field(description="of the draws of weights, and of the figures")] = 0


class FusionSettings(Section):
    """How two heads become one number."""

    method: Annotated[Method, Field(description="whose weights the bundle holds; all three are judged")] = "logit_stack"


class FusionConfig(Settings):
    """The whole configuration; sections as in the file."""

    run: FusionRunSettings = FusionRunSettings()
    split: SplitSettings = SplitSettings()
    fusion: FusionSettings = FusionSettings()
    evaluation: EvaluationSettings = EvaluationSettings()


def load_fusion_config(path: Path | None = None, flags: Mapping[str, Any] | None = None) -> FusionConfig:
    """Return the configuration in force.

    Parameters
    ----------
    path : Path, optional
        TOML file; the defaults alone without one.
    flags : mapping, optional
        Dotted keys (``"run.name"``) that the command sets over the file; None values are left out.

    Raises
    ------
    ConfigError
        If the file cannot be read, or sets a key that there is not or a value that does not fit.
    """
    return resolved(FusionConfig, {}, read_file(path), "The defaults" if path is None else str(path), flags or {})

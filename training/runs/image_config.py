"""Configuration of a run of fMRI: one TOML file over the defaults of its profile, every key checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from inference.fmri.preparation import PreparationSpec
from training.backbones.catalogue import NAMES
from training.errors import ConfigError
from training.runs.sections import (
    Amp,
    Clip,
    Device,
    EvaluationSettings,
    LearningRate,
    Patience,
    RunName,
    RunSettings,
    Schedule,
    Section,
    Seed,
    Settings,
    SplitSettings,
    Tf32,
    WeightDecay,
    as_tuple,
    example_of,
    read_file,
    resolved,
)

#: What ``model.kind`` is in a file of this kind.
KIND: Literal["fmri"] = "fmri"
#: Random weights learn at this rate; published ones are moved ten times less, or they are lost.
RANDOM_RATE = 1e-3


class ImageRunSettings(RunSettings):
    """What the run is called, and what it may use."""

    name: RunName = "fmri"
    seed: Annotated[Seed, Field(description="of initial weights, order and augmentation")] = 0


class ScanSettings(Section):
    """How scans become slices."""

    recipe: Annotated[
        Literal["mean", "functional"],
        Field(description="mean over time (the paper), or functional: mean, ALFF, tSNR as channels"),
    ] = "mean"
    drop_volumes: Annotated[int, Field(ge=0, le=50, description="first volumes left out: not saturated yet")] = 5
    screen_share: Annotated[
        float, Field(gt=0, le=1, description="a slice counts from this share of the widest one's area")
    ] = 0.5


class ImageModelSettings(Section):
    """The networks."""

    kind: Annotated[Literal["fmri"], Field(description="slices of resting-state fMRI")] = KIND
    backbones: Annotated[
        tuple[str, ...],
        BeforeValidator(as_tuple),
        Field(min_length=1, max_length=len(NAMES), description=f"of {', '.join(NAMES)}; the best is chosen within"),
    ] = ("shufflenet",)
    weights: Annotated[
        str, Field(min_length=1, description="first weights: imagenet, none (random), or the path of a file")
    ] = "imagenet"
    aggregation: Annotated[
        Literal["logit_mean_quality", "prob_mean"],
        Field(description="a patient's score: the mean of slices' logits, or of probabilities (paper)"),
    ] = "logit_mean_quality"

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        unknown = [name for name in self.backbones if name not in NAMES]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no backbone; known are {', '.join(NAMES)}")
        if len(set(self.backbones)) < len(self.backbones):
            raise ValueError("a backbone is named twice in model.backbones")
        if self.weights not in ("imagenet", "none") and len(self.backbones) > 1:
            raise ValueError("model.weights names one file, and model.backbones more than one network")
        return self


class AugmentationSettings(Section):
    """How slices are changed while a network learns."""

    rotation_deg: Annotated[float, Field(ge=0, le=180, description="turned by up to so much either way")] = 15.0
    flip: Annotated[bool, Field(description="mirror half of them; off where left and right are to be told apart")] = (
        True
    )
    brightness: Annotated[float, Field(ge=0, lt=1, description="brighter or darker by up to this share")] = 0.2


class ImageFitSettings(Section):
    """The training loop; the paper's batch, epochs and schedule."""

    epochs: Annotated[int, Field(ge=1, le=10_000, description="passes over the slices, at most")] = 50
    patience: Patience = 8
    at_most: Annotated[
        dict[str, Annotated[int, Field(ge=1)]],
        Field(description="fewer epochs for some backbones, such as { resnet50 = 8 }"),
    ] = {}  # noqa: RUF012 (pydantic copies it)
    batch: Annotated[int, Field(ge=2, le=4096, description="slices per step")] = 16
    learning_rate: LearningRate = 1e-4
    weight_decay: WeightDecay = 1e-2
    clip: Clip = 1.0
    schedule: Schedule = "plateau"
    tf32: Tf32 = False
    amp: Amp = False
    device: Device = "auto"

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        unknown = [name for name in self.at_most if name not in NAMES]
        if unknown:
            raise ValueError(f"{unknown[0]!r} in fit.at_most is no backbone; known are {', '.join(NAMES)}")
        return self

    def epochs_of(self, backbone: str) -> int:
        """Return the passes that a backbone makes at most."""
        return min(self.epochs, self.at_most.get(backbone, self.epochs))


class ImageConfig(Settings):
    """The whole configuration; sections as in the file."""

    run: ImageRunSettings = ImageRunSettings()
    split: SplitSettings = SplitSettings()
    scan: ScanSettings = ScanSettings()
    model: ImageModelSettings = ImageModelSettings()
    augmentation: AugmentationSettings = AugmentationSettings()
    fit: ImageFitSettings = ImageFitSettings()
    evaluation: EvaluationSettings = EvaluationSettings()

    @property
    def preparation(self) -> PreparationSpec:
        """How scans become slices, at the bedside too."""
        return PreparationSpec(**self.scan.model_dump())


def load_image_config(path: Path | None = None, flags: Mapping[str, Any] | None = None) -> ImageConfig:
    """Return the configuration in force.

    Profile ``paper`` averages probabilities; random weights learn ten times as fast; both unless the file or the
    command says otherwise.

    Parameters
    ----------
    path : Path, optional
        TOML file; the defaults alone without one.
    flags : mapping, optional
        Dotted keys (``"model.weights"``) that the command sets over the file; None values are left out.

    Raises
    ------
    ConfigError
        If the file cannot be read, sets a key that there is not or a value that does not fit, or is for another kind
        of model.
    """
    given, source = read_file(path), "The defaults" if path is None else str(path)
    model = given.get("model")
    kind = model.get("kind", KIND) if isinstance(model, dict) else KIND
    if kind != KIND:
        raise ConfigError(
            f"{source} is for model.kind {kind}, and the command asks for {KIND}.",
            subject="model.kind",
            remedy="Name a file for fMRI, or flexion train eeg.",
        )
    config = resolved(ImageConfig, {}, given, source, flags or {})
    defaults: dict[str, dict[str, Any]] = {}
    if config.split.profile == "paper":
        defaults["model"] = {"aggregation": "prob_mean"}
    if config.model.weights == "none":
        defaults["fit"] = {"learning_rate": RANDOM_RATE}
    return resolved(ImageConfig, defaults, given, source, flags or {})


def example() -> str:
    """Return a file with every setting at its default, and what it means beside it."""
    return example_of(ImageConfig())

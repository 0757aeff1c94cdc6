"""Configuration of a run of EEG and EMG: one TOML file over the defaults of a kind of model, every key checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from training.errors import ConfigError
from training.runs.sections import (
    Amp,
    Clip,
    Device,
    Epochs,
    EvaluationSettings,
    LearningRate,
    Patience,
    RunSettings,
    Schedule,
    Section,
    Settings,
    SplitSettings,
    Tf32,
    WeightDecay,
    as_tuple,
    example_of,
    read_file,
    resolved,
    settings_of,
)

Kind = Literal["bands", "raw"]

#: Where the two kinds of model differ: `bands` as the bundle that ships was trained; `raw` as the paper has it (Adam is
#: AdamW without decay; the network's last state is read).
DEFAULTS: dict[Kind, dict[str, dict[str, Any]]] = {
    "bands": {},
    "raw": {
        "model": {"kind": "raw", "readout": "last", "dropout": 0.0, "heads": ()},
        "fit": {
            "epochs": 50,
            "patience": 8,
            "batch": 32,
            "learning_rate": 1e-3,
            "weight_decay": 0.0,
            "channel_dropout": 0.0,
            "schedule": "plateau",
        },
    },
}


class ModelSettings(Section):
    """The network."""

    kind: Annotated[Kind, Field(description="bands: log band power ten times a second; raw: every sample")] = "bands"
    readout: Annotated[Literal["mean", "last"], Field(description="mean over time, or the last state")] = "mean"
    widths: Annotated[
        # Others are scored with other bits alone than among others: ONNX Runtime's LSTM takes four cells at a time.
        tuple[Annotated[int, Field(ge=4, le=1024, multiple_of=4)], ...],
        BeforeValidator(as_tuple),
        Field(min_length=1, max_length=8, description="of the stacked LSTMs, each a multiple of 4"),
    ] = (128, 64, 32)
    dropout: Annotated[float, Field(ge=0, lt=1, description="share of values dropped between layers")] = 0.3
    heads: Annotated[
        tuple[Literal["fma", "ordinal"], ...],
        BeforeValidator(as_tuple),
        Field(max_length=2, description="beside the logit: points at 3 months, and whether above 9, 17 and 25"),
    ] = ("fma", "ordinal")
    learn_bank: Annotated[bool, Field(description="train the filter bank too (bands)")] = False

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if len(set(self.heads)) < len(self.heads):
            raise ValueError("a head is named twice in model.heads")
        if self.learn_bank and self.kind == "raw":
            raise ValueError("model.learn_bank is for model.kind bands: raw has no bank")
        return self


class FitSettings(Section):
    """The training loop."""

    epochs: Epochs = 30
    patience: Patience = 6
    batch: Annotated[int, Field(ge=1, le=4096, description="windows per step")] = 64
    learning_rate: LearningRate = 5e-4
    weight_decay: WeightDecay = 1e-2
    clip: Clip = 1.0
    channel_dropout: Annotated[float, Field(ge=0, lt=1, description="chance that a channel is shown zeroed")] = 0.05
    schedule: Schedule = "none"
    warm_start: Annotated[int, Field(ge=0, description="first passes on crops of a second (raw); the card says so")] = 0
    tf32: Tf32 = False
    amp: Amp = False
    device: Device = "auto"


class Config(Settings):
    """The whole configuration; sections as in the file."""

    run: RunSettings = RunSettings()
    split: SplitSettings = SplitSettings()
    model: ModelSettings = ModelSettings()
    fit: FitSettings = FitSettings()
    evaluation: EvaluationSettings = EvaluationSettings()

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.fit.warm_start and self.model.kind == "bands":
            raise ValueError("fit.warm_start is for model.kind raw: bands has no long windows")
        return self


def load_config(path: Path | None = None, kind: Kind | None = None, flags: Mapping[str, Any] | None = None) -> Config:
    """Return the configuration in force.

    Parameters
    ----------
    path : Path, optional
        TOML file; the defaults of the kind alone without one.
    kind : {"bands", "raw"}, optional
        Kind of model that the command asks for; else the file's, else bands.
    flags : mapping, optional
        Dotted keys (``"split.profile"``) that the command sets over the file; None values are left out.

    Raises
    ------
    ConfigError
        If the file cannot be read, sets a key that there is not or a value that does not fit, or is for another kind
        of model.
    """
    given = read_file(path)
    source = "The defaults" if path is None else str(path)
    chosen = _kind(given, kind, source)
    defaults = DEFAULTS[chosen] | {"model": {**DEFAULTS[chosen].get("model", {}), "kind": chosen}}
    return resolved(Config, defaults, given, source, flags or {})


def settings() -> Iterator[tuple[str, str, str]]:
    """Yield (section, key, description) of every setting, in the order of the file."""
    yield from settings_of(Config)


def example() -> str:
    """Return a file with every setting of bands at its default, and what it means beside it."""
    return example_of(Config())


def _kind(given: Mapping[str, Any], kind: Kind | None, source: str) -> Kind:
    section = given.get("model")
    stated = section.get("kind") if isinstance(section, dict) else None
    if stated is not None and stated not in tuple(DEFAULTS):
        raise ConfigError(
            f"{source} sets model.kind to {stated!r}.", subject="model.kind", remedy=f"Known: {', '.join(DEFAULTS)}."
        )
    if stated is not None and kind is not None and stated != kind:
        raise ConfigError(
            f"{source} is for model.kind {stated}, and the command asks for {kind}.",
            subject="model.kind",
            remedy=f"Leave out --model, or change model.kind in {source}.",
        )
    return kind or stated or "bands"

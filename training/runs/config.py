"""Configuration of a run: one TOML file over the defaults of a kind of model, every key checked.

A key that is not known, or a value that it cannot have, is refused with its name and the file: a setting that is
silently ignored would be found out after a night of training.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo

from training.errors import ConfigError

Kind = Literal["bands", "raw"]
#: Largest seed that every generator in use takes.
LARGEST_SEED = 2**32 - 1

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

Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED)]


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


class _Frozen(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=True, hide_input_in_errors=True
    )


class RunSettings(_Frozen):
    """What the run is called, and what it may use."""

    name: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="behind the time in the folder's name")
    ] = "eeg"
    seed: Annotated[Seed, Field(description="of initial weights, order, dropout and dropped channels")] = 0
    workers: Annotated[int, Field(ge=1, description="folds trained at once, one process each; changes no figure")] = 1


class SplitSettings(_Frozen):
    """How patients are dealt; fixed for a cohort by its first run."""

    profile: Annotated[Literal["nested", "paper"], Field(description="nested folds, or the paper's one split")] = (
        "nested"
    )
    seed: Annotated[Seed, Field(description="of the dealing")] = 0
    repeats: Annotated[int, Field(ge=1, le=100, description="dealings of all patients (nested)")] = 5
    folds: Annotated[int, Field(ge=2, le=20, description="test sets of each dealing (nested)")] = 5
    inner: Annotated[float, Field(ge=0.05, le=0.5, description="share of the others that stops training (nested)")] = (
        0.2
    )


class ModelSettings(_Frozen):
    """The network."""

    kind: Annotated[Kind, Field(description="bands: log band power ten times a second; raw: every sample")] = "bands"
    readout: Annotated[Literal["mean", "last"], Field(description="mean over time, or the last state")] = "mean"
    widths: Annotated[
        # Others are scored with other bits alone than among others: ONNX Runtime's LSTM takes four cells at a time.
        tuple[Annotated[int, Field(ge=4, le=1024, multiple_of=4)], ...],
        BeforeValidator(_tuple),
        Field(min_length=1, max_length=8, description="of the stacked LSTMs, each a multiple of 4"),
    ] = (128, 64, 32)
    dropout: Annotated[float, Field(ge=0, lt=1, description="share of values dropped between layers")] = 0.3
    heads: Annotated[
        tuple[Literal["fma", "ordinal"], ...],
        BeforeValidator(_tuple),
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


class FitSettings(_Frozen):
    """The training loop."""

    epochs: Annotated[int, Field(ge=1, le=10_000, description="passes over the windows, at most")] = 30
    patience: Annotated[int, Field(ge=1, description="passes without a better loss of the stopping patients")] = 6
    batch: Annotated[int, Field(ge=1, le=4096, description="windows per step")] = 64
    learning_rate: Annotated[float, Field(gt=0, le=1, description="of AdamW")] = 5e-4
    weight_decay: Annotated[float, Field(ge=0, le=1, description="of AdamW; 0 makes it Adam")] = 1e-2
    clip: Annotated[float, Field(gt=0, description="largest norm of a gradient")] = 1.0
    channel_dropout: Annotated[float, Field(ge=0, lt=1, description="chance that a channel is shown zeroed")] = 0.05
    schedule: Annotated[
        Literal["none", "plateau"], Field(description="plateau: half the rate after 3 passes without a better loss")
    ] = "none"
    warm_start: Annotated[int, Field(ge=0, description="first passes on crops of a second (raw); the card says so")] = 0
    tf32: Annotated[bool, Field(description="let a GPU round products to 10 bits")] = False
    amp: Annotated[bool, Field(description="let a GPU compute in half precision")] = False
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:[0-9]+)?)$", description="auto: a GPU if there is one")] = (
        "auto"
    )


class EvaluationSettings(_Frozen):
    """How sure the figures are made."""

    permutations: Annotated[int, Field(ge=20, le=100_000, description="fits of the control on shuffled outcomes")] = 200
    bootstrap: Annotated[int, Field(ge=100, le=1_000_000, description="draws over patients per interval")] = 2000


class Config(_Frozen):
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

    def to_toml(self) -> str:
        """Return the file that reads back as this configuration, every key in it."""
        sections = (
            f"[{name}]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in section.items())
            for name, section in self.model_dump(mode="json").items()
        )
        return "\n".join(sections)

    def flat(self) -> dict[str, Any]:
        """Return every setting by its dotted key."""
        return {f"{s}.{key}": value for s, section in self.model_dump().items() for key, value in section.items()}


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
    given = _file(path)
    source = "The defaults" if path is None else str(path)
    resolved = _kind(given, kind, source)
    values: dict[str, Any] = {name: dict(section) for name, section in DEFAULTS[resolved].items()}
    for name, section in given.items():
        _refuse_unknown(name, section, source)
        values[name] = {**values.get(name, {}), **section}
    values["model"] = {**values.get("model", {}), "kind": resolved}
    for key, value in (flags or {}).items():
        if value is not None:
            name, _, setting = key.partition(".")
            values[name] = {**values.get(name, {}), setting: value}
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise _refusal(error, values, source, flags or {}) from error


def settings() -> Iterator[tuple[str, str, str]]:
    """Yield (section, key, description) of every setting, in the order of the file."""
    for name in Config.model_fields:
        for key, inner in _section(name).items():
            yield name, key, inner.description or ""


def example() -> str:
    """Return a file with every setting of bands at its default, and what it means beside it."""
    values = Config().model_dump(mode="json")
    lines: list[str] = []
    for name, key, description in settings():
        if f"[{name}]" not in lines:
            lines += ["", f"[{name}]"]
        lines.append(f"{f'{key} = {_toml(values[name][key])}':<36}  # {description}")
    return "\n".join(lines[1:]) + "\n"


def _file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        words = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(
            f"{path} cannot be read as TOML: {words}.",
            subject=str(path),
            remedy="Mend that line, or name another file.",
        ) from error


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


def _refuse_unknown(name: str, section: object, source: str) -> None:
    if name not in Config.model_fields:
        raise _unknown(name, source)
    if not isinstance(section, dict):
        message = f"{source} sets {name} to {section!r}; it is a section."
        raise ConfigError(message, subject=name, remedy=f"Write [{name}] on a line of its own.")
    for key in section:
        if key not in _section(name):
            raise _unknown(f"{name}.{key}", source)


def _unknown(key: str, source: str) -> ConfigError:
    """Refuse a key with the nearest one that there is: by its own name in any section, else by its whole name."""
    known = {f"{section}.{name}": name for section, name, _ in settings()} | {
        name: name for name in Config.model_fields
    }
    own = key.rpartition(".")[2]
    named = difflib.get_close_matches(own, set(known.values()), n=1)
    near = [whole for whole, name in known.items() if name in named]
    remedy = f"The nearest is {' or '.join(near)}." if near else f"Known: {', '.join(known)}."
    return ConfigError(f"{source} sets {key!r}, which is no setting.", subject=key, remedy=remedy)


def _refusal(error: ValidationError, values: Mapping[str, Any], source: str, flags: Mapping[str, Any]) -> ConfigError:
    first = error.errors(include_url=False, include_input=False)[0]
    words = first["msg"].removeprefix("Value error, ")
    name, key, *_ = (*first["loc"], "", "")
    if not key:
        return ConfigError(f"{source}: {words}.", subject=str(name), remedy="Change one of the two.")
    dotted = f"{name}.{key}"
    where = "The command" if flags.get(dotted) is not None else source
    message = f"{where} sets {dotted} to {values[str(name)][key]!r}: {words[:1].lower()}{words[1:]}."
    return ConfigError(message, subject=dotted, remedy=f"It is: {dict(_meanings())[dotted]}.")


def _meanings() -> Iterator[tuple[str, str]]:
    for section, key, meaning in settings():
        yield f"{section}.{key}", meaning


def _section(name: str) -> Mapping[str, FieldInfo]:
    model = Config.model_fields[name].annotation
    assert isinstance(model, type)
    assert issubclass(model, BaseModel)
    return model.model_fields


def _toml(value: Any) -> str:
    """Return a value as TOML has it; JSON has numbers, booleans, lists and our plain names the same way."""
    return json.dumps(value)

"""What the settings of every kind of run have in common: their sections, and how a file is read and refused.

A key that is not known, or a value that it cannot have, is refused with its name and the file: a setting that is
silently ignored would be found out after a night of training.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from training.errors import ConfigError

#: Largest seed that every generator in use takes.
LARGEST_SEED = 2**32 - 1

Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED)]
RunName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="behind the time in the folder's name")
]


def as_tuple(value: object) -> object:
    """Return a list of the file as the tuple that a setting is."""
    return tuple(value) if isinstance(value, list) else value


class Section(BaseModel):
    """A section of the file: nothing but its keys, and no value that is another by accident."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=True, hide_input_in_errors=True
    )


class RunSettings(Section):
    """What the run is called, and what it may use."""

    name: RunName = "eeg"
    seed: Annotated[Seed, Field(description="of initial weights, order, dropout and dropped channels")] = 0
    workers: Annotated[int, Field(ge=1, description="folds trained at once, one process each; changes no figure")] = 1


class SplitSettings(Section):
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


class EvaluationSettings(Section):
    """How sure the figures are made."""

    permutations: Annotated[int, Field(ge=20, le=100_000, description="fits of the control on shuffled outcomes")] = 200
    bootstrap: Annotated[int, Field(ge=100, le=1_000_000, description="draws over patients per interval")] = 2000


Epochs = Annotated[int, Field(ge=1, le=10_000, description="passes over the windows, at most")]
Patience = Annotated[int, Field(ge=1, description="passes without a better loss of the stopping patients")]
LearningRate = Annotated[float, Field(gt=0, le=1, description="of AdamW")]
WeightDecay = Annotated[float, Field(ge=0, le=1, description="of AdamW; 0 makes it Adam")]
Clip = Annotated[float, Field(gt=0, description="largest norm of a gradient")]
Schedule = Annotated[
    Literal["none", "plateau"], Field(description="plateau: half the rate after 3 passes without a better loss")
]
Tf32 = Annotated[bool, Field(description="let a GPU round products to 10 bits")]
Amp = Annotated[bool, Field(description="let a GPU compute in half precision")]
Device = Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:[0-9]+)?)$", description="auto: a GPU if there is one")]


class Settings(Section):
    """A whole configuration; sections as in the file."""

    def to_toml(self) -> str:
        """Return the file that reads back as this configuration, every key in it."""
        sections = (
            f"[{name}]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in section.items())
            for name, section in self.model_dump(mode="json").items()
        )
        return "\n".join(sections)

    def flat(self) -> dict[str, Any]:
        """Return every setting by its dotted key."""
        return {f"{s}.{key}": value for s, section in self.model_dump().items() for key, value in section.items()}


S = TypeVar("S", bound=Settings)


def resolved(
    of: type[S],
    defaults: Mapping[str, Mapping[str, Any]],
    given: Mapping[str, Any],
    source: str,
    flags: Mapping[str, Any],
) -> S:
    """Return the configuration in force.

    Parameters
    ----------
    of : type
        Of the configuration.
    defaults, given : mapping
        Values by section and key: those that differ from the type's own, and the file's over them.
    source : str
        What the file is called.
    flags : mapping
        Dotted keys that the command sets over the file; None values are left out.

    Raises
    ------
    ConfigError
        If a key is not known, or a value does not fit.
    """
    values: dict[str, Any] = {name: dict(section) for name, section in defaults.items()}
    for name, section in given.items():
        _refuse_unknown(of, name, section, source)
        values[name] = {**values.get(name, {}), **section}
    for key, value in flags.items():
        if value is not None:
            name, _, setting = key.partition(".")
            values[name] = {**values.get(name, {}), setting: value}
    try:
        return of.model_validate(values)
    except ValidationError as error:
        raise _refusal(of, error, values, source, flags) from error


def settings_of(of: type[Settings]) -> Iterator[tuple[str, str, str]]:
    """Yield (section, key, description) of every setting, in the order of the file."""
    for name in of.model_fields:
        for key, inner in _section(of, name).items():
            yield name, key, inner.description or ""


def example_of(config: Settings) -> str:
    """Return a file with every setting of a configuration, and what it means beside it."""
    values = config.model_dump(mode="json")
    lines: list[str] = []
    for name, key, description in settings_of(type(config)):
        if f"[{name}]" not in lines:
            lines += ["", f"[{name}]"]
        lines.append(f"{f'{key} = {toml(values[name][key])}':<36}  # {description}")
    return "\n".join(lines[1:]) + "\n"


def read_file(path: Path | None) -> dict[str, Any]:
    """Return what a TOML file holds; nothing without one. Raises ConfigError where it cannot be read."""
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


def _refuse_unknown(of: type[Settings], name: str, section: object, source: str) -> None:
    if name not in of.model_fields:
        raise _unknown(of, name, source)
    if not isinstance(section, dict):
        message = f"{source} sets {name} to {section!r}; it is a section."
        raise ConfigError(message, subject=name, remedy=f"Write [{name}] on a line of its own.")
    for key in section:
        if key not in _section(of, name):
            raise _unknown(of, f"{name}.{key}", source)


def _unknown(of: type[Settings], key: str, source: str) -> ConfigError:
    """Refuse a key with the nearest one that there is: by its own name in any section, else by its whole name."""
    known = {f"{section}.{name}": name for section, name, _ in settings_of(of)} | {
        name: name for name in of.model_fields
    }
    own = key.rpartition(".")[2]
    named = difflib.get_close_matches(own, set(known.values()), n=1)
    near = [whole for whole, name in known.items() if name in named]
    remedy = f"The nearest is {' or '.join(near)}." if near else f"Known: {', '.join(known)}."
    return ConfigError(f"{source} sets {key!r}, which is no setting.", subject=key, remedy=remedy)


def _refusal(
    of: type[Settings], error: ValidationError, values: Mapping[str, Any], source: str, flags: Mapping[str, Any]
) -> ConfigError:
    first = error.errors(include_url=False, include_input=False)[0]
    words = first["msg"].removeprefix("Value error, ")
    name, key, *_ = (*first["loc"], "", "")
    if not key:
        return ConfigError(f"{source}: {words}.", subject=str(name), remedy="Change one of the two.")
    dotted = f"{name}.{key}"
    where = "The command" if flags.get(dotted) is not None else source
    message = f"{where} sets {dotted} to {values[str(name)][key]!r}: {words[:1].lower()}{words[1:]}."
    return ConfigError(message, subject=dotted, remedy=f"It is: {dict(_meanings(of))[dotted]}.")


def _meanings(of: type[Settings]) -> Iterator[tuple[str, str]]:
    for section, key, meaning in settings_of(of):
        yield f"{section}.{key}", meaning


def _section(of: type[Settings], name: str) -> Mapping[str, FieldInfo]:
    model = of.model_fields[name].annotation
    assert isinstance(model, type)
    assert issubclass(model, BaseModel)
    return model.model_fields


def toml(value: Any) -> str:
    """Return a value as TOML has it; JSON has numbers, booleans, lists and our plain names the same way."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(inner)}" for key, inner in value.items()) + " }" if value else "{}"
    return json.dumps(value)

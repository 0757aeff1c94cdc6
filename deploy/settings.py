"""Settings: one frozen tree, from defaults, ``flexion.toml``, ``FLEXION_*`` and flags, the later over the earlier.

A key that is not known, or a value that it cannot have, is refused with its name and where it was set: a setting that
is silently ignored would be found out at the bedside.
"""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from deploy.errors import SettingsError
from inference.engines.registry import AUTO, BACKENDS

#: Variables begin so; ``__`` goes one level down: FLEXION_DASHBOARD__PORT.
PREFIX = "FLEXION_"
#: Names another settings file than ``flexion.toml`` of the working directory.
FILE_VARIABLE = "FLEXION_CONFIG"
#: Where a Redis is, as every other program of the machine says it.
REDIS_VARIABLE = "REDIS_URL"
FILE_NAME = "flexion.toml"
#: The mains frequencies of the world; the notch and the quality gate know no other.
MAINS_HZ = (50.0, 60.0)
#: One core stays for the bridges, the aggregator and the pages.
CORES_LEFT = max(1, (os.cpu_count() or 1) - 1)
#: The user's own data, as the desktop's specification places it.
DATA_DIR = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "flexion"


def _loopback(host: str) -> str:
    if host != "localhost" and not _is_loopback(host):
        raise ValueError("only a loopback address (127.0.0.1, ::1, localhost): the pages have no access control")
    return host


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, not an address
        return False


def _mains(hertz: float) -> float:
    if hertz not in MAINS_HZ:
        raise ValueError("mains is 50 or 60 Hz")
    return hertz


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _engines(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in (AUTO, *BACKENDS):
            raise ValueError(f"{name} is no engine; there are {', '.join((AUTO, *BACKENDS))}")
    return names


def _or_none(value: object) -> object:
    return None if value in ("", "none") else value


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class SessionSettings(_Frozen):
    """What a session is when its command does not say otherwise."""

    montage: Annotated[str, Field(description="built-in name or TOML file")] = "amp16"
    mains_hz: Annotated[float, AfterValidator(_mains), Field(description="mains of the room, 50 or 60 Hz")] = 50.0
    unit: Annotated[str | None, Field(description="unit of streams and files that state none: uV, mV, V")] = None
    minutes: Annotated[float, Field(gt=0, description="planned length of a live session")] = 9.0


class ModelSettings(_Frozen):
    """Which bundles score, and what runs them."""

    eeg_emg: Annotated[str, Field(description="bundle of EEG and EMG: built-in name or folder")] = "lstm-bands"
    fmri: Annotated[
        str | None,
        BeforeValidator(_or_none),
        Field(description="bundle of scans: built-in name or folder; none: no scan"),
    ] = "cnn-shufflenet"
    fusion: Annotated[str, Field(description="bundle of the fusion: built-in name or folder")] = "fusion-stack"
    kept: Annotated[
        tuple[str, ...],
        BeforeValidator(_split),
        Field(description="further bundles, held for sessions that are bound to them: built-in names or folders"),
    ] = ()
    engines: Annotated[
        tuple[str, ...],
        BeforeValidator(_split),
        AfterValidator(_engines),
        Field(min_length=1, description="engines in the order of trying, or auto: a GPU's where there is one"),
    ] = ("onnxruntime-cpu",)
    scorers: Annotated[int, Field(ge=1, description="scoring processes; one per core less one by default")] = CORES_LEFT


class DashboardSettings(_Frozen):
    """Where the pages are served."""

    host: Annotated[str, AfterValidator(_loopback), Field(description="loopback address")] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535, description="TCP port")] = 8610


class LogSettings(_Frozen):
    """What processes say on stderr."""

    level: Annotated[Literal["debug", "info", "warning", "error"], Field(description="least severity said")] = "warning"
    format: Annotated[Literal["console", "json"], Field(description="for people or for machines")] = "console"


class Settings(_Frozen):
    """The whole tree."""

    data_dir: Annotated[Path, Field(description="sessions and patients lie here")] = DATA_DIR
    redis_url: Annotated[str | None, Field(description="Redis to use, as REDIS_URL; none: a private one")] = None
    session: SessionSettings = SessionSettings()
    models: ModelSettings = ModelSettings()
    dashboard: DashboardSettings = DashboardSettings()
    log: LogSettings = LogSettings()


@dataclass(frozen=True)
class Layer:
    """One source of settings: what it is called, and what it sets."""

    name: str
    values: Mapping[str, Any]

    def sets(self, path: tuple[str, ...]) -> bool:
        """Return whether this source sets the key (or something below it)."""
        node: Any = self.values
        for part in path:
            if not isinstance(node, Mapping) or part not in node:
                return False
            node = node[part]
        return True


def load(flags: Mapping[str, Any] | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings in force.

    Parameters
    ----------
    flags : mapping, optional
        Dotted keys (``"dashboard.port"``) that the command line gives; None values are left out.
    environ : mapping
        Environment variables.

    Raises
    ------
    SettingsError
        If a file cannot be read, or a key or value of any source does not fit; names the key and its source.
    """
    layers = [_file_layer(environ), *_variable_layers(environ), _flag_layer(flags or {})]
    merged: dict[str, Any] = {}
    for layer in layers:
        _merge(merged, layer.values)
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise _refusal(error, layers) from error


def changed(settings: Settings, flags: Mapping[str, Any]) -> Settings:
    """Return the settings with some dotted keys changed; None values are left out.

    Raises
    ------
    SettingsError
        If a value does not fit.
    """
    values = settings.model_dump()
    layer = _flag_layer(flags, "the command")
    _merge(values, layer.values)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise _refusal(error, [layer]) from error


def keys(model: type[BaseModel] = Settings, above: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Yield (dotted key, description) of every setting."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from keys(inner, (*above, name))
        else:
            yield ".".join((*above, name)), field.description or ""


def _file_layer(environ: Mapping[str, str]) -> Layer:
    named = environ.get(FILE_VARIABLE)
    path = Path(named or FILE_NAME)
    if not path.is_file():
        if named:
            raise SettingsError(
                f"{FILE_VARIABLE} names {named}, which is not a file.",
                subject=named,
                remedy=f"Give the path of a settings file, or unset {FILE_VARIABLE}.",
            )
        return Layer(FILE_NAME, {})
    try:
        return Layer(str(path), tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path} is not TOML: {error}.",
            subject=str(path),
            remedy="Mend that line; flexion config check shows more.",
        ) from error


def _variable_layers(environ: Mapping[str, str]) -> Iterator[Layer]:
    if url := environ.get(REDIS_VARIABLE):
        yield Layer(REDIS_VARIABLE, {"redis_url": url})
    for variable, value in sorted(environ.items()):
        if variable.startswith(PREFIX) and variable != FILE_VARIABLE:
            yield Layer(variable, _nest(variable[len(PREFIX) :].lower().split("__"), value))


def _flag_layer(flags: Mapping[str, Any], name: str = "the command line") -> Layer:
    values: dict[str, Any] = {}
    for key, value in flags.items():
        if value is not None:
            _merge(values, _nest(key.split("."), value))
    return Layer(name, values)


def _nest(path: list[str], value: Any) -> dict[str, Any]:
    head, *rest = path
    return {head: _nest(rest, value) if rest else value}


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            # A copy, so that a later layer never writes into an earlier one.
            into[key] = dict(value) if isinstance(value, Mapping) else value


def _refusal(error: ValidationError, layers: list[Layer]) -> SettingsError:
    first = error.errors(include_url=False)[0]
    path = tuple(part for part in first["loc"] if isinstance(part, str))
    key = ".".join(path)
    source = next((layer.name for layer in reversed(layers) if layer.sets(path)), "the defaults")
    if first["type"] == "extra_forbidden":
        message = f"{source} sets {key!r}, which is no setting."
        remedy = f"Known here: {', '.join(_siblings(path))}."
    else:
        message = f"{source} sets {key!r} to {first['input']!r}: {_first_lower(first['msg'])}."
        remedy = f"Change it in {source}."
    return SettingsError(message, subject=key, remedy=remedy)


def _siblings(path: tuple[str, ...]) -> list[str]:
    model: type[BaseModel] = Settings
    for part in path[:-1]:
        inner = model.model_fields[part].annotation
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            break
        model = inner
    return list(model.model_fields)


def _first_lower(text: str) -> str:
    text = text.removeprefix("Value error, ")
    return text[:1].lower() + text[1:]


def as_variables(settings: Settings) -> dict[str, str]:
    """Return the variables by which a child process has exactly these settings; its command shows none of them."""
    tree = settings.model_dump(mode="json")
    return {_variable(key): text for key, _ in keys() if (text := _text(tree, key)) is not None}


def _variable(key: str) -> str:
    return PREFIX + key.upper().replace(".", "__")


def _text(tree: Any, key: str) -> str | None:
    for part in key.split("."):
        tree = tree[part]
    if tree is None:
        return None
    return ",".join(tree) if isinstance(tree, list) else str(tree)

"""Montage: which channels the signal has, and how a stream's columns become them, in microvolts (law 10).

A montage is data: a TOML file, or the ``montage`` object of ``session.json``. Channels are matched by label, then by
alias, without regard to case; they are reordered only when all are found, extra ones are listed and ignored, a missing
one is refused with its name.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acquisition.errors import MontageError, UnitError
from acquisition.paradigm import MARKERS
from acquisition.plain_file import read_plain

#: Kinds of channel, in the order in which they are reported.
KINDS = ("eeg", "emg")

#: Microvolts in one of each unit, by lower-case name.
_UV = {
    "v": 1e6, "volt": 1e6, "volts": 1e6,
    "mv": 1e3, "millivolt": 1e3, "millivolts": 1e3,
    "uv": 1.0, "microvolt": 1.0, "microvolts": 1.0,
    "nv": 1e-3, "nanovolt": 1e-3, "nanovolts": 1e-3,
}  # fmt: skip
#: Microvolts in one of what MNE-LSL writes for a unit, the bare power of ten of a volt. A word goes before it, the
#: stream's, the montage's or the user's: elsewhere "0" could mean that nothing was said.
_POWERS_UV = {"0": 1e6, "-3": 1e3, "-6": 1.0, "-9": 1e-3}

_BUILT_IN = Path(__file__).parent / "montages"
_UNITS_TAKEN = "V, mV, uV, nV, or a number and one of them for counts, such as '0.0223 uV'"


@dataclass(frozen=True)
class Channel:
    """One channel of a montage.

    Parameters
    ----------
    label : str
        Its name on the electrode.
    kind : {"eeg", "emg"}
        What it measures.
    unit : str, optional
        The unit that the amplifier sends where its stream states none; None has it asked of the user.
    aliases : tuple of str
        Other names that streams give it.
    """

    label: str
    kind: Literal["eeg", "emg"]
    unit: str | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Binding:
    """How a stream's columns become the montage's channels.

    Parameters
    ----------
    columns : tuple of int
        The stream's column of each channel, in the montage's order.
    scale_uv : tuple of float
        Microvolts in one unit of each channel.
    ignored : tuple of str
        Labels of the stream that the montage does not name.
    counter_column : int or None
        The stream's column of the sample counter.
    """

    columns: tuple[int, ...]
    scale_uv: tuple[float, ...]
    ignored: tuple[str, ...]
    counter_column: int | None

    def to_uv(self, samples: ArrayLike) -> NDArray[np.float64]:
        """Return the montage's channels of a stream's samples in microvolts.

        Parameters
        ----------
        samples : array, shape (n_samples, n_stream_channels)
            As the stream sent them, of any number type.

        Returns
        -------
        ndarray, shape (n_samples, n_channels), float64
            A new array; float64, so that no bit is lost before the filter.
        """
        columns = np.asarray(samples)[:, list(self.columns)]
        return np.ascontiguousarray(columns.astype(np.float64) * np.array(self.scale_uv))


@dataclass(frozen=True)
class Montage:
    """The channels that the signal path works on.

    Parameters
    ----------
    name : str
        Its name; a bundle is made for one.
    rate_hz : float
        The sampling rate that it demands.
    channels : tuple of Channel
        In the order of the columns after binding.
    counter : str, optional
        Label of the stream's sample counter, where it has one.
    counter_modulo : int, optional
        The count at which it begins again at 0; None never does.
    full_scale_uv : float, optional
        The amplifier's rail: the largest magnitude that it can send.
    markers : mapping of str to str
        Foreign marker texts or codes, and which of ``paradigm.MARKERS`` each means.
    """

    name: str
    rate_hz: float
    channels: tuple[Channel, ...]
    counter: str | None = None
    counter_modulo: int | None = None
    full_scale_uv: float | None = None
    markers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [name.casefold() for channel in self.channels for name in (channel.label, *channel.aliases)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if not self.channels:
            raise self._wrong("has no channels; expected at least one.")
        if twice:
            raise self._wrong(f"gives the name {', '.join(twice)} to more than one channel.")
        for channel in self.channels:
            if channel.kind not in KINDS:
                raise self._wrong(f"has channel {channel.label} of kind {channel.kind!r}; expected eeg or emg.")
            if channel.unit is not None and _microvolts(channel.unit) is None:
                raise self._wrong(f"has channel {channel.label} in {channel.unit!r}; expected {_UNITS_TAKEN}.")
        if not (math.isfinite(self.rate_hz) and self.rate_hz > 0):
            raise self._wrong(f"has rate_hz {self.rate_hz}; expected a number above 0.")
        if self.full_scale_uv is not None and not (math.isfinite(self.full_scale_uv) and self.full_scale_uv > 0):
            raise self._wrong(f"has full_scale_uv {self.full_scale_uv}; expected a number above 0.")
        if self.counter_modulo is not None and (self.counter is None or self.counter_modulo < 2):
            raise self._wrong(f"has counter_modulo {self.counter_modulo}; expected 2 or more, and a counter beside it.")
        for text, phase in self.markers.items():
            if phase not in MARKERS:
                raise self._wrong(f"maps marker {text!r} to {phase!r}; expected one of {', '.join(MARKERS)}.")

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels in the order of the columns."""
        return tuple(channel.label for channel in self.channels)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kind of each channel."""
        return tuple(channel.kind for channel in self.channels)

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return len(self.channels)

    @property
    def eeg(self) -> NDArray[np.intp]:
        """Columns of the EEG channels."""
        return self._columns_of("eeg")

    @property
    def emg(self) -> NDArray[np.intp]:
        """Columns of the EMG channels."""
        return self._columns_of("emg")

    def _columns_of(self, kind: str) -> NDArray[np.intp]:
        return np.array([column for column, own in enumerate(self.kinds) if own == kind], dtype=np.intp)

    def phase_of(self, text: str) -> str | None:
        """Return which of ``paradigm.MARKERS`` a marker text means; None for a text that the montage does not map."""
        plain = text.strip()
        return plain if plain in MARKERS else self.markers.get(plain)

    def bind(self, labels: Sequence[str], units: Sequence[str | None], *, unit: str | None = None) -> Binding:
        """Find the montage's channels among a stream's.

        Parameters
        ----------
        labels : sequence of str
            The stream's channel labels.
        units : sequence of str or None
            The unit that the stream states for each; None or empty where it states none.
        unit : str, optional
            The user's word for channels whose unit is unstated or unknown.

        Raises
        ------
        MontageError
            If a channel is missing, or fits more than one of the stream's.
        UnitError
            If the unit of a channel is unknown and none was given.
        """
        names = [label.strip().casefold() for label in labels]
        found = [self._find(channel, names) for channel in self.channels]
        counter = self._find(Channel(self.counter, "eeg"), names) if self.counter is not None else []
        missing = [channel.label for channel, fitting in zip(self.channels, found, strict=True) if not fitting]
        if self.counter is not None and not counter:
            missing.append(self.counter)
        if missing:
            raise self._missing(missing, labels)
        for channel, several in zip(self.channels, found, strict=True):
            if len(several) > 1:
                raise self._twice(channel, [labels[column] for column in several])
        columns = tuple(several[0] for several in found)
        scale = tuple(
            _scale(channel, units[column], unit) for channel, column in zip(self.channels, columns, strict=True)
        )
        used = {*columns, *counter}
        ignored = tuple(label for column, label in enumerate(labels) if column not in used)
        return Binding(columns, scale, ignored, counter[0] if counter else None)

    @staticmethod
    def _find(channel: Channel, names: Sequence[str]) -> list[int]:
        """Return the columns that carry the label or, only where none does, one of the aliases."""
        by_label = [column for column, name in enumerate(names) if name == channel.label.casefold()]
        aliases = {alias.casefold() for alias in channel.aliases}
        return by_label or [column for column, name in enumerate(names) if name in aliases]

    def _missing(self, missing: Sequence[str], labels: Sequence[str]) -> MontageError:
        there = ", ".join(labels) if labels else "none"
        lacking = f"Channel {missing[0]} is" if len(missing) == 1 else f"Channels {', '.join(missing)} are"
        message = f"{lacking} missing, which montage {self.name} needs; the stream has {there}."
        remedy = "Name it so in the amplifier, or describe the stream in a montage of your own: --montage FILE.toml"
        return MontageError(message, subject=", ".join(missing), remedy=remedy)

    def _twice(self, channel: Channel, labels: Sequence[str]) -> MontageError:
        message = f"Channel {channel.label} of montage {self.name} fits more than one of the stream's: "
        remedy = "Rename one of them in the amplifier, or describe the stream in a montage of your own."
        return MontageError(message + ", ".join(labels) + ".", subject=channel.label, remedy=remedy)

    def _wrong(self, what: str) -> MontageError:
        return MontageError(f"Montage {self.name} {what}", subject=self.name, remedy="Mend the montage file.")

    def to_json(self) -> dict[str, Any]:
        """Return the montage as JSON values; ``from_json`` reads the same montage back."""
        return asdict(self) | {
            "channels": [asdict(channel) | {"aliases": list(channel.aliases)} for channel in self.channels],
            "markers": dict(self.markers),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any], *, subject: str = "montage") -> Montage:
        """Read a montage from JSON or TOML values.

        Raises
        ------
        MontageError
            If a key is missing, unknown, or of the wrong type.
        """
        reader = _Fields(values, subject)
        reader.allow("name", "rate_hz", "channels", "counter", "counter_modulo", "full_scale_uv", "markers")
        return cls(
            name=reader.take("name", str),
            rate_hz=float(reader.take("rate_hz", int, float)),
            channels=tuple(_channel(item, subject) for item in reader.take("channels", list)),
            counter=reader.take("counter", str, type(None)),
            counter_modulo=reader.take("counter_modulo", int, type(None)),
            full_scale_uv=reader.take("full_scale_uv", int, float, type(None)),
            markers=reader.take("markers", dict, type(None)) or {},
        )


def built_in_montages() -> tuple[str, ...]:
    """Return the names of the montages that ship."""
    return tuple(sorted(path.stem for path in _BUILT_IN.glob("*.toml")))


def load_montage(name_or_path: str) -> Montage:
    """Return a built-in montage by its name, or one's own by the path of its TOML file.

    Raises
    ------
    MontageError
        If there is none, or it is wrong.

    Examples
    --------
    >>> load_montage("amp16").labels[:4]
    ('C3', 'C1', 'C2', 'C4')
    """
    path = _BUILT_IN / f"{name_or_path}.toml" if name_or_path in built_in_montages() else Path(name_or_path)
    try:
        values = tomllib.loads(read_plain(path).decode())
    except OSError as error:
        message = f"Montage {name_or_path!r} is neither built in nor a file that can be read."
        remedy = f"Built in are {', '.join(built_in_montages())}; your own is the path of a TOML file."
        raise MontageError(message, subject=name_or_path, remedy=remedy) from error
    except ValueError as error:
        message = f"Montage file {name_or_path} is not TOML: {error}."
        raise MontageError(message, subject=name_or_path, remedy="Mend the montage file.") from error
    return Montage.from_json(values, subject=name_or_path)


class _Fields:
    """Typed reading of one table, with errors that name the file and the key."""

    def __init__(self, values: object, subject: str) -> None:
        self._subject = subject
        if not isinstance(values, Mapping):
            raise self._wrong(f"has {values!r} where a table was expected.")
        self._values = values

    def allow(self, *keys: str) -> None:
        unknown = sorted(set(self._values) - set(keys))
        if unknown:
            raise self._wrong(f"has the unknown key {', '.join(unknown)}; known are {', '.join(keys)}.")

    def take(self, key: str, *types: type) -> Any:
        value = self._values.get(key)
        if not isinstance(value, types) or isinstance(value, bool):
            expected = " or ".join(kind.__name__ for kind in types if kind is not type(None))
            raise self._wrong(f"has {key} = {value!r}; expected {expected}.")
        return value

    def _wrong(self, what: str) -> MontageError:
        return MontageError(f"{self._subject} {what}", subject=self._subject, remedy="Mend the montage file.")


def _channel(values: object, subject: str) -> Channel:
    reader = _Fields(values, subject)
    reader.allow("label", "kind", "unit", "aliases")
    aliases = reader.take("aliases", list, type(None)) or []
    kind = cast(Literal["eeg", "emg"], reader.take("kind", str))  # its value is checked with the whole montage
    unit = reader.take("unit", str, type(None))
    return Channel(reader.take("label", str), kind, unit, tuple(str(alias) for alias in aliases))


def _scale(channel: Channel, stated: str | None, given: str | None) -> float:
    for unit in (stated, channel.unit, given):
        scale = _microvolts(unit or "")
        if scale is not None:
            return scale
    if stated and not given and stated.strip() in _POWERS_UV:
        return _POWERS_UV[stated.strip()]
    what = f"{stated!r}, which is not known" if stated else "not stated"
    message = f"The unit of channel {channel.label} is {what}; expected {_UNITS_TAKEN}."
    if given:
        message = f"The unit given is {given!r}, which is not known; expected {_UNITS_TAKEN}."
    raise UnitError(message, subject=channel.label, remedy="Say it: --unit uV (or V, mV, nV, '0.0223 uV').")


def _microvolts(unit: str) -> float | None:
    """Return the microvolts in one of a unit; None where it is not known."""
    plain = unit.strip().lower().replace("µ", "u").replace("μ", "u")  # the micro sign, and the Greek letter
    match = re.fullmatch(r"([0-9.]+(?:e[+-]?[0-9]+)?)?\s*([a-z]+)", plain)
    if match is None or match[2] not in _UV:
        return None
    try:
        scale = float(match[1] or 1.0) * _UV[match[2]]
    except ValueError:  # such as 1.2.3
        return None
    return scale if scale > 0 and math.isfinite(scale) else None

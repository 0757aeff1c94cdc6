"""What the command line says about recordings: options that several verbs have, as one value each, told once.

A verb names such a value among its parameters, and ``spread`` gives it the options in its place.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from deploy.cli.options import (
    Bundle,
    Counter,
    Data,
    Decimal,
    Delimiter,
    HeaderLines,
    Labels,
    Mains,
    MarkerColumn,
    Montage,
    Rate,
    Resample,
    Stream,
    TimeColumn,
    Unit,
)
from deploy.errors import WrongUse
from deploy.times import seconds_of

if TYPE_CHECKING:
    from acquisition.reading import Reading
    from deploy.recorded import Between
    from deploy.settings import Settings

#: Words for characters that are hard to type.
DELIMITERS = {"tab": "\t", "semicolon": ";", "comma": ",", "blank": " "}

From = Annotated[str | None, typer.Option("--from", metavar="TIME", help="Begin here: seconds, m:ss or h:mm:ss.")]
To = Annotated[str | None, typer.Option("--to", metavar="TIME", help="End here.")]
Name = Annotated[str | None, typer.Option("--patient", metavar="NAME", help="Pseudonym for recordings that have none.")]


@dataclass(frozen=True)
class Reads:
    """How a recording is read, where its file leaves it open."""

    unit: Unit = None
    rate: Rate = None
    labels: Labels = None
    stream: Stream = None
    counter: Counter = None
    delimiter: Delimiter = None
    decimal: Decimal = None
    header_lines: HeaderLines = None
    marker_column: MarkerColumn = None
    time_column: TimeColumn = None

    def reading(self, *, resample: bool = False) -> Reading:
        """Return it as a value of its own, without the unit, which is a setting.

        Raises
        ------
        RecordingError
            If what is said about a table makes no sense.
        """
        from acquisition.formats.text_rows import Dialect
        from acquisition.reading import Reading

        names = tuple(label.strip() for label in self.labels.split(",")) if self.labels else ()
        character = DELIMITERS.get(self.delimiter, self.delimiter) if self.delimiter else None
        dialect = Dialect(character, self.decimal, self.header_lines, self.marker_column, self.time_column)
        return Reading(self.rate, names, self.stream, resample, self.counter, dialect)


@dataclass(frozen=True)
class Scores:
    """Which part of recordings is scored, whose they are, and by what."""

    begin: From = None
    end: To = None
    patient: Name = None
    montage: Montage = None
    mains: Mains = None
    resample: Resample = False
    bundle: Bundle = None
    data: Data = None

    def wanted(self) -> Between:
        """Return which part it is.

        Raises
        ------
        WrongUse
            If one of the two says no time, or the end is not behind the beginning.
        """
        from deploy.recorded import Between

        from_s, to_s = _time("--from", self.begin) or 0.0, _time("--to", self.end)
        if to_s is not None and from_s >= to_s:
            message = f"--to {self.end} does not lie behind --from {self.begin or 0}."
            raise WrongUse(message, subject="--to", remedy="Give a later one.")
        return Between(from_s, to_s)

    def settings(self, unit: str | None, **others: object) -> Settings:
        """Return the settings in force, with these and others of the command line.

        Raises
        ------
        SettingsError
            If one is not allowed.
        """
        from deploy.settings import load

        own = {
            "data_dir": self.data,
            "session.montage": self.montage,
            "session.mains_hz": self.mains,
            "session.unit": unit,
            "models.eeg_emg": self.bundle,
        }
        return load(own | others)


def _time(option: str, text: str | None) -> float | None:
    seconds = seconds_of(text) if text is not None else None
    if text is not None and seconds is None:
        remedy = "Give seconds, m:ss or h:mm:ss from the recording's beginning, such as 90 or 1:30."
        raise WrongUse(f"{option} is {text!r}, which is no time.", subject=option, remedy=remedy)
    return seconds


def spread(verb: Callable[..., None]) -> Callable[..., None]:
    """Return a verb as the command line sees it: in place of each dataclass among its parameters, that one's fields."""
    groups: dict[str, type[Any]] = {}
    options: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(verb, eval_str=True).parameters.items():
        group: type[Any] = parameter.annotation
        if is_dataclass(group):
            groups[name] = group
            options += _options(group)
        else:
            options.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))

    def command(**given: Any) -> None:
        values = {
            name: group(**{field.name: given.pop(field.name) for field in fields(group)})
            for name, group in groups.items()
        }
        verb(**given, **values)

    command.__name__, command.__doc__ = verb.__name__, verb.__doc__
    command.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    command.__annotations__ = {option.name: option.annotation for option in options}
    return command


def _options(group: type[Any]) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in fields(group)
    ]

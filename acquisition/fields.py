"""Fields: read a JSON object key by key, type by type, and refuse what is missing, wrong or unknown (law 10).

Used for session.json, manifests and fMRI scores. Each refusal names the file and the key. A key that nobody asked for
is refused at :meth:`Fields.end`, so that a misspelt key is never read as an absent one.
"""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from acquisition.errors import BadInput

#: What JSON calls a value; bool before int, of which it is one.
_KINDS: tuple[tuple[type, str], ...] = (
    (type(None), "null"),
    (bool, "a truth value"),
    (int, "a number"),
    (float, "a number"),
    (str, "a text"),
    (list, "a list"),
    (dict, "an object"),
)

#: Whole numbers beyond this one are none that a file of ours counts: a float no longer tells them apart.
_MOST = 2**53
#: A value in a refusal: so many characters of it.
_SHOWN = reprlib.Repr()
_SHOWN.maxstring = _SHOWN.maxother = _SHOWN.maxlong = 120


class Fields:
    """One JSON object that is being read.

    Parameters
    ----------
    value : object
        The object as ``json.loads`` returned it.
    file : str
        The file that it came from, for the refusal.
    key : str
        The key that leads to the object; empty for the whole file.
    refusal : type of BadInput
        The error to raise.
    remedy : str
        What to do about it.
    """

    def __init__(self, value: object, file: str, key: str, refusal: type[BadInput], remedy: str) -> None:
        self.file, self._refusal, self._remedy, self._prefix = file, refusal, remedy, f"{key}." if key else ""
        if not isinstance(value, Mapping):
            raise self.refuse(key, f"must be an object, not {_kind(value)}")
        self._left: dict[str, Any] = dict(value)

    def refuse(self, key: str, words: str) -> BadInput:
        """Return the error that says what is wrong with ``key``; the caller raises it."""
        subject = f"{self._prefix}{key}" or "the whole file"
        if not subject.isprintable() or len(subject) > _SHOWN.maxstring:
            subject = shown(subject)
        return self._refusal(f"{self.file}: {subject} {words}.", subject=self.file, remedy=self._remedy)

    def has(self, key: str) -> bool:
        """Return whether ``key`` is there and not ``null``; a ``null`` is taken away."""
        if self._left.get(key) is None:
            self._left.pop(key, None)
            return False
        return True

    def take(self, key: str) -> Any:
        """Return the value of ``key``, whatever its type."""
        if key not in self._left:
            raise self.refuse(key, "is missing")
        return self._left.pop(key)

    def text(self, key: str, *, among: Sequence[str] = ()) -> str:
        """Return a text that is not empty, one of ``among`` if given."""
        value = self.take(key)
        if not isinstance(value, str) or not value:
            raise self.refuse(key, f"must be a text, not {_kind(value)}")
        if not is_whole(value):
            raise self.refuse(key, f"is {shown(value)}, which holds half a character")
        if among and value not in among:
            raise self.refuse(key, f"is {shown(value)}, expected one of {', '.join(among)}")
        return value

    def day(self, key: str) -> date:
        """Return a day, written as 2026-03-31."""
        text = self.text(key)
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise self.refuse(key, f"is {shown(text)}, expected a day such as 2026-03-31") from error

    def truth(self, key: str) -> bool:
        """Return true or false."""
        value = self.take(key)
        if not isinstance(value, bool):
            raise self.refuse(key, f"must be true or false, not {_kind(value)}")
        return value

    def number(self, key: str, *, low: float = -math.inf, high: float = math.inf) -> float:
        """Return a finite number within ``low`` and ``high``."""
        return self._number(key, self.take(key), low, high)

    def count(self, key: str, *, low: int = 0) -> int:
        """Return a whole number, at least ``low``."""
        value = self.take(key)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.refuse(key, f"must be a whole number, not {_kind(value)}")
        if value < low:
            raise self.refuse(key, f"is {shown(value)}, expected at least {low}")
        if value > _MOST:
            raise self.refuse(key, "is beyond everything that can be counted")
        return value

    def numbers(self, key: str, *, low: float = -math.inf) -> tuple[float, ...]:
        """Return a list of finite numbers."""
        return tuple(self._number(f"{key}[{i}]", v, low, math.inf) for i, v in enumerate(self._list(key)))

    def table(self, key: str) -> tuple[tuple[float, ...], ...]:
        """Return a list of equally long lists of finite numbers."""
        rows = []
        for i, row in enumerate(self._list(key)):
            if not isinstance(row, list):
                raise self.refuse(f"{key}[{i}]", f"must be a list, not {_kind(row)}")
            rows.append(tuple(self._number(f"{key}[{i}][{j}]", v, -math.inf, math.inf) for j, v in enumerate(row)))
        if len({len(row) for row in rows}) > 1:
            raise self.refuse(key, "has rows of different lengths")
        return tuple(rows)

    def texts(self, key: str, *, among: Sequence[str] = ()) -> tuple[str, ...]:
        """Return a list of texts, each one of ``among`` if given."""
        values = self._list(key)
        for i, value in enumerate(values):
            if not isinstance(value, str) or not is_whole(value) or (among and value not in among):
                wanted = f"one of {', '.join(among)}" if among else "a text"
                raise self.refuse(f"{key}[{i}]", f"is {shown(value)}, expected {wanted}")
        return tuple(values)

    def object(self, key: str) -> Fields:
        """Return the object under ``key``, to be read and ended in its turn."""
        return Fields(self.take(key), self.file, f"{self._prefix}{key}", self._refusal, self._remedy)

    def objects(self, key: str) -> list[Fields]:
        """Return a list of objects."""
        where = f"{self._prefix}{key}"
        values = self._list(key)
        return [Fields(v, self.file, f"{where}[{i}]", self._refusal, self._remedy) for i, v in enumerate(values)]

    def mapping(self, key: str) -> dict[str, Any]:
        """Return an object whose keys are free."""
        value = self.take(key)
        if not isinstance(value, dict):
            raise self.refuse(key, f"must be an object, not {_kind(value)}")
        return value

    def end(self) -> None:
        """Refuse what nobody asked for."""
        if self._left:
            raise self.refuse(min(self._left), "is not a known key")

    def _list(self, key: str) -> list[Any]:
        value = self.take(key)
        if not isinstance(value, list):
            raise self.refuse(key, f"must be a list, not {_kind(value)}")
        return value

    def _number(self, key: str, value: Any, low: float, high: float) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.refuse(key, f"must be a number, not {_kind(value)}")
        try:
            number = float(value)
        except OverflowError as error:
            raise self.refuse(key, f"is beyond all bounds, expected a finite number{_span(low, high)}") from error
        if not math.isfinite(number) or not low <= number <= high:
            raise self.refuse(key, f"is {value!r}, expected a finite number{_span(low, high)}")
        return number


def _span(low: float, high: float) -> str:
    below = f" from {low:g}" if math.isfinite(low) else ""
    return below + (f" to {high:g}" if math.isfinite(high) else "")


def shown(value: object) -> str:
    """Return how a value is shown in a refusal: in one line, however long or deep it is."""
    return _SHOWN.repr(value)


def is_whole(value: object) -> bool:
    """Tell whether a value of JSON can be written down with all that is in it: it may hold half of a character."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _kind(value: object) -> str:
    return next((words for kind, words in _KINDS if isinstance(value, kind)), type(value).__name__)

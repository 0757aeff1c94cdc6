"""JSON as others read it: NaN, Infinity and what is beyond every float, which Python takes, are refused."""

from __future__ import annotations

import json
import math
from typing import Any


def loads(text: str | bytes) -> Any:
    """Return what a JSON text says.

    Raises
    ------
    ValueError
        If it is none; of what no browser could be sent, too.

    Examples
    --------
    >>> loads('{"p": 0.5}')
    {'p': 0.5}
    >>> loads("[NaN]")
    Traceback (most recent call last):
    ValueError: NaN is no number of JSON
    >>> loads("[1e999]")
    Traceback (most recent call last):
    ValueError: 1e999 is no number of JSON
    """
    return json.loads(text, parse_constant=_refuse, parse_float=_finite, parse_int=_whole)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refuse(text)


def _whole(text: str) -> int:
    _finite(text)  # what is beyond every float is infinite to a browser
    return int(text)

"""Times within a recording, as people write and read them: seconds, ``m:ss`` or ``h:mm:ss``."""

from __future__ import annotations

import re

#: Hours and minutes where there are any; then seconds, with a fraction or without.
_TIME = re.compile(r"(?:(?:(\d+):(?=\d\d?:))?(\d+):(?=\d\d?(?:\.|$)))?(\d+(?:\.\d*)?)")


def seconds_of(text: str) -> float | None:
    """Return the seconds that a text says; None where it says no time, or one below 0.

    Examples
    --------
    >>> [seconds_of(text) for text in ("90", "1:30.5", "1:02:03", "1:75", "-3")]
    [90.0, 90.5, 3723.0, None, None]
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    hours, minutes, seconds = (float(group or 0) for group in match.groups())
    if (match[2] and seconds >= 60) or (match[1] and minutes >= 60):
        return None
    return 3600 * hours + 60 * minutes + seconds


def words_of(seconds: float) -> str:
    """Return a time as ``m:ss``, or ``h:mm:ss`` from an hour on; milliseconds only where there are any.

    Examples
    --------
    >>> [words_of(seconds) for seconds in (0, 90, 90.25, 3723)]
    ['0:00', '1:30', '1:30.250', '1:02:03']
    """
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest // 1000:02d}" + (f".{rest % 1000:03d}" if rest % 1000 else "")
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"

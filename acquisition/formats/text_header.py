"""What the header of a table of numbers says: rate, units, labels, in the dialects that are about.

Known are Flexion's own (``# rate_hz: 1000``), OpenBCI's ``%`` lines, BioSPPy's ``# Labels:=`` and Biometrics DataLOG's
``Channel 1: 'RF', 13480 values, engineering units: mV``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: What a comment begins with.
COMMENTS = ("%", "#", "//")
_RATE = re.compile(
    r"(?:rate_hz|sampl\w*[ _-]*(?:rate|freq\w*)|srate|\bfs\b)[^0-9.]*([0-9]+(?:[.,][0-9]+)?)\s*(khz)?", re.IGNORECASE
)
_PER_SECOND = re.compile(r"to ([0-9]+) samples per second", re.IGNORECASE)
_UNIT_WORD = r"([µμu]v|mv|nv|v|microvolts?|millivolts?|nanovolts?|volts?)"
_UNIT = re.compile(rf"(?:\bunits?\b\s*[:=]+\s*|data in ){_UNIT_WORD}\b", re.IGNORECASE)
_LABELS = re.compile(r"\b(?:labels|channels|columns)\s*:=?\s*(.+)", re.IGNORECASE)
_DTYPE = re.compile(r"\bdtype\s*:\s*(float32|float64|int16|int32)", re.IGNORECASE)
#: Biometrics DataLOG: one line per channel.
_CHANNEL = re.compile(r"channel (\d+):\s*'([^']+)'.*?engineering units:\s*([^,]+)", re.IGNORECASE)
#: A label that carries its unit: ``C3 (uV)``, ``C3 [mV]``.
_LABEL_UNIT = re.compile(rf"(.+?)\s*[(\[]{_UNIT_WORD}[)\]]", re.IGNORECASE)


@dataclass(frozen=True)
class TextHeader:
    """What the lines above a table say.

    Parameters
    ----------
    rate_hz : float or None
    unit : str or None
        One unit for all columns.
    labels : tuple of str
        One per column, or empty.
    units : tuple of str or None
        One per label where each column has its own, or empty.
    dtype : str or None
        Type that the numbers had when they were written.
    """

    rate_hz: float | None
    unit: str | None
    labels: tuple[str, ...]
    units: tuple[str | None, ...]
    dtype: str | None


def read_header(lines: list[str], row: list[str] | None) -> TextHeader:
    """Read the lines above a table.

    Parameters
    ----------
    lines : list of str
        Everything above the first row of numbers.
    row : list of str or None
        The row of labels right above the numbers, split into its columns, if there is one.
    """
    text = "\n".join(lines)
    channels = _CHANNEL.findall(text)
    if channels:
        labels, units = tuple(name for _, name, _ in channels), tuple(unit.strip() for *_, unit in channels)
    else:
        labels, units = _with_units(row or _listed(text))
    unit = _UNIT.search(text) if not channels else None
    dtype = _DTYPE.search(text)
    return TextHeader(_rate(text), unit[1] if unit else None, labels, units, dtype[1].lower() if dtype else None)


def _rate(text: str) -> float | None:
    found = _RATE.search(text)
    if found:
        return float(found[1].replace(",", ".")) * (1000.0 if found[2] else 1.0)
    per_second = _PER_SECOND.search(text)
    return float(per_second[1]) if per_second else None


def _listed(text: str) -> list[str]:
    found = _LABELS.search(text)
    return [label for label in re.split(r"[,;\t]", found[1])] if found else []


def _with_units(row: list[str]) -> tuple[tuple[str, ...], tuple[str | None, ...]]:
    labels, units = [], []
    for text in row:
        found = _LABEL_UNIT.fullmatch(text.strip())
        labels.append((found[1] if found else text).strip().strip("\"'"))
        units.append(found[2] if found else None)
    return tuple(labels), tuple(units) if any(units) else ()

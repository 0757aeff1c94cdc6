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
    r"(?:rate_hz|sampl\w*[ _-]*(?:rate|freq\w*)|srate|\bfs\b)[^0-9.\n]*([0-9]+(?:[.,][0-9]+)*)\s*(khz)?", re.IGNORECASE
)
_PER_SECOND = re.compile(r"to ([0-9]+) samples per second", re.IGNORECASE)
#: Hz that nothing here is sampled at: of two readings of a number (2.048 kHz), this one cannot be meant.
_ABOVE_ALL_RATES = 100_000.0
#: How numbers are written: with a decimal point or comma, with a mark between thousands too, or open: 1,000 or 1.000.
_PLAIN = re.compile(r"[0-9]+(?:[.,][0-9]+)?")
_WITH_THOUSANDS = re.compile(r"[0-9]{1,3}(?:(?:,[0-9]{3})+\.[0-9]+|(?:\.[0-9]{3})+,[0-9]+)")
_OPEN = re.compile(r"[0-9]{1,3}[.,][0-9]{3}")
_UNIT_WORD = r"([µμu]v|mv|nv|v|microvolts?|millivolts?|nanovolts?|volts?)"
_UNIT = re.compile(rf"(?:\bunits?\b\s*[:=]+\s*|data in ){_UNIT_WORD}\b", re.IGNORECASE)
_LABELS = re.compile(r"\b(?:labels|channels|columns)\s*:=?\s*(.+)", re.IGNORECASE)
_DTYPE = re.compile(r"\bdtype\s*:\s*(float32|float64|int16|int32)", re.IGNORECASE)
#: Biometrics DataLOG: one line per channel.
_CHANNEL = re.compile(r"channel (\d+):\s*'([^']+)'.*?engineering units:\s*([^,]+)", re.IGNORECASE)
#: A label that carries its unit: ``C3 (uV)``, ``C3 [mV]``.
_LABEL_UNIT = re.compile(rf"(.+?)\s*[(\[]{_UNIT_WORD}[)\]]", re.IGNORECASE)
#: What stands in a line of units: voltages, and what the columns beside them may be in.
_VOLTAGE = re.compile(rf"[(\[]?\s*{_UNIT_WORD}\s*[)\]]?", re.IGNORECASE)
_OTHER_UNIT = re.compile(
    r"[(\[]?\s*(?:m?s|[µμu]s|sec|seconds|samples|deg|°|g|m/s\^?2|n|kg|hz|%|-|)\s*[)\]]?", re.IGNORECASE
)


@dataclass(frozen=True)
class TextHeader:
    """What the lines above a table say.

    Parameters
    ----------
    rates_hz : tuple of float
        The sampling rates that they state: several, or two readings of one number, leave it open.
    unit : str or None
        One unit for all columns.
    labels : tuple of str
        One per column, or empty.
    units : tuple of str or None
        One per label where each column has its own, or empty.
    dtype : str or None
        Type that the numbers had when they were written.
    """

    rates_hz: tuple[float, ...]
    unit: str | None
    labels: tuple[str, ...]
    units: tuple[str | None, ...]
    dtype: str | None


def read_header(lines: list[str], row: list[str] | None, units_row: list[str] | None = None) -> TextHeader:
    """Read the lines above a table.

    Parameters
    ----------
    lines : list of str
        Everything above the first row of numbers.
    row : list of str or None
        The row of labels right above the numbers, split into its columns, if there is one.
    units_row : list of str or None
        The row of units between labels and numbers, if there is one.
    """
    text = "\n".join(lines)
    channels = _CHANNEL.findall(text)
    if channels:
        labels, units = tuple(name for _, name, _ in channels), tuple(unit.strip() for *_, unit in channels)
    else:
        labels, units = _with_units(row or _listed(text))
    if units_row is not None:
        units = tuple(unit.strip("()[] ") or None for unit in units_row)
    stated = {} if channels or units_row is not None else {unit.casefold(): unit for unit in _UNIT.findall(text)}
    dtype = _DTYPE.search(text)
    return TextHeader(
        rates_hz=_rates(text),
        unit=next(iter(stated.values())) if len(stated) == 1 else None,
        labels=labels,
        units=units,
        dtype=dtype[1].lower() if dtype else None,
    )


def are_units(fields: list[str]) -> bool:
    """Tell whether a row names units: at least one voltage, and nothing that is no unit."""
    voltages = [bool(_VOLTAGE.fullmatch(field)) for field in fields]
    others = [bool(_OTHER_UNIT.fullmatch(field)) for field in fields]
    return any(voltages) and all(map(any, zip(voltages, others, strict=True)))


def _rates(text: str) -> tuple[float, ...]:
    found = [
        rate * (1000.0 if kilo else 1.0) for number, kilo in _RATE.findall(text) for rate in _readings_of(number)
    ] or [float(number) for number in _PER_SECOND.findall(text)]
    return tuple(sorted({rate for rate in found if rate < _ABOVE_ALL_RATES}))


def _readings_of(number: str) -> tuple[float, ...]:
    """Return what a written number can mean: two values where its mark may stand before decimals or thousands."""
    if _OPEN.fullmatch(number):
        return float(number.replace(",", ".")), float(number.replace(",", "").replace(".", ""))
    if _PLAIN.fullmatch(number):
        return (float(number.replace(",", ".")),)
    if _WITH_THOUSANDS.fullmatch(number):
        decimal = max(number.rfind("."), number.rfind(","))
        return (float(number[:decimal].replace(",", "").replace(".", "") + "." + number[decimal + 1 :]),)
    return ()


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

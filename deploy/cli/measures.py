"""The measures of a session for people: a table for each movement, with units, intervals and what was left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from acquisition.measures.measurement import ONE
from acquisition.measures.report import DESCRIPTIVE
from deploy.cli import output

if TYPE_CHECKING:
    from acquisition.measures.measurement import Measurement
    from acquisition.measures.report import Report
    from acquisition.session_info import SessionInfo

#: Columns of a table.
HEAD = ("measure", "site", "value", "95 % interval", "trials", "to be read with")
#: Digits behind the point, by unit.
DIGITS = {"%": 0, "ms": 0, ONE: 3}


def put(report: Report, info: SessionInfo, alignment: Mapping[str, Any] | None = None) -> None:
    """Write the measures of a session as a table for each movement, and what they are not.

    Parameters
    ----------
    report : Report
    info : SessionInfo
    alignment : mapping, optional
        How well two streams were aligned: what EEG against EMG rests on.
    """
    moved = report.moved_side or "unknown"
    print(
        f"Session {info.session}, patient {info.patient} ({info.origin}): {report.n_trials} trials, moved leg {moved}"
    )
    for phase in dict.fromkeys(measurement.subject.phase for measurement in report.measurements):
        own = (measurement for measurement in report.measurements if measurement.subject.phase == phase)
        output.put_table(phase.capitalize(), HEAD, rows(own))
    if alignment is not None:
        words = output.alignment_words(alignment)
        print(f"{words[0].upper()}{words[1:]}.")
    print(f"These measures are {DESCRIPTIVE}. docs/measures.md says how each is made, and its limits.")
    print("Research software: not a medical device, not for diagnosis.", flush=True)


def rows(measurements: Iterable[Measurement]) -> list[tuple[str, ...]]:
    """Return the rows of a table, under ``HEAD``."""
    return [_row(measurement) for measurement in measurements]


def _row(measurement: Measurement) -> tuple[str, ...]:
    subject = measurement.subject
    unit = "" if subject.unit == ONE else f" {subject.unit}"
    value = "none" if measurement.value is None else f"{_number(measurement.value, subject.unit)}{unit}"
    bounds = " to ".join(_number(bound, subject.unit) for bound in measurement.interval or ())
    notes = "; ".join(filter(None, [_note(measurement), _left_out(measurement.left_out)]))
    return (subject.measure, subject.site, value, bounds, str(measurement.n_trials), notes)


def _number(value: float, unit: str) -> str:
    # No minus before a zero: -0.3 % is 0 %.
    return f"{round(value, DIGITS[unit]) + 0.0:.{DIGITS[unit]}f}"


def _left_out(left_out: Mapping[str, int]) -> str:
    reasons = ", ".join(f"{n} {reason}" for reason, n in left_out.items())
    return f"left out: {reasons}" if reasons else ""


def _note(measurement: Measurement) -> str:
    if measurement.missing:
        return measurement.missing
    details = measurement.details
    return f"chance: below {details['limit']:.3f}; peak at {details['peak_hz']:.0f} Hz" if details else ""

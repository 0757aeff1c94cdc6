"""Timing: how a stream's time runs, for people: its true rate, its clock against this machine's, and two streams'."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Timing:
    """What is known of one stream's time; None where it is not known, or not yet.

    Parameters
    ----------
    rate_hz, rate_ppm : float or None
        The effective rate by the stream's own stamps, and how far it lies from the nominal one, in parts per million.
    allowance : float or None
        Samples by which a stamp may lie off without meaning loss.
    offset_s : float or None
        What to add to a stamp to get this machine's LSL clock: measured, or else assumed from the arrival.
    uncertainty_s : float or None
        How far the newest measurement of it may be off; None where it is assumed.
    measured_s_ago : float or None
        How long ago that was, in s.
    drift_ppm : float or None
        How fast the sender's clock runs against this machine's, in parts per million.
    """

    rate_hz: float | None = None
    rate_ppm: float | None = None
    allowance: float | None = None
    offset_s: float | None = None
    uncertainty_s: float | None = None
    measured_s_ago: float | None = None
    drift_ppm: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the values by their names."""
        return asdict(self)


@dataclass(frozen=True)
class Pairing:
    """How a second stream stands to the first one now.

    Parameters
    ----------
    state, cause : str
        Of the second stream's link, as ``Source.state``.
    error_s : float or None
        How far its samples lie after the grid samples that they are put on, by the last second's median; None while
        nothing is paired.
    uncertainty_s : float or None
        How far that may be off, for the offsets of both clocks are measured; None until they are.
    """

    state: str
    cause: str
    error_s: float | None = None
    uncertainty_s: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the values by their names."""
        return asdict(self)

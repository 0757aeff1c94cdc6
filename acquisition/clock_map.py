"""Where moments of an earlier life lie on this life's LSL clock: the map from LSL to UTC that every part begins with.

LSL's clock counts from the start of the machine. As long as that did not start anew the same reading is the same
moment; after it only UTC joins the two, as far as it can be believed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from acquisition.clock import Clock

#: Longest time that is believed to have passed: a wall clock may leap by years, and a day is past every session's plan.
LONGEST_S = 86_400.0


def mark(part: int, clock: Clock) -> dict[str, Any]:
    """Return how the clocks stand as a part begins, for ``session.json``."""
    return {"part": part, "lsl_s": clock.lsl_s(), "utc_s": clock.utc().timestamp(), "boot": clock.boot()}


def brought_over(lsl_s: float, part: int, marks: Sequence[Mapping[str, Any]], clock: Clock) -> float:
    """Return what a reading of the LSL clock of an earlier life is on the clock of this one.

    Parameters
    ----------
    lsl_s : float
        The reading; NaN for none.
    part : int
        The part of the session in which it was read.
    marks : sequence of mapping
        ``clock`` of ``session.json``.
    clock : Clock
        This life's.

    Returns
    -------
    float
        Never later than now, nor earlier than ``LONGEST_S`` ago; NaN where nothing tells it.
    """
    known = [entry for entry in marks if entry["part"] == part]
    if not known or not math.isfinite(lsl_s):
        return math.nan
    begun = known[-1]
    if begun.get("boot") and begun["boot"] == clock.boot():
        return min(lsl_s, clock.lsl_s())
    ago_s = clock.utc().timestamp() - float(begun["utc_s"] + lsl_s - begun["lsl_s"])
    return clock.lsl_s() - min(max(0.0, ago_s), LONGEST_S)

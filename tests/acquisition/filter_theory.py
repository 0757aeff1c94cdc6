"""The filter of the chain as theory has it, from closed forms alone, and as it is, from its answer to one impulse.

Theory knows nothing of scipy: a Butterworth prototype and two second-order notches on the analog axis, brought to the
sampled one by the bilinear transform. ``python -m tests.acquisition.filter_theory`` prints the table of docs/signal.md.
"""

from __future__ import annotations

import numpy as np

from acquisition.conditioning import ConditioningSpec, Filter, FilterSpec, Repair
from acquisition.montage import Channel, Montage

RATE_HZ = 1000.0
#: Frequencies of the table: the band's edges, its middle, both sides of each notch, and beyond.
SHOWN_HZ = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 40, 45, 48, 50, 52, 55, 75, 95, 100, 105, 120, 140, 150, 200, 300, 450)
#: Samples after which an impulse is forgotten: the slowest pole, at 0.5 Hz, is down by exp(-44) then.
FORGOTTEN = 20_000
#: Step in Hz over which theory's phase is told from its slope.
STEP_HZ = 1e-4
#: A gain below this is none, and has no delay.
NOTHING = 1e-6


def ours(x_uv: np.ndarray, mains_hz: float) -> np.ndarray:
    """Return one channel as the chain filters it, in one push."""
    montage, spec = Montage("one", RATE_HZ, (Channel("C3", "eeg"),)), ConditioningSpec()
    return Filter(montage, mains_hz, spec).push(Repair(1, spec).push(x_uv[:, None]))[:, 0]


def theory(hz: np.ndarray, mains_hz: float, spec: FilterSpec | None = None) -> np.ndarray:
    """Return the complex gain of band-pass and notches that theory has at some frequencies."""
    spec = spec or FilterSpec()
    w = np.tan(np.pi * hz / RATE_HZ)  # the analog frequency that the bilinear transform brings to this one
    low, high = np.tan(np.pi * np.array([spec.low_hz, spec.high_hz]) / RATE_HZ)
    s = 1j * (w**2 - low * high) / (w * (high - low))  # band to the prototype's low-pass
    assert spec.order == 2, "the closed form below is that of order 2"
    gain = 1 / (s**2 + np.sqrt(2) * s + 1)
    for notch_hz in (mains_hz, 2 * mains_hz):
        centre = np.tan(np.pi * notch_hz / RATE_HZ)
        width = np.tan(np.pi * notch_hz / spec.notch_q / RATE_HZ) * (1 + centre**2)  # -3 dB apart by hz / Q
        gain = gain * (centre**2 - w**2) / (centre**2 - w**2 + 1j * w * width)
    return np.asarray(gain)


def theory_delay_s(hz: np.ndarray, mains_hz: float) -> np.ndarray:
    """Return the group delay that theory has: the slope of its phase."""
    turn = np.angle(theory(hz + STEP_HZ, mains_hz) / theory(hz - STEP_HZ, mains_hz))
    return np.asarray(-turn / (2 * np.pi * 2 * STEP_HZ))


def measured(hz: np.ndarray, mains_hz: float) -> tuple[np.ndarray, np.ndarray]:
    """Return complex gain and group delay in s of the chain's own filter, from its answer to an impulse."""
    impulse = np.zeros(FORGOTTEN + 1)
    impulse[1] = 1.0  # its first value is 0: that is what it starts from
    answer = ours(impulse, mains_hz)[1:]
    n = np.arange(FORGOTTEN)
    waves = [np.exp(-2j * np.pi * one / RATE_HZ * n) for one in hz]
    gain = np.array([answer @ wave for wave in waves])
    slope = np.array([(n * answer) @ wave for wave in waves])
    with np.errstate(invalid="ignore", divide="ignore"):  # in the middle of a notch nothing is left to be late
        return gain, (slope / gain).real / RATE_HZ


def table(mains_hz: float = 50.0) -> list[str]:
    """Return the rows of docs/signal.md."""
    gains, delays_s = measured(np.array(SHOWN_HZ, float), mains_hz)
    rows = ["| Hz | gain | dB | delay, ms |", "|---|---|---|---|"]
    for hz, gain, delay_s in zip(SHOWN_HZ, np.abs(gains), delays_s, strict=True):
        there = gain > NOTHING
        db, ms = (f"{20 * np.log10(gain):.1f}", f"{1000 * delay_s:.1f}") if there else ("none left", "")
        rows.append(f"| {hz:g} | {gain:.3f} | {db} | {ms} |".replace("-0.0 ", "0.0 "))
    return rows


if __name__ == "__main__":
    print("\n".join(table()))

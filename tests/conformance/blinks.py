"""Real blinks and jaw clenches: what the artifact stage leaves of them, and of the rhythms between them.

One recording by others (OpenBCI's own sample: 8 channels, 250 Hz, about 90 s; the file does not say what happens when,
so that the events below were read off its traces). It is brought to 1000 Hz, filtered by the chain, and taken through
the artifact stage twice: calibrated as in a session that begins with it, on its first 30 s of settled signal, which are
full of blinks and clenches; and on 30 s in which the person sits still with closed eyes.

Its mains is so strong that the quality gate finds no channel to calibrate. That one limit is lifted here; the signal
itself is as it was recorded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from acquisition.artifact import ArtifactSpec, ArtifactStage, Calibration
from acquisition.chain import Chain, ChainSpec, Step, drive
from acquisition.formats.text_rows import Dialect
from acquisition.montage import Channel, Montage
from acquisition.quality import CELL_SAMPLES, QualitySpec
from acquisition.recording import Recording, read_recording
from acquisition.resampling import resample
from acquisition.tape import decide, tape_of

Array = NDArray[np.float64]

FILE = "txt-openbci/OpenBCI_GUI-v6-blinks-jawClench-alpha.txt"
RATE_HZ = 1000.0
#: The recording was made in America.
MAINS_HZ = 60.0
HEAD = Montage(
    "head",
    RATE_HZ,
    tuple(Channel(f"EXG Channel {number}", "eeg") for number in range(8)),
    counter="Sample Index",
    counter_modulo=256,
)
#: No cell is dominated by mains, however strong it is.
ANY_MAINS = ChainSpec(quality=QualitySpec(mains_share=1.0))
#: Closed eyes: 4 s of settling and 30 s of calibration, in s of the recording.
STILL_S = (20.0, 54.5)
#: Closed eyes, after both calibrations: where rhythms are compared.
REST_S = (56.0, 76.0)
BANDS = {"alpha (8-13 Hz)": (8.0, 13.0), "beta (13-30 Hz)": (13.0, 30.0)}


@dataclass(frozen=True)
class Event:
    """Something that happens: what it is, when, and on which channels it is seen."""

    name: str
    when_s: tuple[float, float]
    channels: tuple[int, ...]


#: After both calibrations.
LATE = (
    Event("blinks", (79.5, 81.2), (0, 1)),
    Event("jaw clench, one side", (82.0, 82.9), (2, 4)),
    Event("jaw clench, other side", (83.0, 84.1), (3, 5)),
    Event("jolts on all channels", (86.1, 88.8), tuple(range(8))),
)
#: Inside what the first 30 s calibrate on.
EARLY = (
    Event("eight blinks", (4.2, 6.6), (0, 1)),
    Event("six blinks", (15.2, 16.8), (0, 1)),
    Event("jaw clench, one side", (8.2, 9.7), (2, 4)),
    Event("jaw clench, other side", (9.8, 11.4), (3, 5)),
)


@dataclass(frozen=True, eq=False)
class Cleaned:
    """The recording before and after the artifact stage, in microvolts, shape (n_samples, 8)."""

    before_uv: Array
    busy_uv: Array
    still_uv: Array

    def kept(self, event: Event) -> tuple[float, float, float, float, float, float]:
        """Return RMS and peak of an event before, and the shares of both that either calibration keeps."""
        first, last = (round(when * RATE_HZ) for when in event.when_s)
        parts = [x_uv[first:last, event.channels] for x_uv in (self.before_uv, self.busy_uv, self.still_uv)]
        rms, peak = ([float(measure(part)) for part in parts] for measure in (_rms, _peak))
        return rms[0], rms[1] / rms[0], rms[2] / rms[0], peak[0], peak[1] / peak[0], peak[2] / peak[0]

    def change_at_rest(self, band_hz: tuple[float, float]) -> tuple[Array, Array]:
        """Return by how much either calibration changes a band's power in each channel at rest, in percent."""
        first, last = (round(when * RATE_HZ) for when in REST_S)
        before, busy, still = (
            _power(x_uv[first:last], band_hz) for x_uv in (self.before_uv, self.busy_uv, self.still_uv)
        )
        return 100 * (busy / before - 1), 100 * (still / before - 1)


def read(shared_data: Path) -> Recording:
    """Read the recording: its rows are counted, as its times are those of a computer that received them in lumps."""
    recording = read_recording(shared_data / FILE, unit="uV", montage=HEAD, dialect=Dialect(times="none"))
    return resample(recording, HEAD, HEAD.bind(recording.labels, recording.units))


def clean(recording: Recording) -> Cleaned:
    """Take the recording through the chain and the artifact stage, calibrated in either way."""
    steps, busy = run(recording, ANY_MAINS)
    _, still = run(_cut(recording, *STILL_S), ANY_MAINS)
    assert busy is not None and still is not None
    before_uv = np.concatenate([trace.x_uv for step in steps for trace in step.traces]).astype(np.float64)
    in_force = busy.first_sample + ArtifactSpec().calibration_samples
    return Cleaned(before_uv, _suppressed(before_uv, busy, in_force), _suppressed(before_uv, still, 0))


def run(recording: Recording, spec: ChainSpec) -> tuple[list[Step], Calibration | None]:
    """Take a recording through the chain; return its steps, and the calibration that it came to."""
    binding = HEAD.bind(recording.labels, recording.units)
    chain = Chain(HEAD, MAINS_HZ, spec)
    steps = list(drive(chain, tape_of(recording, binding, decide(recording, HEAD, binding))))
    return steps, chain.calibration


def table(cleaned: Cleaned) -> list[str]:
    """Return the rows of two Markdown tables."""
    rows = [
        "| event | RMS, µV | kept, busy | kept, still | peak, µV | kept, busy | kept, still |",
        "|---|" + 6 * "---|",
    ]
    for event in (*LATE, *EARLY):
        rms, rms_busy, rms_still, peak, peak_busy, peak_still = cleaned.kept(event)
        late = event in LATE
        cells = [f"{rms:.0f}", _percent(rms_busy, late), _percent(rms_still)]
        cells += [f"{peak:.0f}", _percent(peak_busy, late), _percent(peak_still)]
        rows.append(f"| {event.name}, {event.when_s[0]:g} s | {' | '.join(cells)} |")
    rows += ["", "| at rest | busy | still |", "|---|---|---|"]
    for name, band_hz in BANDS.items():
        changes = [f"{change.min():+.1f} to {change.max():+.1f} %" for change in cleaned.change_at_rest(band_hz)]
        rows.append(f"| {name} | {' | '.join(changes)} |")
    return rows


def _cut(recording: Recording, first_s: float, last_s: float) -> Recording:
    """Return a stretch of the recording as one of its own."""
    rows = slice(round(first_s * RATE_HZ), round(last_s * RATE_HZ))
    begin, *_ = recording.decided
    end = replace(recording.decided[-1], at=rows.stop - rows.start)
    return replace(recording, samples=recording.samples[rows], stamps=recording.stamps[rows], decided=(begin, end))


def _suppressed(x_uv: Array, calibration: Calibration, first: int) -> Array:
    """Return the signal behind the stage, with a calibration in force from a sample of its grid on."""
    stage = ArtifactStage(HEAD.labels, ArtifactSpec())
    stage.obey(calibration)
    good = np.ones(len(HEAD.labels), bool)
    blocks = [x_uv[:first]]
    for start in range(first, len(x_uv) - CELL_SAMPLES + 1, CELL_SAMPLES):
        blocks.append(stage.push(x_uv[start : start + CELL_SAMPLES], good, settled=True))
    return np.concatenate(blocks)


def _rms(x_uv: Array) -> float:
    return float(np.sqrt(np.mean(x_uv**2)))


def _peak(x_uv: Array) -> float:
    return float(np.abs(x_uv).max())


def _power(x_uv: Array, band_hz: tuple[float, float]) -> Array:
    frequencies, density = signal.welch(x_uv, RATE_HZ, nperseg=2000, axis=0)
    return np.asarray(density[(frequencies >= band_hz[0]) & (frequencies < band_hz[1])].sum(axis=0))


def _percent(share: float, known: bool = True) -> str:
    return f"{100 * share:.0f} %" if known else ""

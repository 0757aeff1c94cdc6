"""A simulated recording as a file: XDF with markers, as a recorder of LSL streams writes it, and its BIDS sidecars.

Rendered by the one simulator (law 1) and written block by block: memory does not grow with the recording.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acquisition.durable import AppendFile, replace_file
from acquisition.formats import xdf_writer
from acquisition.formats.xdf_header import STRING, StreamHeader
from acquisition.montage import Montage
from acquisition.paradigm import ParadigmPlan
from acquisition.simulator import BLOCK_S, Patient, Simulated, stream
from training.simulated.landing import landed

#: Numbers of the two streams in a file.
SIGNAL, MARKERS = 1, 2
#: Key of a recording's clock among a patient's random numbers, beside the simulator's own.
CLOCK = 100
#: A recorder's machine has been up for an hour to a month when the amplifier's program starts, in s.
UPTIME_S = (3.6e3, 2.6e6)
#: By how much an amplifier's clock runs fast or slow, in parts per million, one standard deviation.
DRIFT_PPM = 15.0
#: Seconds between two measurements of the clock offset, as LabRecorder has it.
OFFSET_EVERY_S = 5
#: Seconds by which the sender's clock may be ahead of the recorder's or behind it.
OFFSET_S = 0.05
#: Name of the task in the names of the files.
TASK = "flexext"


@dataclass(frozen=True)
class SenderClock:
    """The clock by which one amplifier stamps its samples.

    Parameters
    ----------
    start_s : float
        Stamp of the first sample.
    period_s : float
        Between two samples, by this clock.
    offset_s : float
        Add it to a stamp to get the recorder's clock.
    """

    start_s: float
    period_s: float
    offset_s: float

    @classmethod
    def of(cls, patient: Patient, rate_hz: float) -> SenderClock:
        """Draw a patient's: its start, its drift, its offset."""
        rng = np.random.default_rng((patient.seed, CLOCK))
        start_s, drift, offset_s = rng.uniform(*UPTIME_S), rng.standard_normal(), rng.uniform(-OFFSET_S, OFFSET_S)
        return cls(round(float(start_s), 6), (1 + 1e-6 * DRIFT_PPM * float(drift)) / rate_hz, float(offset_s))

    def stamps(self, first_sample: int, n_samples: int) -> NDArray[np.float64]:
        """Return the stamps of a stretch, shape (n_samples,); the same however it is cut."""
        return np.asarray(self.start_s + self.period_s * np.arange(first_sample, first_sample + n_samples))


def write_recording(path: Path, patient: Patient, plan: ParadigmPlan, seconds: int, montage: Montage) -> None:
    """Render a patient's recording into an XDF file and write its sidecars; the XDF file has its name last.

    Parameters
    ----------
    path : Path
        Ends in ``_eeg.xdf``; its folder exists.
    patient : Patient
        Who.
    plan : ParadigmPlan
        The markers that lie in the recording are in the file, the one on its very end too.
    seconds : int
        Length.
    montage : Montage
        Channels and rate.

    Raises
    ------
    DiskFull
        If the disk takes no more; nothing of that name is left.
    """
    stem = path.name.removesuffix(".xdf")
    replace_file(path.with_name(f"{stem}.json"), _sidecar(patient, seconds, montage))
    replace_file(path.with_name(f"{stem.removesuffix('_eeg')}_channels.tsv"), _channels(montage))
    with landed(path) as file:
        _write(_Parts(file, patient, montage), patient, plan, seconds, montage)


def _write(parts: _Parts, patient: Patient, plan: ParadigmPlan, seconds: int, montage: Montage) -> None:
    parts.open()
    n_blocks = round(seconds / BLOCK_S)
    for number, block in enumerate(islice(stream(patient, plan, montage), n_blocks)):
        if number % OFFSET_EVERY_S == 0:
            parts.measure(block.first_sample)
        parts.add(block)
    end = round(seconds * montage.rate_hz)
    parts.mark([(end, text) for t_s, text in plan.events(seconds) if round(t_s * montage.rate_hz) == end])
    parts.finish()


@dataclass
class _Written:
    """What a stream's footer says: its first and last stamp, and how many samples there are."""

    first_s: float | None = None
    last_s: float | None = None
    count: int = 0

    def note(self, stamps: NDArray[np.float64]) -> None:
        """Take in the stamps of a chunk."""
        self.first_s = float(stamps[0]) if self.first_s is None else self.first_s
        self.last_s = float(stamps[-1])
        self.count += len(stamps)


class _Parts:
    """The chunks of one file, in the order in which a recorder would write them."""

    def __init__(self, file: AppendFile, patient: Patient, montage: Montage) -> None:
        self._file = file
        self._clock = SenderClock.of(patient, montage.rate_hz)
        self._headers = _headers(patient, montage, self._clock)
        self._written = {number: _Written() for number in self._headers}

    def open(self) -> None:
        self._file.append(xdf_writer.file_header())
        for number, header in self._headers.items():
            self._file.append(xdf_writer.stream_header(number, header))

    def measure(self, first_sample: int) -> None:
        """Write the clock offset of both streams: one machine sends them."""
        now_s = float(self._clock.stamps(first_sample, 1)[0])
        for number in self._headers:
            self._file.append(xdf_writer.clock_offset(number, now_s, self._clock.offset_s))

    def add(self, block: Simulated) -> None:
        """Write a block's samples, and its markers."""
        stamps = self._clock.stamps(block.first_sample, len(block.samples))
        self._file.append(xdf_writer.samples(SIGNAL, self._headers[SIGNAL], block.samples, stamps))
        self._written[SIGNAL].note(stamps)
        self.mark(list(block.markers))

    def mark(self, markers: list[tuple[int, str]]) -> None:
        """Write markers, each with the very stamp of its sample."""
        if markers:
            stamps = np.array([self._clock.stamps(sample, 1)[0] for sample, _ in markers])
            self._file.append(xdf_writer.texts(MARKERS, [text for _, text in markers], stamps))
            self._written[MARKERS].note(stamps)

    def finish(self) -> None:
        """Write the boundary and the footers."""
        self._file.append(xdf_writer.boundary())
        for number, written in self._written.items():
            self._file.append(xdf_writer.stream_footer(number, written.first_s, written.last_s, written.count))


def _headers(patient: Patient, montage: Montage, clock: SenderClock) -> dict[int, StreamHeader]:
    """Return what the file says about its two streams: what an outlet of ours says of itself (law 9)."""
    source_id = f"simulated-{patient.seed:x}"
    signal = StreamHeader(
        name="Amp16" if montage.name == "amp16" else montage.name,
        type="EEG",
        channel_format="float32",
        rate_hz=montage.rate_hz,
        channel_count=montage.n_channels,
        labels=montage.labels,
        units=("uV",) * montage.n_channels,
        kinds=tuple(kind.upper() for kind in montage.kinds),
        source_id=source_id,
        hostname="simulated",
        created_at_s=clock.start_s,
        origin="simulated",
    )
    markers = StreamHeader(
        name="Cues",
        type="Markers",
        channel_format=STRING,
        rate_hz=0.0,
        channel_count=1,
        source_id=f"{source_id}-markers",
        hostname="simulated",
        created_at_s=clock.start_s,
        origin="simulated",
    )
    return {SIGNAL: signal, MARKERS: markers}


def _sidecar(patient: Patient, seconds: int, montage: Montage) -> bytes:
    fields = {
        "TaskName": TASK,
        "TaskDescription": "Simulated hip and knee flexion and extension of the paretic leg.",
        "SamplingFrequency": montage.rate_hz,
        "PowerLineFrequency": patient.mains_hz,
        "EEGReference": "n/a",
        "SoftwareFilters": "n/a",
        "EEGChannelCount": len(montage.eeg),
        "EMGChannelCount": len(montage.emg),
        "RecordingDuration": seconds,
        "RecordingType": "continuous",
        "Manufacturer": "Flexion",
        "ManufacturersModelName": "simulated stream",
    }
    return (json.dumps(fields, indent=2) + "\n").encode()


def _channels(montage: Montage) -> bytes:
    rows = [f"{channel.label}\t{channel.kind.upper()}\tuV" for channel in montage.channels]
    return "\n".join(["name\ttype\tunits", *rows, ""]).encode()

"""A full 16-channel recording composed from real ones: nobody has published EEG and EMG at 1000 Hz together.

It is composed, and says so in its name: the EEG is a g.USBamp recording (16 channels, 256 Hz) resampled to 1000 Hz, its
first ten channels renamed to the montage's; the EMG is a knee extension recorded at 1000 Hz (RF, BF, VM, ST). RFP is
half RF and half VM, GMAX is half BF and half ST: real signals of the thigh, not of those muscles. Where the wanted
length exceeds a source, it is played on, turned round, so that no step appears.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from acquisition.formats.xdf import read_xdf
from acquisition.formats.xdf_header import StreamHeader
from acquisition.montage import load_montage
from acquisition.paradigm import ParadigmPlan
from acquisition.parts import PartWriter
from acquisition.recording import read_recording

EEG_FILE = "xdf-bciess-gusbamp16/sub-P001_ses-S001_task-MISwitch_run-002_eeg.xdf"
EMG_FILE = "emg-uci-lowerlimb/5Nsen.txt"
#: The g.USBamp gives microvolts; its header states no unit.
EEG_RATE_HZ, RATE_HZ = 256, 1000
#: LSL clock of the first sample.
START_S = 70_000.125
#: Of nine minutes.
PLAN = ParadigmPlan()
#: Samples per chunk, as an amplifier sends them.
CHUNK = 20


def compose(path: Path, seconds: float, shared_data: Path, plan: ParadigmPlan = PLAN) -> Path:
    """Write a composed recording with markers of the paradigm.

    Parameters
    ----------
    path : Path
        The XDF file to write.
    seconds : float
        Its length.
    shared_data : Path
        Where the real recordings lie.
    plan : ParadigmPlan
        When the markers are.
    """
    montage = load_montage("amp16")
    samples = np.concatenate([eeg_uv(shared_data, seconds), emg_uv(shared_data, seconds)], axis=1).astype(np.float32)
    stamps = START_S + np.arange(len(samples)) / RATE_HZ
    signal = StreamHeader(
        name="composed from g.USBamp EEG and DataLOG EMG",
        type="EEG",
        channel_format="float32",
        rate_hz=float(RATE_HZ),
        channel_count=16,
        labels=montage.labels,
        units=("uV",) * 16,
        kinds=montage.kinds,
        source_id="composed",
    )
    cues = StreamHeader("cues of the paradigm", "Markers", "string", 0.0, 1, source_id="composed-cues")
    marks = [(START_S + t_s, text) for t_s, text in ParadigmPlan().events(seconds)]
    with PartWriter.create(path, [signal, cues]) as writer:
        for first in range(0, len(samples), CHUNK):
            writer.append(0, samples[first : first + CHUNK], stamps[first : first + CHUNK])
        writer.append(1, [text for _, text in marks], np.array([stamp_s for stamp_s, _ in marks]))
    return path


def eeg_uv(shared_data: Path, seconds: float) -> NDArray[np.float64]:
    """Ten channels of real EEG, shape (n_samples, 10), microvolts, resampled to 1000 Hz."""
    streams = read_xdf(shared_data / EEG_FILE).streams
    raw = next(s.values for s in streams if s.header.type == "EEG" and s.values is not None)
    needed = int(seconds * EEG_RATE_HZ) + 2
    return resample_poly(played_on(raw[:, :10].astype(np.float64), needed), 125, 32)[: round(seconds * RATE_HZ)]


def emg_uv(shared_data: Path, seconds: float) -> NDArray[np.float64]:
    """Six channels of EMG in the montage's order, shape (n_samples, 6), microvolts; two of them composed."""
    recording = read_recording(shared_data / EMG_FILE)
    millivolts = played_on(recording.samples, round(seconds * RATE_HZ))
    rf, bf, vm, st = (1000 * millivolts[:, recording.labels.index(label)] for label in ("RF", "BF", "VM", "ST"))
    return np.stack([rf, (rf + vm) / 2, vm, bf, st, (bf + st) / 2], axis=1)


def played_on(samples: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """The first n samples, turned round at the end as often as needed."""
    index = np.arange(n) % (2 * len(samples))
    return samples[np.where(index < len(samples), index, 2 * len(samples) - 1 - index)]

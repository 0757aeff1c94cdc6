"""FIF files written through MNE, for everything that reads them: volts in float64, holes and breaks as MNE names them.

What ``fif`` reads, this writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acquisition.errors import BadEnvironment
from acquisition.formats.fif import ALSO_JOINED, JOINED, SKIPPED
from acquisition.formats.raw_file import load_mne


@dataclass(frozen=True)
class FifSignal:
    """What a FIF file is to hold.

    Parameters
    ----------
    samples_v : ndarray, shape (n_samples, n_channels), float64
        Volts; anything in the holes.
    labels, kinds : tuple of str
        One per channel; ``eeg`` or ``emg``.
    rate_hz, mains_hz : float
    holes : sequence of (int, int)
        First sample and length of each stretch that was not recorded.
    breaks : sequence of int
        Samples before which an unknown time passed.
    events : sequence of (int, str)
        Sample and text of each marker.
    begun : datetime
        When the recording began, with its time zone.
    patient, words : str
        Pseudonym, and what the file is.
    """

    samples_v: NDArray[np.float64]
    labels: tuple[str, ...]
    kinds: tuple[str, ...]
    rate_hz: float
    mains_hz: float
    holes: Sequence[tuple[int, int]]
    breaks: Sequence[int]
    events: Sequence[tuple[int, str]]
    begun: datetime
    patient: str
    words: str


def write_fif(path: Path, signal: FifSignal) -> None:
    """Write a FIF file; a reader finds it whole or not at all.

    Parameters
    ----------
    path : Path
        Ends in ``.fif``; a file there is replaced.
    signal : FifSignal

    Raises
    ------
    BadEnvironment
        If MNE is not installed, or the file cannot be written.
    """
    mne = load_mne(path, "written")
    info = mne.create_info(list(signal.labels), signal.rate_hz, list(signal.kinds), verbose="ERROR")
    info["description"] = signal.words
    info["line_freq"] = signal.mains_hz
    info["subject_info"] = {"his_id": signal.patient}
    raw = mne.io.RawArray(signal.samples_v.T, info, verbose="ERROR")
    raw.set_meas_date(signal.begun)
    marks = _annotations(signal)
    raw.set_annotations(mne.Annotations(*zip(*marks, strict=True)) if marks else None, verbose="ERROR")
    unfinished = path.with_name(f"{path.stem}-unfinished_raw.fif")
    try:
        raw.save(unfinished, fmt="double", overwrite=True, verbose="ERROR")
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        message = f"{path} cannot be written: {error.strerror or error}."
        remedy = "Make room or name another place: --out FILE"
        raise BadEnvironment(message, subject=str(path), remedy=remedy) from error


def _annotations(signal: FifSignal) -> list[tuple[float, float, str]]:
    """Return onset and duration in seconds and the text of each annotation, in order."""
    samples = [(first, n, SKIPPED) for first, n in signal.holes]
    samples += [(at, 0, text) for at in signal.breaks for text in (ALSO_JOINED, JOINED)]
    samples += [(at, 0, text) for at, text in signal.events]
    return [(at / signal.rate_hz, n / signal.rate_hz, text) for at, n, text in sorted(samples)]

"""The recording that is measured on: one simulated patient, as our bridge and as MNE would have written it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acquisition.formats.xdf_header import STRING, StreamHeader
from acquisition.montage import Montage, load_montage
from acquisition.paradigm import ParadigmPlan
from acquisition.parts import PartWriter
from acquisition.simulator import Patient, render

#: The montage, which is also the bundle's, and the mains that the bundle knows.
MONTAGE, MAINS_HZ = "amp16", 50.0
#: Which simulated patient; any one will do.
SEED = 1
#: Samples of one chunk: what a bridge pulls from a live stream every 20 ms.
CHUNK = 20


@dataclass(frozen=True)
class Recorded:
    """A recording on the disk.

    Parameters
    ----------
    path : Path
        XDF: the signal as float32 µV, each sample with its stamp, and the markers of the paradigm.
    montage : Montage
        Its channels.
    seconds : float
        Its length.
    """

    path: Path
    montage: Montage
    seconds: float

    @property
    def subject(self) -> str:
        """What it is, in a few words."""
        return f"{self.seconds:g} s of {self.montage.n_channels} channels"

    @property
    def words(self) -> str:
        """What it is, in a sentence."""
        return (
            f"{self.seconds:g} s of a simulated patient, {self.montage.n_channels} channels (EEG and EMG) at "
            f"{self.montage.rate_hz:g} Hz, XDF of {self.path.stat().st_size / 1e6:.0f} MB in chunks of {CHUNK} samples"
        )


def record(folder: Path, seconds: float) -> Recorded:
    """Write the recording into a folder.

    Parameters
    ----------
    folder : Path
        There already.
    seconds : float
        Its length.
    """
    montage = load_montage(MONTAGE)
    simulated = render(Patient.draw(SEED, mains_hz=MAINS_HZ), ParadigmPlan(), seconds, montage)
    rate_hz, n_channels = montage.rate_hz, montage.n_channels
    signal = StreamHeader(
        "Bench", "EEG", "float32", rate_hz, n_channels, montage.labels, ("uV",) * n_channels, montage.kinds,
        origin="simulated",
    )  # fmt: skip
    stamps = np.arange(len(simulated.samples)) / rate_hz
    path = folder / "bench.xdf"
    with PartWriter.create(path, [signal, StreamHeader("Bench markers", "Markers", STRING, 0.0, 1)]) as part:
        for at in range(0, len(stamps), CHUNK):
            part.append(0, simulated.samples[at : at + CHUNK], stamps[at : at + CHUNK])
        for sample, text in simulated.markers:
            part.append(1, [text], np.array([sample / rate_hz]))
    return Recorded(path, montage, seconds)

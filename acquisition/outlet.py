"""Outlets: a signal and its markers offered as real LSL streams, with an explicit stamp on every sample.

What is offered says what it is: labels, kinds and units per channel, and ``origin`` in the description (law 9).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import pylsl
from numpy.typing import ArrayLike, NDArray
from pylsl.util import DEDUCED_TIMESTAMP

from acquisition.errors import SequenceError
from acquisition.montage import Montage

#: What a signal's source_id is followed by in that of its markers.
MARKERS_SUFFIX = "-markers"
#: Type of a marker stream, as LSL's own list of types has it.
MARKERS_TYPE = "Markers"
#: Seconds that an outlet keeps for an inlet that does not pull: LSL's default, far beyond our own watchdogs.
BUFFER_S = 360


@dataclass(frozen=True)
class OutletSpec:
    """What a signal stream says about itself.

    Parameters
    ----------
    name, source_id : str
        Its name, and the identity that outlives a restart of its process.
    labels : tuple of str
        One for each column.
    kinds, units : tuple of str
        Likewise; ``eeg`` or ``emg``, and ``uV`` unless the samples are in another unit.
    rate_hz : float
        Nominal rate.
    origin : {"simulated", "recorded"}
        Where the samples come from.
    dtype : {"float32", "double64", "int32", "int16"}
        LSL's name of the samples' type; ``double64`` is its float64.
    type : str
        LSL's content type.
    """

    name: str
    source_id: str
    labels: tuple[str, ...]
    kinds: tuple[str, ...]
    units: tuple[str, ...]
    rate_hz: float
    origin: Literal["simulated", "recorded"] = "simulated"
    dtype: Literal["float32", "double64", "int32", "int16"] = "float32"
    type: str = "EEG"

    @classmethod
    def of(cls, montage: Montage, name: str, source_id: str) -> OutletSpec:
        """Describe a simulated stream that has exactly a montage's channels, in µV."""
        units = ("uV",) * montage.n_channels
        return cls(name, source_id, montage.labels, montage.kinds, units, montage.rate_hz)


class SignalOutlet:
    """An open signal stream.

    Parameters
    ----------
    spec : OutletSpec
        What it says about itself.
    """

    def __init__(self, spec: OutletSpec) -> None:
        self.spec = spec
        self._outlet: pylsl.StreamOutlet | None = pylsl.StreamOutlet(_describe(spec), max_buffered=BUFFER_S)

    def push(self, samples: ArrayLike, stamps_s: NDArray[np.float64]) -> None:
        """Send samples.

        Parameters
        ----------
        samples : array, shape (n_samples, n_channels)
            In the stream's units; no samples are fine.
        stamps_s : ndarray, shape (n_samples,)
            One LSL stamp for each. Exactly 0 and -1 are sent a microsecond later: to LSL they mean "now" and "deduce".
        """
        if len(stamps_s):
            _open(self._outlet, self.spec.name).push_chunk(samples, _lawful(stamps_s))

    def close(self) -> None:
        """Take the stream off the network. What an inlet has not pulled by now is lost to it."""
        self._outlet = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class MarkerOutlet:
    """An open stream of texts that belongs to a signal.

    Parameters
    ----------
    name : str
        Its name.
    source_id : str
        The signal's source_id; the markers' own is that and ``MARKERS_SUFFIX``.
    """

    def __init__(self, name: str, source_id: str) -> None:
        self.name = name
        own_id = source_id + MARKERS_SUFFIX
        info = pylsl.StreamInfo(name, MARKERS_TYPE, 1, pylsl.IRREGULAR_RATE, "string", own_id)
        self._outlet: pylsl.StreamOutlet | None = pylsl.StreamOutlet(info)

    @property
    def heard(self) -> bool:
        """Whether anybody has an inlet of it."""
        return bool(_open(self._outlet, self.name).have_consumers())

    def push(self, text: str, stamp_s: float) -> None:
        """Send one marker with its LSL stamp."""
        _open(self._outlet, self.name).push_sample([text], float(_lawful(np.array([stamp_s]))[0]))

    def close(self) -> None:
        """Take the stream off the network."""
        self._outlet = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _describe(spec: OutletSpec) -> pylsl.StreamInfo:
    info = pylsl.StreamInfo(spec.name, spec.type, len(spec.labels), spec.rate_hz, spec.dtype, spec.source_id)
    info.set_channel_labels(list(spec.labels))
    info.set_channel_types([kind.upper() for kind in spec.kinds])
    info.set_channel_units(list(spec.units))
    info.desc().append_child_value("origin", spec.origin)
    acquisition = info.desc().append_child("acquisition")
    acquisition.append_child_value("manufacturer", "Flexion")
    acquisition.append_child_value("model", f"{spec.origin} stream")
    return info


def _lawful(stamps_s: NDArray[np.float64]) -> Sequence[float]:
    """Move stamps off the two values by which LSL means something else."""
    reserved = (stamps_s == 0.0) | (stamps_s == DEDUCED_TIMESTAMP)
    lawful: list[float] = np.where(reserved, stamps_s + 1e-6, stamps_s).tolist()
    return lawful


def _open(outlet: pylsl.StreamOutlet | None, name: str) -> pylsl.StreamOutlet:
    if outlet is None:
        raise SequenceError(f"Outlet {name!r} is closed.", subject=name, remedy="Push before close.")
    return outlet

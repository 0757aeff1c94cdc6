"""Files that MNE reads (EDF, BDF, BrainVision, FIF): values in microvolts, events, and holes as holes.

MNE is an extra and imported when such a file is opened, never before. It hands over one array without holes, in volts;
what it does not tell (units, other rates, interruptions) the reader of each format looks up in the file itself.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquisition.errors import BadEnvironment, RecordingError
from acquisition.formats.text import changes, code

#: An interruption of unknown length, in seconds: beyond the 60 s from which on nobody knows what was lost, so that a
#: new segment begins and nothing is declared lost.
UNKNOWN_BREAK_S = 3600.0
#: No format has values of fewer bytes (ASCII BrainVision: a digit and a blank). More values than that are a lie.
LEAST_BYTES = 2
#: Larger files are refused rather than read into memory.
MAX_BYTES = 4 << 30
#: Microvolts in a volt, MNE's unit.
UV = 1e6
#: How Python writes a path, and how MNE's readers are called: neither is for whoever reads a refusal.
_PATH = re.compile(r"\b(?:Posix|Windows)Path\('([^']*)'\)")
_CALL = "read_raw_"


@dataclass(frozen=True)
class Stretch:
    """Samples without a hole between them.

    Parameters
    ----------
    start, stop : int
        In the file.
    begins_s : float
        When the first one was taken, in seconds since the beginning of the file.
    """

    start: int
    stop: int
    begins_s: float


@dataclass(frozen=True)
class Column:
    """How a channel becomes a column.

    Parameters
    ----------
    index : int
        Place of the channel in the file.
    label : str
    unit : str or None
        ``None`` where the file states none.
    factor : float
        What MNE's values are multiplied by to be in that unit.
    """

    index: int
    label: str
    unit: str | None
    factor: float


@dataclass(frozen=True)
class RawFile:
    """A file as it was read.

    Parameters
    ----------
    files : tuple of Path
        All that it consists of.
    labels, units : tuple
        One per column of ``samples``.
    rate_hz : float
    samples : ndarray, shape (n_samples, n_columns), float64
        Voltages in microvolts.
    stamps : ndarray, shape (n_samples,), float64
        Seconds since the first sample, interruptions included.
    events : tuple of (float, str)
        Stamp and text of each marker, in order.
    assumed, problems : tuple of str
    """

    files: tuple[Path, ...]
    labels: tuple[str, ...]
    units: tuple[str | None, ...]
    rate_hz: float
    samples: NDArray[np.float64]
    stamps: NDArray[np.float64]
    events: tuple[tuple[float, str], ...]
    assumed: tuple[str, ...]
    problems: tuple[str, ...]


class MneFile:
    """One file, open in MNE.

    Parameters
    ----------
    path : Path
    reader : str
        Name of MNE's function.
    **options
        Of that function.

    Attributes
    ----------
    mne : module
    raw : mne.io.BaseRaw
    rate_hz : float
    size : int
        Bytes of the file.
    problems : list of str
        What MNE warned of, in its own words.

    Raises
    ------
    BadEnvironment
        If MNE is not installed.
    RecordingError
        If it cannot read the file.
    """

    def __init__(self, path: Path, reader: str, **options: Any) -> None:
        self.path = path
        self.problems: list[str] = []
        self.mne = load_mne(path)
        self.size = _size_of(path)
        self.raw = self.guarded(getattr(self.mne.io, reader), path, preload=False, verbose="WARNING", **options)
        self.rate_hz = float(self.raw.info["sfreq"])
        if not (np.isfinite(self.rate_hz) and self.rate_hz > 0):
            raise refused(path, f"states a rate of {self.rate_hz:g} Hz", "Restore it from a copy.")

    def types(self) -> list[str]:
        """Return the type of each channel, as MNE calls it."""
        types: list[str] = self.raw.get_channel_types() if self.raw.ch_names else []
        return types

    def annotations(self) -> list[tuple[float, float, str]]:
        """Return (onset in seconds since the first sample, duration, text) of all annotations, in order."""
        marks = self.raw.annotations
        rows = zip(marks.onset - self.raw.first_time, marks.duration, marks.description, strict=True)
        return [(float(onset), float(duration), str(text)) for onset, duration, text in rows]

    def read(
        self,
        columns: Sequence[Column],
        stretches: Sequence[Stretch],
        *,
        data_bytes: int,
        codes: Mapping[int, int] | None = None,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], list[tuple[float, str]]]:
        """Return samples, stamps, and the markers in channels of codes.

        Parameters
        ----------
        columns : sequence of Column
        stretches : sequence of Stretch
            In order.
        data_bytes : int
            Size of the file that holds the values: it cannot hold more of them than that.
        codes : mapping of int to int
            Channels that hold codes, and which of their bits count.
        """
        n_samples = sum(s.stop - s.start for s in stretches)
        if n_samples * len(self.raw.ch_names) * LEAST_BYTES > data_bytes or data_bytes > MAX_BYTES:
            what = f"states {n_samples} samples of {len(self.raw.ch_names)} channels in {data_bytes} bytes"
            raise refused(self.path, what, "Restore it from a copy, or cut it.")
        stamps = np.concatenate(
            [np.empty(0), *(s.begins_s + np.arange(s.stop - s.start) / self.rate_hz for s in stretches)]
        )
        samples = self._values([c.index for c in columns], stretches) * np.array([c.factor for c in columns])
        events: list[tuple[float, str]] = []
        for index, mask in (codes or {}).items():
            column = self._values([index], stretches)[:, 0]
            whole = np.where(np.isfinite(column), column, 0).astype(np.int64) & mask
            events += changes([code(float(value)) for value in whole], stamps)
        return samples, stamps, events

    def _values(self, picks: list[int], stretches: Sequence[Stretch]) -> NDArray[np.float64]:
        made = [np.empty((0, len(picks)))]
        if picks:
            made += [self.guarded(self.raw.get_data, picks, s.start, s.stop).T for s in stretches]
        return np.concatenate(made)

    def guarded(self, call: Any, *arguments: Any, **options: Any) -> Any:
        """Call MNE: whatever it raises about a file is a refusal of that file, what it warns of a problem of it."""
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                made = call(*arguments, **options)
            except MemoryError:
                raise
            except Exception as error:  # MNE's parsers raise whatever a broken file makes Python raise
                words = _words(str(error)) or type(error).__name__
                raise refused(
                    self.path, f"cannot be read: {words}", "Restore it from a copy, or export it as XDF."
                ) from error
        self.problems += [_words(str(warning.message)) for warning in told]
        return made


def placed(onset_s: float, stretches: Sequence[Stretch], rate_hz: float) -> float:
    """Return the stamp of a moment that is given in samples of the file, holes left out."""
    sample = onset_s * rate_hz
    within = [stretch for stretch in stretches if stretch.start <= sample] or list(stretches[:1])
    return within[-1].begins_s + (sample - within[-1].start) / rate_hz if within else onset_s


def labels_of(names: Sequence[str]) -> str:
    """Return the first few names, for a sentence."""
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")


def _words(text: str) -> str:
    """Return what MNE says of a file, on one line, without its advice to whoever calls it from Python."""
    words = _PATH.sub(r"\1", " ".join(text.split()))
    return ". ".join(sentence for sentence in words.split(". ") if _CALL not in sentence) or words


def refused(path: Path, what: str, remedy: str) -> RecordingError:
    """Return the refusal of a file."""
    return RecordingError(f"{path} {what.rstrip('.')}.", subject=str(path), remedy=remedy)


def load_mne(path: Path, done: str = "read") -> ModuleType:
    """Return MNE, which is an extra; `done` is what is to be done with the file.

    Raises
    ------
    BadEnvironment
        If it is not installed.
    """
    try:
        import mne
    except ImportError as error:
        message = f"{path.name} is {done} by MNE, which is not installed here."
        raise BadEnvironment(message, subject="mne", remedy="Install it: pip install 'flexion[recordings]'") from error
    module: ModuleType = mne
    return module


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        what = f"cannot be read: {error.strerror or error}"
        raise refused(path, what, "Look at the path and its rights.") from error

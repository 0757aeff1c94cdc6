"""Opening a patient's recording: the tape that the bedside's own chain takes, whatever it was recorded with (law 1).

A session folder brings its decisions; a foreign recording is decided once and its decisions are kept beside it, by the
reader that ``flexion score`` and ``flexion replay`` use. Muscles that lie in a file of their own are joined by columns.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from acquisition.chain import Chain, ChainSpec, drive
from acquisition.decisions import Decision
from acquisition.errors import MontageError, RateError, RecordingError
from acquisition.montage import Binding, Montage
from acquisition.reading import decided, told
from acquisition.recording import Recording, bind_recording, read_recording
from acquisition.session import SessionFolder
from acquisition.tape import RULES, Block, tape_of, tape_of_folder
from acquisition.windowing import Window
from training.errors import FingerprintMismatch

if TYPE_CHECKING:
    from training.cohort.places import Place

#: The bedside's settings: training has none of its own.
SPEC = ChainSpec()
#: Seconds by which the same row of two files may be apart: the 20 samples that the chain still bridges.
MAX_APART_S = 0.02
#: Seconds by which one of two files may be longer: an EDF file holds whole records, mostly of 1 s.
MAX_LONGER_S = 1.0

_BRAINVISION = re.compile(r"^(?:Data|Marker)File\s*=\s*(.+?)\s*$", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class Tape:
    """Samples and decisions in the order in which the chain takes them, as often as they are asked for."""

    begin: Callable[[], Iterator[Decision | Block]]

    def __iter__(self) -> Iterator[Decision | Block]:
        return self.begin()


@dataclass(frozen=True)
class Opened:
    """A recording, open.

    Parameters
    ----------
    montage : Montage
        Its channels; a session's own.
    mains_hz : float
        Mains frequency of the notch; a session's own.
    tape : iterable of Decision and Block
        May be taken more than once.
    n_samples : int
        Rows of the recording, of all its parts.
    rate_hz : float
        Of the montage.
    sha256 : str
        Of the recording's bytes, ``recording_sha256``.
    assumed : tuple of str
        Sentences about what the file left open and what could not be read.
    keep : callable, optional
        Takes a calibration that fell due, so that the next reading gives it back; a folder that takes no file is fine.
    resampled_from_hz : float, optional
        Rate that it was recorded at, where it was resampled.
    origin : {"simulated", "recorded", "live"}
        What the recording says of itself.
    """

    montage: Montage
    mains_hz: float
    tape: Iterable[Decision | Block]
    n_samples: int
    rate_hz: float
    sha256: str
    assumed: tuple[str, ...] = ()
    keep: Callable[[Decision], None] | None = None
    resampled_from_hz: float | None = None
    origin: str = "recorded"


def open_place(place: Place, montage: Montage, default_mains_hz: float = 50.0) -> Opened:
    """Open where a patient's recording lies.

    Parameters
    ----------
    place : Place
        A file, a file and the file of its muscles, or a session folder.
    montage : Montage
        Channels of the cohort.
    default_mains_hz : float
        Mains where the place states none.

    Raises
    ------
    RecordingError, MontageError, UnitError, RateError
        If it cannot be read or does not fit.
    FingerprintMismatch
        If it is a session that another conditioning made.
    """
    return _session(place, montage) if place.is_session else _file(place, montage, default_mains_hz)


def windows_of(opened: Opened) -> Iterator[Window]:
    """Yield the windows of a recording, as the bedside makes them: all of them, those without weight too."""
    chain = Chain(opened.montage, opened.mains_hz, SPEC, resampled_from_hz=opened.resampled_from_hz)
    for step in drive(chain, opened.tape, opened.keep):
        yield from step.windows


def recording_sha256(place: Place) -> str:
    """Return the hash of all bytes that a recording consists of: of its files, or of a session's parts and decisions.

    Raises
    ------
    RecordingError
        If one of them cannot be read.
    """
    digest = hashlib.sha256()
    for path in _files_of(place):
        try:
            with open(path, "rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
        except OSError as error:
            message = f"{path}, a part of patient {place.patient}'s recording, cannot be read: {error.strerror}."
            raise RecordingError(message, subject=str(path), remedy="Restore it from a copy.") from error
    return digest.hexdigest()


def rests_on(place: Place, montage: Montage, default_mains_hz: float = 50.0) -> dict[str, Any]:
    """Return all that decides a place's windows, as JSON values; equal ones give equal windows.

    Decisions that are kept beside a recording are part of it: another machine may have taken the calibration.
    """
    about: dict[str, Any] = {"fingerprint": SPEC.fingerprint, "rules": RULES, "recording": recording_sha256(place)}
    if place.is_session:
        info = SessionFolder.open(place.path).info
        own = {"fingerprint": info.fingerprint, "resampled_from_hz": info.resampled_from_hz, "unit": info.unit}
        return about | {"session": own, "mains_hz": info.mains_hz, "montage": dict(info.montage)}
    beside = place.path.with_name(place.path.name + ".decisions.jsonl")
    kept = hashlib.sha256(beside.read_bytes()).hexdigest() if beside.is_file() else None
    said = {"reading": place.reading.in_source(), "unit": place.unit, "decisions": kept}
    if place.emg_path is not None:
        said |= {"emg_reading": place.emg_reading.in_source(), "emg_unit": place.emg_unit}
    return about | said | {"mains_hz": _mains_of(place, default_mains_hz), "montage": montage.to_json()}


def _mains_of(place: Place, default_mains_hz: float) -> float:
    return default_mains_hz if place.mains_hz is None else place.mains_hz


def _files_of(place: Place) -> list[Path]:
    if place.is_session:
        folder = SessionFolder.open(place.path)
        return [*map(folder.part_path, folder.part_numbers()), place.path / "decisions.jsonl"]
    return [file for path in (place.path, place.emg_path) if path is not None for file in _together(path)]


def _together(path: Path) -> list[Path]:
    """Return a file and those that belong to it."""
    suffix = path.suffix.casefold()
    if suffix == ".vhdr" and path.is_file():
        named = _BRAINVISION.findall(path.read_text("utf-8", "replace"))
        others = (path.with_name(name.replace("$b", path.stem)) for name in named)
        return [path, *(other for other in others if other.is_file())]
    if suffix == ".fif":  # a long one goes on in others beside it
        return [path, *sorted(other for other in path.parent.glob("*.fif") if other != path)]
    return [path]


def _session(place: Place, montage: Montage) -> Opened:
    folder = SessionFolder.open(place.path)
    info = folder.info
    if info.entered_in_error:
        message = f"Session {info.session} of patient {place.patient} was entered in error: it is somebody else's."
        raise RecordingError(message, subject=place.patient, remedy="Take its folder out of the cohort.")
    _check_fingerprint(place, info.fingerprint)
    own = Montage.from_json(info.montage, subject=str(place.path / "session.json"))
    _check_channels(place, own, montage)
    n_samples = sum(len(part.stamps) for part in folder.parts())
    _check_samples(place, n_samples)
    tape = Tape(partial(tape_of_folder, folder))
    sha256 = recording_sha256(place)
    return Opened(
        own,
        info.mains_hz,
        tape,
        n_samples,
        own.rate_hz,
        sha256,
        resampled_from_hz=info.resampled_from_hz,
        origin=info.origin,
    )


def _file(place: Place, montage: Montage, default_mains_hz: float) -> Opened:
    montage = place.reading.counted(montage)
    mains_hz = _mains_of(place, default_mains_hz)
    recording, binding = _read(place, montage)
    _check_samples(place, len(recording.stamps))
    decisions = decided(recording, montage, binding, mains_hz)
    return Opened(
        montage,
        mains_hz,
        Tape(lambda: tape_of(recording, binding, decisions.decisions)),
        len(recording.stamps),
        montage.rate_hz,
        recording_sha256(place),
        tuple(told(recording)),
        decisions.add,
        recording.resampled_from_hz,
        recording.origin,
    )


def _read(place: Place, montage: Montage) -> tuple[Recording, Binding]:
    if place.emg_path is None:
        return place.reading.open(place.path, montage, place.unit)
    eeg = read_recording(place.path, unit=place.unit, montage=montage, **place.reading.said)
    recording = _joined(eeg, _muscles(place, montage)) if _lacks_any(eeg, montage) else eeg
    unit = place.unit if place.unit == place.emg_unit else None
    binding = bind_recording(recording, montage, unit=unit, resample=place.reading.resample)
    if place.reading.resample:
        from acquisition.resampling import resample  # scipy.signal: not for whoever reads at the montage's rate

        recording = resample(recording, montage, binding)
    return recording, binding


def _lacks_any(eeg: Recording, montage: Montage) -> bool:
    """Tell whether a file has not all channels by itself."""
    try:
        montage.bind(eeg.labels, ("uV",) * len(eeg.labels))
    except MontageError:
        return True
    return False


def _muscles(place: Place, montage: Montage) -> Recording:
    assert place.emg_path is not None
    uncounted = replace(montage, counter=None, counter_modulo=None)  # the counter is the other file's
    return read_recording(place.emg_path, unit=place.emg_unit, montage=uncounted, **place.emg_reading.said)


def _joined(eeg: Recording, emg: Recording) -> Recording:
    """Return the brain's file with the muscles' columns beside its own; its stamps and markers hold."""
    n = _rows_of_both(eeg, emg)
    cut = abs(len(eeg.stamps) - len(emg.stamps))
    assumed = (f"{cut} rows at the end are in one of the two files alone and left out.",) if cut else ()
    return replace(
        eeg,
        sha256=hashlib.sha256((eeg.sha256 + emg.sha256).encode()).hexdigest(),
        labels=eeg.labels + emg.labels,
        units=eeg.units + emg.units,
        samples=np.hstack([eeg.samples[:n], emg.samples[:n]]),
        stamps=eeg.stamps[:n],
        assumed=(*eeg.assumed, f"muscles are those of {emg.path.name}.", *told(emg), *assumed),
    )


def _rows_of_both(eeg: Recording, emg: Recording) -> int:
    """Return how many rows two files have together; refuse what is no recording of one amplifier."""
    if eeg.rate_hz != emg.rate_hz:
        message = f"{emg.path} is at {emg.rate_hz:g} Hz; {eeg.path.name} beside it is at {eeg.rate_hz:g} Hz."
        raise RateError(message, subject=str(emg.path), remedy=_ONE_FILE)
    n, longest = sorted((len(eeg.stamps), len(emg.stamps)))
    longer_s = (longest - n) / eeg.rate_hz
    if longer_s > MAX_LONGER_S:
        message = f"{emg.path} and {eeg.path.name} differ by {longer_s:g} s in length; {MAX_LONGER_S:g} s may be."
        raise RecordingError(message, subject=str(emg.path), remedy=_ONE_FILE)
    apart_s = float(np.abs(eeg.stamps[:n] - emg.stamps[:n]).max(initial=0.0))
    if apart_s > MAX_APART_S:
        message = f"Rows of {emg.path} and {eeg.path.name} are up to {apart_s:.3g} s apart; {MAX_APART_S:g} s may be."
        raise RecordingError(message, subject=str(emg.path), remedy=_ONE_FILE)
    return n


_ONE_FILE = "Export brain and muscles in one file, or as two streams of one XDF file, which are then paired by time."


def _check_fingerprint(place: Place, fingerprint: str) -> None:
    if fingerprint != SPEC.fingerprint:
        message = (
            f"Session {place.path.name} of patient {place.patient} was conditioned as {fingerprint[:12]}; "
            f"training conditions as {SPEC.fingerprint[:12]}."
        )
        remedy = "Train with the version that recorded it, or give its recording-1.xdf as the patient's file instead."
        raise FingerprintMismatch(message, subject=place.patient, remedy=remedy)


def _check_channels(place: Place, own: Montage, montage: Montage) -> None:
    if (own.labels, own.kinds, own.rate_hz) != (montage.labels, montage.kinds, montage.rate_hz):
        message = (
            f"Session {place.path.name} of patient {place.patient} has {', '.join(own.labels)} at {own.rate_hz:g} Hz; "
            f"montage {montage.name} of the cohort has {', '.join(montage.labels)} at {montage.rate_hz:g} Hz."
        )
        raise MontageError(message, subject=place.patient, remedy="Leave it out, or make a cohort of its montage.")


def _check_samples(place: Place, n_samples: int) -> None:
    if not n_samples:
        message = f"{place.path} of patient {place.patient} is empty: it has no samples."
        raise RecordingError(
            message, subject=place.patient, remedy="Choose another recording, or leave the patient out."
        )

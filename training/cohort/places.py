"""Where a patient's recordings and scans lie in a cohort, and what the sidecars beside them say.

::

    sub-001/eeg/sub-001_task-flexext_eeg.xdf        any kind of recording that is read
                sub-001_task-flexext_eeg.json       what the file leaves open; what holds for all files of the cohort
                sub-001_task-flexext_channels.tsv   stands in task-flexext_eeg.json at its top
    sub-001/emg/sub-001_task-flexext_emg.xdf        muscles in a file of their own
    sub-001/sessions/<session>/                     session folders of the ward
    sub-001/func/sub-001_task-rest_bold.nii.gz      the first of those at rest is learned from

With a level ``ses-<label>`` below the patient's too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from acquisition.errors import BadInput, RecordingError
from acquisition.fields import shown
from acquisition.formats.text_rows import Dialect
from acquisition.reading import AS_IT_IS, Reading
from acquisition.recording import KINDS, SUFFIXES
from training.cohort.errors import CohortError

#: What a patient's folder begins with.
FOLDER = "sub-"
#: What makes a folder that of a session.
SESSION = "session.json"
#: What scans end in.
SCANS = ("_bold.nii.gz", "_bold.nii")
#: What their names have where the patient was at rest, and where they hold no brightness of tissue.
REST = "task-rest"
NO_MAGNITUDE = frozenset({"part-phase", "part-real", "part-imag"})
#: Keys of a sidecar that say how a table is written, and the field of each.
_DIALECT = {
    "Delimiter": "delimiter",
    "Decimal": "decimal",
    "HeaderLines": "header_lines",
    "MarkerColumn": "markers",
    "TimeColumn": "times",
}
#: What a sidecar's keys must hold; all others are other programs' business.
_TYPES: dict[str, tuple[type, ...]] = {
    "SamplingFrequency": (int, float),
    "PowerLineFrequency": (int, float),
    "Unit": (str,),
    "Labels": (list,),
    "Stream": (str,),
    "Counter": (str,),
    "Resample": (bool,),
    "Delimiter": (str,),
    "Decimal": (str,),
    "HeaderLines": (int,),
    "MarkerColumn": (str,),
    "TimeColumn": (str,),
}
#: No frequency is beyond so many Hz.
MOST = 1e12
#: BIDS writes this where a value is not known.
_NOT_KNOWN = "n/a"


@dataclass(frozen=True)
class Place:
    """Where one recording of a patient lies, and what is said about it.

    Attributes
    ----------
    patient : str
    path : Path
        A file, or a session's folder.
    emg_path : Path or None
        The muscles, where they are in a file of their own.
    reading, unit
        What is said about the file, and the unit of channels that state none.
    mains_hz : float or None
        What is said about the place where it was recorded.
    emg_reading, emg_unit
        The same about the file of the muscles.
    """

    patient: str
    path: Path
    emg_path: Path | None = None
    reading: Reading = AS_IT_IS
    unit: str | None = None
    mains_hz: float | None = None
    emg_reading: Reading = AS_IT_IS
    emg_unit: str | None = None

    @property
    def is_session(self) -> bool:
        """Whether it is a session's folder, which states everything itself."""
        return self.path.is_dir()


class Said(NamedTuple):
    """What the sidecars say about one file."""

    reading: Reading
    unit: str | None
    mains_hz: float | None


def folder_of(folder: Path, patient: str) -> Path:
    """Return a patient's folder in a cohort's."""
    return folder / f"{FOLDER}{patient}"


def has_recording(folder: Path, patient: str) -> bool:
    """Tell whether a patient has any recording, without looking into it."""
    return any(_sessions(folder_of(folder, patient))) or any(_files(folder_of(folder, patient), "eeg"))


def places_of(folder: Path, patient: str) -> tuple[Place, ...]:
    """Return a patient's recordings in order of time: files by their names, then session folders by their ids.

    Parameters
    ----------
    folder : Path
        The cohort's.
    patient : str

    Raises
    ------
    CohortError
        If a sidecar cannot be read.
    """
    own = folder_of(folder, patient)
    files = [_place(folder, patient, path) for path in _files(own, "eeg")]
    sessions = [Place(patient, path, mains_hz=_mains_of(path)) for path in _sessions(own)]
    return (*files, *sessions)


def scans_of(folder: Path, patient: str) -> tuple[Path, ...]:
    """Return a patient's functional scans: those at rest, then those of other tasks, each in order of their names.

    Parts of complex images that hold no brightness of tissue, such as the phase, are none.
    """
    found = (path for level in _levels(folder_of(folder, patient)) for path in (level / "func").glob("*_bold.nii*"))
    scans = (path for path in found if _is_scan(path))
    return tuple(sorted(scans, key=lambda path: (not is_at_rest(path), _in_order(path))))


def is_at_rest(scan: Path) -> bool:
    """Tell whether a scan's name says that it was taken at rest."""
    return any(entity.startswith(REST) for entity in scan.name.split("_"))


def emg_beside(path: Path) -> Path | None:
    """Return the file of the muscles that belongs to one of EEG: the same name but for its last word."""
    folder = path.parent.with_name("emg")
    stem = f"{_entities(path)}_emg"
    return next((file for file in sorted(folder.glob(f"{stem}.*")) if _is_recording(file, "emg")), None)


def said_about(folder: Path, path: Path) -> Said:
    """Return what the sidecars say about a file; the nearest to it is believed.

    Parameters
    ----------
    folder : Path
        The cohort's, where those that hold for all patients lie.
    path : Path
        Of the recording.

    Raises
    ------
    CohortError
        If one cannot be read, or a value is of the wrong type.
    """
    stated: dict[str, Any] = {}
    for file in _sidecars(folder, path):
        stated |= _stated(file)
    names, units = _channels(path)
    is_table = path.suffix.casefold() in KINDS["table"].suffixes
    labels = stated.get("Labels", names if is_table else ())
    dialect = {field: stated[key] for key, field in _DIALECT.items() if key in stated}
    rate_hz = stated.get("SamplingFrequency")
    reading = Reading(
        rate_hz=None if rate_hz is None else float(rate_hz),
        labels=tuple(str(label) for label in labels),
        stream=stated.get("Stream"),
        resample=stated.get("Resample", False),
        counter=stated.get("Counter"),
        dialect=_dialect(path, dialect),
    )
    mains_hz = stated.get("PowerLineFrequency")
    unit = stated.get("Unit", units[0] if len(set(units)) == 1 else None)
    return Said(reading, unit, None if mains_hz is None else float(mains_hz))


def _place(folder: Path, patient: str, path: Path) -> Place:
    said, emg = said_about(folder, path), emg_beside(path)
    if emg is None:
        return Place(patient, path, None, *said)
    of_emg = said_about(folder, emg)
    return Place(patient, path, emg, *said, emg_reading=of_emg.reading, emg_unit=of_emg.unit)


def _levels(own: Path) -> Iterator[Path]:
    """Yield a patient's folder and those of its BIDS sessions."""
    yield own
    yield from sorted((path for path in own.glob("ses-*") if path.is_dir()), key=_in_order)


def _files(own: Path, kind: str) -> Iterator[Path]:
    for level in _levels(own):
        yield from sorted((file for file in (level / kind).glob("*") if _is_recording(file, kind)), key=_in_order)


def _is_recording(file: Path, kind: str) -> bool:
    """Tell whether a file is a recording, not a table beside one."""
    return file.suffix.casefold() in SUFFIXES and file.stem.endswith(f"_{kind}") and not file.name.startswith(".")


def _is_scan(file: Path) -> bool:
    """Tell whether a file is a scan of brightness, not a part of a complex image or what a file system left."""
    if not file.name.endswith(SCANS) or file.name.startswith("."):
        return False
    return NO_MAGNITUDE.isdisjoint(file.name.split("_"))


def _sessions(own: Path) -> Iterator[Path]:
    yield from sorted(file.parent for file in own.glob(f"sessions/*/{SESSION}"))


def _mains_of(session: Path) -> float | None:
    """Return the mains of a session's folder; None where that cannot be read, which whoever opens it will say."""
    from acquisition.session import SessionFolder

    try:
        return SessionFolder.open(session).info.mains_hz
    except BadInput:
        return None


def _in_order(path: Path) -> tuple[tuple[int, str], ...]:
    """Return what sorts run-2 before run-10."""
    pieces: Sequence[str] = re.split(r"([0-9]+)", path.as_posix())
    return tuple((int(piece), "") if piece.isdigit() else (-1, piece) for piece in pieces)


def _entities(path: Path) -> str:
    """Return a BIDS name without its last word: sub-001_task-flexext."""
    return path.stem.rpartition("_")[0]


def _sidecars(folder: Path, path: Path) -> Iterator[Path]:
    """Yield the sidecars of a file that there are, the one that holds for most files first."""
    word = path.stem.rpartition("_")[2]
    task = next((entity for entity in _entities(path).split("_") if entity.startswith("task-")), None)
    names = [f"{word}.json", *([f"{task}_{word}.json"] if task else [])]
    for file in [*(folder / name for name in names), path.with_suffix(".json")]:
        if file.is_file():
            yield file


def _stated(file: Path) -> Mapping[str, Any]:
    """Return the keys of a sidecar that mean something here."""
    try:
        values = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise refused(file, f"cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise refused(file, "holds no object")
    stated = {key: values[key] for key in _TYPES if values.get(key) not in (None, _NOT_KNOWN)}
    for key, value in stated.items():
        if not isinstance(value, _TYPES[key]) or (isinstance(value, bool) and bool not in _TYPES[key]):
            raise refused(file, f"has {key} = {shown(value)}; expected {' or '.join(t.__name__ for t in _TYPES[key])}")
        if isinstance(value, int | float) and float in _TYPES[key] and not abs(value) <= MOST:
            # Python reads NaN as a number.
            raise refused(file, f"has {key} = {shown(value)}; expected a number")
    return stated


def _channels(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return names and units of the channels, as the table beside a recording has them."""
    file = path.with_name(f"{_entities(path)}_channels.tsv")
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        return (), ()
    except (OSError, ValueError) as error:
        raise refused(file, f"cannot be read: {error}") from error
    head, *rows = [line.split("\t") for line in lines if line.strip()] or [[]]
    if "name" not in head or any(len(row) != len(head) for row in rows):
        raise refused(file, "is no table with a column 'name' and a cell in each column")
    columns = {name: tuple(row[at].strip() for row in rows) for at, name in enumerate(head)}
    units = columns.get("units", ())
    return columns["name"], () if _NOT_KNOWN in units else units


def _dialect(path: Path, values: Mapping[str, Any]) -> Dialect:
    try:
        return Dialect(**values)
    except RecordingError as error:
        raise refused(path.with_suffix(".json"), f"does not say how a table is written: {error.message}") from error


def refused(file: Path, what: str) -> CohortError:
    """Return the error that says what is wrong with a file of a cohort; the caller raises it."""
    return CohortError(f"{file} {what.rstrip('.')}.", subject=str(file), remedy="Mend that file.")

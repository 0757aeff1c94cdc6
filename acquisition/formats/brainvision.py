"""BrainVision files: a header (.vhdr) that names its data (.eeg) and markers (.vmrk).

MNE takes the segments of a file, between which the recorder was paused, for one signal. Here each begins when its
``New Segment`` marker says, so that a pause is a hole in the stamps (law 4).
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from acquisition.formats.raw_file import UNKNOWN_BREAK_S, UV, Column, MneFile, RawFile, Stretch, placed, refused
from acquisition.plain_file import other_than_file

#: Units that MNE turns into volts, as it spells them, and the other one that it scales; what it does not know is n/a.
IN_VOLTS, MICROSIEMENS, UNKNOWN_UNIT = ("V", "mV", "\u00b5V", "nV"), "\u00b5S", "n/a"
#: How MNE calls the marker of a segment.
NEW_SEGMENT = "New Segment/"
_SEGMENT = re.compile(r"^Mk[0-9]+=New Segment,[^,]*,([0-9]{1,12}),[^,]*,[^,]*(?:,([0-9]{20}))?\s*$", re.MULTILINE)
_BESIDE = re.compile(r"^(?:Data|Marker)File\s*=\s*(.+?)\s*$", re.MULTILINE | re.IGNORECASE)
_MARKER_FILE = re.compile(r"^MarkerFile\s*=\s*(.+?)\s*$", re.MULTILINE | re.IGNORECASE)


def read_brainvision(path: Path) -> RawFile:
    """Read a BrainVision recording by its header.

    Raises
    ------
    RecordingError
        If it, or a file that it names, cannot be read.
    BadEnvironment
        If MNE is not installed.
    """
    _check_beside(path)
    file = MneFile(path, "read_raw_brainvision")
    data, markers = Path(file.raw.filenames[0]), _marker_file(path)
    # MNE's own record of the file's units; there is no public one.
    units = file.raw._orig_units
    columns = []
    for index, label in enumerate(file.raw.ch_names):
        unit = units.get(label, UNKNOWN_UNIT)
        factor = UV if unit in (*IN_VOLTS, MICROSIEMENS) else 1.0
        stated = None if unit == UNKNOWN_UNIT else unit
        columns.append(Column(index, label, "uV" if unit in IN_VOLTS else stated, factor))
    assumed: list[str] = []
    stretches = _stretches(markers, file.raw.n_times, file.rate_hz, assumed)
    samples, stamps, _ = file.read(columns, stretches, data_bytes=data.stat().st_size)
    events = [
        (placed(onset_s, stretches, file.rate_hz), text)
        for onset_s, _, text in file.annotations()
        if not text.startswith(NEW_SEGMENT)
    ]
    return RawFile(
        files=(path, data, *([markers] if markers else [])),
        labels=tuple(column.label for column in columns),
        units=tuple(column.unit for column in columns),
        rate_hz=file.rate_hz,
        samples=samples,
        stamps=stamps,
        events=tuple(events),
        assumed=tuple(assumed),
        problems=tuple(f"{path.name}: {problem}" for problem in file.problems),
    )


def _check_beside(path: Path) -> None:
    """Refuse a header beside which a pipe or device has the name of data or markers: MNE would wait for it."""
    try:
        header = path.read_text("utf-8", "replace")
    except OSError:  # MNE's reader says why
        return
    for name in _BESIDE.findall(header):
        beside = path.parent / name.replace("$b", path.stem)
        if found := other_than_file(beside):
            what = f"names {beside.name}, which is {found}, expected a file"
            raise refused(path, what, "Restore it from a copy.")


def _marker_file(path: Path) -> Path | None:
    """Return the markers' file that a header names, if it is there; ``$b`` in it is the header's own name."""
    found = _MARKER_FILE.search(path.read_text("utf-8", "replace"))
    named = path.parent / found[1].replace("$b", path.stem) if found else None
    return named if named is not None and named.is_file() else None


def _stretches(markers: Path | None, n_samples: int, rate_hz: float, assumed: list[str]) -> list[Stretch]:
    """Return the segments; one that states no time, or an impossible one, begins after a break of unknown length."""
    text = markers.read_text("utf-8", "replace") if markers else ""
    begins = sorted({(int(place) - 1, date) for place, date in _SEGMENT.findall(text) if 1 < int(place) <= n_samples})
    first = next((_date(date) for place, date in _SEGMENT.findall(text) if int(place) <= 1), None)
    stretches = [Stretch(0, n_samples, 0.0)]
    for start, written in begins:
        before = stretches.pop()
        ended_s = before.begins_s + (start - before.start) / rate_hz
        date = _date(written)
        begins_s = (date - first).total_seconds() if date is not None and first is not None else -1.0
        if begins_s < ended_s:
            begins_s = ended_s + UNKNOWN_BREAK_S
            assumed.append(f"the segment from sample {start} on began after a break of unknown length.")
        stretches += [Stretch(before.start, start, before.begins_s), Stretch(start, n_samples, begins_s)]
    return stretches


def _date(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S%f")
    except ValueError:  # none is written, or 20 zeros
        return None

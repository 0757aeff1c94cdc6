"""FIF files: raw data of MNE and Neuromag.

A stretch that the recorder skipped, or at which files were joined, is a hole in the stamps and no stretch of zeros
(law 4).
"""

from __future__ import annotations

from pathlib import Path

from acquisition.formats.raw_file import UNKNOWN_BREAK_S, UV, Column, MneFile, RawFile, Stretch, placed

#: Codes of FIF's units: what they are called.
VOLT = 107
UNITS = {112: "T", 201: "T/m"}
#: Channels of codes, as MNE calls their type; all bits count.
STIM, ALL_BITS = "stim", (1 << 32) - 1
#: Annotations that MNE makes of skipped stretches, and of the places where files were joined.
SKIPPED, JOINED, ALSO_JOINED = "BAD_ACQ_SKIP", "EDGE boundary", "BAD boundary"


def read_fif(path: Path) -> RawFile:
    """Read a FIF file, its splits included.

    Raises
    ------
    RecordingError
        If it cannot be read.
    BadEnvironment
        If MNE is not installed.
    """
    file = MneFile(path, "read_raw_fif", on_split_missing="warn")
    types = file.types()
    columns, codes = [], {}
    for index, (label, kind) in enumerate(zip(file.raw.ch_names, types, strict=True)):
        if kind == STIM:
            codes[index] = ALL_BITS
            continue
        unit = int(file.raw.info["chs"][index]["unit"])
        in_volts = unit == VOLT
        columns.append(Column(index, label, "uV" if in_volts else UNITS.get(unit), UV if in_volts else 1.0))
    annotations = file.annotations()
    stretches = _stretches(annotations, file.raw.n_times, file.rate_hz)
    files = tuple(Path(name) for name in file.raw.filenames)
    data_bytes = sum(name.stat().st_size for name in files)
    samples, stamps, events = file.read(columns, stretches, data_bytes=data_bytes, codes=codes)
    events += [
        (placed(onset_s, stretches, file.rate_hz), text)
        for onset_s, _, text in annotations
        if text not in (SKIPPED, JOINED, ALSO_JOINED)
    ]
    joined = sum(text == JOINED for *_, text in annotations)
    assumed = (f"{joined} joins are breaks of unknown length.",) if joined else ()
    return RawFile(
        files=files,
        labels=tuple(column.label for column in columns),
        units=tuple(column.unit for column in columns),
        rate_hz=file.rate_hz,
        samples=samples,
        stamps=stamps,
        events=tuple(sorted(events)),
        assumed=assumed,
        problems=tuple(f"{path.name}: {problem}" for problem in file.problems),
    )


def _stretches(annotations: list[tuple[float, float, str]], n_samples: int, rate_hz: float) -> list[Stretch]:
    """Return what lies between skipped stretches and joins."""
    cuts = [(0, 0, 0.0)]
    for onset_s, duration_s, text in annotations:
        start = round(onset_s * rate_hz)
        if text == SKIPPED:
            cuts.append((start, start + round(duration_s * rate_hz), 0.0))
        elif text == JOINED:
            cuts.append((start, start, UNKNOWN_BREAK_S))
    cuts = [(max(0, start), min(stop, n_samples), unknown_s) for start, stop, unknown_s in sorted(cuts)]
    stretches, begins, unknown_s = [], 0, 0.0
    for start, stop, break_s in [*cuts, (n_samples, n_samples, 0.0)]:
        if start > begins:
            stretches.append(Stretch(begins, start, begins / rate_hz + unknown_s))
        begins, unknown_s = max(begins, stop), unknown_s + break_s
    return stretches

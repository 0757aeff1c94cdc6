"""Surveying: what the files of a folder are: read, and what of, or refused, and why (law 10).

Nothing is written and nothing is scored; every file is answered, whatever it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acquisition.errors import FlexionError
from acquisition.inspection import Inspection, inspect
from acquisition.reading import AS_IT_IS, Reading, told
from acquisition.recording import read_streams
from deploy.replaying import require

#: What Flexion itself keeps beside a recording.
OURS = ".decisions.jsonl"


@dataclass(frozen=True)
class Entry:
    """One stream of one file, or the file's refusal.

    Attributes
    ----------
    file : str
        Below the folder that was named, or the name of the file that was.
    seen : Inspection or None
    refusal : FlexionError or None
        Why there is nothing to be seen.
    """

    file: str
    seen: Inspection | None = None
    refusal: FlexionError | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        if self.refusal is not None:
            return {"file": self.file, "error": self.refusal.as_refusal()}
        assert self.seen is not None
        seen, recording = self.seen, self.seen.recording
        return {
            "file": self.file,
            "stream": recording.name,
            "format": recording.format,
            "sha256": recording.sha256,
            "labels": list(recording.labels),
            "units": list(recording.units),
            "rate_hz": recording.rate_hz,
            "rate_by_stamps_hz": seen.rate_hz,
            "n_samples": len(recording.stamps),
            "duration_s": seen.duration_s,
            "segments": [vars(segment) for segment in seen.segments],
            "lost": seen.n_lost,
            "bridged": seen.n_bridged,
            "rejected": dict(seen.rejected),
            "clock_resets": seen.clock_resets,
            "events": len(recording.markers),
            "assumed": list(recording.assumed),
            "problems": list(recording.problems),
            "notes": list(seen.notes),
        }


def survey(paths: Iterable[Path], reading: Reading = AS_IT_IS, unit: str | None = None) -> Iterator[Entry]:
    """Yield what each file is, in order of their names.

    Parameters
    ----------
    paths : iterable of Path
        Files, or folders that are searched to the bottom.
    reading : Reading
        What the user says about all of them.
    unit : str, optional
        Of channels that state none.

    Raises
    ------
    RecordingError
        If one of the paths is not there.
    """
    for path in paths:
        require(path)
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if not file.is_dir() and not file.name.endswith(OURS):
                name = file.relative_to(path).as_posix() if path.is_dir() else file.name
                yield from _entries(file, name, reading, unit)


def words_of(entry: Entry) -> str:
    """Return what is to be said about an entry, in sentences, with the file's name and never its path."""
    if entry.seen is not None:
        prefix = f"{entry.seen.recording.path.name}: "
        sentences = [*told(entry.seen.recording), *entry.seen.notes]
        return " ".join(_capitalised(sentence.removeprefix(prefix)) for sentence in sentences)
    return str(entry.refusal)


def _capitalised(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _entries(path: Path, name: str, reading: Reading, unit: str | None) -> Iterator[Entry]:
    try:
        for recording in read_streams(path, unit=unit, counter=reading.counts, **reading.said):
            yield Entry(name, inspect(recording, reading.counts))
    except FlexionError as error:
        yield Entry(name, refusal=_named(error, path))


def _named(error: FlexionError, path: Path) -> FlexionError:
    """Return a refusal that names the file without the folders of this machine."""
    for known in {str(path.resolve()), str(path)}:
        error.message = error.message.replace(known, path.name)
    error.subject = path.name
    return error

"""Gathering: which recordings are meant by what was named: files, session folders, or folders with any of these."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from acquisition.errors import RecordingError
from acquisition.recording import SUFFIXES

#: What makes a folder that of a session.
SESSION = "session.json"


@dataclass(frozen=True)
class Meant:
    """One recording.

    Attributes
    ----------
    name : str
        As it was named, or below the folder that was.
    path : Path
        A file, or a session's folder.
    """

    name: str
    path: Path


def has_many(path: Path) -> bool:
    """Tell whether a path is a folder of recordings, not a recording itself."""
    return path.is_dir() and not (path / SESSION).is_file()


def gather(name: str, path: Path) -> list[Meant]:
    """Return the recording that was named, or those below the folder that was, in order of their names.

    Parameters
    ----------
    name : str
        As it was named.
    path : Path
        Where it is.

    Raises
    ------
    RecordingError
        If a folder has none.
    """
    if not has_many(path):
        return [Meant(name, path)]
    found = sorted(_below(path))
    if not found:
        remedy = f"Name a session's folder, or one with files that end in {', '.join(SUFFIXES)}."
        raise RecordingError(f"There is no recording in {path}.", subject=str(path), remedy=remedy)
    return [Meant(file.relative_to(path).as_posix(), file) for file in found]


def _below(folder: Path) -> Iterator[Path]:
    """Yield recordings to the bottom; a session's folder is one, whatever it holds, and what is hidden is none."""
    for place, folders, files in os.walk(folder):
        if SESSION in files:
            folders.clear()
            yield Path(place)
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and name.casefold().endswith(SUFFIXES):
                yield Path(place, name)

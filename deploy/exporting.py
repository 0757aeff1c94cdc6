"""Exporting: a session on its grid as one file for other programs, from what its folder holds and nothing else (law 2).

What is exported is what the decisions make of the samples: every sample of the montage's channels at its place, as it
was recorded, before any filter, from the first that came to the last. The folder's parts hold the raw streams, for
readers of XDF.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquisition.decisions import Decision
from acquisition.errors import RecordingError
from acquisition.formats.fif_writer import FifSignal, write_fif
from acquisition.formats.raw_file import UV
from acquisition.montage import Montage
from acquisition.segment import Grid
from acquisition.session import SessionFolder
from acquisition.session_info import broken
from acquisition.tape import Block, tape_of

#: How the name of an exported file ends: by this MNE knows that it is raw data.
ENDING = "_raw.fif"
#: A FIF file of more would be split, and its annotations, in float32, would miss their samples.
MAX_BYTES = 2_000_000_000


def export_session(folder: SessionFolder, path: Path) -> dict[str, Any]:
    """Write a session as a FIF file.

    Parameters
    ----------
    folder : SessionFolder
        Of a session that may still run: what is whole by now is written.
    path : Path
        The file; there must be none yet.

    Returns
    -------
    dict
        What was written: ``path``, ``samples``, ``seconds``, ``lost`` samples, ``holes``, ``markers``.

    Raises
    ------
    RecordingError
        If the folder cannot be read, holds no samples or too many, the session is nobody's, or the file is there
        already or of another kind.
    DecisionError
        If the folder's decisions do not fit together.
    BadEnvironment
        If MNE is not installed, or the file cannot be written.
    """
    info = folder.info
    _check(folder, path)
    sheet = _Sheet(folder)
    for item in _volts_and_decisions(folder, sheet.montage):
        sheet.take(item)
    signal = FifSignal(
        samples_v=sheet.filled(folder),
        labels=sheet.montage.labels,
        kinds=sheet.montage.kinds,
        rate_hz=info.rate_hz,
        mains_hz=info.mains_hz,
        holes=sheet.holes,
        breaks=sheet.breaks,
        events=[(sample, text) for sample, text in sheet.events if sample < sheet.n_samples],
        begun=datetime.fromisoformat(info.created_utc).astimezone(UTC),
        patient=info.patient,
        words=f"Flexion session {info.session}, {info.origin}. Research use only.",
    )
    write_fif(path, signal)
    return {
        "path": str(path),
        "samples": sheet.n_samples,
        "seconds": sheet.n_samples / info.rate_hz,
        "lost": sum(n for _, n in sheet.holes),
        "holes": len(sheet.holes),
        "markers": len(signal.events),
    }


class _Sheet:
    """The grid of a session, filled as its tape runs."""

    def __init__(self, folder: SessionFolder) -> None:
        self.montage = Montage.from_json(folder.info.montage, subject=str(folder.path / "session.json"))
        self._subject = str(folder.path / "decisions.jsonl")
        self.breaks: list[int] = []
        self.events: list[tuple[int, str]] = []
        self._grid = Grid(settling=0)
        self._pieces: list[tuple[int, NDArray[np.float64]]] = []

    @property
    def n_samples(self) -> int:
        """Length of the grid up to the last sample that came, holes included."""
        return self._pieces[-1][0] + len(self._pieces[-1][1]) if self._pieces else 0

    @property
    def holes(self) -> list[tuple[int, int]]:
        """First sample and length of each stretch that was not recorded."""
        ends = [first + len(samples) for first, samples in self._pieces]
        begins = [first for first, _ in self._pieces[1:]]
        return [(end, begin - end) for end, begin in zip(ends, begins, strict=False) if begin > end]

    def take(self, item: Decision | Block) -> None:
        """Take what comes next on the tape."""
        if isinstance(item, Block):
            self._place(item.x_uv)
        elif item.kind == "segment":
            self._grid.begin(item.count("segment"), item.count("first_sample"))
        elif item.kind == "bridged":
            self._grid.bridge(item.count("n", least=1))
        elif item.kind == "lost":
            self._grid.miss(item.count("n"))
        elif item.kind == "reject":
            self._grid.reject(item.count("n"), item.word("reason"))
        elif item.kind == "clock_reset":
            self.breaks.append(self._grid.book.next_sample)
        elif item.kind == "marker":
            self.events.append((item.count("sample"), item.word("text")))

    def filled(self, folder: SessionFolder) -> NDArray[np.float64]:
        """Return the whole grid in volts, 0 in its holes."""
        if not self._pieces:
            remedy = "Export a session in which a stream was recorded."
            raise RecordingError(f"{folder.path} holds no samples.", subject=folder.info.session, remedy=remedy)
        if self.n_samples * self.montage.n_channels * 8 > MAX_BYTES:
            message = f"{folder.path} has {self.n_samples} samples, which do not fit into one FIF file."
            remedy = f"Read {folder.part_path(1).name} and the parts beside it with a reader of XDF, such as pyxdf."
            raise RecordingError(message, subject=folder.info.session, remedy=remedy)
        samples_v = np.zeros((self.n_samples, self.montage.n_channels))
        for first, piece in self._pieces:
            samples_v[first : first + len(piece)] = piece
        return samples_v

    def _place(self, samples_v: NDArray[np.float64]) -> None:
        taken = samples_v[self._grid.skip(len(samples_v)) :]
        if len(taken):
            if not self._grid.open:
                raise broken(self._subject, "opens no segment for samples that were recorded")
            self._pieces.append((self._grid.book.next_sample, taken))
            self._grid.receive(len(taken))


def _volts_and_decisions(folder: SessionFolder, montage: Montage) -> Iterator[Decision | Block]:
    """Yield the session as ``tape_of_folder`` does, its blocks in volts, scaled once so that no bit is lost."""
    decisions, numbers = folder.decisions(), folder.part_numbers()
    for part in sorted({*numbers, *(decision.part for decision in decisions)}):
        own = sorted((decision for decision in decisions if decision.part == part), key=lambda decision: decision.at)
        if part not in numbers:
            yield from own
            continue
        recording = folder.part(part)
        binding = montage.bind(recording.labels, recording.units, unit=folder.info.unit)
        volts = replace(binding, scale_uv=tuple(scale_uv / UV for scale_uv in binding.scale_uv))
        yield from tape_of(recording, volts, own, part=part)


def _check(folder: SessionFolder, path: Path) -> None:
    session = folder.info.session
    if folder.info.entered_in_error:
        message = f"Session {session} was entered in error: it is nobody's, and is not handed on."
        raise RecordingError(message, subject=session, remedy="Choose another session of flexion sessions list.")
    if path.suffix != ".fif":
        message = f"{path} does not end in .fif; a session is exported as FIF."
        raise RecordingError(message, subject=str(path), remedy=f"Name it so: --out {session}{ENDING}")
    if path.exists():
        remedy = "Name another file: --out FILE"
        raise RecordingError(f"{path} is there already.", subject=str(path), remedy=remedy)

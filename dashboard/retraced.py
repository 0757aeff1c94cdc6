"""Retraced: the traces of a recorded session, made again from its folder by the very chain (law 1), kept in a file.

A folder holds raw samples; what the screen showed of them was conditioned, and never stored. So the chain runs once
more over the folder's tape, which takes seconds, and what comes out is kept below ``<data>/cache``: int16 as on the
wire, for a page of the screen to be cut out of in a moment. The key is the chain's fingerprint, mains, and size and
time of every file that it reads, so that a file is never another session's or another version's; it appears whole or
not at all, and whoever deletes it loses seconds.

The chain brings scipy, which a server of pages has no use for until somebody opens a session: it is imported where it
runs, in the thread of ``jobs``.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from acquisition.decisions import Decision, canonical_json
from acquisition.durable import AppendFile, make_folder, replace_file
from acquisition.identity import is_session_id
from acquisition.montage import Montage
from acquisition.quality import CELL_SAMPLES, FAULTS, Cell
from acquisition.reel import Samples
from acquisition.session import SessionFolder
from acquisition.tape import tape_of_folder
from dashboard.errors import NoTraces
from dashboard.jobs import Tell
from streaming.waves import WaveFrame

if TYPE_CHECKING:
    from acquisition.chain import Step

#: Folder of what can be made again, below that of the data.
CACHE = "cache"
#: Version of the files' layout.
LAYOUT = 2
#: Bytes of recordings that are read into memory at most: about two hours of 16 channels at 1000 Hz.
MAX_BYTES = 512 << 20
#: Bytes that are kept of all sessions at most: about a hundred of nine minutes. The oldest go first.
MAX_KEPT_BYTES = 2 << 30
#: Bytes of the disk that are left to the recordings of the bedside, an hour of many beds: with less nothing is made.
LEFT_FREE_BYTES = 1 << 30
#: Seconds for which the parts of a session without an end must have been left alone: else its bridge writes on.
QUIET_S = 30.0
#: Cells over which quality is told: one second.
CELLS = 10


@dataclass(frozen=True)
class Run:
    """Samples that follow each other, of one segment.

    Attributes
    ----------
    segment : int
        Their segment.
    first_sample : int
        The first one's place on the session's grid.
    n : int
        How many there are.
    row : int
        The row of the file in which the first one lies.
    """

    segment: int
    first_sample: int
    n: int
    row: int

    @property
    def stop(self) -> int:
        """The sample of the grid after the last."""
        return self.first_sample + self.n


@dataclass(frozen=True, eq=False)
class Retraced:
    """The traces of a session.

    Attributes
    ----------
    about : dict
        What pages are told: rate, channels, segments, markers, windows, quality.
    runs : tuple of Run
        Where there are samples.
    steps : ndarray, shape (n_rows, n_channels), int16
        Read-only and mapped, in steps of 0.1 µV.
    """

    about: dict[str, Any]
    runs: tuple[Run, ...]
    steps: NDArray[np.int16]

    def between(self, first: int, stop: int) -> Iterator[tuple[Run, NDArray[np.int16]]]:
        """Yield what there is of the grid's samples [first, stop), run by run."""
        for run in self.runs:
            begin, end = max(first, run.first_sample), min(stop, run.stop)
            if begin < end:
                row = run.row + begin - run.first_sample
                yield Run(run.segment, begin, end - begin, row), self.steps[row : row + end - begin]


def key_of(folder: SessionFolder, fingerprint: str) -> str:
    """Return what the traces of a folder depend on, as a name.

    Parameters
    ----------
    folder : SessionFolder
    fingerprint : str
        Of the chain that makes them.
    """
    files = [folder.part_path(part) for part in folder.part_numbers()]
    decisions = folder.path / "decisions.jsonl"
    stats = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in [*files, decisions] if path.exists()]
    about = {"files": stats, "fingerprint": fingerprint, "mains_hz": folder.info.mains_hz, "layout": LAYOUT}
    return hashlib.sha256(canonical_json(about).encode()).hexdigest()[:32]


def check_readable(folder: SessionFolder, now_s: float | None = None) -> None:
    """Refuse a folder whose traces cannot be made.

    Raises
    ------
    NoTraces
        If there is no recording, it is still being written, it is too long, or the disk is nearly full; says what to
        do.
    """
    paths = [folder.part_path(part) for part in folder.part_numbers()]
    session = folder.info.session
    if not paths:
        remedy = "Restore the session's folder from a copy."
        raise NoTraces(f"The folder of session {session} holds no recording.", subject=session, remedy=remedy)
    if not (folder.ledger() or {}).get("ended"):
        quiet_s = (time.time() if now_s is None else now_s) - max(path.stat().st_mtime for path in paths)
        if quiet_s < QUIET_S:
            remedy = "Watch it on its bed's page; come back when it has ended."
            raise NoTraces(f"Session {session} is still being recorded.", subject=session, remedy=remedy)
    n_bytes = sum(path.stat().st_size for path in paths)
    if n_bytes > MAX_BYTES:
        raise NoTraces(
            f"The recording of session {session} has {n_bytes >> 20} MiB; pages read up to {MAX_BYTES >> 20}.",
            subject=session,
            remedy="Export it for another viewer: flexion sessions export.",
        )
    free = shutil.disk_usage(folder.path).free
    if free < LEFT_FREE_BYTES:
        raise NoTraces(
            f"The disk has {free >> 20} MiB left, which are for recordings.",
            subject=session,
            remedy="Free space on that disk, and open the page again.",
        )


def read(folder: Path, key: str) -> Retraced | None:
    """Return the traces that are kept under a key, or None where they must be made."""
    try:
        values = json.loads((folder / f"{key}.json").read_bytes())
        runs = tuple(Run(*run) for run in values["runs"])
        n_channels = len(values["about"]["labels"])
        shape = (sum(run.n for run in runs), n_channels)
        steps: NDArray[np.int16] = np.zeros(shape, "<i2")
        if shape[0]:
            steps = np.memmap(folder / f"{key}.steps", dtype="<i2", mode="r", shape=shape)
        return Retraced(values["about"], runs, steps)
    except (OSError, ValueError, KeyError, TypeError):  # not there, or spoiled: it is made again
        return None


def make(folder: SessionFolder, into: Path, tell: Tell) -> None:
    """Run the chain over a session's tape and keep what comes out.

    Parameters
    ----------
    folder : SessionFolder
    into : Path
        Folder of what is kept of this session; what is there of another key is deleted.
    tell : callable
        Told the share that is done.

    Raises
    ------
    FlexionError
        If the folder cannot be read, or the disk does not take the file.
    """
    from acquisition.chain import Chain, drive

    info = folder.info
    montage = Montage.from_json(info.montage, subject=str(folder.path / "session.json"))
    chain = Chain(montage, info.mains_hz, resampled_from_hz=info.resampled_from_hz)
    key = key_of(folder, chain.fingerprint)
    n_samples = sum(len(folder.streams(part)[0].stamps) for part in folder.part_numbers())
    make_folder(into)
    steps = into / f"{key}.steps"
    temporary = steps.with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    made = _Made(montage, AppendFile(temporary))
    try:
        for step in drive(chain, made.hearing(tape_of_folder(folder))):
            made.take(step)
            tell(min(1.0, made.n_taken / max(1, n_samples)))
        made.file.sync()
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        made.file.close()
    temporary.replace(steps)
    about = made.about() | {
        "rate_hz": info.rate_hz,
        "n_samples": chain.next_sample,
        "filters": chain.filters,
        "fingerprint": chain.fingerprint,
        "same_chain": chain.fingerprint == info.fingerprint,
    }
    runs = [[run.segment, run.first_sample, run.n, run.row] for run in made.runs]
    _forget_others(into, key)  # before a reader may find the new ones
    replace_file(into / f"{key}.json", json.dumps({"about": about, "runs": runs}, separators=(",", ":")).encode())


def tidy(data_dir: Path) -> None:
    """Delete what is kept of sessions that are gone, and the oldest of what is too much; nothing else there."""
    kept = [folder for folder in (data_dir / CACHE).glob("*") if is_session_id(folder.name) and folder.is_dir()]
    gone = [folder for folder in kept if not (data_dir / "sessions" / folder.name).is_dir()]
    n_bytes = 0
    for _, size, folder in sorted(map(_weighed, set(kept) - set(gone)), reverse=True):
        n_bytes += size
        if n_bytes > MAX_KEPT_BYTES:
            gone.append(folder)
    for folder in gone:
        shutil.rmtree(folder, ignore_errors=True)


def _weighed(folder: Path) -> tuple[float, int, Path]:
    """Return when a folder was last added to, its bytes, and itself; what another thread takes away weighs nothing."""
    changed_s, n_bytes = 0.0, 0
    with suppress(OSError):
        changed_s = folder.stat().st_mtime
        for path in folder.iterdir():
            n_bytes += path.stat().st_size
    return changed_s, n_bytes, folder


def fingerprint() -> str:
    """Return the fingerprint of the chain that would make traces now."""
    from acquisition.chain import ChainSpec

    return ChainSpec().fingerprint


def _forget_others(into: Path, key: str) -> None:
    for path in into.iterdir():
        if not path.name.startswith(key):
            path.unlink(missing_ok=True)


@dataclass
class _Made:
    """What came out of the chain so far."""

    montage: Montage
    file: AppendFile
    runs: list[Run] = field(default_factory=list)
    segments: list[Mapping[str, Any]] = field(default_factory=list)
    markers: list[Mapping[str, Any]] = field(default_factory=list)
    windows: list[dict[str, Any]] = field(default_factory=list)
    n_taken: int = 0
    _seconds: dict[int, tuple[NDArray[np.int64], NDArray[np.uint8]]] = field(default_factory=dict)

    def hearing(self, tape: Iterable[Decision | Samples]) -> Iterator[Decision | Samples]:
        """Yield the tape, and note the segments and markers on it."""
        for item in tape:
            if isinstance(item, Decision) and item.kind in ("segment", "marker"):
                (self.segments if item.kind == "segment" else self.markers).append(dict(item.data))
            yield item

    def take(self, step: Step) -> None:
        """Keep what one step brought about."""
        from streaming.teller import window_event

        self.n_taken += step.n_taken
        for traces in step.traces:
            frame = WaveFrame.from_uv(traces.x_uv, segment=traces.segment, first_sample=traces.first_sample, stamp_s=0)
            self.file.append(np.ascontiguousarray(frame.steps, "<i2").tobytes())
            self._extend(traces.segment, traces.first_sample, len(frame.steps))
        for cell in step.cells:
            self._judge(cell)
        self.windows += [window_event(window, self.montage.labels) for window in step.windows]

    def _extend(self, segment: int, first_sample: int, n: int) -> None:
        last = self.runs[-1] if self.runs else Run(-1, 0, 0, 0)
        if (last.segment, last.stop) == (segment, first_sample):
            self.runs[-1] = Run(segment, last.first_sample, last.n + n, last.row)
        elif n:
            self.runs.append(Run(segment, first_sample, n, last.row + last.n))

    def _judge(self, cell: Cell) -> None:
        second = cell.first_sample // (CELLS * CELL_SAMPLES)
        n = len(cell.good)
        good, bits = self._seconds.setdefault(second, (np.zeros(n + 1, np.int64), np.zeros(n, np.uint8)))
        good[:n] += cell.good
        good[n] += 1
        bits |= cell.fault_bits

    def about(self) -> dict[str, Any]:
        """Return what pages are told."""
        return {
            "labels": list(self.montage.labels),
            "kinds": list(self.montage.kinds),
            "segments": self.segments,
            "markers": sorted(self.markers, key=lambda marker: marker.get("sample", 0)),
            "windows": self.windows,
            "quality": self._quality(),
        }

    def _quality(self) -> dict[str, Any]:
        """Return the good cells of each second, the last number being that of all, and the faults in it as bits."""
        seconds = sorted(self._seconds)
        return {
            "every": CELLS * CELL_SAMPLES,
            "faults": list(FAULTS),
            "seconds": seconds,
            "good": [self._seconds[second][0].tolist() for second in seconds],
            "bits": [self._seconds[second][1].tolist() for second in seconds],
        }

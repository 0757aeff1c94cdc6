"""A tape: a recording's samples and the decisions on them, in the order in which the chain takes them (law 1).

Score, replay, restart and training all read tapes; a foreign recording is decided once, and its decisions are kept
beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acquisition.counting import check_counts
from acquisition.decisions import Decision, canonical_json
from acquisition.durable import replace_file
from acquisition.errors import BadEnvironment, DecisionError, RateError
from acquisition.ledger import UNPAIRED
from acquisition.montage import Binding, Montage
from acquisition.plain_file import read_plain
from acquisition.recording import Recording
from acquisition.session import SessionFolder
from acquisition.session_info import broken
from acquisition.stamps import LastSample, StampDecider

#: Version of the rules by which stamps become decisions: decisions of another version are taken anew.
RULES = 1
#: Grid samples that one of the ``n`` in a decision adds to the samples of the stream.
GRID_STEPS = {"bridged": 1, "lost": 1, "reject": -1}
#: Samples per block; any other number gives the same windows.
CHUNK = 1000


@dataclass(frozen=True)
class Block:
    """Samples between two decisions.

    Parameters
    ----------
    part : int
        The part that they belong to.
    at : int
        Number of the first one in that part.
    x_uv : ndarray, shape (n_samples, n_channels), float64
        In the montage's order, in microvolts.
    """

    part: int
    at: int
    x_uv: NDArray[np.float64]


def decide(recording: Recording, montage: Montage, binding: Binding) -> list[Decision]:
    """Decide a foreign recording once, sample by sample from its stored stamps, markers included.

    Parameters
    ----------
    recording : Recording
    montage : Montage
        Its rate must be the recording's.
    binding : Binding
        Says which column is the sample counter, if any.

    Returns
    -------
    list of Decision
        In order, all in part 1; the last is ``end``.

    Raises
    ------
    RateError
        If the recording is not at the montage's rate, nominally or by its stamps.
    RecordingError
        If the column that is to count samples does not.
    """
    _check_rate(recording, montage)
    if recording.resampled_from_hz is not None or recording.partner_from is not None:
        return list(recording.decided)
    try:
        return _decided(recording, montage, binding)
    except RateError as error:
        message = f"{recording.path}: {error.message}"
        remedy = "Look at it: flexion recordings FILE, or record it again at the rate that it states."
        if recording.format == "text":
            remedy = (
                "Where its times are those of a computer and not of the amplifier, count its rows: --time-column none"
            )
        raise RateError(message, subject=str(recording.path), remedy=remedy) from error


def _decided(recording: Recording, montage: Montage, binding: Binding) -> list[Decision]:
    counters = None
    if binding.counter_column is not None:
        counters = recording.samples[:, binding.counter_column].astype(np.float64)
        check_counts(recording.path, recording.labels[binding.counter_column], counters, montage.counter_modulo)
    decider = StampDecider(recording.rate_hz, part=1, counter_modulo=montage.counter_modulo)
    decisions: list[Decision] = []
    done = 0
    reached = np.maximum.accumulate(recording.stamps)
    for marker in recording.markers:
        due = max(done, int(np.searchsorted(reached, marker.stamp_s)))
        decisions += decider.push(recording.stamps[done:due], None if counters is None else counters[done:due])
        decisions.append(decider.marker(marker.stamp_s, marker.text, montage))
        done = due
    decisions += decider.push(recording.stamps[done:], None if counters is None else counters[done:])
    return [*decisions, Decision("end", 1, 0, len(recording.stamps), {"reason": "end of recording"})]


class DecisionsFile:
    """The decisions on a foreign recording, kept beside it as ``<file>.decisions.jsonl``.

    Parameters
    ----------
    path : Path
        Where they are kept.
    header : bytes
        First line: what the decisions were taken on and by which rules.
    decisions : sequence of Decision
    kept : bool
        False where the folder takes no file: then they live in memory alone.
    """

    def __init__(self, path: Path, header: bytes, decisions: Sequence[Decision], kept: bool = True) -> None:
        self.path = path
        self.kept = kept
        self._header = header
        self._decisions = in_order(decisions)

    @property
    def decisions(self) -> list[Decision]:
        """The decisions in the order in which they hold."""
        return list(self._decisions)

    def add(self, decision: Decision) -> None:
        """Keep one more decision, such as a calibration that fell due; the next reading gives it back."""
        self._decisions = in_order([*self._decisions, decision])
        self.write()

    def write(self) -> None:
        """Replace the file; where the folder takes none, go on in memory (``kept`` is False then)."""
        if not self.kept:
            return
        try:
            replace_file(self.path, self._header + b"".join(decision.to_line() for decision in self._decisions))
        except BadEnvironment:
            self.kept = False


def open_decisions(
    recording: Recording, montage: Montage, binding: Binding, *, conditioning: str = ""
) -> DecisionsFile:
    """Read the decisions beside a recording, or take them and keep them there.

    They are taken anew if anything that they rest on is not what it was.

    Parameters
    ----------
    recording : Recording
    montage : Montage
    binding : Binding
    conditioning : str
        Fingerprint and mains of the chain: a calibration that is kept holds for this chain alone.
    """
    path = recording.path.with_name(recording.path.name + ".decisions.jsonl")
    about = {
        "recording": recording.sha256,
        "stream": recording.name,
        "labels": list(recording.labels),
        "units": list(recording.units),
        "read": _sha256_of(recording),
        "rate_hz": recording.rate_hz,
        "resampled_from_hz": recording.resampled_from_hz,
        "montage": montage.to_json(),
        "conditioning": conditioning,
        "rules": RULES,
    }
    header = canonical_json(about).encode() + b"\n"
    known = _read_beside(path, header)
    if known is not None:
        return DecisionsFile(path, header, known)
    file = DecisionsFile(path, header, decide(recording, montage, binding))
    file.write()
    return file


def load_or_decide(recording: Recording, montage: Montage, binding: Binding | None = None) -> list[Decision]:
    """Return the decisions on a foreign recording, taken once and kept beside it."""
    return open_decisions(recording, montage, binding or montage.bind(recording.labels, recording.units)).decisions


def in_order(decisions: Sequence[Decision]) -> list[Decision]:
    """Return decisions of one recording in the order in which they hold.

    At one place a calibration comes first: it was made from the samples before it, whatever happens after them.
    """
    return sorted(decisions, key=lambda decision: (decision.part, decision.at, decision.kind != "calibration"))


def tape_of(
    recording: Recording, binding: Binding, decisions: Sequence[Decision], chunk: int = CHUNK, part: int = 1
) -> Iterator[Decision | Block]:
    """Yield the samples of one part and the decisions on them in order.

    Parameters
    ----------
    recording : Recording
    binding : Binding
        Its columns as the montage's channels.
    decisions : sequence of Decision
        In the order in which they hold; those of other parts or streams are left out.
    chunk : int
        Longest block in samples.
    part : int
        The part that the recording is.
    """
    n = len(recording.stamps)
    done = 0
    for decision in decisions:
        if decision.part != part or decision.stream != 0:
            continue
        yield from _blocks(recording, binding, part, done, min(decision.at, n), chunk)
        done = max(done, min(decision.at, n))
        yield decision
    yield from _blocks(recording, binding, part, done, n, chunk)


def tape_of_folder(folder: SessionFolder, chunk: int = CHUNK) -> Iterator[Decision | Block]:
    """Yield a session: all parts in order, each with its decisions in the order in which they were taken.

    Raises
    ------
    RecordingError, DecisionError, MontageError
        If the folder cannot be read.
    """
    montage = Montage.from_json(folder.info.montage, subject=str(folder.path / "session.json"))
    decisions = folder.decisions()
    numbers = folder.part_numbers()
    for part in sorted({*numbers, *(decision.part for decision in decisions)}):
        own = sorted((d for d in decisions if d.part == part), key=lambda d: d.at)
        if part not in numbers:
            yield from own
            continue
        recording = folder.part(part)
        rejected = sum(decision.count("n") for decision in own if decision.kind == "reject")
        if len(recording.stamps) > rejected and not any(decision.kind == "segment" for decision in decisions):
            # A segment is on the disk before its first sample: these lines did not go missing by a crash.
            raise broken(str(folder.path / "decisions.jsonl"), f"opens no segment, but {recording.path} has samples")
        binding = montage.bind(recording.labels, recording.units, unit=folder.info.unit)
        yield from tape_of(recording, binding, own, chunk, part)


@dataclass(frozen=True)
class ResumePoint:
    """Where a session's grid stands, for the next part to go on.

    Parameters
    ----------
    part : int
        Number of the next part.
    next_sample, next_segment : int
        As ``StampDecider`` takes them.
    previous : LastSample or None
        The last sample of the parts so far; ``None`` if there is none.
    """

    part: int
    next_sample: int
    next_segment: int
    previous: LastSample | None


def resume_point(folder: SessionFolder) -> ResumePoint:
    """Return where the session's grid stands after its parts; ``recover`` comes first."""
    montage = Montage.from_json(folder.info.montage, subject=str(folder.path / "session.json"))
    decisions = folder.decisions()
    next_sample, next_segment = 0, 0
    previous = None
    for part in folder.part_numbers():
        recording = folder.part(part)
        next_sample += len(recording.stamps)
        if len(recording.stamps):
            column = montage.bind(recording.labels, recording.units, unit=folder.info.unit).counter_column
            previous = _last_sample(recording, column, [d for d in decisions if d.part == part], previous)
    for decision in decisions:
        if decision.kind in GRID_STEPS:
            next_sample += GRID_STEPS[decision.kind] * decision.count("n")
        elif decision.kind == "segment":
            next_segment = max(next_segment, decision.count("segment") + 1)
    return ResumePoint(folder.next_part(), next_sample, next_segment, previous)


def _last_sample(
    recording: Recording, column: int | None, decisions: Sequence[Decision], previous: LastSample | None
) -> LastSample:
    """Return what the session's next sample follows: the last row of a part, or the last one that had its partner.

    What was declared lost after it moves it on, as if those samples had come.
    """
    if column is not None and recording.partner_from is not None and column >= recording.partner_from:
        column = None  # the partner's own counter tells nothing of the grid
    last = len(recording.stamps) - 1
    for decision in reversed(decisions):
        if decision.data.get("reason") == UNPAIRED and decision.at + decision.count("n") > last:
            last = decision.at - 1
    since = [decision for decision in decisions if decision.at > last]
    at = _sample(recording, last, column) if last >= 0 else previous
    if at is None or any(decision.kind == "clock_reset" for decision in since):
        return _sample(recording, len(recording.stamps) - 1, column)
    n = sum(decision.count("n") for decision in since if decision.kind in ("bridged", "lost"))
    return LastSample(at.stamp_s + n / recording.rate_hz, None if at.counter is None else at.counter + n)


def _sample(recording: Recording, row: int, column: int | None) -> LastSample:
    """Return a row as the last sample."""
    counter = None
    if column is not None and np.isfinite(recording.samples[row, column]):
        counter = round(float(recording.samples[row, column]))
    return LastSample(float(recording.stamps[row]), counter)


def _blocks(recording: Recording, binding: Binding, part: int, start: int, stop: int, chunk: int) -> Iterator[Block]:
    for at in range(start, stop, chunk):
        yield Block(part, at, binding.to_uv(recording.samples[at : min(at + chunk, stop)]))


def _check_rate(recording: Recording, montage: Montage) -> None:
    if recording.rate_hz != montage.rate_hz:
        found, needed = f"{recording.rate_hz:g} Hz", f"{montage.rate_hz:g} Hz"
        message = f"{recording.path} is at {found}; montage {montage.name} needs {needed}."
        raise RateError(message, subject=str(recording.path), remedy="Resample it on reading: --resample")


def _sha256_of(recording: Recording) -> str:
    """Return the hash of what decisions are taken on: the same file can be read in more than one way."""
    digest = hashlib.sha256(np.ascontiguousarray(recording.stamps).tobytes())
    digest.update(repr([(marker.stamp_s, marker.text) for marker in recording.markers]).encode())
    if recording.partner_from is not None:
        digest.update(b"".join(decision.to_line() for decision in recording.decided))
    return digest.hexdigest()


def _read_beside(path: Path, header: bytes) -> list[Decision] | None:
    try:
        content = read_plain(path)
    except OSError:
        return None
    if not content.startswith(header) or not content.endswith(b"\n"):
        return None
    try:
        decisions = [Decision.from_line(line) for line in content[len(header) :].splitlines()]
    except DecisionError:
        return None
    return decisions if any(decision.kind == "end" for decision in decisions) else None

"""Course: the outcome as it was after each window of a recorded session, and one hash over all of it (pure).

The windows are taken in the order of their indices and the scans as the folder holds them, so that a session and its
replay, which may have been scored in another order, have one course. Everything comes from the functions that the
aggregator tells the outcome with; nothing is scored anew (laws 2 and 6).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from inference.bundle import canonical
from inference.fmri_event import choose
from inference.following import misfit
from inference.library import Library
from inference.outcome import Outcome, outcome_of, repeated
from streaming.records import ResultRecord
from streaming.scans import is_scan

#: Results that the outcomes of one course look at, about: each outcome looks at all windows before it, so that those of
#: 10,000 windows would cost minutes. Up to 600 windows, 100 minutes, each one has its outcome.
MAX_LOOKS = 360_000
#: Kinds of bundles, in the order in which a lack is told.
KINDS = ("eeg_emg", "fmri", "fusion")


@dataclass(frozen=True)
class Step:
    """The outcome after one window.

    Attributes
    ----------
    index : int
        Of the window.
    outcome : Outcome
        Of all windows up to it, and of the scans that were known then.
    """

    index: int
    outcome: Outcome


@dataclass(frozen=True)
class Course:
    """What became of a session.

    Attributes
    ----------
    results : tuple of ResultRecord
        Each window once, in order.
    steps : tuple of Step
        The outcome after each window, after every n-th of a session of more than 600 (``MAX_LOOKS``); empty
        where a bundle is lacking or none is bound.
    last : Outcome or None
        The outcome of everything, after the end where the session has ended.
    lack : str
        Which bundle is not at hand, in words; empty when all are.
    digest : str
        SHA-256 over (index, first_sample, state, reason, logit, sqi, weight, outcome state) of each window and the
        last state; empty where the states cannot be told.
    """

    results: tuple[ResultRecord, ...]
    steps: tuple[Step, ...]
    last: Outcome | None
    lack: str
    digest: str


def course_of(about: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], library: Library, *, ended: bool) -> Course:
    """Return what became of a session.

    Parameters
    ----------
    about : mapping
        What the ``session`` event says of it.
    lines : sequence of mapping
        Of ``results.jsonl``, in their order.
    library : Library
        The bundles at hand.
    ended : bool
        Whether the session is over.

    Raises
    ------
    RecordError
        If a line is no result.
    """
    windows = _windows(lines)
    results = tuple(result for result, _ in windows)
    lack = _lack(about["bundles"], library)
    if lack or not any(about["bundles"].get(kind) for kind in ("eeg_emg", "fmri")):
        return Course(results, (), None, lack, "" if lack else digest_of(results, {}, ""))
    told = _Teller(about, [(number, line) for number, line in enumerate(lines) if is_scan(line)], library)
    known = list(accumulate((n_before for _, n_before in windows), max))
    at = _steps(len(results))
    steps = tuple(Step(results[i].index, told(results[: i + 1], known[i], False)) for i in at)
    last = told(results, len(lines), ended)
    states = {step.index: str(step.outcome.state) for step in steps}
    return Course(results, steps, last, lack, digest_of(results, states, str(last.state)))


def last_of(
    about: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], library: Library, *, ended: bool
) -> tuple[Outcome | None, str]:
    """Return the last outcome of a session without its course, and which bundle it lacks; see `course_of`.

    Raises
    ------
    RecordError
        If a line is no result.
    """
    lack = _lack(about["bundles"], library)
    if lack or not any(about["bundles"].get(kind) for kind in ("eeg_emg", "fmri")):
        return None, lack
    results = [result for result, _ in _windows(lines)]
    told = _Teller(about, [(number, line) for number, line in enumerate(lines) if is_scan(line)], library)
    return told(results, len(lines), ended), ""


def digest_of(results: Sequence[ResultRecord], states: Mapping[int, str], last: str) -> str:
    """Return the hash of a course, in hex.

    Parameters
    ----------
    results : sequence of ResultRecord
        In order.
    states : mapping of int to str
        State of the outcome after a window, where it was told.
    last : str
        State in the end.
    """
    digest = hashlib.sha256()
    for r in results:
        row = (r.index, r.first_sample, r.state, r.reason, r.logit, r.sqi, r.weight, states.get(r.index))
        digest.update(canonical(row) + b"\n")
    digest.update(canonical(last))
    return digest.hexdigest()


def _windows(lines: Sequence[Mapping[str, Any]]) -> list[tuple[ResultRecord, int]]:
    """Return each window's first result, in the order of the indices, and the number of its line."""
    first: dict[int, tuple[ResultRecord, int]] = {}
    for number, line in enumerate(lines):
        if not is_scan(line):
            result = ResultRecord.from_json(line)
            first.setdefault(result.index, (result, number))
    return [first[index] for index in sorted(first)]


def _steps(n: int) -> list[int]:
    """Return the places of the windows after which the outcome is told; the last is one of them.

    Examples
    --------
    >>> _steps(3), len(_steps(600)), _steps(1200)[:2], len(_steps(10_000)), _steps(10_001)[-1]
    ([0, 1, 2], 600, [3, 7], 36, 10000)
    """
    stride = max(1, -(-n * n // MAX_LOOKS))
    return sorted({*range(stride - 1, n, stride), *([n - 1] if n else [])})


def _lack(bound: Mapping[str, Any], library: Library) -> str:
    for kind in KINDS:
        held = library.fusion if kind == "fusion" else library.model
        if (named := bound.get(kind)) and held(named) is None:
            return library.lack_of(named)
    return ""


class _Teller:
    """Tells the outcome of some of a session's windows as the aggregator does."""

    def __init__(
        self, about: Mapping[str, Any], scans: Sequence[tuple[int, Mapping[str, Any]]], library: Library
    ) -> None:
        bound = about["bundles"]
        self._patient = about["patient"]
        self._repeats = bool(about.get("repeats"))
        self._scans = scans
        self._bundle = library.model(bound.get("eeg_emg"))
        self._fmri_bundle = library.model(bound.get("fmri"))
        self._fusion = library.fusion(bound.get("fusion"))
        self._mismatch = misfit(about, library)

    def __call__(self, results: Sequence[ResultRecord], n_lines: int, ended: bool) -> Outcome:
        scan = choose(self._known(n_lines), self._patient, self._fmri_bundle)
        outcome = outcome_of(
            results,
            self._bundle,
            self._fusion,
            scan,
            ended,
            fmri_bundle=self._fmri_bundle,
            mismatch=self._mismatch,
        )
        return repeated(outcome) if self._repeats else outcome

    def _known(self, n_lines: int) -> Iterator[Mapping[str, Any]]:
        return (line for number, line in self._scans if number < n_lines)

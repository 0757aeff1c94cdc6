"""Shelf: the scores of one patient's scans, as a session looks at them: at its start, and when a new one appears.

The newest scan is chosen among the scores that are this patient's and can be read. One that is neither hides none of
them, whatever its date: it is told once, to be refused by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.errors import FmriRefused
from inference.fmri.record import folders, shelf_of
from inference.fmri.stored import event_of, read
from inference.fmri_event import FmriEvent, age, read_of_patient


@dataclass(frozen=True)
class _Score:
    """One score: its event, and what a session reads in it; None where it is refused."""

    event: dict[str, Any]
    accepted: FmriEvent | None


class Shelf:
    """The scores of one patient.

    Parameters
    ----------
    data : Path
        The data folder.
    patient : str
        Whose session it is.
    bundle_sha256 : str or None
        The fMRI bundle that the session is bound to.
    held : iterable of mapping
        Events that the session took before; it keeps them, whatever the folder says of the same scores now.
    """

    def __init__(
        self, data: Path, patient: str, bundle_sha256: str | None, held: Iterable[Mapping[str, Any]] = ()
    ) -> None:
        self._path = shelf_of(data, patient)
        self._patient = patient
        self._bundle_sha256 = bundle_sha256
        self._held = {_which(event): dict(event) for event in held if self._judged(event)}
        self._scores: dict[str, _Score] = {}
        self._told: list[dict[str, Any]] = []
        self._said: set[str] = set()
        self._passed: set[str] = set()

    def pass_over(self) -> None:
        """Take what is there now for known, and tell none of it."""
        self.new()
        self._passed = set(self._scores)
        self._scores.clear()

    def new(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Return what a session is to be told now: ``fmri`` events, and a ``notice`` for what cannot be read.

        Told are the newest scan of the session's own bundle, the newest at all where another bundle scored that one,
        and each score that is refused as another patient's or no score.
        """
        notices = list(self._look())
        due = [*self._refused(), *self._newest()]
        fresh = [event for i, event in enumerate(due) if event not in self._told and event not in due[:i]]
        self._told += fresh
        return [*notices, *(("fmri", event) for event in fresh)]

    def _refused(self) -> list[dict[str, Any]]:
        return [score.event for score in self._scores.values() if score.accepted is None]

    def _newest(self) -> Iterator[dict[str, Any]]:
        accepted = [(age(score.accepted), score.event) for score in self._scores.values() if score.accepted]
        own = [pair for pair in accepted if pair[1]["bundle_sha256"] == self._bundle_sha256]
        for scores in filter(None, (accepted, own)):
            yield max(scores, key=lambda pair: pair[0])[1]

    def _look(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Read the folders that hold no score that was accepted, and yield a notice for each that cannot be read."""
        try:
            known = {name for name, score in self._scores.items() if score.accepted} | self._passed
            unknown = [folder for folder in folders(self._path) if folder.name not in known]
        except FmriRefused as error:
            yield from self._notice(error)
            return
        for folder in unknown:
            try:
                event = event_of(read(folder))
            except FmriRefused as error:
                yield from self._notice(error)
            else:
                event = self._held.get(_which(event), event)
                self._scores[folder.name] = _Score(event, self._judged(event))

    def _judged(self, event: Mapping[str, Any]) -> FmriEvent | None:
        try:
            return read_of_patient(event, self._patient)
        except FmriRefused:
            return None

    def _notice(self, error: FmriRefused) -> Iterator[tuple[str, Mapping[str, Any]]]:
        if error.message not in self._said:
            self._said.add(error.message)
            yield "notice", {"level": "warning", "text": error.message, "remedy": error.remedy}


def _which(event: Mapping[str, Any]) -> tuple[str, str]:
    """Return which score an event is of: the scan, and the bundle."""
    return str(event.get("scan_sha256")), str(event.get("bundle_sha256"))

"""The report: every measure of one session, from its folder (law 2). Descriptive; not part of the score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from acquisition.measures.cocontraction import cocontraction
from acquisition.measures.coherence import coherence
from acquisition.measures.conditioned import Conditioned, condition
from acquisition.measures.desynchronisation import desynchronisation
from acquisition.measures.intervals import LEVEL
from acquisition.measures.measurement import Measurement
from acquisition.measures.onset import onset
from acquisition.montage import Montage
from acquisition.session import SessionFolder
from acquisition.tape import tape_of_folder

#: What every report says of itself.
DESCRIPTIVE = "descriptive; not part of the score"


@dataclass(frozen=True)
class Report:
    """The measures of one session.

    Parameters
    ----------
    n_trials : int
        Trials that were marked.
    measurements : tuple of Measurement
        In the order of the documentation.
    moved_side : str or None
        The leg that moved; None where the session does not say.
    """

    n_trials: int
    measurements: tuple[Measurement, ...]
    moved_side: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "statement": DESCRIPTIVE,
            "level": LEVEL,
            "trials": self.n_trials,
            "moved_side": self.moved_side,
            "rows": [measurement.to_json() for measurement in self.measurements],
        }


def report(signal: Conditioned, moved_side: str | None = None) -> Report:
    """Return every measure of a conditioned session.

    Parameters
    ----------
    signal : Conditioned
        The session.
    moved_side : {"left", "right"}, optional
        The leg that moves.
    """
    rows = (*desynchronisation(signal, moved_side), *onset(signal), *coherence(signal), *cocontraction(signal))
    return Report(len(signal.trials), rows, moved_side)


def report_folder(folder: SessionFolder, moved_side: str | None = None) -> Report:
    """Return every measure of a session's folder.

    Parameters
    ----------
    folder : SessionFolder
    moved_side : {"left", "right"}, optional
        The leg that moves; by default the session's paretic one.

    Raises
    ------
    RecordingError, DecisionError, MontageError
        If the folder cannot be read.
    """
    montage = Montage.from_json(folder.info.montage, subject=str(folder.path / "session.json"))
    signal = condition(tape_of_folder(folder), montage, folder.info.mains_hz)
    return report(signal, moved_side or folder.info.paretic_side)

"""Replaying: what a recording needs to become a session again, with the decisions that were taken on it (law 1)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from acquisition.decisions import Decision
from acquisition.durable import replace_file
from acquisition.errors import IdentityError, RecordingError
from acquisition.identity import same_name
from acquisition.montage import Montage, load_montage
from acquisition.recording import Recording
from acquisition.session import SessionFolder, SessionInfo
from acquisition.source import flatten_decisions
from deploy.opening import Plan, absolute, played_source
from deploy.reading import AS_IT_IS, Reading, decided, told
from deploy.settings import Settings

#: Where decisions that are handed over lie, by the recording's hash.
HANDED = "replays"
#: A patient that nobody named.
UNNAMED = "unnamed"


@dataclass(frozen=True)
class Recorded:
    """A recording that is to be played again.

    Attributes
    ----------
    parts : tuple of Recording
        In order; those without samples are left out.
    decisions : tuple of Decision
        All of them, flat: in part 1, counted from the first sample of the first part.
    """

    parts: tuple[Recording, ...]
    decisions: tuple[Decision, ...]

    @property
    def n_samples(self) -> int:
        """Samples of all parts."""
        return sum(len(part.stamps) for part in self.parts)


def open_recorded(
    path: Path, montage: Montage, unit: str | None, reading: Reading = AS_IT_IS, mains_hz: float = 50.0
) -> Recorded:
    """Read a session's folder or a recording, with the decisions on it.

    Parameters
    ----------
    path : Path
        Of either.
    montage : Montage
        Its channels.
    unit : str or None
        Of channels that state none.
    reading : Reading
        What the user says about a foreign recording.
    mains_hz : float
        For which a calibration kept beside a foreign recording must have been taken.

    Raises
    ------
    RecordingError, MontageError, UnitError, RateError
        If it cannot be read or does not fit.
    """
    if path.is_dir():
        folder = SessionFolder.open(path)
        parts = folder.parts()
        recorded = Recorded(
            tuple(p for p in parts if len(p.stamps)), tuple(flatten_decisions(parts, folder.decisions()))
        )
    else:
        recording, binding = reading.open(path, montage, unit)
        recorded = Recorded((recording,), tuple(decided(recording, montage, binding, mains_hz).decisions))
    if not recorded.n_samples:
        raise RecordingError(f"{path} holds no samples.", subject=str(path), remedy="Replay another one.")
    return recorded


def plan_replay(
    path: Path,
    settings: Settings,
    *,
    patient: str | None,
    bed: str,
    through_lsl: bool,
    reading: Reading = AS_IT_IS,
    tell: Callable[[str], None] = print,
) -> Plan:
    """Return what the replay of a recording is to be.

    Parameters
    ----------
    path : Path
        A recording, or a session's folder.
    settings : Settings
        Montage, mains and unit of a foreign recording.
    patient : str, optional
        Pseudonym for a foreign recording.
    bed : str
        Under which it is shown.
    through_lsl : bool
        Whether its samples come as a stream; else the bridge reads them itself.
    reading : Reading
        What the user says about a foreign recording.
    tell : callable
        Hears what the file left open and what could not be read, a sentence each.

    Raises
    ------
    RecordingError, MontageError, UnitError, RateError
        If it cannot be read or does not fit.
    """
    require(path)
    if path.is_dir():
        reading.refuse_folder(path)
        plan, recorded = _of_folder(path, patient, bed)
    else:
        plan, recorded = _of_file(path, settings, patient, bed, reading)
    for part in recorded.parts:
        for sentence in told(part):
            tell(sentence)
    plan = replace(plan, expected_samples=recorded.n_samples)
    if not through_lsl:
        return plan
    source, markers_source = played_source("Flexion replay", len(recorded.parts[0].labels))
    handed = _hand_over(recorded, settings.data_dir)
    source |= reading.in_source()
    return replace(plan, source=source, markers_source=markers_source, decisions=handed)


def check_patient(info: SessionInfo, patient: str | None) -> None:
    """Refuse a patient's name that is not the session's: a session belongs to one patient for ever.

    Raises
    ------
    IdentityError
        Names both.
    """
    if patient is not None and not same_name(patient, info.patient):
        raise IdentityError(
            f"Session {info.session} is of patient {info.patient}, not of {patient}.",
            subject="patient",
            remedy="Leave --patient out.",
        )


def require(path: Path) -> None:
    """Refuse a path where nothing is.

    Raises
    ------
    RecordingError
        Names it.
    """
    if not path.exists():
        raise RecordingError(
            f"There is no {path}.", subject=str(path), remedy="Name a recording or a session's folder."
        )


def _of_folder(path: Path, patient: str | None, bed: str) -> tuple[Plan, Recorded]:
    info = SessionFolder.open(path).info
    check_patient(info, patient)
    montage = Montage.from_json(info.montage)
    plan = Plan(
        mode="replay",
        origin="simulated" if info.origin == "simulated" else "recorded",
        patient=info.patient,
        bed=bed,
        montage=montage,
        source={"kind": "file", "path": absolute(path)},
        mains_hz=info.mains_hz,
        unit=info.unit,
        replay_of=info.session,
        resampled_from_hz=info.resampled_from_hz,
    )
    return plan, open_recorded(path, montage, info.unit)


def _of_file(path: Path, settings: Settings, patient: str | None, bed: str, reading: Reading) -> tuple[Plan, Recorded]:
    session = settings.session
    montage = reading.counted(load_montage(session.montage))
    recorded = open_recorded(path, montage, session.unit, reading, session.mains_hz)
    plan = Plan(
        mode="replay",
        origin=recorded.parts[0].origin,
        patient=patient or UNNAMED,
        bed=bed,
        montage=montage,
        source={"kind": "file", "path": absolute(path), **reading.in_source()},
        mains_hz=session.mains_hz,
        unit=session.unit,
        replay_of=path.name,
        resampled_from_hz=recorded.parts[0].resampled_from_hz,
    )
    return plan, recorded


def _hand_over(recorded: Recorded, data: Path) -> dict[str, str]:
    """Write the decisions where the bridge finds them, and return their path and hash."""
    content = b"".join(decision.to_line() for decision in recorded.decisions)
    sha256 = hashlib.sha256(content).hexdigest()
    folder = data / HANDED
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{sha256}.jsonl"
    replace_file(path, content)
    return {"path": absolute(path), "sha256": sha256}

"""Replaying: what a recording needs to become a session again, with the decisions that were taken on it (law 1)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from acquisition.durable import replace_file
from acquisition.errors import IdentityError, RecordingError
from acquisition.identity import same_name
from acquisition.montage import Montage, load_montage
from acquisition.reading import AS_IT_IS, Reading, told
from acquisition.recording import Recording
from acquisition.session import SessionFolder, SessionInfo
from deploy.opening import Plan, absolute, played_source
from deploy.reading import refuse_folder
from deploy.recorded import WHOLE, Between, Recorded, open_recorded
from deploy.settings import Settings

#: Where decisions that are handed over lie, by the recording's hash.
HANDED = "replays"
#: A patient that nobody named.
UNNAMED = "unnamed"
#: Rounds of a replay that goes on until somebody ends it.
ENDLESS = 0


def plan_replay(
    path: Path,
    settings: Settings,
    *,
    patient: str | None,
    bed: str,
    through_lsl: bool,
    reading: Reading = AS_IT_IS,
    wanted: Between = WHOLE,
    rounds: int = 1,
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
    wanted : Between
        Which part of it.
    rounds : int
        How often it is played, as one session; `ENDLESS`: until somebody ends it.
    tell : callable
        Hears what the file left open and what could not be read, a sentence each.

    Raises
    ------
    RecordingError, MontageError, UnitError, RateError
        If it cannot be read or does not fit.
    """
    require(path)
    session = settings.session
    if path.is_dir():
        refuse_folder(reading, path)
        plan = plan_of_folder(SessionFolder.open(path), patient)
        whole = open_recorded(path, plan.montage, plan.unit)
    else:
        montage = reading.counted(load_montage(session.montage))
        whole = open_recorded(path, montage, session.unit, reading, session.mains_hz)
        plan = plan_of_file(whole.parts[0], settings, montage, reading, patient)
    for part in whole.parts:
        for sentence in told(part):
            tell(sentence)
    recorded = whole.between(wanted)
    expected = None if rounds == ENDLESS else rounds * recorded.n_samples
    repeats = plan.repeats or rounds != 1
    plan = replace(plan, bed=bed, excerpt=recorded.excerpt, rounds=rounds, repeats=repeats, expected_samples=expected)
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


def plan_of_folder(folder: SessionFolder, patient: str | None) -> Plan:
    """Return what the replay of a session is: its own patient, montage, mains and unit.

    Raises
    ------
    IdentityError
        If another patient is named.
    """
    info = folder.info
    check_patient(info, patient)
    return Plan(
        mode="replay",
        origin="simulated" if info.origin == "simulated" else "recorded",
        patient=info.patient,
        bed=None,
        montage=Montage.from_json(info.montage),
        source={"kind": "file", "path": absolute(folder.path)},
        mains_hz=info.mains_hz,
        unit=info.unit,
        replay_of=info.session,
        repeats=info.repeats,
        resampled_from_hz=info.resampled_from_hz,
    )


def plan_of_file(
    recording: Recording, settings: Settings, montage: Montage, reading: Reading, patient: str | None
) -> Plan:
    """Return what the replay of a foreign recording is."""
    return Plan(
        mode="replay",
        origin=recording.origin,
        patient=patient or UNNAMED,
        bed=None,
        montage=montage,
        source={
            "kind": "file",
            "path": absolute(recording.path),
            "sha256": recording.sha256,
            **reading.in_source(),
        },
        mains_hz=settings.session.mains_hz,
        unit=settings.session.unit,
        replay_of=recording.path.name,
        resampled_from_hz=recording.resampled_from_hz,
    )


def _hand_over(recorded: Recorded, data: Path) -> dict[str, str]:
    """Write the decisions where the bridge finds them, and return their path and hash."""
    content = b"".join(decision.to_line() for decision in recorded.decisions)
    sha256 = hashlib.sha256(content).hexdigest()
    folder = data / HANDED
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{sha256}.jsonl"
    replace_file(path, content)
    return {"path": absolute(path), "sha256": sha256}

"""Replaying: what a recording needs to become a session again, with the decisions that were taken on it (law 1)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from acquisition.decisions import Decision
from acquisition.errors import RecordingError
from acquisition.montage import Montage, load_montage
from acquisition.recording import Recording, read_recording
from acquisition.session import SessionFolder
from acquisition.source import flatten_decisions
from acquisition.tape import open_decisions
from deploy.opening import Plan, absolute, played_source
from deploy.scoring import UNNAMED
from deploy.settings import Settings

#: Where decisions that are handed over lie, by the recording's hash.
HANDED = "replays"


@dataclass(frozen=True)
class Recorded:
    """A recording that is to be played again.

    Attributes
    ----------
    path : Path
        File or session folder.
    parts : tuple of Recording
        In order.
    decisions : tuple of Decision
        All of them, flat: in part 1, counted from the first sample of the first part.
    montage : Montage
        Of the recording.
    mains_hz : float
        Of its room.
    unit : str or None
        Of channels that state none.
    patient, replay_of, origin : str
        Who, which session or file, and whether it was simulated.
    """

    path: Path
    parts: tuple[Recording, ...]
    decisions: tuple[Decision, ...]
    montage: Montage
    mains_hz: float
    unit: str | None
    patient: str
    replay_of: str
    origin: str

    @property
    def n_samples(self) -> int:
        """Samples of all parts."""
        return sum(len(part.stamps) for part in self.parts)


def plan_replay(path: Path, settings: Settings, *, patient: str | None, bed: str, through_lsl: bool) -> Plan:
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

    Raises
    ------
    RecordingError, MontageError, UnitError, RateError
        If it cannot be read or does not fit.
    """
    recorded = _open_folder(path, patient) if path.is_dir() else _open_file(path, settings, patient)
    plan = Plan(
        mode="replay",
        origin=recorded.origin,
        patient=recorded.patient,
        bed=bed,
        montage=recorded.montage,
        source={"kind": "file", "path": absolute(path)},
        mains_hz=recorded.mains_hz,
        unit=recorded.unit,
        replay_of=recorded.replay_of,
        expected_samples=recorded.n_samples,
    )
    if not through_lsl:
        return plan
    source, markers_source = played_source("Flexion replay", len(recorded.parts[0].labels))
    handed = _hand_over(recorded, settings.data_dir)
    return replace(plan, source=source, markers_source=markers_source, decisions=handed)


def _open_folder(path: Path, patient: str | None) -> Recorded:
    folder = SessionFolder.open(path)
    info = folder.info
    if patient is not None and patient != info.patient:
        raise RecordingError(
            f"{path} is a session of patient {info.patient}, not of {patient}.",
            subject=str(path),
            remedy="Leave --patient out: a session belongs to its patient.",
        )
    parts = tuple(part for part in folder.parts() if len(part.stamps))
    if not parts:
        raise RecordingError(f"{path} holds no samples.", subject=str(path), remedy="Replay another session.")
    return Recorded(
        path=path,
        parts=parts,
        decisions=tuple(flatten_decisions(folder.parts(), folder.decisions())),
        montage=Montage.from_json(info.montage),
        mains_hz=info.mains_hz,
        unit=info.unit,
        patient=info.patient,
        replay_of=info.session,
        origin="simulated" if info.origin == "simulated" else "recorded",
    )


def _open_file(path: Path, settings: Settings, patient: str | None) -> Recorded:
    session = settings.session
    montage = load_montage(session.montage)
    recording = read_recording(path, unit=session.unit, montage=montage)
    binding = montage.bind(recording.labels, recording.units, unit=session.unit)
    decided = open_decisions(recording, montage, binding)
    return Recorded(
        path=path,
        parts=(recording,),
        decisions=tuple(decided.decisions),
        montage=montage,
        mains_hz=session.mains_hz,
        unit=session.unit,
        patient=patient or UNNAMED,
        replay_of=path.name,
        origin=recording.origin,
    )


def _hand_over(recorded: Recorded, data: Path) -> dict[str, str]:
    """Write the decisions where the bridge finds them, and return their path and hash."""
    content = b"".join(decision.to_line() for decision in recorded.decisions)
    sha256 = hashlib.sha256(content).hexdigest()
    folder = data / HANDED
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{sha256}.jsonl"
    path.write_bytes(content)
    return {"path": absolute(path), "sha256": sha256}

"""A cohort: the table of patients, the folder of their recordings, and what is said of all of them (law 9)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, cast

from training.cohort.errors import CohortError
from training.cohort.participants import TABLE, CellProblem, Participant, examine_participants, read_participants
from training.cohort.places import Place, places_of, scans_of

Origin = Literal["synthetic", "clinical"]
#: Where a cohort describes itself.
DESCRIPTION = "dataset_description.json"
#: Below which key of it is what only we write.
OWN = "Flexion"
#: Montage of a cohort that names none.
MONTAGE = "amp16"


@dataclass(frozen=True)
class Cohort:
    """A cohort of patients.

    Attributes
    ----------
    folder : Path
    name : str
    origin : {"synthetic", "clinical"}
        Whatever is learned from simulated patients carries it on.
    montage : str
        A built-in montage, or the path of a TOML file.
    participants : tuple of Participant
        In the order of the table.
    described : mapping
        What ``dataset_description.json`` says of it besides, such as effect and seed of simulated patients.
    """

    folder: Path
    name: str
    origin: Origin
    montage: str
    participants: tuple[Participant, ...]
    described: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path) -> Cohort:
        """Open a cohort's folder; no recording is looked at.

        Raises
        ------
        CohortError
            If its table or its description cannot be read, or a patient has two rows.
        """
        return cls.of(folder, read_participants(folder / TABLE))

    @classmethod
    def examine(cls, folder: Path) -> tuple[Cohort, tuple[CellProblem, ...]]:
        """Open a cohort's folder as far as its table can be read, with all that cannot: for the audit.

        Raises
        ------
        CohortError
            If there is no table, or its description cannot be read.
        """
        participants, problems = examine_participants(folder / TABLE)
        return cls.of(folder, participants), problems

    @classmethod
    def of(cls, folder: Path, participants: tuple[Participant, ...]) -> Cohort:
        """Return these patients as the cohort that a folder describes.

        Raises
        ------
        CohortError
            If its description cannot be read.
        """
        name, own = read_description(folder)
        montage = str(own.get("montage", MONTAGE))
        beside = folder / montage
        origin = cast(Origin, own.get("origin", "clinical"))
        return cls(folder, name, origin, str(beside) if beside.is_file() else montage, participants, own)

    @property
    def sha256(self) -> str:
        """Of each patient's name, outcome (good or not) and whether there is EEG: what a split depends on."""
        rows = sorted(json.dumps([one.id, one.good, one.has_eeg]) for one in self.participants)
        return hashlib.sha256("\n".join(rows).encode()).hexdigest()

    def participant(self, id: str) -> Participant:
        """Return a patient.

        Raises
        ------
        CohortError
            If there is none of that name.
        """
        for participant in self.participants:
            if participant.id == id:
                return participant
        message = f"{self.folder} has no patient {id}."
        raise CohortError(message, subject=id, remedy=f"Its patients are in {self.folder / TABLE}.")

    def places(self, id: str) -> tuple[Place, ...]:
        """Return a patient's recordings in order of time; mains is the patient's where nothing beside them states it.

        Raises
        ------
        CohortError
            If there is no such patient, or a sidecar cannot be read.
        """
        mains_hz = self.participant(id).mains_hz
        return tuple(
            place if place.mains_hz is not None else replace(place, mains_hz=mains_hz)
            for place in places_of(self.folder, id)
        )

    def place_of(self, id: str) -> Place | None:
        """Return the recording that stands for a patient: the first; None where there is none.

        Raises
        ------
        CohortError
            If there is no such patient, or a sidecar cannot be read.
        """
        return next(iter(self.places(id)), None)

    def scans(self, id: str) -> tuple[Path, ...]:
        """Return a patient's functional scans; the first stands for him, one at rest where there is any."""
        return scans_of(self.folder, id)

    def limited(self, n: int) -> Cohort:
        """Return the same cohort with `n` patients alone, the first of each outcome with and without EEG in its share.

        Parameters
        ----------
        n : int
            At least 2; patients without an outcome are not counted.

        Raises
        ------
        CohortError
            If `n` is below 2.
        """
        if n < 2:
            message = f"A cohort of {n} patients has not both outcomes."
            raise CohortError(message, subject=self.name, remedy="Ask for 2 patients or more.")
        strata: dict[tuple[bool, bool], list[Participant]] = {}
        for participant in self.participants:
            if participant.good is not None:
                strata.setdefault((participant.good, participant.has_eeg), []).append(participant)
        shares = _shares({key: len(members) for key, members in strata.items()}, n)
        kept = {member.id for key, members in strata.items() for member in members[: shares[key]]}
        return replace(self, participants=tuple(member for member in self.participants if member.id in kept))


def read_description(folder: Path) -> tuple[str, Mapping[str, Any]]:
    """Return a cohort's name and what only we write into its description; the folder's name and nothing without one.

    Raises
    ------
    CohortError
        If it is no JSON, or names an origin that there is not.
    """
    file = folder / DESCRIPTION
    try:
        values = json.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        values = {}
    except (OSError, ValueError) as error:
        raise CohortError(f"{file} cannot be read: {error}.", subject=str(file), remedy="Mend that file.") from error
    own = values.get(OWN, {}) if isinstance(values, dict) else None
    if not isinstance(own, dict):
        raise CohortError(f"{file} holds no object.", subject=str(file), remedy="Mend that file.")
    if own.get("origin", "clinical") not in ("synthetic", "clinical"):
        message = f"{file} names the origin {own['origin']!r}; expected synthetic or clinical."
        raise CohortError(message, subject=str(file), remedy="Say which of the two it is.")
    return str(values.get("Name") or folder.resolve().name), own


def _shares(sizes: Mapping[tuple[bool, bool], int], n: int) -> dict[tuple[bool, bool], int]:
    """Deal `n` places to strata in proportion, each outcome getting at least one: largest remainders first."""
    total = sum(sizes.values())
    n = min(n, total)
    exact = {key: n * size / total for key, size in sizes.items()} if total else {}
    shares = {key: int(share) for key, share in exact.items()}
    for key in sorted(exact, key=lambda key: (shares[key] - exact[key], key))[: n - sum(shares.values())]:
        shares[key] += 1
    for outcome in (True, False):
        own = [key for key in sizes if key[0] is outcome]
        if own and not sum(shares[key] for key in own):
            shares[_largest(sizes, own)] += 1
            shares[_largest(shares, [key for key in sizes if key[0] is not outcome])] -= 1
    return shares


def _largest(sizes: Mapping[tuple[bool, bool], int], keys: Sequence[tuple[bool, bool]]) -> tuple[bool, bool]:
    return max(keys, key=lambda key: (sizes[key], key))

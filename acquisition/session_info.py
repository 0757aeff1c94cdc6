"""What is known of a session when it begins: the content of its ``session.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from acquisition.errors import RecordingError
from acquisition.identity import check_name, check_session_id
from acquisition.plain_file import read_plain

#: What ``session.json`` calls itself; a later layout gets another number.
SCHEMA = "flexion.session/1"
MODES = ("demo", "live", "replay", "score")
ORIGINS = ("simulated", "recorded", "live")


@dataclass(frozen=True)
class SessionInfo:
    """What is known of a session when it begins; the content of ``session.json``.

    Parameters
    ----------
    session, patient, bed : str
        ULID and pseudonyms; a session without a bed (``score``) has ``bed=None``.
    mode : {"demo", "live", "replay", "score"}
    origin : {"simulated", "recorded", "live"}
    created_utc : str
        ISO 8601.
    montage : mapping
        ``Montage.to_json``.
    mains_hz, rate_hz : float
    fingerprint : str
        Of the conditioning.
    unit : str or None
        The unit that the user gave for channels that state none.
    source, markers_source : mapping or None
        ``name``, ``source_id``, ``hostname``, ``channel_count`` of the stream that was bound. Where the montage comes
        from two streams ``source`` has a ``partner`` with the same of the second, and the ``channels`` that it gives.
    bundles : mapping
        Per kind (``eeg_emg``, ``fmri``, ``fusion``) ``name``, ``version``, ``sha256``, ``origin``, or ``None``.
    planned_s : float or None
        Planned length in seconds of signal.
    replay_of : str or None
        The session or file that is replayed.
    excerpt : mapping or None
        ``from_s`` and ``to_s``: which part of it, on its own grid.
    rounds : int
        How often it is played; 0: until somebody ends it.
    repeats : bool
        Whether windows repeat: it is played more than once, or what it plays was.
    decisions : mapping or None
        ``path`` and ``sha256`` of the decisions handed over for a replay.
    expected_samples : int or None
        Samples that a replay must count.
    resampled_from_hz : float or None
        Rate before resampling, where the recording was resampled.
    versions : mapping
        Of the software.
    clock : sequence of mapping
        ``part``, ``lsl_s``, ``utc_s``, ``boot``: the LSL clock against UTC, and the start of the machine that it counts
        from; one entry per part.
    age, days_since_onset : float or None
    lesion_side, paretic_side : str or None
    entered_in_error : bool
        The wrong patient: kept, and never shown as anybody's result.
    """

    session: str
    patient: str
    mode: str
    origin: str
    created_utc: str
    montage: Mapping[str, Any]
    mains_hz: float
    rate_hz: float
    fingerprint: str
    bed: str | None = None
    unit: str | None = None
    source: Mapping[str, Any] | None = None
    markers_source: Mapping[str, Any] | None = None
    bundles: Mapping[str, Any] = field(default_factory=dict)
    planned_s: float | None = None
    replay_of: str | None = None
    excerpt: Mapping[str, float] | None = None
    rounds: int = 1
    repeats: bool = False
    decisions: Mapping[str, str] | None = None
    expected_samples: int | None = None
    resampled_from_hz: float | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    clock: Sequence[Mapping[str, Any]] = ()
    age: float | None = None
    days_since_onset: float | None = None
    lesion_side: str | None = None
    paretic_side: str | None = None
    entered_in_error: bool = False

    def __post_init__(self) -> None:
        check_session_id(self.session)
        check_name("patient", self.patient)
        if self.bed is not None:
            check_name("bed", self.bed)
        for key, value, known in (("mode", self.mode, MODES), ("origin", self.origin, ORIGINS)):
            if value not in known:
                raise RecordingError(f"{key} {value!r} is unknown; expected one of {', '.join(known)}.", subject=key)
        if not isinstance(self.bundles, Mapping):
            raise RecordingError("bundles is no object of names and bundles.", subject="bundles")

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``session.json``."""
        return {"schema": SCHEMA, **asdict(self), "clock": [dict(entry) for entry in self.clock]}

    @classmethod
    def from_json(cls, values: object, *, subject: str = "session.json") -> SessionInfo:
        """Read the content of ``session.json``.

        Raises
        ------
        RecordingError
            If it is of another schema, or a key is missing or unknown.
        """
        if not isinstance(values, dict) or values.get("schema") != SCHEMA:
            found = values.get("schema") if isinstance(values, dict) else type(values).__name__
            raise broken(subject, f"is of schema {found!r}; expected {SCHEMA!r}")
        given = {key: value for key, value in values.items() if key != "schema"}
        unknown = sorted(set(given) - {known.name for known in fields(cls)})
        missing = sorted({"session", "patient", "mode", "origin", "montage", "rate_hz"} - set(given))
        if unknown or missing:
            raise broken(subject, f"has the unknown keys {unknown} and lacks {missing}")
        try:
            return cls(**given | {"clock": tuple(given.get("clock", ()))})
        except TypeError as error:
            raise broken(subject, f"does not fit its schema: {error}") from error


def content_of(path: Path) -> bytes:
    """Return the bytes of a file of a session folder.

    Raises
    ------
    RecordingError
        If it cannot be read.
    """
    try:
        return read_plain(path)
    except OSError as error:
        raise broken(str(path), f"cannot be read: {error.strerror or error}") from error


def broken(subject: str, what: str) -> RecordingError:
    """Return the refusal of a file of a session folder."""
    return RecordingError(f"{subject} {what}.", subject=subject, remedy="Restore the session folder from a copy.")

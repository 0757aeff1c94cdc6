"""What is known of a session when it begins: the content of its ``session.json``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from acquisition.errors import BadInput, IdentityError, MontageError, RecordingError
from acquisition.fields import Fields, is_whole, shown
from acquisition.identity import check_name, check_session_id
from acquisition.montage import Montage
from acquisition.plain_file import read_plain

#: What ``session.json`` calls itself; a later layout gets another number.
SCHEMA = "flexion.session/1"
MODES = ("demo", "live", "replay", "score")
ORIGINS = ("simulated", "recorded", "live")
SIDES = ("left", "right")
#: Objects and lists in one another: five of ours are, and many more could not be written again.
MOST_LEVELS = 32
#: Characters of what another reader says is wrong.
MOST_WORDS = 300
#: What to do about a file of a session folder that is not what was written.
RESTORE = "Restore the session folder from a copy."


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

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``session.json``."""
        return {"schema": SCHEMA, **asdict(self), "clock": [dict(entry) for entry in self.clock]}

    @classmethod
    def from_json(cls, values: object, *, subject: str = "session.json") -> SessionInfo:
        """Read the content of ``session.json``.

        Raises
        ------
        RecordingError
            If it is of another schema, or a key is missing, unknown or of another type; names the key.
        """
        own = Fields(values, subject, "", RecordingError, RESTORE)
        schema = own.take("schema")
        if schema != SCHEMA:
            raise own.refuse("schema", f"is {shown(schema)}, expected {SCHEMA!r}")
        if flaw := flaw_of(values):
            raise broken(subject, flaw)
        read = {key: reader(own, key) for key, reader in _NEEDED.items()}
        read |= {key: reader(own, key) for key, reader in _OPTIONAL.items() if own.has(key)}
        own.end()
        try:
            return cls(**read)
        except IdentityError as error:
            raise broken(subject, f"cannot be used: {_in_a_line(error)}") from error


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


def flaw_of(values: object) -> str:
    """Return why values of JSON could not be written again, in words; empty where they could be."""
    if _is_deep(values):
        return "is nested too deeply"
    return "" if is_whole(values) else "holds half a character"


def broken(subject: str, what: str) -> RecordingError:
    """Return the refusal of a file of a session folder."""
    return RecordingError(f"{subject} {what}.", subject=subject, remedy=RESTORE)


def _is_deep(value: object, levels: int = MOST_LEVELS) -> bool:
    """Tell whether objects and lists lie in one another deeper than so many levels."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(not levels or _is_deep(item, levels - 1) for item in inside)


def _in_a_line(error: BadInput) -> str:
    """Return what another reader says is wrong: it may show all that stands there."""
    words = error.message.removesuffix(".")
    words = words if len(words) <= MOST_WORDS else f"{words[:MOST_WORDS]} ..."
    return words if words.isprintable() else shown(words)


def _words(own: Fields, key: str) -> str:
    """Return a text, be it empty."""
    value = own.take(key)
    if not isinstance(value, str):
        raise own.refuse(key, f"is {shown(value)}, expected a text")
    return value


def _moment(own: Fields, key: str) -> str:
    text = own.text(key)
    try:
        datetime.fromisoformat(text)
    except ValueError as error:
        raise own.refuse(key, f"is {shown(text)}, expected a moment such as 2026-03-31T10:20:30+00:00") from error
    return text


def _montage(own: Fields, key: str) -> dict[str, Any]:
    values = own.mapping(key)
    try:
        Montage.from_json(values, subject="it")
    except MontageError as error:
        raise own.refuse(key, f"cannot be used: {_in_a_line(error)}") from error
    return values


def _rate(own: Fields, key: str) -> float:
    return own.number(key, low=1.0)


def _seconds(own: Fields, key: str) -> float:
    return own.number(key, low=0.0)


def _side(own: Fields, key: str) -> str:
    return own.text(key, among=SIDES)


def _source(own: Fields, key: str) -> dict[str, Any]:
    """Return what a session came from; keys are free, but for those that everybody reads."""
    value = own.mapping(key)
    known = Fields(value, own.file, key, RecordingError, RESTORE)
    for name in ("kind", "path", "name", "source_id", "hostname"):
        if known.has(name):
            _words(known, name)
    for name in ("partner", "reading"):
        if known.has(name):
            known.mapping(name)
    return value


def _bundles(own: Fields, key: str) -> dict[str, Any]:
    """Return the bundles of each kind, with all that they are found and named by."""
    value = own.mapping(key)
    kinds = Fields(value, own.file, key, RecordingError, RESTORE)
    for kind in value:
        if kinds.has(kind):
            bundle = kinds.object(kind)
            for named in ("name", "version", "sha256"):
                bundle.text(named)
            if bundle.has("origin"):
                bundle.text("origin")
    return value


def _excerpt(own: Fields, key: str) -> dict[str, float]:
    part = own.object(key)
    read = {name: part.number(name, low=0.0) for name in ("from_s", "to_s")}
    part.end()
    return read


def _decisions(own: Fields, key: str) -> dict[str, str]:
    file = own.object(key)
    read = {name: file.text(name) for name in ("path", "sha256")}
    file.end()
    return read


def _versions(own: Fields, key: str) -> dict[str, str]:
    value = own.mapping(key)
    of = Fields(value, own.file, key, RecordingError, RESTORE)
    return {name: _words(of, name) for name in value}


def _clock(own: Fields, key: str) -> tuple[dict[str, Any], ...]:
    return tuple(
        {
            "part": entry.count("part", low=1),
            "lsl_s": entry.number("lsl_s"),
            "utc_s": entry.number("utc_s"),
            **({"boot": _words(entry, "boot")} if entry.has("boot") else {}),
        }
        for entry in own.objects(key)
    )


#: How each key of ``session.json`` is read: those that must be there, and those that may be left out or null.
_NEEDED: Mapping[str, Callable[[Fields, str], Any]] = {
    "session": Fields.text,
    "patient": Fields.text,
    "mode": partial(Fields.text, among=MODES),
    "origin": partial(Fields.text, among=ORIGINS),
    "created_utc": _moment,
    "montage": _montage,
    "mains_hz": _rate,
    "rate_hz": _rate,
    "fingerprint": _words,
}
_OPTIONAL: Mapping[str, Callable[[Fields, str], Any]] = {
    "bed": Fields.text,
    "unit": _words,
    "source": _source,
    "markers_source": _source,
    "bundles": _bundles,
    "planned_s": _seconds,
    "replay_of": _words,
    "excerpt": _excerpt,
    "rounds": Fields.count,
    "repeats": Fields.truth,
    "decisions": _decisions,
    "expected_samples": Fields.count,
    "resampled_from_hz": _rate,
    "versions": _versions,
    "clock": _clock,
    "age": _seconds,
    "days_since_onset": _seconds,
    "lesion_side": _words,
    "paretic_side": _side,
    "entered_in_error": Fields.truth,
}

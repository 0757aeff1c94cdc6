"""What travels through Redis: windows to the scorers, results back; their bytes, and the refusal of anything else.

A window is a JSON header and its samples as little-endian float32; a result is JSON alone. Each entry names the version
of its schema and carries a CRC32 over everything else, and all of it is checked before numpy sees a byte (law 10). A
result says where it comes from: session, window, sample range, quality, bundle, fingerprint, engine (law 6).
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from acquisition.windowing import Window
from streaming.errors import RecordError

#: Version of both schemas; an entry of another version is refused, never guessed at.
SCHEMA = b"1"
#: What can become of a window.
STATES = ("scored", "not_scored", "dead_lettered")
#: Samples on the wire.
SAMPLE = np.dtype("<f4")
#: Most samples times channels of a window, 64 MiB: a header that asks for more is not ours.
MAX_VALUES = 1 << 24
#: First sample and segment of a result whose window could not be read.
UNKNOWN = -1

#: Fields of an entry.
VERSION, HEADER, PAYLOAD, CRC = b"v", b"h", b"x", b"crc"

#: What a result need not have.
_OPTIONAL = ("fma", "model")
_WINDOW_HEADER = tuple(f.name for f in fields(Window) if f.name != "x_uv")


@dataclass(frozen=True, eq=False)
class WindowRecord:
    """A window on its way to a scorer.

    Parameters
    ----------
    session : str
        Session identifier.
    term : int
        Term of the bridge that publishes it; 1 or more.
    window : Window
        The window itself.
    montage : str
        Name of the montage.
    labels : tuple of str
        Its channels, in the order of the columns.
    bundle_sha256 : str
        Hash of the bundle that the session is bound to.
    stamp_s : float
        Stamp of the last sample on the bridge's LSL clock; NaN where there is none.
    """

    session: str
    term: int
    window: Window
    montage: str
    labels: tuple[str, ...]
    bundle_sha256: str
    stamp_s: float

    def encode(self) -> dict[bytes, bytes]:
        """Return the fields of the stream entry."""
        header = {name: getattr(self.window, name) for name in _WINDOW_HEADER}
        header |= {
            "session": self.session,
            "term": self.term,
            "montage": self.montage,
            "labels": self.labels,
            "bundle_sha256": self.bundle_sha256,
            "stamp_s": None if math.isnan(self.stamp_s) else self.stamp_s,
            "shape": self.window.x_uv.shape,
        }
        samples = np.ascontiguousarray(self.window.x_uv, SAMPLE).tobytes()
        return _sealed({HEADER: _json(header), PAYLOAD: samples})

    @classmethod
    def decode(cls, entry: Mapping[bytes, bytes]) -> WindowRecord:
        """Return the record that an entry holds.

        Raises
        ------
        RecordError
            If its version, checksum, header or shape is not what it should be.
        """
        _check_seal(entry, (HEADER, PAYLOAD), "window")
        header = _header(entry[HEADER])
        try:
            x_uv = _samples(entry[PAYLOAD], header.pop("shape"), len(header["labels"]))
            stamp_s = header.pop("stamp_s")
            window = Window(x_uv=x_uv, **{name: _frozen(header.pop(name)) for name in _WINDOW_HEADER})
            record = cls(window=window, stamp_s=math.nan if stamp_s is None else stamp_s, **_frozen_values(header))
        except (KeyError, TypeError, ValueError) as error:
            raise _refused(f"A window's header has {error!r} where a field of schema 1 belongs.") from error
        if not len(window.channel_quality) == len(window.faults) == len(record.labels):
            raise _refused(
                f"A window has {len(record.labels)} channels, {len(window.channel_quality)} qualities and "
                f"{len(window.faults)} lists of faults; expected as many of each."
            )
        return record


@dataclass(frozen=True)
class ResultRecord:
    """The one result of a window.

    Parameters
    ----------
    session : str
        Session identifier.
    index : int
        Index of the window.
    segment, first_sample : int
        Where it was cut; -1 where the window could not be read.
    state : str
        One of ``STATES``.
    reason : str or None
        Why there is no score: ``quality``, ``bundle_mismatch``, or what the dead letter says.
    logit : float or None
        The score, where there is one.
    embedding : tuple of float or None
        The last hidden features, where there is a score.
    sqi, weight : float
        Signal quality of the window and its weight in the outcome.
    flags : tuple of str
        The window's flags.
    phases : tuple of (str, int, int)
        The window's phases.
    channel_quality : tuple of float
        Share of good cells of each channel.
    bundle_sha256, fingerprint, calibration : str
        Hashes of the bundle that scored, of the signal chain and of the artifact calibration.
    engine : mapping or None
        ``backend``, ``device``, ``precision``, ``degraded``, ``version``.
    stamp_s : float
        Stamp of the window's last sample on the bridge's LSL clock; NaN where there is none.
    stages_s : mapping
        Seconds spent in each stage, by name.
    fma : float or None
        Fugl-Meyer points at 3 months, of a model that expects them; a result without them has no such key.
    model : str or None
        Name and version of the bundle that scored; a result that no model made, or an older version of Flexion, has no
        such key.
    """

    session: str
    index: int
    segment: int
    first_sample: int
    state: str
    reason: str | None
    logit: float | None
    embedding: tuple[float, ...] | None
    sqi: float
    weight: float
    flags: tuple[str, ...]
    phases: tuple[tuple[str, int, int], ...]
    channel_quality: tuple[float, ...]
    bundle_sha256: str
    fingerprint: str
    calibration: str
    engine: Mapping[str, Any] | None
    stamp_s: float
    stages_s: Mapping[str, float]
    fma: float | None = None
    model: str | None = None

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise _refused(f"Result {self.index} has state {self.state!r}; expected one of {', '.join(STATES)}.")
        scored = self.logit is not None and math.isfinite(self.logit)
        if scored != (self.state == "scored"):
            raise _refused(f"Result {self.index} is {self.state} with logit {self.logit}; a score alone has a number.")
        if self.fma is not None and not (scored and math.isfinite(self.fma)):
            raise _refused(f"Result {self.index} is {self.state} with {self.fma} points; a score alone has a number.")

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; the line of ``results.jsonl``."""
        data = asdict(self)
        data["stamp_s"] = None if math.isnan(self.stamp_s) else self.stamp_s
        return {name: value for name, value in data.items() if value is not None or name not in _OPTIONAL}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ResultRecord:
        """Return the result that ``to_json`` made; names that it does not know are left out.

        Raises
        ------
        RecordError
            If a field is missing or of another kind.
        """
        names = [f.name for f in fields(cls) if f.name not in _OPTIONAL or f.name in data]
        try:
            values = {name: _frozen(data[name]) for name in names}
            values["stamp_s"] = math.nan if data["stamp_s"] is None else float(data["stamp_s"])
            return cls(**values)
        except (KeyError, TypeError, ValueError) as error:
            raise _refused(f"A result has {error!r} where a field of schema 1 belongs.") from error

    def encode(self) -> dict[bytes, bytes]:
        """Return the fields of the stream entry."""
        return _sealed({HEADER: _json(self.to_json())})

    @classmethod
    def decode(cls, entry: Mapping[bytes, bytes]) -> ResultRecord:
        """Return the record that an entry holds.

        Raises
        ------
        RecordError
            If its version, checksum or fields are not what they should be.
        """
        _check_seal(entry, (HEADER,), "result")
        return cls.from_json(_header(entry[HEADER]))

    @classmethod
    def unscored(cls, record: WindowRecord, state: str, reason: str) -> ResultRecord:
        """Return the result of a window that gets no score."""
        window = record.window
        return cls(
            session=record.session,
            index=window.index,
            segment=window.segment,
            first_sample=window.first_sample,
            state=state,
            reason=reason,
            logit=None,
            embedding=None,
            sqi=window.sqi,
            weight=window.weight,
            flags=window.flags,
            phases=window.phases,
            channel_quality=window.channel_quality,
            bundle_sha256=record.bundle_sha256,
            fingerprint=window.fingerprint,
            calibration=window.calibration,
            engine=None,
            stamp_s=record.stamp_s,
            stages_s={},
        )

    @classmethod
    def unreadable(cls, session: str, index: int, reason: str) -> ResultRecord:
        """Return the result of a window whose entry could not be read."""
        return cls(
            session=session,
            index=index,
            segment=UNKNOWN,
            first_sample=UNKNOWN,
            state="dead_lettered",
            reason=reason,
            logit=None,
            embedding=None,
            sqi=0.0,
            weight=0.0,
            flags=(),
            phases=(),
            channel_quality=(),
            bundle_sha256="",
            fingerprint="",
            calibration="",
            engine=None,
            stamp_s=math.nan,
            stages_s={},
        )

    def with_stage(self, name: str, seconds: float) -> ResultRecord:
        """Return the same result with one more stage timed."""
        return replace(self, stages_s={**self.stages_s, name: seconds})


def _sealed(entry: dict[bytes, bytes]) -> dict[bytes, bytes]:
    return {VERSION: SCHEMA, **entry, CRC: b"%08x" % _crc(entry.values())}


def _check_seal(entry: Mapping[bytes, bytes], names: tuple[bytes, ...], what: str) -> None:
    """Refuse an entry of another version, with other fields, or with other bytes than were written."""
    version = entry.get(VERSION)
    if version != SCHEMA:
        raise _refused(f"A {what} has schema {version!r}; expected {SCHEMA!r}.")
    if set(entry) != {VERSION, CRC, *names}:
        raise _refused(f"A {what} has the fields {sorted(entry)}; expected {sorted({VERSION, CRC, *names})}.")
    found = b"%08x" % _crc(entry[name] for name in names)
    if found != entry[CRC]:
        raise _refused(f"A {what}'s checksum is {found.decode()}; its entry says {entry[CRC]!r}.")


def _crc(parts: Iterable[bytes]) -> int:
    crc = zlib.crc32(SCHEMA)
    for part in parts:
        crc = zlib.crc32(part, crc)
    return crc


def _header(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except ValueError as error:
        raise _refused(f"An entry's header is not JSON: {error}.") from error
    if not isinstance(header, dict):
        raise _refused(f"An entry's header is a {type(header).__name__}; expected an object.")
    return header


def _samples(payload: bytes, shape: Any, n_channels: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Return the samples, read-only, once their number is what the header says."""
    n_samples, n_columns = (int(n) for n in shape)
    if n_columns != n_channels or n_samples < 1 or n_samples * n_columns > MAX_VALUES:
        raise _refused(f"A window's shape is {n_samples} x {n_columns}; its {n_channels} labels do not fit.")
    if len(payload) != n_samples * n_columns * SAMPLE.itemsize:
        raise _refused(f"A window has {len(payload)} bytes; {n_samples} x {n_columns} samples need others.")
    x_uv = np.frombuffer(payload, SAMPLE).reshape(n_samples, n_columns).astype(np.float32)
    x_uv.flags.writeable = False
    return x_uv


def _frozen(value: Any) -> Any:
    """Return JSON lists as tuples, all the way down."""
    return tuple(_frozen(v) for v in value) if isinstance(value, list | tuple) else value


def _frozen_values(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _frozen(value) for name, value in data.items()}


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def _refused(message: str) -> RecordError:
    return RecordError(
        message,
        subject="stream entry",
        remedy="Run every role of Flexion in one version; the window is made again from its session folder.",
    )

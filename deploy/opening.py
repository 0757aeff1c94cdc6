"""Opening: what a session is to be, written down before anything runs (laws 2 and 6).

A session is bound to its bundles at its start: they are loaded, every hash checked, and compared with montage, rate,
conditioning and mains; a bundle that does not fit is refused here with words.
"""

from __future__ import annotations

import platform
import socket
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acquisition.chain import ChainSpec
from acquisition.identity import new_session_id
from acquisition.montage import Montage, load_montage
from acquisition.session import SessionInfo
from deploy.network import identity_of, source_of
from deploy.settings import ModelSettings, Settings
from inference.bundle import MANIFEST, SHIPPED, SHORT, Bundle, FusionBundle, load_bundle, resolve_bundle
from inference.errors import BundleError
from streaming.sessions import SessionEntry

if TYPE_CHECKING:
    from acquisition.discovery import SourceSpec

#: Libraries whose version may show in a score's last bits.
VERSIONED = ("flexion", "numpy", "scipy", "onnxruntime")


@dataclass(frozen=True)
class Models:
    """The bundles of a run."""

    eeg_emg: Bundle
    fusion: FusionBundle
    fmri: Bundle | None = None

    @classmethod
    def load(cls, settings: ModelSettings) -> Models:
        """Load the bundles that the settings name; every hash is checked.

        Raises
        ------
        BundleError
            If one is not there or was changed.
        BundleMismatch
            If the one for scans scores none.
        """
        fmri = None if settings.fmri is None else Bundle.load_image(resolve_bundle(settings.fmri))
        fusion = FusionBundle.load(resolve_bundle(settings.fusion))
        return cls(Bundle.load(resolve_bundle(settings.eeg_emg)), fusion, fmri)

    @property
    def bundles(self) -> tuple[Bundle | FusionBundle, ...]:
        """All of them."""
        return (self.eeg_emg, self.fusion, *((self.fmri,) if self.fmri else ()))

    @property
    def fused(self) -> bool:
        """Whether the fusion was fitted on this model of EEG and EMG; with any other it is refused."""
        return self.fusion.fusion.fitted_on.get("eeg_emg") == self.eeg_emg.sha256

    def to_json(self) -> dict[str, Any]:
        """Return the ``bundles`` object of a session."""
        fmri = None if self.fmri is None else self.fmri.to_json()
        return {"eeg_emg": self.eeg_emg.to_json(), "fmri": fmri, "fusion": self.fusion.to_json()}

    def check(self, montage: Montage, mains_hz: float, spec: ChainSpec) -> None:
        """Refuse a montage or a room that the model was not trained on.

        Raises
        ------
        BundleMismatch
            Names what differs and the remedy.
        """
        self.eeg_emg.check(
            montage.labels, montage.rate_hz, spec.window.n_samples, spec.fingerprint, mains_hz, kinds=montage.kinds
        )


@dataclass(frozen=True)
class Plan:
    """What a session is to be.

    Attributes
    ----------
    mode : str
        ``demo``, ``live``, ``replay``, ``score`` or ``record``.
    origin : str
        ``simulated``, ``recorded`` or ``live``.
    patient : str
        Pseudonym.
    bed : str or None
        Its name; None for a recording that is scored.
    montage : Montage
        Its channels.
    source : mapping
        ``{"kind": "lsl", ...}`` or ``{"kind": "file", "path": ...}``.
    mains_hz : float
        Mains of the room.
    unit : str, optional
        Of a source that states none.
    planned_s : float, optional
        Seconds of signal after which the session ends.
    markers_source : mapping, optional
        The stream of its markers.
    replay_of : str, optional
        Session or file that is played again.
    excerpt : mapping, optional
        ``{"from_s", "to_s"}``: which part of it.
    rounds : int
        How often it is played; 0: until somebody ends it.
    repeats : bool
        Whether it is played more than once, or what it plays was.
    decisions : mapping, optional
        ``{"path", "sha256"}`` of the decisions handed over with a replayed stream.
    expected_samples : int, optional
        How many samples that stream has.
    resampled_from_hz : float, optional
        Rate of a recording that was resampled.
    """

    mode: str
    origin: str
    patient: str
    bed: str | None
    montage: Montage
    source: Mapping[str, Any]
    mains_hz: float = 50.0
    unit: str | None = None
    planned_s: float | None = None
    markers_source: Mapping[str, Any] | None = None
    replay_of: str | None = None
    excerpt: Mapping[str, float] | None = None
    rounds: int = 1
    repeats: bool = False
    decisions: Mapping[str, str] | None = None
    expected_samples: int | None = None
    resampled_from_hz: float | None = None

    def to_info(self, models: Models | None) -> SessionInfo:
        """Return the session's own description, with an id of its own; without models nothing is to be scored.

        Raises
        ------
        IdentityError
            If patient or bed is not allowed.
        BundleMismatch
            If the bundle does not fit.
        """
        spec = ChainSpec()
        if models is not None:
            models.check(self.montage, self.mains_hz, spec)
        return SessionInfo(
            session=new_session_id(),
            patient=self.patient,
            bed=self.bed,
            mode=self.mode,
            origin=self.origin,
            created_utc=datetime.now(UTC).isoformat(timespec="milliseconds"),
            montage=self.montage.to_json(),
            mains_hz=self.mains_hz,
            rate_hz=self.montage.rate_hz,
            unit=self.unit,
            source=dict(self.source),
            markers_source=self.markers_source,
            bundles=models.to_json() if models is not None else dict.fromkeys(("eeg_emg", "fmri", "fusion")),
            fingerprint=spec.fingerprint,
            planned_s=self.planned_s,
            replay_of=self.replay_of,
            excerpt=self.excerpt,
            rounds=self.rounds,
            repeats=self.repeats,
            decisions=self.decisions,
            expected_samples=self.expected_samples,
            resampled_from_hz=self.resampled_from_hz,
            versions=versions(),
        )


def played_source(name: str, channel_count: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return source and markers_source of a stream, unlike any other, that a player of this machine will offer."""
    from acquisition.outlet import MARKERS_SUFFIX  # pylsl: not for whoever only scores

    source_id = f"flexion-{uuid.uuid4()}"
    hostname = socket.gethostname()
    own = {"name": name, "source_id": source_id, "hostname": hostname, "channel_count": channel_count}
    markers = {"name": f"{name} markers", "source_id": source_id + MARKERS_SUFFIX, "hostname": hostname}
    return {"kind": "lsl", **own}, {**markers, "channel_count": 1}


def find_source(
    criteria: SourceSpec,
    settings: Settings,
    *,
    patient: str,
    bed: str,
    wait_s: float,
    partner: SourceSpec | None = None,
) -> Plan:
    """Find the stream, or the two streams, that are meant, and return what their session is to be.

    Parameters
    ----------
    criteria : SourceSpec
        What is known of the stream.
    settings : Settings
        Montage, unit, mains and minutes.
    patient, bed : str
        Whose session it is, and where.
    wait_s : float
        Longest search.
    partner : SourceSpec, optional
        What is known of the second stream; without it a second one is taken only where no single stream fits.

    Raises
    ------
    StreamNotFound, AmbiguousStream, StreamRefused
        If there is none, more than one, or it does not fit the montage.
    """
    from acquisition.discovery import bind_markers
    from acquisition.partners import bind_sources

    montage = load_montage(settings.session.montage)
    found = bind_sources(criteria, partner, montage, settings.session.unit, wait_s)
    markers = bind_markers(found.signal)
    return Plan(
        mode="live",
        origin="simulated" if any(stream.origin == "simulated" for stream in found.streams) else "live",
        patient=patient,
        bed=bed,
        montage=montage,
        source=source_of(found),
        markers_source=None if markers is None else identity_of(markers),
        mains_hz=settings.session.mains_hz,
        unit=settings.session.unit,
        planned_s=settings.session.minutes * 60.0,
    )


def entry_of(info: SessionInfo) -> SessionEntry:
    """Return the registry's entry of a session."""
    return SessionEntry(
        info.session, info.bed, info.patient, info.mode, opened_utc=info.created_utc, replay_of=info.replay_of
    )


def bound_bundles(
    info: SessionInfo, settings: ModelSettings
) -> tuple[Bundle | None, FusionBundle | None, Bundle | None]:
    """Load the bundles that a session is bound to: those of the settings, or others that ship, by their hash.

    Returns
    -------
    eeg_emg, fusion, fmri : Bundle, FusionBundle, Bundle or None

    Raises
    ------
    BundleError
        If one of them is not on this machine.
    """
    eeg_emg, fusion, fmri = (info.bundles.get(kind) for kind in ("eeg_emg", "fusion", "fmri"))
    return (
        None if eeg_emg is None else Bundle.load(_folder_of(eeg_emg, settings.eeg_emg)),
        None if fusion is None else FusionBundle.load(_folder_of(fusion, settings.fusion)),
        None if fmri is None else Bundle.load(_folder_of(fmri, settings.fmri)),
    )


def _folder_of(bound: Mapping[str, str], named: str | None) -> Path:
    """Return the folder of the bundle with the hash that a session names."""
    shipped = [path.parent for path in sorted(SHIPPED.glob(f"*/{MANIFEST}"))]
    for folder in [resolve_bundle(named), *shipped] if named else shipped:
        if load_bundle(folder).sha256 == bound["sha256"]:
            return folder
    words = f"{bound['name']} {bound['version']} ({bound['sha256'][:SHORT]})"
    raise BundleError(
        f"The session is bound to bundle {words}, which is not on this machine.",
        subject=bound["name"],
        remedy="Name its folder with --bundle (FLEXION_MODELS__FUSION for a fusion bundle, FLEXION_MODELS__FMRI for "
        "one of scans), or score the session anew.",
    )


def versions() -> dict[str, str]:
    """Return what runs here: Python, ours, and the libraries that touch numbers."""
    return {"python": platform.python_version(), **{name: version(name) for name in VERSIONED}}


def absolute(path: Path) -> str:
    """Return a path that means the same to a process of another folder."""
    return str(path.expanduser().resolve())

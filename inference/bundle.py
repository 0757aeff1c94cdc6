"""Bundle: a folder with a model, its manifest and its card, trusted only after every hash was checked (law 6).

A bundle is named by the SHA-256 of its manifest's canonical JSON. The manifest holds the SHA-256 of every other file,
so that one hash stands for the whole folder. A bundle that does not fit a stream is refused with words.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acquisition import strict_json
from acquisition.plain_file import other_than_file, read_plain
from inference.errors import BundleError, BundleMismatch
from inference.image_spec import ImageSpec
from inference.manifest import REMEDY, FusionManifest, ModelManifest, SignalSpec, read_manifest

#: Bundles that ship with Flexion.
SHIPPED = Path(__file__).parent / "bundles"
#: Name of the manifest inside a bundle's folder.
MANIFEST = "manifest.json"
#: Characters of a SHA-256 that people get to read.
SHORT = 12
#: What a SHA-256 looks like.
HASH = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Named:
    """What both kinds of bundles know of themselves.

    Attributes
    ----------
    path : Path
        The folder.
    sha256 : str
        The hash of the manifest's canonical JSON, by which sessions are bound.
    """

    path: Path
    sha256: str

    @property
    def manifest(self) -> ModelManifest | FusionManifest:
        """What the bundle says of itself."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """The bundle's name."""
        return self.manifest.head.name

    @property
    def label(self) -> str:
        """Name and version, as results carry them."""
        return f"{self.name} {self.manifest.head.version}"

    @property
    def words(self) -> str:
        """Name, version and the start of the hash, for people."""
        return f"{self.label} ({self.sha256[:SHORT]})"

    def to_json(self) -> dict[str, str]:
        """Return the object that results and sessions carry: name, version, sha256, origin."""
        head = self.manifest.head
        return {"name": head.name, "version": head.version, "sha256": self.sha256, "origin": head.origin}


@dataclass(frozen=True)
class Bundle(Named):
    """A model: the ``eeg_emg`` LSTM or the ``fmri`` CNN."""

    model: ModelManifest

    @property
    def manifest(self) -> ModelManifest:
        """What the bundle says of itself."""
        return self.model

    @classmethod
    def load(cls, path: Path) -> Bundle:
        """Read the model bundle in folder ``path`` and check every hash.

        Raises
        ------
        BundleError
            If the folder, its manifest or a file cannot be trusted, or if it holds no model.
        """
        bundle = load_bundle(path)
        if not isinstance(bundle, Bundle):
            raise BundleError(
                f"{bundle.words} is a fusion bundle, expected a model.",
                subject=str(path),
                remedy="Name a bundle of kind eeg_emg or fmri.",
            )
        return bundle

    @classmethod
    def load_image(cls, path: Path) -> Bundle:
        """Read the model bundle for scans in folder ``path`` and check every hash.

        Raises
        ------
        BundleError
            As for :meth:`load`.
        BundleMismatch
            If it scores no scan.
        """
        bundle = cls.load(path)
        _ = bundle.image  # refuses one of another kind
        return bundle

    @property
    def model_path(self) -> Path:
        """The ONNX graph."""
        return self.path / "model.onnx"

    @property
    def signal(self) -> SignalSpec:
        """The stream that the bundle was trained on; only an ``eeg_emg`` bundle has one."""
        if self.model.signal is None:
            raise BundleMismatch(
                f"{self.words} is of kind {self.model.head.kind} and scores no stream.",
                subject=self.name,
                remedy="Name a bundle of kind eeg_emg.",
            )
        return self.model.signal

    @property
    def image(self) -> ImageSpec:
        """The scans that the bundle was trained on; only an ``fmri`` bundle has them."""
        if self.model.image is None:
            raise BundleMismatch(
                f"{self.words} is of kind {self.model.head.kind} and scores no scan.",
                subject=self.name,
                remedy="Name a bundle of kind fmri.",
            )
        return self.model.image

    def check(
        self,
        labels: Sequence[str],
        rate_hz: float,
        n_samples: int,
        fingerprint: str,
        mains_hz: float,
        *,
        kinds: Sequence[str] | None = None,
    ) -> None:
        """Refuse a stream that the bundle was not trained on.

        Parameters
        ----------
        labels : sequence of str
            Channels in the order of the montage.
        rate_hz : float
            Samples per second.
        n_samples : int
            Length of a window.
        fingerprint : str
            SHA-256 of the conditioning's specification.
        mains_hz : float
            Mains frequency of the session.
        kinds : sequence of str, optional
            ``eeg`` or ``emg`` per channel; not compared when left out.

        Raises
        ------
        BundleMismatch
            Names what differs, both sides and the remedy.
        """
        want = self.signal
        facts = [
            ("channels", tuple(labels), want.labels, f"Record with the montage {want.montage}"),
            ("kinds of channels", want.kinds if kinds is None else tuple(kinds), want.kinds, "Correct the montage"),
            ("rate in Hz", float(rate_hz), want.rate_hz, "Set the amplifier to that rate"),
            ("window in samples", n_samples, want.n_samples, "Leave the window's length as it is"),
            ("conditioning", fingerprint, want.fingerprint, "Leave the conditioning as it is"),
        ]
        for what, found, wanted, remedy in facts:
            if found != wanted:
                raise self._mismatch(what, _show(found), _show(wanted), remedy)
        if float(mains_hz) not in want.mains_hz:
            raise self._mismatch("mains in Hz", _show(float(mains_hz)), _show(want.mains_hz), "Set --mains to it")

    def _mismatch(self, what: str, found: str, wanted: str, remedy: str) -> BundleMismatch:
        return BundleMismatch(
            f"{what}: the stream has {found}, bundle {self.words} was trained on {wanted}.",
            subject=self.name,
            remedy=f"{remedy}, or name a bundle that was trained on this stream.",
        )


@dataclass(frozen=True)
class FusionBundle(Named):
    """Weights that make one number of two modalities."""

    fusion: FusionManifest

    @property
    def manifest(self) -> FusionManifest:
        """What the bundle says of itself."""
        return self.fusion

    @classmethod
    def load(cls, path: Path) -> FusionBundle:
        """Read the fusion bundle in folder ``path`` and check every hash.

        Raises
        ------
        BundleError
            If the folder, its manifest or a file cannot be trusted, or if it holds a model.
        """
        bundle = load_bundle(path)
        if not isinstance(bundle, FusionBundle):
            raise BundleError(
                f"{bundle.words} is a model, expected a fusion bundle.",
                subject=str(path),
                remedy="Name a bundle of kind fusion.",
            )
        return bundle


def load_bundle(path: Path) -> Bundle | FusionBundle:
    """Read the bundle in folder ``path``, of whatever kind, and check every hash.

    Raises
    ------
    BundleError
        If the folder, its manifest or a file cannot be trusted.
    """
    value = _read_json(path / MANIFEST)
    manifest = read_manifest(value, str(path / MANIFEST))
    for name, sha256 in manifest.head.files.items():
        _check_file(path / name, sha256)
    digest = sha256_of(value)
    if isinstance(manifest, FusionManifest):
        return FusionBundle(path, digest, manifest)
    return Bundle(path, digest, manifest)


def resolve_bundle(name_or_path: str | Path) -> Path:
    """Return the folder of a bundle that ships, by its name, or of any other, by its path.

    Raises
    ------
    BundleError
        If there is neither; lists those that ship.
    """
    for folder in (Path(name_or_path), SHIPPED / name_or_path):
        if (folder / MANIFEST).is_file():
            return folder
    shipped = ", ".join(sorted(path.parent.name for path in SHIPPED.glob(f"*/{MANIFEST}"))) or "none"
    raise BundleError(
        f"There is no bundle {str(name_or_path)!r}: neither a folder with a {MANIFEST} nor one that ships.",
        subject=str(name_or_path),
        remedy=f"Name a folder, or one of: {shipped}.",
    )


def canonical(value: object) -> bytes:
    """Return the one JSON text of ``value``: keys sorted, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def sha256_of(value: object) -> str:
    """Return the SHA-256 of the canonical JSON of ``value``; of a manifest, the name of its bundle."""
    return hashlib.sha256(canonical(value)).hexdigest()


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_json(path: Path) -> Any:
    try:
        return strict_json.loads(read_plain(path).decode())
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}.", subject=str(path), remedy=REMEDY) from error
    except ValueError as error:
        raise BundleError(f"{path} is not JSON: {error}.", subject=str(path), remedy=REMEDY) from error


def _check_file(path: Path, sha256: str) -> None:
    if stands := other_than_file(path):
        raise BundleError(f"{path} is {stands}, expected a file.", subject=str(path), remedy=REMEDY)
    try:
        found = sha256_of_file(path)
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}.", subject=str(path), remedy=REMEDY) from error
    if found != sha256:
        raise BundleError(
            f"{path} was changed after it was built: SHA-256 {found[:SHORT]}, its manifest says {sha256[:SHORT]}.",
            subject=str(path),
            remedy=REMEDY,
        )


def _show(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_show, value))
    if isinstance(value, float):
        return f"{value:g}"
    text = str(value)
    return text[:SHORT] if HASH.fullmatch(text) else text

"""Cache: plans on disk, each under the one machine that it was built on and for.

A plan is tied to the version of TensorRT, the GPU and its driver, so all of them and the bundle's hash make up its key.
A key that differs is never loaded: the plan is built again. What is kept was tried before; it appears under its name in
one step, so that no reader ever sees half of it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from inference.bundle import SHORT, Bundle, sha256_of, sha256_of_file
from inference.engines.tensorrt.driver import Gpu
from inference.errors import EngineUnavailable

#: Counts the ways in which plans were built; a higher one makes every older plan another's.
RECIPE = 1
#: Windows per call for which a plan is built.
BUCKETS = (1, 8, 32)
#: Where plans lie when nobody says otherwise, as the desktop's specification places what can be made again.
DEFAULT_ROOT = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "flexion" / "tensorrt"


@dataclass(frozen=True)
class PlanKey:
    """What a plan belongs to; plans of two different keys are never exchanged.

    Attributes
    ----------
    bundle_sha256 : str
        The bundle.
    version : str
        Of TensorRT.
    gpu, capability, driver : str
        As :class:`~.driver.Gpu` has them.
    buckets : tuple of int
        Windows per call, one profile each.
    recipe : int
        :data:`RECIPE`.
    """

    bundle_sha256: str
    version: str
    gpu: str
    capability: str
    driver: str
    buckets: tuple[int, ...] = BUCKETS
    recipe: int = RECIPE

    @classmethod
    def of(cls, bundle: Bundle, version: str, gpu: Gpu, buckets: Sequence[int] = BUCKETS) -> PlanKey:
        """Return the key of ``bundle`` on this machine."""
        return cls(bundle.sha256, version, gpu.name, gpu.capability, gpu.driver, tuple(buckets))

    @property
    def digest(self) -> str:
        """The name of its folder."""
        return sha256_of(asdict(self))[:32]

    @property
    def words(self) -> str:
        """For people."""
        return f"TensorRT {self.version}, {self.gpu} ({self.capability}), driver {self.driver}"


@dataclass(frozen=True)
class Plan:
    """A plan that was found whole: where it lies, and what its trial told."""

    path: Path
    facts: Mapping[str, Any]


class PlanCache:
    """A folder of plans.

    Parameters
    ----------
    root : Path
        Made when the first plan is kept.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = DEFAULT_ROOT if root is None else root

    def find(self, key: PlanKey) -> Plan:
        """Return the plan of ``key``; its bytes are those that were kept.

        Raises
        ------
        EngineUnavailable
            If there is none, or it cannot be trusted; says for what machine those are that there are.
        """
        manifest = self._manifest(self._folder(key))
        if manifest is None:
            raise self._lacking(key)
        path = self._folder(key) / str(manifest["plan"])
        if manifest["key"] != _plain(key):
            raise _unfit(path, "it was built for another machine or bundle")
        if not path.is_file() or sha256_of_file(path) != manifest["sha256"]:
            raise _unfit(path, "its bytes are not those that were tried")
        return Plan(path, manifest["facts"])

    def keep(self, key: PlanKey, plan: bytes, facts: Mapping[str, Any]) -> Plan:
        """Keep a plan that was tried; the one before it, if any, goes."""
        folder = self._folder(key)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{hashlib.sha256(plan).hexdigest()[:SHORT]}.plan"
        write_whole(path, plan)
        manifest = {"plan": path.name, "sha256": sha256_of_file(path), "key": _plain(key), "facts": facts}
        write_whole(folder / "manifest.json", json.dumps(manifest, indent=1, sort_keys=True).encode())
        for old in folder.glob("*.plan"):
            if old != path:
                old.unlink(missing_ok=True)
        return self.find(key)

    def timing(self, key: PlanKey) -> bytes:
        """Return what earlier builds of this version on this GPU measured; nothing at first."""
        path = self._timing_path(key)
        return path.read_bytes() if path.is_file() else b""

    def keep_timing(self, key: PlanKey, timing: bytes) -> None:
        """Keep what a build measured."""
        self.root.mkdir(parents=True, exist_ok=True)
        write_whole(self._timing_path(key), timing)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Let one process build at a time: two would disturb each other's timings, and do the work twice."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _folder(self, key: PlanKey) -> Path:
        return self.root / key.digest

    def _timing_path(self, key: PlanKey) -> Path:
        return self.root / f"timing-{sha256_of([key.version, key.gpu, key.capability])[:SHORT]}.cache"

    @staticmethod
    def _manifest(folder: Path) -> dict[str, Any] | None:
        path = folder / "manifest.json"
        try:
            manifest = json.loads(path.read_text("utf-8"))
            PlanKey(**manifest["key"])  # of another version of this code it has other fields
            return {name: manifest[name] for name in ("plan", "sha256", "key", "facts")}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise _unfit(path, f"it cannot be read ({error!r})") from error

    def _lacking(self, key: PlanKey) -> EngineUnavailable:
        keys = [PlanKey(**manifest["key"]) for manifest in self._manifests()]
        others = sorted({other.words for other in keys if other.bundle_sha256 == key.bundle_sha256})
        there = f" There are plans for: {'; '.join(others)}." if others else ""
        return EngineUnavailable(
            f"There is no plan of bundle {key.bundle_sha256[:SHORT]} for {key.words}.{there}",
            subject="tensorrt",
            remedy="Build it: flexion models prepare NAME --backend tensorrt.",
        )

    def _manifests(self) -> Iterator[dict[str, Any]]:
        for folder in self.root.glob("*/"):
            try:
                manifest = self._manifest(folder)
            except EngineUnavailable:  # one that cannot be read is nobody's
                continue
            if manifest is not None:
                yield manifest


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is either the old one or all of the new one, whatever happens meanwhile."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _plain(key: PlanKey) -> dict[str, Any]:
    return asdict(key) | {"buckets": list(key.buckets)}


def _unfit(path: Path, why: str) -> EngineUnavailable:
    return EngineUnavailable(
        f"The plan {path} is not used: {why}.",
        subject=str(path),
        remedy="Build it again: flexion models prepare NAME --backend tensorrt.",
    )

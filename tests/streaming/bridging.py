"""A bed for the bridge's tests: a session folder, a small chain, a recording, a scorer that hashes windows."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from acquisition.artifact import ArtifactSpec
from acquisition.chain import Chain, ChainSpec, drive
from acquisition.clock import Clock, LiveClock
from acquisition.decisions import Decision
from acquisition.identity import new_session_id
from acquisition.inlet import lsl_clock_s
from acquisition.montage import Montage, load_montage
from acquisition.recording import Marker, Recording
from acquisition.session import SessionFolder, SessionInfo
from acquisition.source import FileSource, Item, Source, own_decisions
from acquisition.tape import ResumePoint, decide, tape_of_folder
from acquisition.windowing import Window, WindowSpec
from streaming.bridge import Bridge
from streaming.committer import Committer
from streaming.connection import connect
from streaming.consumer import Consumer
from streaming.lease import Lease
from streaming.outbox import Outbox
from streaming.records import ResultRecord, WindowRecord
from streaming.scans import NO_SCANS, Scans
from streaming.sessions import Registry, SessionEntry

#: A chain whose windows and calibration are a tenth as long.
SMALL = ChainSpec(window=WindowSpec(1_000, 1_000, 400), artifact=ArtifactSpec(calibration_samples=3_000))
MONTAGE = load_montage("amp16")
BUNDLE = {"name": "hash", "version": "1", "sha256": "b" * 64, "origin": "synthetic"}


def make_recording(n_samples: int = 9_000, *, hole: int = 0, seed: int = 0) -> Recording:
    """Return noise with a 10 Hz rhythm, a marker a second, and a hole of so many samples in the middle."""
    rng = np.random.default_rng(seed)
    t = np.arange(n_samples)
    samples = rng.normal(0, 20, (n_samples, 16)) + 15 * np.sin(2 * np.pi * 10 * t / 1000)[:, None]
    stamps = 1000.0 + t / 1000.0
    stamps[n_samples // 2 :] += hole / 1000.0
    markers = tuple(Marker(1000.0 + s, "flexion" if s % 2 else "rest") for s in range(n_samples // 1000))
    labels = MONTAGE.labels
    units = ("uV",) * 16
    return Recording(
        Path("noise.xdf"), "0" * 64, "xdf", labels, units, 1000.0, samples.astype(np.float32), stamps, markers, "Noise"
    )


def make_info(**changes: Any) -> SessionInfo:
    """Return the description of a session that replays a file."""
    info = SessionInfo(
        session=new_session_id(),
        patient="P01",
        bed="B1",
        mode="replay",
        origin="recorded",
        created_utc="2026-01-01T00:00:00+00:00",
        montage=MONTAGE.to_json(),
        mains_hz=50.0,
        rate_hz=1000.0,
        fingerprint=SMALL.fingerprint,
        source={"kind": "file", "path": "noise.xdf"},
        bundles={"eeg_emg": BUNDLE},
    )
    return replace(info, **changes)


@dataclass
class Bed:
    """One session and everything around it but the bridge."""

    url: str
    folder: SessionFolder
    clock: Clock

    @classmethod
    def make(cls, url: str, data: Path, **changes: Any) -> Bed:
        return cls(url, SessionFolder.create(data, make_info(**changes)), LiveClock(lsl_clock_s))

    @property
    def session(self) -> str:
        return self.folder.info.session

    def again(self) -> Bed:
        """Return the same session as the next life finds it."""
        return Bed(self.url, SessionFolder.open(self.folder.path), self.clock)

    def new_chain(self) -> Chain:
        """Return a small chain of the session's montage that has seen nothing."""
        info = self.folder.info
        return Chain(Montage.from_json(info.montage), info.mains_hz, SMALL)

    def bridge(self, open_source: Callable[[ResumePoint, Chain], Source], scans: Scans = NO_SCANS) -> Bridge:
        info = self.folder.info
        redis = connect(self.url, "bridge")
        chain = self.new_chain()
        entry = SessionEntry(info.session, info.bed, info.patient, info.mode, info.created_utc)
        source = info.source or {}
        partner_id = (source.get("partner") or {}).get("source_id", "")
        lease = Lease(redis, info.bed or "", source.get("source_id", ""), info.session, partner_id=partner_id)
        times = {"now_s": self.clock.lsl_s, "monotonic_s": self.clock.monotonic_s}
        return Bridge(
            self.folder,
            chain,
            lambda recorder, info: Outbox(redis, entry, lease, recorder, info=info, **times),
            lambda point: open_source(point, chain),
            self.clock,
            scans,
        )

    def file_source(self, recording: Recording, decisions: Sequence[Decision] | None = None) -> FileSource:
        """Return the recording as a source that goes on where the folder ends."""
        binding = MONTAGE.bind(recording.labels, recording.units)
        given = decide(recording, MONTAGE, binding) if decisions is None else decisions
        n_samples = sum(len(part.stamps) for part in self.folder.parts())
        n_decisions = own_decisions(self.folder.decisions())
        return FileSource([recording], binding, given, n_samples=n_samples, n_decisions=n_decisions)

    def stopping_source(self, recording: Recording, stop: threading.Event, *, after: int) -> FileSource:
        """Return a source that has the bridge told to leave after so many pulls of 100 samples."""
        source = self.file_source(recording)
        source.BLOCK = 100
        pull, n = source.pull, iter(range(1, 1 << 30))

        def counted(timeout_s: float) -> list[Item]:
            if next(n) == after:
                stop.set()
            return pull(timeout_s)

        source.pull = counted  # type: ignore[method-assign]
        return source

    def replayed(self) -> tuple[Chain, list[Window]]:
        """Return a chain that the folder went through, as every reader takes it, and the windows that it made."""
        chain = self.new_chain()
        steps = drive(chain, tape_of_folder(SessionFolder.open(self.folder.path)))
        return chain, [window for step in steps for window in step.windows]

    def remade(self) -> dict[int, bytes]:
        """Return the bytes of the windows that the folder gives."""
        return {window.index: window.x_uv.tobytes() for window in self.replayed()[1]}

    def scores(self) -> dict[int, float | None]:
        """Return the logits on disk; each index must be there once."""
        lines = SessionFolder.open(self.folder.path).results()
        assert len({line["index"] for line in lines}) == len(lines)
        return {line["index"]: line["logit"] for line in lines}


def hashed(x_uv: bytes) -> float:
    """Return a logit that any change of the window's bytes changes."""
    return int.from_bytes(hashlib.sha256(x_uv).digest()[:4], "little") / 2**32


def score(record: WindowRecord) -> ResultRecord:
    """Score a window by its hash."""
    unscored = ResultRecord.unscored(record, "not_scored", "quality")
    return replace(unscored, state="scored", reason=None, logit=hashed(record.window.x_uv.tobytes()))


@contextmanager
def scoring(url: str) -> Iterator[None]:
    """Run the hashing scorer beside the test."""
    stop = threading.Event()

    def work() -> None:
        redis = connect(url, "scorer", blocking=True)
        consumer = Consumer(redis, "scorer-1", Registry(redis).to_drain)
        committer = Committer(connect(url, "scorer-commits"))
        while not stop.is_set():
            for delivery in consumer.read(0.05):
                committer.commit(delivery, score(delivery.record))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()

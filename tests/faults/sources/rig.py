"""The rig of one row: amplifiers in processes of their own, and one session on the real path from LSL to Redis.

The bridge, its source and its folder are those of ``flexion live``; only the chain is smaller (windows of 1 s after
0.4 s of settling), so that a row takes seconds.
"""

from __future__ import annotations

import os
import socket
import stat
import threading
import time
import uuid
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from acquisition.chain import Chain
from acquisition.montage import Montage
from acquisition.outlet import OutletSpec
from acquisition.source import Source
from acquisition.stream_source import StreamSource
from acquisition.tape import ResumePoint
from deploy.roles.bridge import source_of
from streaming.connection import connect
from streaming.control import Control
from tests.streaming.bridging import Bed

from .account import Account
from .amplifier import PATIENCE_S, Amplifier
from .script import LABELS, MONTAGE, RATE_HZ, Script

#: Seconds between looks at what no event tells.
LOOK_S = 0.005


class Rig:
    """Everything that a row needs.

    Parameters
    ----------
    url : str
        Of a Redis that a scorer works on.
    folder : Path
        For the session; empty.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._folder = folder
        self._stack = ExitStack()
        self._stop = threading.Event()
        self._bed: Bed | None = None
        self._chain: Chain | None = None
        self._source: Source | None = None
        self._ended: Future[int] | None = None
        self._amplifiers: list[Amplifier] = []
        #: Identity of the stream of this row.
        self.name, self.source_id = f"amp {uuid.uuid4().hex[:8]}", uuid.uuid4().hex

    def amplifiers(self, n: int) -> list[Amplifier]:
        """Return processes that stand by; before anything else, for they are forked."""
        self._amplifiers = [self._stack.enter_context(Amplifier()) for _ in range(n)]
        return self._amplifiers

    def spec(
        self, *, name: str = "", source_id: str = "", labels: tuple[str, ...] = LABELS, rate_hz: float = RATE_HZ
    ) -> OutletSpec:
        """Return what the row's stream says of itself, or what is like it."""
        kinds, units = ("misc",) * len(labels), ("uV",) * len(labels)
        return OutletSpec(name or self.name, source_id or self.source_id, labels, kinds, units, rate_hz)

    def listen(self, *, planned: int, montage: Montage = MONTAGE, **more: Any) -> None:
        """Open the session of `planned` samples, and wait until its inlet is open; ``more`` is of its source."""
        source = {"kind": "lsl", "name": self.name, "source_id": self.source_id, "hostname": socket.gethostname()}
        self._bed = Bed.make(
            self._url,
            self._folder,
            mode="live",
            origin="live",
            bed=f"B{uuid.uuid4().hex[:12]}",
            montage=montage.to_json(),
            planned_s=planned / RATE_HZ,
            source=source | {"channel_count": len(LABELS), **more},
        )
        self._run()
        self.await_state("SETTLING", "STALLED")  # open; nothing is sent yet, which may soon be told

    def _run(self) -> None:
        """Begin a life of the session's bridge."""
        assert self._bed is not None
        self._stop = stop = threading.Event()
        bridge = self._bed.bridge(self._open_source)
        pool = self._stack.enter_context(ThreadPoolExecutor(1))
        self._stack.callback(stop.set)
        self._ended = pool.submit(bridge.run, stop)

    def restart(self) -> None:
        """Leave the session to another life of the bridge, and begin that."""
        assert self._ended is not None and self._bed is not None
        self._stop.set()
        assert self._ended.result(PATIENCE_S) == 0
        self._bed, self._source = self._bed.again(), None
        self._run()

    def end(self) -> None:
        """End the session by command."""
        assert self._bed is not None
        with connect(self._url, "rig", blocking=True) as redis:
            assert Control(redis).send("stop", {"session": self._bed.session}, "rig", PATIENCE_S).ok

    def _open_source(self, point: ResumePoint, chain: Chain) -> Source:
        assert self._bed is not None
        self._chain = chain
        folder, clock = self._bed.folder, self._bed.clock
        self._source = source_of(folder, chain.montage, point, clock, settled=lambda: chain.settled)
        return self._source

    @property
    def uid(self) -> str:
        """The uid of the outlet that is listened to."""
        assert isinstance(self._source, StreamSource) and self._source.info is not None
        return self._source.info.uid

    def cut(self) -> None:
        """Break every TCP connection of this process, as a cable does: those of the inlet, for Redis has a socket."""
        for name in os.listdir("/proc/self/fd"):
            with suppress(OSError):
                if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                    with socket.socket(fileno=os.dup(int(name))) as connection:
                        if connection.family in (socket.AF_INET, socket.AF_INET6):
                            connection.shutdown(socket.SHUT_RDWR)

    def await_state(self, *states: str) -> None:
        """Wait until the source is in one of these states."""
        self._await(lambda: self._source is not None and self._source.state[0] in states, f"a source {states}")

    def await_cause(self, words: str) -> None:
        """Wait until the screen is told this of the source."""
        self._await(lambda: self._source is not None and words in self._source.state[1], f"a cause {words!r}")

    def await_sample(self, sample: int) -> None:
        """Wait until the session's grid has come so far."""
        self._await(lambda: self._chain is not None and self._chain.next_sample >= sample, f"sample {sample}")

    def wait(self, seconds: float) -> None:
        """Let time pass while the session runs: how long a fault lasts."""
        assert self._ended is not None
        futures.wait([self._ended], seconds)

    def _await(self, condition: Callable[[], bool], what: str) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert self._ended is not None
            if self._ended.done():
                self._ended.result()
                raise AssertionError(f"the session ended without {what}")
            assert time.monotonic() < deadline_s, (
                f"in vain: {what}; the source is {self._source and self._source.state}"
            )
            time.sleep(LOOK_S)

    def ended(self) -> Bed:
        """Wait for the session's end, and return the session."""
        assert self._ended is not None and self._bed is not None
        code = self._ended.result(PATIENCE_S)
        assert code == 0, f"the session ended with {code}"
        return self._bed

    def finish(self) -> Account:
        """Wait for the session's end, and return what it has to say for itself."""
        bed = self.ended()
        return Account.of(bed, [(amp.script, amp.sent) for amp in self._amplifiers if amp.script is not None])

    def run(self, script: Script, *, planned: int, montage: Montage = MONTAGE) -> Account:
        """Send a script through a session from its first sample on."""
        (amplifier,) = self.amplifiers(1)
        amplifier.open(self.spec())
        self.listen(planned=planned, montage=montage)
        amplifier.play(script)
        return self.finish()

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

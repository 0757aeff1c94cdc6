"""An amplifier: a process that offers a stream as it is told, so that it can be killed, frozen and started again.

It is forked before anything of LSL lives in this process (LSL does not survive a fork), stands by, and dies with it.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from acquisition.inlet import lsl_clock_s
from acquisition.outlet import OutletSpec, SignalOutlet
from tests.conformance.amplifier import Counting

from .script import CHUNK, Script

#: From <linux/prctl.h>.
_PR_SET_PDEATHSIG = 1
_CONTEXT = multiprocessing.get_context("fork")
#: Seconds after which an amplifier that does not do as it is told never will; the machine may be busy.
PATIENCE_S = 30.0


class Amplifier:
    """The handle of an amplifier's process; use as a context manager."""

    def __init__(self) -> None:
        self._pipe, theirs = _CONTEXT.Pipe()
        #: Rows that went out, or are on their way: counted before each push, so that a kill leaves no row uncounted.
        self._sent = _CONTEXT.RawValue("q", 0)
        self._process = _CONTEXT.Process(target=_serve, args=(theirs, self._sent, os.getpid()))
        self._process.start()
        theirs.close()
        #: What it was told to send; ``sent`` says how much of it went out.
        self.script: Script | None = None

    @property
    def sent(self) -> int:
        """How many rows of its script went out at most."""
        return int(self._sent.value)

    def open(self, spec: OutletSpec) -> None:
        """Offer a stream."""
        self._ask("open", spec)

    def play(self, script: Script, origin_s: float | None = None) -> float:
        """Begin to send, and return the moment from which the script counts, on the LSL clock.

        Parameters
        ----------
        script : Script
            What to send; what was due before now is left out where `origin_s` is given.
        origin_s : float, optional
            That moment, where an earlier amplifier's count goes on; now by default.
        """
        now_s = lsl_clock_s()
        if origin_s is not None:
            script = script.since(now_s - origin_s)
        self.script = script
        origin_s = now_s if origin_s is None else origin_s
        self._ask("play", (script, origin_s))
        return origin_s

    def heard(self) -> bool:
        """Tell whether somebody has an inlet of its stream, and send no more."""
        return bool(self._ask("heard", None))

    def kill(self) -> None:
        """End the process as a crash does."""
        self._process.kill()
        self._process.join()

    def freeze(self) -> None:
        """Stop the process; its connections stay up."""
        os.kill(self._pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on; what is due by now goes out at once."""
        os.kill(self._pid, signal.SIGCONT)

    @property
    def _pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def _ask(self, verb: str, what: Any) -> Any:
        self._pipe.send((verb, what))
        assert self._pipe.poll(PATIENCE_S), f"the amplifier does not {verb}"
        return self._pipe.recv()

    def __enter__(self) -> Amplifier:
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()
        self._pipe.close()


def _serve(pipe: Connection, sent: Any, parent: int) -> None:
    """Do as told until the other end is gone."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return
    verb, spec = pipe.recv()
    assert verb == "open", verb
    with Counting(spec) as outlet:
        pipe.send(None)
        while True:
            verb, what = pipe.recv()
            pipe.send(outlet.heard())
            if verb == "play":
                _play(outlet, *what, sent, pipe.poll)


def _play(outlet: SignalOutlet, script: Script, origin_s: float, sent: Any, stop: Callable[[], bool]) -> None:
    """Send each chunk when its last sample is taken; what is overdue goes out at once, its stamps as they were."""
    for first in range(0, len(script.samples), CHUNK):
        if stop():
            return
        rows = slice(first, first + CHUNK)
        time.sleep(max(0.0, origin_s + float(script.due_s[rows][-1]) - lsl_clock_s()))
        sent.value = min(first + CHUNK, len(script.samples))
        outlet.push(np.ascontiguousarray(script.samples[rows]), origin_s + script.stamps_s[rows])

"""A bridge that kills itself at a chosen write, in a process of its own: a crash at any moment can be tried."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from acquisition.clock import LiveClock
from acquisition.inlet import lsl_clock_s
from acquisition.session import SessionFolder
from tests.streaming.bridging import Bed, make_recording

#: Samples of the recording, with a hole in the middle; and of the hole.
N_SAMPLES, HOLE = 7_400, 300
#: What changes the record.
DEEDS = ("write", "replace", "rename")
#: Seconds that one life may take on a busy machine.
LIFE_S = 60.0

# Processes come from a server that has no threads: a fork of this one might inherit a lock that nobody gives back.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


def live(url: str, path: Path, deed: int | None, torn: bool) -> int | None:
    """Run one life of a session in a process; it dies at its n-th deed, if it comes to that. Return its exit code."""
    process = _CONTEXT.Process(target=_live, args=(url, path, deed, torn))
    process.start()
    process.join(LIFE_S)
    if process.is_alive():
        process.kill()
        raise AssertionError(f"a life that dies at deed {deed} does not end")
    return process.exitcode


def _live(url: str, path: Path, deed: int | None, torn: bool) -> None:
    if deed is not None:
        _die_at(deed, torn)
    bed = Bed(url, SessionFolder.open(path), LiveClock(lsl_clock_s))
    recording = make_recording(N_SAMPLES, hole=HOLE)
    # The folder is read when the source is opened: recovered by then.
    raise SystemExit(bed.bridge(lambda point, chain: bed.file_source(recording)).run(threading.Event()))


def _die_at(deed: int, torn: bool) -> None:
    """Count what changes the record, and die right before the n-th deed, or in the middle of it if it is a write."""
    numbers = count()

    def watched(act: Callable[..., Any]) -> Callable[..., Any]:
        def do(*args: Any, **kwargs: Any) -> Any:
            if next(numbers) == deed:
                if torn and act is write:
                    write(args[0], args[1][: len(args[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return act(*args, **kwargs)

        return do

    write = os.write
    for name in DEEDS:
        setattr(os, name, watched(getattr(os, name)))

"""A GPU that is none: memory with a limit, streams whose work waits until somebody synchronises, errors that stay.

It is shared by the stand-ins of torch and tensorrt. Faults come as JSON in ``STANDIN_FAULTS``, so that child processes
have them too; a test sets the variable and imports the stand-ins afresh.
"""

from __future__ import annotations

import itertools
import json
import os
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

#: Which faults the device has; see the stand-ins for what each does.
faults: dict[str, Any] = json.loads(os.environ.get("STANDIN_FAULTS", "{}"))
#: Its name; plans for another are refused.
gpu = os.environ.get("STANDIN_GPU", "Stand-in GPU")
#: All of its memory, and how much is taken.
memory_bytes: int = faults.get("memory_bytes", 1 << 30)
taken_bytes = 0
#: What it died of; every call says so from then on.
dead_of = ""
streams: dict[int, Stream] = {}
_handles = itertools.count(1000)


class Stream:
    """Work in its order, done when somebody waits for it."""

    def __init__(self) -> None:
        self.handle = next(_handles)
        self.waiting: list[Callable[[], None]] = []
        self.captured: list[Callable[[], None]] | None = None
        self.spoilt = False
        streams[self.handle] = self

    def enqueue(self, work: Callable[[], None]) -> None:
        """Take work, or note it where a graph is captured."""
        (self.waiting if self.captured is None else self.captured).append(work)

    def synchronize(self) -> None:
        """Do the work."""
        if self.captured is not None:
            self.spoilt = True
            raise RuntimeError("CUDA error: operation not permitted when stream is capturing")
        while self.waiting and not dead_of:
            self.waiting.pop(0)()
        check()


def check() -> None:
    """Say what the device died of."""
    if dead_of:
        raise RuntimeError(f"CUDA error: {dead_of}\nCUDA kernel errors might be asynchronously reported")


def die(cause: str) -> None:
    """Die, for good."""
    global dead_of
    dead_of = cause


def allocate(n_bytes: int) -> np.ndarray:
    """Return device memory of that many bytes, aligned as a GPU's is; None where there is not so much."""
    global taken_bytes
    if taken_bytes + n_bytes > memory_bytes:
        raise MemoryError(n_bytes)
    taken_bytes += n_bytes
    whole = np.full(n_bytes + 512, 0xCD, np.uint8)  # what lies in fresh memory is not zero
    begin = -whole.ctypes.data % 512
    block = whole[begin : begin + n_bytes]
    weakref.finalize(whole, _free, n_bytes)
    return block


def _free(n_bytes: int) -> None:
    global taken_bytes
    taken_bytes -= n_bytes

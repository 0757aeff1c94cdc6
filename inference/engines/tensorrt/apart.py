"""Apart: what may kill a process is done in one of its own: building a plan, and loading it for the first time.

A plan of the wrong kind, a driver that does not fit or a fault of a builder ends the process without an exception; a
lock-up never ends it. A child tells what it found in a file, its end is judged by whoever waits for it, and what did
not come through here is never loaded by a scorer. The child is ``python -m inference.engines.tensorrt.apart TASK``.
"""

from __future__ import annotations

import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from acquisition.errors import FlexionError
from inference.bundle import Bundle
from inference.engines.inputs import window_shape
from inference.engines.parity import PROVING_SET, golden_window
from inference.engines.tensorrt.building import build_plan, tensor_shape
from inference.engines.tensorrt.driver import Gpu
from inference.engines.tensorrt.engine import TensorrtEngine
from inference.engines.tensorrt.lane import Lane
from inference.engines.tensorrt.library import listener, tensorrt_library
from inference.engines.tensorrt.proof import prove, serving
from inference.errors import BundleError, EngineUnavailable

#: Seconds that a build and a trial may take; both end long before on a machine that is well.
BUILD_S, TRY_S = 900.0, 300.0
#: Runs by which a lane is timed, after those that warmed it.
TIMED = 20


def build_apart(bundle: Bundle, folder: Path, buckets: Sequence[int], timing: bytes, limit_s: float = BUILD_S) -> None:
    """Build ``plan`` and ``timing`` in ``folder``.

    Raises
    ------
    BundleError, EngineUnavailable
        As :func:`~.building.build_plan`, or if the child died or did not end.
    """
    (folder / "timing").write_bytes(timing)
    _do("build", bundle, folder, buckets, limit_s)


def try_apart(bundle: Bundle, folder: Path, buckets: Sequence[int], gpu: Gpu, limit_s: float = TRY_S) -> dict[str, Any]:
    """Load ``plan`` in ``folder``, prove and time its lanes, and return ``lanes``, ``serving`` and ``logits``.

    Raises
    ------
    BundleError, EngineUnavailable
        If it cannot be loaded or run, or if the child died or did not end.
    """
    return _do("try", bundle, folder, buckets, limit_s, gpu=asdict(gpu))


def _do(work: str, bundle: Bundle, folder: Path, buckets: Sequence[int], limit_s: float, **more: Any) -> dict[str, Any]:
    task, told = folder / "task.json", folder / "told.json"
    told.unlink(missing_ok=True)
    what = {"work": work, "bundle": str(bundle.path), "buckets": list(buckets), **more}
    task.write_text(json.dumps(what), "utf-8")
    command = [sys.executable, "-m", "inference.engines.tensorrt.apart", str(task)]
    with tempfile.TemporaryFile() as words:
        try:
            code = subprocess.run(command, stdout=words, stderr=words, timeout=limit_s, check=False).returncode
        except subprocess.TimeoutExpired as error:
            raise _failed(work, bundle, f"it did not end within {limit_s:g} s") from error
        if code != 0 or not told.is_file():
            raise _failed(work, bundle, _end(code, words))
    answer: dict[str, Any] = json.loads(told.read_text("utf-8"))
    if "error" in answer:
        raise _as_error(answer["error"])
    return answer


def _end(code: int, words: Any) -> str:
    words.seek(0)
    last = words.read().decode("utf-8", "replace").strip().splitlines()[-1:] or ["nothing"]
    how = f"it was ended by {signal.Signals(-code).name}" if code < 0 else f"it ended with code {code}"
    return f"{how}; the last that it said was {last[0]!r}"


def _failed(work: str, bundle: Bundle, why: str) -> EngineUnavailable:
    doing = {"build": "Building a plan", "try": "Trying the plan"}[work]
    return EngineUnavailable(
        f"{doing} of {bundle.words} failed in its own process: {why}.",
        subject=bundle.name,
        remedy="See whether driver, TensorRT and GPU go together, or name another engine.",
    )


def _as_error(told: Mapping[str, str]) -> FlexionError:
    kind = BundleError if told["kind"] == BundleError.kind else EngineUnavailable
    return kind(told["message"], subject=told["subject"], remedy=told["remedy"])


# The child


def main(task_path: str) -> None:
    """Do one task and tell what came of it."""
    folder = Path(task_path).parent
    task = json.loads(Path(task_path).read_text("utf-8"))
    try:
        told = WORKS[task["work"]](Bundle.load(Path(task["bundle"])), folder, task)
    except FlexionError as error:
        told = {"error": error.as_refusal()}
    (folder / "told.json").write_text(json.dumps(told), "utf-8")


def _build(bundle: Bundle, folder: Path, task: Mapping[str, Any]) -> dict[str, Any]:
    trt = tensorrt_library()
    built = build_plan(trt, listener(trt), bundle, task["buckets"], (folder / "timing").read_bytes())
    (folder / "plan").write_bytes(built.plan)
    (folder / "timing").write_bytes(built.timing)
    return {}


def _try(bundle: Bundle, folder: Path, task: Mapping[str, Any]) -> dict[str, Any]:
    gpu, buckets = Gpu(**task["gpu"]), task["buckets"]
    engine = TensorrtEngine(tensorrt_library(), bundle, (folder / "plan").read_bytes(), gpu, buckets, buckets)
    eager_ms = [_median_ms(lane, bundle) for lane in engine.lanes]
    engine.warmup()
    proofs = prove(engine.lanes, bundle.model)
    lanes = [
        asdict(proof)
        | {"eager_because": lane.eager_because, "eager_ms": ms, "ms": _median_ms(lane, bundle)}
        | {"working_bytes": lane.working_bytes, "buffer_bytes": lane.buffer_bytes}
        for lane, proof, ms in zip(engine.lanes, proofs, eager_ms, strict=True)
    ]
    may = serving(proofs)
    served = [lane for lane in engine.lanes if lane.bucket in may]
    return {"lanes": lanes, "serving": list(may), "logits": _logits(served[-1], bundle) if served else []}


def _logits(lane: Lane, bundle: Bundle) -> list[float]:
    """Return the logits of the proving set, one window at a time."""
    shape = window_shape(bundle.model.inputs[0])
    windows = (golden_window(window, seed, shape) for window, seed in PROVING_SET)
    return [float(lane.run(x[np.newaxis])["logit"][0]) for x in windows]


def _median_ms(lane: Lane, bundle: Bundle) -> float:
    """Return what one call with a full bucket takes, copies included."""
    [tensor] = bundle.model.inputs
    x = np.resize(golden_window("noise", 0, window_shape(tensor)), tensor_shape(tensor, lane.bucket))
    lane.run(x)
    times = []
    for _ in range(TIMED):
        begun = time.perf_counter()
        lane.run(x)
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1000.0


#: What a child can do.
WORKS: dict[str, Callable[[Bundle, Path, Mapping[str, Any]], dict[str, Any]]] = {"build": _build, "try": _try}

if __name__ == "__main__":
    main(sys.argv[1])

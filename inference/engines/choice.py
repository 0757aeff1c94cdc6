"""Choice: the ordered list of backends; the first that can runs, and whatever was passed over is said.

A fallback happens only here, before an engine serves. It is never silent: the engine's ``info.degraded`` travels with
every result. A running engine that fails is not exchanged inside its process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inference.bundle import Bundle
from inference.engines.engine import Engine
from inference.engines.ort import PROVIDERS, OrtEngine
from inference.errors import EngineUnavailable

#: The backend that every machine has.
DEFAULT_ORDER = ("onnxruntime-cpu",)


@dataclass(frozen=True)
class Choice:
    """An open engine, and why the backends before it in the list do not run."""

    engine: Engine
    passed_over: tuple[str, ...]


def choose(bundle: Bundle, order: Sequence[str] = DEFAULT_ORDER) -> Choice:
    """Open the first backend of ``order`` that runs ``bundle`` on this machine.

    Raises
    ------
    EngineUnavailable
        If none does, or if a name is unknown; says why for each.
    BundleError
        If the model itself cannot be run.
    """
    passed_over: list[str] = []
    for backend in order:
        _check_name(backend)
        try:
            return Choice(OrtEngine(bundle, backend, degraded=bool(passed_over)), tuple(passed_over))
        except EngineUnavailable as error:
            passed_over.append(error.message)
    raise EngineUnavailable(
        f"No engine of the list ({', '.join(order) or 'empty'}) runs {bundle.words}. {' '.join(passed_over)}".rstrip(),
        subject=bundle.name,
        remedy="Put onnxruntime-cpu into the list of engines: every machine has it.",
    )


def open_engine(bundle: Bundle, order: Sequence[str] = DEFAULT_ORDER) -> Engine:
    """Return the first engine of ``order`` that runs ``bundle``, warm and checked.

    Raises
    ------
    EngineUnavailable
        If none runs it, or if the one that runs fails its self-check: it must not serve.
    """
    engine = choose(bundle, order).engine
    engine.warmup()
    found = engine.selfcheck()
    if not found.ok:
        engine.close()
        raise EngineUnavailable(
            f"{engine.info.backend} failed its self-check on {bundle.words}: {'; '.join(found.problems)}.",
            subject=bundle.name,
            remedy="Name another engine, or build the bundle again; flexion models verify shows the figures.",
        )
    return engine


def _check_name(backend: str) -> None:
    if backend not in PROVIDERS:
        raise EngineUnavailable(
            f"There is no engine {backend!r}.", subject=backend, remedy=f"Name one of: {', '.join(PROVIDERS)}."
        )

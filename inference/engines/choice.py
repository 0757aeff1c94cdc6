"""Choice: the ordered list of backends; the first that can runs, and whatever was passed over is said.

A fallback happens only here, before an engine serves. It is never silent: the engine's ``info.degraded`` travels with
every result. A running engine that fails is not exchanged inside its process: an error that is raised while a backend
runs its first windows ends the choice, since nothing in the process may be trusted after it.

An engine is degraded when it is not the first of a list that somebody wrote. ``auto`` is no such wish: it is what this
machine has. There a backend that is passed over because the machine lacks it (no GPU, its library not installed)
degrades nothing; one that was there and failed does. Either way ``passed_over`` says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from inference.bundle import Bundle
from inference.engines.engine import Engine
from inference.engines.parity import Parity, settle
from inference.engines.registry import AUTO, AUTO_ORDER, ON_GPU, be_there, check_name, open_backend
from inference.engines.tensorrt.driver import find_gpu
from inference.errors import EngineAbsent, EngineUnavailable

#: The backend that every machine has.
DEFAULT_ORDER = ("onnxruntime-cpu",)


@dataclass(frozen=True)
class Choice:
    """An engine that may serve.

    Attributes
    ----------
    engine : Engine
        Warm, and past its golden windows.
    found : Parity
        What its self-check has found so far.
    further : iterator of Parity
        The batches that its self-check has still to try; none where it was run to its end.
    passed_over : tuple of str
        Why the backends before it in the list do not run.
    """

    engine: Engine
    found: Parity
    further: Iterator[Parity]
    passed_over: tuple[str, ...]


def choose(
    bundle: Bundle, order: Sequence[str] = DEFAULT_ORDER, *, spare_gpu: bool = False, at_once: bool = False
) -> Choice:
    """Open the first backend of ``order`` that runs ``bundle`` on this machine and passes its self-check.

    Parameters
    ----------
    bundle : Bundle
        The model.
    order : sequence of str
        Backends, first choice first.
    spare_gpu : bool
        Leave the GPU to another scorer; what that passes over is judged as if it had failed, where there is a GPU.
    at_once : bool
        Whether an engine of a core is wanted as soon as it may serve, one window at a time, its batches tried later.

    Raises
    ------
    UnknownEngine
        If a name is no engine's, wherever it stands in the list.
    EngineUnavailable
        If none does; says why for each.
    EngineError
        If a backend fails while it runs its first windows.
    BundleError
        If the model itself cannot be run.
    """
    for name in order:
        if name != AUTO:
            check_name(name)
    passed_over: list[str] = []
    degraded = False
    for backend, wanted in _expanded(order):
        try:
            if spare_gpu and backend in ON_GPU:
                raise _left_to_another(backend)
            engine = open_backend(bundle, backend, degraded=degraded)
            found, further = _checked(bundle, engine, at_once=at_once and backend not in ON_GPU)
            return Choice(engine, found, further, tuple(passed_over))
        except EngineUnavailable as error:
            passed_over.append(str(error))
            degraded = degraded or wanted or not isinstance(error, EngineAbsent)
    raise EngineUnavailable(
        f"No engine of the list ({', '.join(order) or 'empty'}) runs {bundle.words}. {' '.join(passed_over)}".rstrip(),
        subject=bundle.name,
        remedy="Put onnxruntime-cpu into the list of engines: every machine has it. "
        "flexion models verify shows the figures.",
    )


def open_engine(bundle: Bundle, order: Sequence[str] = DEFAULT_ORDER, *, spare_gpu: bool = False) -> Engine:
    """Return the first engine of ``order`` that runs ``bundle``, warm and checked; raises as :func:`choose` does."""
    return choose(bundle, order, spare_gpu=spare_gpu).engine


def shares_gpu(order: Sequence[str]) -> bool:
    """Return whether a list names engines of a GPU and others, so that one scorer may have the GPU and others wait."""
    names = {backend for backend, _ in _expanded(order)}
    return bool(names & set(ON_GPU)) and bool(names - set(ON_GPU))


def _expanded(order: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Yield each backend once, and whether somebody asked for it by its name."""
    seen: set[str] = set()
    for name in order:
        for backend in AUTO_ORDER if name == AUTO else (name,):
            if backend not in seen:
                seen.add(backend)
                yield backend, name != AUTO


def _left_to_another(backend: str) -> EngineUnavailable:
    """Return why a backend is passed over by a scorer that waits; where the machine lacks it, that is the reason."""
    try:
        gpu = find_gpu()
        be_there(backend)
    except EngineUnavailable as error:
        return error
    return EngineUnavailable(
        f"{backend} is left to the scorer that has the {gpu.name}.", subject=backend, remedy="This one waits beside it."
    )


def _checked(bundle: Bundle, engine: Engine, *, at_once: bool) -> tuple[Parity, Iterator[Parity]]:
    """Return what an engine's self-check has found, and what is left of it."""
    engine.warmup()
    checks = engine.selfcheck()
    found = next(checks) if at_once else settle(checks)
    if not found.ok:
        engine.close()
        raise EngineUnavailable(
            f"{engine.info.backend} failed its self-check on {bundle.words}: {'; '.join(found.problems)}.",
            subject=bundle.name,
            remedy="Name another engine, or build the bundle again; flexion models verify shows the figures.",
        )
    return found, checks

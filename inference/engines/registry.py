"""Registry: every backend by its name, and how it is opened; its module is imported when it is asked for, not before.

A scorer starts on a machine that has none of torch, OpenVINO and TensorRT. A backend enters with one line in
:data:`BACKENDS` and one module of its own, which

- imports its library at its top: where that fails, the backend is absent here, and the import's own words are said;
- has a class or function, called as ``open(bundle, name, degraded=False)``, that gives an
  :class:`~inference.engines.engine.Engine`. It raises :class:`~inference.errors.EngineAbsent` where the machine has not
  what it needs (no GPU, no driver), :class:`~inference.errors.EngineUnavailable` where that is there and failed, and
  :class:`~inference.errors.BundleError` where the model itself cannot be run.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

from inference.errors import EngineAbsent, UnknownEngine

if TYPE_CHECKING:  # settings check names, and start without numpy
    from inference.bundle import Bundle
    from inference.engines.engine import Engine
    from inference.engines.parity import Run

#: The name that stands for :data:`AUTO_ORDER`.
AUTO = "auto"
#: Backends that run on a GPU: one scorer has it, and an error of it ends that scorer.
ON_GPU = ("tensorrt", "onnxruntime-cuda")
#: What ``auto`` tries: the GPU by either library, then the core that every machine has.
AUTO_ORDER = ("tensorrt", "onnxruntime-cuda", "onnxruntime-cpu")


@dataclass(frozen=True)
class Backend:
    """Where a backend lies.

    Parameters
    ----------
    module, opener : str
        What opens an engine, and the module that has it.
    remedy : str
        What a machine needs that cannot import the module.
    looker : str
        Module whose ``be_there`` tells of a backend of a GPU whether its library is installed, without loading it.
    maker : str
        Module whose ``prepare`` builds a bundle for this machine; empty where nothing has to be built.
    """

    module: str
    opener: str
    remedy: str
    looker: str = ""
    maker: str = ""

    def load(self, name: str) -> Callable[..., Engine]:
        """Return what opens an engine; imports the module.

        Raises
        ------
        EngineAbsent
            If a library that the module imports is not installed here or cannot be loaded.
        """
        try:
            return cast("Callable[..., Engine]", getattr(import_module(self.module), self.opener))
        except (ImportError, OSError) as error:
            raise EngineAbsent(
                f"{name} cannot be loaded on this machine: {error}.", subject=name, remedy=self.remedy
            ) from error


_ORT = Backend(
    "inference.engines.ort",
    "OrtEngine",
    "Install Flexion again: ONNX Runtime comes with it.",
    looker="inference.engines.ort",
)
#: Backends by name.
BACKENDS = {
    "tensorrt": Backend(
        "inference.engines.tensorrt.engine",
        "open_tensorrt",
        "Install flexion[gpu].",
        looker="inference.engines.tensorrt.library",
        maker="inference.engines.tensorrt.preparing",
    ),
    "onnxruntime-cuda": _ORT,
    "onnxruntime-cpu": _ORT,
    "openvino": Backend("inference.engines.openvino_engine", "OpenvinoEngine", "Install flexion[openvino]."),
    "torch": Backend("inference.engines.torch_engine", "TorchEngine", "Install torch and onnx."),
}


def open_backend(bundle: Bundle, name: str, *, degraded: bool = False) -> Engine:
    """Open ``bundle`` with the backend ``name``; neither warm nor checked yet.

    Raises
    ------
    UnknownEngine
        If there is no such backend.
    EngineUnavailable
        If this machine cannot run it.
    BundleError
        If the model itself cannot be run.
    """
    check_name(name)
    return BACKENDS[name].load(name)(bundle, name, degraded=degraded)


def make_ready(bundle: Bundle, name: str, exact: Run) -> None:
    """Build what the backend ``name``, or each of ``auto``, needs to run ``bundle`` here; one that is absent, not.

    Parameters
    ----------
    bundle : Bundle
        The model.
    name : str
        Of a backend, or ``auto``.
    exact : callable
        The model in float64; what is built is kept only if it agrees.

    Raises
    ------
    UnknownEngine
        If there is no such backend.
    EngineUnavailable
        If a backend is there and its build fails.
    """
    for backend in AUTO_ORDER if name == AUTO else (name,):
        check_name(backend)
        maker = BACKENDS[backend].maker
        with suppress(EngineAbsent):
            if maker:
                import_module(maker).prepare(bundle, exact=exact)


def be_there(name: str) -> None:
    """Refuse a backend of a GPU whose library this machine does not have; nothing is loaded or opened.

    Raises
    ------
    EngineAbsent
        Says what is not installed.
    """
    import_module(BACKENDS[name].looker).be_there(name)


def check_name(name: str) -> None:
    """Refuse a name that is no backend's; ``auto`` is a list of them.

    Raises
    ------
    UnknownEngine
        Lists the names.
    """
    if name not in BACKENDS:
        raise UnknownEngine(
            f"There is no engine {name!r}.", subject=name, remedy=f"Name one of: {AUTO}, {', '.join(BACKENDS)}."
        )

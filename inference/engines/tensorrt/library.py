"""Library: the ``tensorrt`` module of 10.x or 11.x, and a logger that keeps what it says.

TensorRT tells why something failed in its log alone: a plan of another version and a full memory are both a None.
"""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from inference.errors import EngineAbsent, EngineUnavailable

#: The first version whose contexts take memory with its size, and the first major one that was not looked at.
OLDEST, BEYOND = (10, 1), (12, 0)


def tensorrt_library() -> Any:
    """Return the ``tensorrt`` module.

    Raises
    ------
    EngineAbsent
        If it is not installed.
    EngineUnavailable
        If it is installed and cannot be loaded, or is of a version that this code does not know.
    """
    try:
        trt = import_module("tensorrt")
    except ModuleNotFoundError as error:
        raise _not_installed(str(error)) from error
    except (ImportError, OSError) as error:
        raise EngineUnavailable(
            f"TensorRT is installed, but its libraries cannot be loaded: {error}.",
            subject="tensorrt",
            remedy="Install the libraries of the same version as its Python package.",
        ) from error
    _check_version(trt.__version__)
    return trt


def be_there(backend: str) -> None:
    """Refuse a machine on which TensorRT is not installed, without loading it.

    Raises
    ------
    EngineAbsent
        If it is not.
    """
    if find_spec("tensorrt") is None:
        raise _not_installed("no module of that name")


def listener(trt: Any) -> Any:
    """Return a logger that keeps errors; ``heard()`` gives them as one text and forgets them."""
    severities = (trt.ILogger.Severity.INTERNAL_ERROR, trt.ILogger.Severity.ERROR)

    class Listener(trt.ILogger):  # type: ignore[misc]  # its base is known at run time alone
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self._errors: list[str] = []

        def log(self, severity: Any, msg: str) -> None:
            if severity in severities:
                self._errors.append(msg.strip().rstrip("."))

        def heard(self) -> str:
            said, self._errors = "; ".join(self._errors), []
            return said or "it gave no reason"

    return Listener()


def _not_installed(why: str) -> EngineAbsent:
    return EngineAbsent(
        f"TensorRT is not installed here: {why}.",
        subject="tensorrt",
        remedy="Install flexion[gpu], or name another engine.",
    )


def _check_version(version: str) -> None:
    if not OLDEST <= _numbers(version) < BEYOND:
        raise EngineUnavailable(
            f"TensorRT {version} is installed, {_words(OLDEST)} or later and before {_words(BEYOND)} is needed.",
            subject="tensorrt",
            remedy="Install flexion[gpu], which names a version that fits.",
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def _words(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))

"""First weights: those published for ImageNet, those of another file, or random ones; which it was is never in doubt.

Nothing is downloaded: a hospital's machine may not reach the publisher, and a file that a person put there is checked
all the same, by its digest where the publisher gave one and by the name and shape of every tensor.
"""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import load_file
from torch import Tensor

from inference.bundle import sha256_of_file
from training.backbones.catalogue import Architecture
from training.backbones.library import load
from training.errors import WeightsError

#: Names the folder of published weights.
VARIABLE = "FLEXION_WEIGHTS"
#: Where it is otherwise.
DEFAULT_FOLDER = Path("~/.cache/flexion/weights")
#: Counts of batches, which nothing is computed from and older files lack.
COUNTER = "num_batches_tracked"
#: What a file holds that was written by safetensors, not by torch.
SAFETENSORS = ".safetensors"


@dataclass(frozen=True)
class Weights:
    """Which first weights are wanted.

    Parameters
    ----------
    choice : {"none", "imagenet", "file"}
        Random ones, the published ones, or those of `path`.
    path : Path, optional
        For ``file``: a state dict with the library's names, as ``.pth`` or ``.safetensors``.
    """

    choice: Literal["none", "imagenet", "file"] = "none"
    path: Path | None = None

    @classmethod
    def of(cls, text: str) -> Weights:
        """Read what a command or a configuration says: ``imagenet``, ``none`` or a path."""
        if text == "imagenet":
            return cls("imagenet")
        return cls() if text == "none" else cls("file", Path(text))

    def __str__(self) -> str:
        return str(self.path) if self.path is not None else self.choice


@dataclass(frozen=True)
class Initialised:
    """Which first weights a network had; travels with everything that it becomes.

    Attributes
    ----------
    how : {"random", "imagenet", "file"}
    file : str or None
        Name of the file, without its folder.
    sha256 : str or None
        Of its bytes.
    """

    how: Literal["random", "imagenet", "file"]
    file: str | None = None
    sha256: str | None = None

    def __str__(self) -> str:
        return self.how if self.file is None else f"{self.how}, {self.file} ({(self.sha256 or '')[:12]})"

    def to_json(self) -> dict[str, str | None]:
        """Return plain values."""
        return asdict(self)


def read_weights(weights: Weights, architecture: Architecture) -> tuple[dict[str, Tensor], Initialised]:
    """Return the tensors of a network's body, and where they are from; no tensors for random weights.

    Parameters
    ----------
    weights : Weights
        Which are wanted.
    architecture : Architecture
        For which network.

    Returns
    -------
    dict of str to Tensor
        By the names of the network's library; without the classifier.
    Initialised

    Raises
    ------
    WeightsError
        If the file is missing, cannot be read, is not the published one or is of another network.
    """
    if weights.choice == "none":
        return {}, Initialised("random")
    path = published_path(architecture) if weights.path is None else weights.path
    if not path.is_file():
        raise _missing(weights, architecture, path)
    sha256 = sha256_of_file(path)
    if weights.choice == "imagenet" and not sha256.startswith(architecture.published.sha256_prefix):
        raise WeightsError(
            f"{path} is not what was published under this name: its SHA-256 begins with "
            f"{sha256[:12]}, expected {architecture.published.sha256_prefix}.",
            subject=str(path),
            remedy=f"Take it again from {architecture.published.address}, or name it: --weights {path}",
        )
    state = body_of(_renamed(_read(path), architecture), architecture)
    if digest(state) != architecture.published.tensors:
        raise WeightsError(
            f"{path} holds {len(state)} tensors that are not those of {architecture.words} "
            f"({architecture.library} {architecture.model}): a name or a shape differs.",
            subject=str(path),
            remedy=f"Name a state dict of {architecture.model}, such as {architecture.published.address}",
        )
    return state, Initialised(weights.choice, path.name, sha256)


def published_path(architecture: Architecture) -> Path:
    """Return where the published weights of a network are looked for."""
    return weights_folder() / architecture.published.file


def weights_folder() -> Path:
    """Return the folder of published weights, from the environment or the user's cache."""
    return Path(os.environ.get(VARIABLE) or DEFAULT_FOLDER).expanduser()


def body_of(state: Mapping[str, Tensor], architecture: Architecture) -> dict[str, Tensor]:
    """Return the tensors of a state dict that do not belong to the classifier."""
    return {name: value for name, value in state.items() if not name.startswith(f"{architecture.classifier}.")}


def digest(state: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 over names and shapes of a state dict, counters left out."""
    lines = sorted(f"{name} {tuple(value.shape)}\n" for name, value in state.items() if not name.endswith(COUNTER))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _read(path: Path) -> dict[str, Tensor]:
    try:
        state = load_file(path) if path.suffix == SAFETENSORS else _load_torch(path)
    except Exception as error:  # both let through whatever their parts raise on bytes that are no file of theirs
        raise _unreadable(path, f"cannot be read ({type(error).__name__})") from error
    if not isinstance(state, dict) or not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise _unreadable(path, "holds no state dict, which is tensors by their names")
    return state


def _load_torch(path: Path) -> Any:
    return torch.load(path, map_location="cpu", weights_only=True)


def _renamed(state: dict[str, Tensor], architecture: Architecture) -> dict[str, Tensor]:
    """Return the tensors by the names of the network's library, where they were published by another's."""
    if not architecture.renamed_by:
        return state
    load(architecture.library)
    renamed: dict[str, Tensor] = importlib.import_module(architecture.renamed_by)._filter_fn(state)
    return renamed


def _missing(weights: Weights, architecture: Architecture, path: Path) -> WeightsError:
    if weights.choice == "file":
        message = f"There are no weights at {path}."
        return WeightsError(message, subject=str(path), remedy="Name a file, or: --weights none")
    published = architecture.published
    return WeightsError(
        f"The published weights of {architecture.words} are not on this machine; nothing is downloaded.",
        subject=str(path),
        remedy=f"Put {published.address} at {path} ({VARIABLE} names another folder), or: --weights none",
    )


def _unreadable(path: Path, what: str) -> WeightsError:
    remedy = "Take the file again, or name a .pth or .safetensors that holds a state dict."
    return WeightsError(f"{path} {what}.", subject=str(path), remedy=remedy)

"""What training needs beyond the bedside: said before anything is imported, with the one line that installs it."""

from __future__ import annotations

from importlib.util import find_spec

from acquisition.errors import BadEnvironment

#: What the extra ``training`` installs, by the names that are imported.
LIBRARIES = (
    "jinja2",
    "matplotlib",
    "nibabel",
    "onnx",
    "safetensors",
    "sklearn",
    "timm",
    "torch",
    "torchvision",
)


def need_training() -> None:
    """Refuse where a library of training is missing.

    Raises
    ------
    BadEnvironment
        Names what is missing.
    """
    missing = [library for library in LIBRARIES if find_spec(library) is None]
    if missing:
        message = f"Training and evaluation need {', '.join(missing)}, which this machine lacks."
        raise BadEnvironment(message, subject=missing[0], remedy="Install it: pip install 'flexion[training]'")

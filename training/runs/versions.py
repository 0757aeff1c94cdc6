"""What a run was made with: the code, the libraries that touch numbers, and the machine, none of it naming a path."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType
from typing import Any

#: Ours, and the libraries whose version may change a figure.
LIBRARIES = (
    "flexion",
    "numpy",
    "scipy",
    "scikit-learn",
    "torch",
    "timm",
    "torchvision",
    "onnx",
    "onnxruntime",
    "nibabel",
)
#: The folder that holds our packages, and ``.git`` where they run from a checkout.
ROOT = Path(__file__).resolve().parents[2]
#: Where Linux names the processor.
CPUINFO = Path("/proc/cpuinfo")


def versions() -> Mapping[str, str]:
    """Return the version of Python and of each library that is installed."""
    found = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return MappingProxyType(found)


def git_id(root: Path = ROOT) -> str | None:
    """Return the commit that runs, with ``-dirty`` behind it where files differ from it.

    None where the code runs from no checkout (then its version says what it is), or git is not installed.
    """
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def host() -> dict[str, Any]:
    """Return what kind of machine this is; neither its name nor a path of it."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
    }


def _processor() -> str:
    lines = CPUINFO.read_text("utf-8").splitlines() if CPUINFO.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()

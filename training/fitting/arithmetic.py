"""Arithmetic: on what torch computes and how, so that the same fit gives the same bits on one machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from training.errors import TrainingError


@contextmanager
def arithmetic(device: str, *, tf32: bool = False) -> Iterator[torch.device]:
    """Let torch compute deterministically inside the block; afterwards all is as before.

    It draws from a generator of its own, and has one thread: a sum that several share depends on how many they are.

    Parameters
    ----------
    device : str
        ``auto`` takes a GPU if there is one.
    tf32 : bool
        Whether a GPU may round products to 10 bits.

    Raises
    ------
    TrainingError
        If a GPU is named that torch does not find.
    """
    # cuBLAS is deterministic only with a workspace of its own, and reads this when it starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before, threads = torch.get_deterministic_debug_mode(), torch.get_num_threads()
    memory: Any = torch.utils.deterministic
    fills = memory.fill_uninitialized_memory
    rounding = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    try:
        # What torch.use_deterministic_algorithms does, less the compiler that it imports: seconds in each process.
        torch.set_deterministic_debug_mode("error")
        # It also fills fresh memory with NaN, to find who reads it: for raw samples twice the memory.
        memory.fill_uninitialized_memory = False
        torch.set_num_threads(1)
        _round(tf32, tf32)
        with torch.random.fork_rng():
            yield device_of(device)
    finally:
        torch.set_deterministic_debug_mode(before)
        memory.fill_uninitialized_memory = fills
        torch.set_num_threads(threads)
        _round(*rounding)


def _round(products: bool, convolutions: bool) -> None:
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = products, convolutions


def device_of(name: str) -> torch.device:
    """Return the device of that name; raises as ``arithmetic`` does."""
    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return torch.device("cuda" if n_gpus else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= n_gpus:
        found = f"{n_gpus} GPU{'s' * (n_gpus > 1)}" if n_gpus else "no GPU"
        raise TrainingError(
            f"fit.device is {name}, and torch finds {found} here.", subject=name, remedy='Set fit.device = "auto".'
        )
    return device

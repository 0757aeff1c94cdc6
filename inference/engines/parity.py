"""Parity: golden windows that any machine can make by itself, and the check that an engine passes before it serves.

Class A: an engine gives the same bits twice, and the same bits for a window whatever its batch is (law 1).
Class B: the logits of the golden windows are the manifest's, within its ``parity.logit_atol``. Logits are compared, not
probabilities: near 0.5 a probability hides a logit's error by a factor of four.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.engines.inputs import window_shape
from inference.errors import BundleError
from inference.manifest import REMEDY, Golden, TensorSpec

Run = Callable[[Mapping[str, NDArray[Any]]], Mapping[str, NDArray[np.float32]]]

#: Samples for which `hold` keeps a value: change that is slow against a step of the model.
HOLD_SAMPLES = 50
#: How much louder than a golden window its neighbours are: what leaks between rows of a batch leaks visibly.
LOUD = np.float32(50.0)
#: Batches that a core serves, each of which is tried; of larger ones the largest is.
SMALL = (2, 3, 4)
#: The golden windows of a bundle that ships: broad noise, slow noise, silence, and one impulse at each end (what a
#: recurrent net makes of the first is memory, of the last is none).
GOLDEN_SET = (
    ("noise", 0),
    ("noise", 1),
    ("noise", 2),
    ("hold", 3),
    ("hold", 4),
    ("zeros", 0),
    ("impulse-first", 0),
    ("impulse-last", 0),
)
#: Those on which an engine is proven against float64 when it is built: beside them what patients and electrodes do.
#: Bundles carry no logits of the further ones, and a scorer's start does not wait for them.
PROVING_SET = (*GOLDEN_SET, ("rhythm", 5), ("flat", 6), ("saturated", 7))
#: Samples of one turn of the rhythm in a real-like window, 10 Hz; and of each of its bursts and of the rest after it.
RHYTHM_SAMPLES, BURST_SAMPLES = 100, 500


@dataclass(frozen=True)
class Parity:
    """What a self-check found.

    Attributes
    ----------
    repeatable : bool
        The same bits in two runs.
    batch_invariant : bool
        The same bits alone, in any slot and beside any neighbours.
    largest : float
        Largest difference from a golden logit; 0 when the manifest has none.
    problems : tuple of str
        What is wrong, in words; empty when the engine may serve. A batch that changes bits is no problem by itself:
        such an engine runs one window at a time.
    """

    repeatable: bool
    batch_invariant: bool
    largest: float
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the engine may serve."""
        return not self.problems


def golden_window(window: str, seed: int, shape: Sequence[int]) -> NDArray[np.float32]:
    """Return one golden window, the same bits on every machine.

    Only the frozen generator ``RandomState`` and single IEEE operations are used: no sums, no transcendental function.

    Parameters
    ----------
    window : str
        ``noise``; ``hold``, slow noise; ``zeros``; ``impulse-first`` and ``impulse-last``; ``rhythm``, a swelling 10 Hz
        rhythm under bursts of noise; ``flat``, noise with every second channel silent; ``saturated``, noise that sits
        at either rail.
    seed : int
        Of the noise.
    shape : sequence of int
        Of one window, ``(n_samples, n_channels)``; for slices ``(3, 224, 224)``.

    Returns
    -------
    ndarray, shape ``shape``, float32
        Mean 0 and deviation 1 for the noises, as the z-score leaves a window.

    Raises
    ------
    BundleError
        If there is no such window.
    """
    if window == "zeros":
        return np.zeros(shape, np.float32)
    if window in ("impulse-first", "impulse-last"):
        impulse = np.zeros(shape, np.float32)
        # The z-score of a lone impulse among n samples is the square root of n.
        impulse[0 if window == "impulse-first" else -1] = np.float32(shape[0] ** 0.5)
        return impulse
    noise: NDArray[np.float64] = (np.random.RandomState(seed).random_sample(shape) - 0.5) * 12.0**0.5
    if window == "noise":
        return noise.astype(np.float32)
    held = noise[np.arange(shape[0]) // HOLD_SAMPLES]
    if window == "hold":
        return held.astype(np.float32)
    if window == "rhythm":
        return _rhythm(noise, held).astype(np.float32)
    if window == "flat":
        noise[..., 1::2] = 0.0
        return noise.astype(np.float32)
    if window == "saturated":
        return np.where(held < 0.0, -1.0, 1.0).astype(np.float32)
    raise BundleError(f"There is no golden window {window!r}.", subject=window, remedy=REMEDY)


def golden_logits(run: Run, tensor: TensorSpec) -> tuple[Golden, ...]:
    """Return the golden set with the logits that ``run`` finds, one window at a time; for whoever builds a bundle."""
    windows = ((window, seed, golden_window(window, seed, window_shape(tensor))) for window, seed in GOLDEN_SET)
    return tuple(Golden(w, seed, float(run({tensor.name: x[np.newaxis]})["logit"][0])) for w, seed, x in windows)


def check(run: Run, tensor: TensorSpec, golden: Sequence[Golden], logit_atol: float, max_batch: int) -> Parity:
    """Run the golden windows through an engine and say what is wrong with it.

    Parameters
    ----------
    run : callable
        The engine's ``run``.
    tensor : TensorSpec
        Its one input.
    golden : sequence of Golden
        Of the manifest. Without any, the standard set is run and no logit is compared.
    logit_atol : float
        Of the manifest.
    max_batch : int
        The largest batch to try.

    Returns
    -------
    Parity
    """
    wanted = [(g.window, g.seed) for g in golden] or GOLDEN_SET
    x = np.stack([golden_window(window, seed, window_shape(tensor)) for window, seed in wanted])
    alone = _in_batches(run, tensor.name, x, 1)
    repeatable = _same(alone, _in_batches(run, tensor.name, x, 1))
    problems = list(_faults(alone["logit"], golden, logit_atol))
    if not repeatable:
        problems.append("two runs of the same windows gave different bits")
    invariant = all(_same(alone, other) for other in _batched(run, tensor.name, x, max_batch))
    return Parity(repeatable, invariant, _largest(alone["logit"], golden), tuple(problems))


def _rhythm(noise: NDArray[np.float64], held: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a triangle of 10 Hz whose height wanders, under noise that comes in bursts, as muscles do."""
    t = np.arange(len(noise)).reshape(-1, *[1] * (noise.ndim - 1))
    turn = np.abs((t % RHYTHM_SAMPLES) / RHYTHM_SAMPLES - 0.5) * 4.0 - 1.0
    loudness = np.where((t // BURST_SAMPLES) % 2, 1.25, 0.25)
    rhythm: NDArray[np.float64] = turn * np.abs(held)
    return rhythm + noise * loudness


def _batched(
    run: Run, name: str, x: NDArray[np.float32], max_batch: int
) -> Iterable[Mapping[str, NDArray[np.float32]]]:
    """Yield the outputs of ``x`` in small batches, in reverse order, and in the largest beside loud neighbours."""
    n = len(x)
    for size in (small for small in SMALL if small <= max_batch):
        yield _in_batches(run, name, x, size)
    yield {key: value[::-1] for key, value in _in_batches(run, name, x[::-1], max_batch).items()}
    loud = np.resize(x * LOUD, (max(max_batch - n, 0), *x.shape[1:]))
    full = run({name: np.concatenate([x[:max_batch], loud])})
    yield {key: value[:n] for key, value in full.items()}


def _in_batches(run: Run, name: str, x: NDArray[np.float32], size: int) -> dict[str, NDArray[np.float32]]:
    parts = [run({name: np.ascontiguousarray(x[i : i + size])}) for i in range(0, len(x), size)]
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def _same(one: Mapping[str, NDArray[np.float32]], other: Mapping[str, NDArray[np.float32]]) -> bool:
    n = min(len(value) for value in other.values())
    return all(one[key][:n].tobytes() == other[key][:n].tobytes() for key in one)


def _faults(logits: NDArray[np.float32], golden: Sequence[Golden], atol: float) -> Iterable[str]:
    if not np.isfinite(logits).all():
        yield "a golden window gave a logit that is not finite"
    for g, logit in zip(golden, logits, strict=False):
        if not abs(float(logit) - g.logit) <= atol:
            yield f"golden window {g.window} {g.seed}: logit {float(logit):.9g}, expected {g.logit:.9g} within {atol:g}"


def _largest(logits: NDArray[np.float32], golden: Sequence[Golden]) -> float:
    return max((abs(float(logit) - g.logit) for g, logit in zip(golden, logits, strict=False)), default=0.0)

"""Parity: golden windows that any machine can make by itself, and the check that an engine passes before it serves.

Class A: an engine gives the same bits twice, and the same bits for a window whatever its batch is (law 1).
Class B: the logits of the golden windows are the manifest's, within its ``parity.logit_atol``. Logits are compared, not
probabilities: near 0.5 a probability hides a logit's error by a factor of four.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
#: What is wrong with an engine that cannot be trusted with one window.
OTHER_BITS = "two runs of the same window gave different bits"
#: Samples of one turn of the rhythm in a real-like window, 10 Hz; and of each of its bursts and of the rest after it.
RHYTHM_SAMPLES, BURST_SAMPLES = 100, 500


@dataclass(frozen=True)
class Parity:
    """What a self-check has found so far.

    Attributes
    ----------
    repeatable : bool
        The same bits in two runs of every golden window; False until that was shown.
    batch_invariant : bool
        The same bits alone, in every slot, and beside other and loud neighbours, in every batch that was to be tried;
        False until that was shown.
    max_batch : int
        Most windows in a batch that was shown to change no bit; 1 until then, and for good once one did.
    largest : float
        Largest difference from a golden logit; 0 when the manifest has none.
    problems : tuple of str
        What is wrong, in words; empty while the engine may serve. A batch that changes bits is no problem by itself:
        such an engine runs one window at a time.
    """

    repeatable: bool
    batch_invariant: bool
    max_batch: int
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


def check(
    run: Run, tensor: TensorSpec, golden: Sequence[Golden], logit_atol: float, max_batch: int
) -> Iterator[Parity]:
    """Run the golden windows through an engine, one batch after the other, and say each time what is known of it.

    The first answer comes when every window was run alone, and one of them twice: from then on the engine may serve, a
    window at a time. The further ones come after one batch each, so that whoever serves can do so in between.

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

    Yields
    ------
    Parity
        The last one is the verdict.
    """
    wanted = [(g.window, g.seed) for g in golden] or GOLDEN_SET
    x = np.stack([golden_window(window, seed, window_shape(tensor)) for window, seed in wanted])
    parts = [run({tensor.name: window[np.newaxis]}) for window in x]
    alone = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    problems = list(_faults(alone["logit"], golden, logit_atol))
    if not _same(alone, run({tensor.name: x[:1]}), [0]):
        problems.append(OTHER_BITS)
    found = Parity(False, False, 1, _largest(alone["logit"], golden), tuple(problems))
    yield found
    for size, batches in trials(len(x), max_batch) if found.ok else ():
        for n_tried, rows in enumerate(batches, 1):
            if not _same(alone, run({tensor.name: np.stack([x[i] if i >= 0 else x[~i] * LOUD for i in rows])}), rows):
                yield replace(found, max_batch=1, problems=(OTHER_BITS,) if size == 1 else ())
                return
            if n_tried == len(batches):
                found = replace(found, repeatable=True, max_batch=size)
            yield found
    if found.ok:
        yield replace(found, batch_invariant=True)


def trials(n: int, largest: int) -> Iterator[tuple[int, list[list[int]]]]:
    """Yield the sizes of batches that are tried, the smallest first, and the rows of each batch.

    At each size every golden window stands among others, in the order of the set or reversed, and some beside loud
    neighbours in every slot.

    A row is the index of a golden window, or its complement for a loud neighbour, of whose result nothing is asked.

    >>> list(trials(3, 2))
    [(1, [[0], [1], [2]]), (2, [[2, 1], [0], [2, -1], [-3, 0]])]
    """
    order = list(range(n))
    yield 1, _cut(order, 1)
    for size in sorted({*SMALL, largest}):
        if 1 < size <= largest:
            batches = _cut(order[::-1] if size in (largest, SMALL[-1]) else order, size)
            # Beside loud neighbours in either half of the slots, each size with other windows.
            row = [(size + slot) % n for slot in range(size)]
            batches += [[i if slot % 2 == half else ~i for slot, i in enumerate(row)] for half in (0, 1)]
            yield size, batches


def settle(checks: Iterable[Parity]) -> Parity:
    """Run a self-check to its end and return the verdict."""
    *_, found = checks
    return found


def _rhythm(noise: NDArray[np.float64], held: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a triangle of 10 Hz whose height wanders, under noise that comes in bursts, as muscles do."""
    t = np.arange(len(noise)).reshape(-1, *[1] * (noise.ndim - 1))
    turn = np.abs((t % RHYTHM_SAMPLES) / RHYTHM_SAMPLES - 0.5) * 4.0 - 1.0
    loudness = np.where((t // BURST_SAMPLES) % 2, 1.25, 0.25)
    rhythm: NDArray[np.float64] = turn * np.abs(held)
    return rhythm + noise * loudness


def _cut(rows: list[int], size: int) -> list[list[int]]:
    return [rows[i : i + size] for i in range(0, len(rows), size)]


def _same(
    alone: Mapping[str, NDArray[np.float32]], found: Mapping[str, NDArray[np.float32]], rows: Sequence[int]
) -> bool:
    """Return whether each golden window of a batch has the bits that it has alone."""
    return all(
        values[i].tobytes() == found[key][slot].tobytes()
        for key, values in alone.items()
        for slot, i in enumerate(rows)
        if i >= 0
    )


def _faults(logits: NDArray[np.float32], golden: Sequence[Golden], atol: float) -> Iterable[str]:
    if not np.isfinite(logits).all():
        yield "a golden window gave a logit that is not finite"
    for g, logit in zip(golden, logits, strict=False):
        if not abs(float(logit) - g.logit) <= atol:
            yield f"golden window {g.window} {g.seed}: logit {float(logit):.9g}, expected {g.logit:.9g} within {atol:g}"


def _largest(logits: NDArray[np.float32], golden: Sequence[Golden]) -> float:
    return max((abs(float(logit) - g.logit) for g, logit in zip(golden, logits, strict=False)), default=0.0)

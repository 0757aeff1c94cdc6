"""The figures of docs/fmri.md: how far preparation can be trusted on simulated heads, and what it takes of a machine.

``python -m tests.conformance.fmri_figures`` prints them; it takes a minute or two.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from acquisition.simulator import Patient
from inference.fmri.mask import brain_mask
from inference.fmri.motion import SPHERE_MM, HeadMotion, framewise_displacement
from inference.fmri.slices import screen
from tests.inference.fmri.test_motion import SPEC, seen
from training.simulated.bold import volumes, write_scan
from training.simulated.phantom import Phantom, ScanSpec
from training.simulated.sites import sites_of

#: Heads whose mask is compared; moves, and the spread of their shifts in mm and turns in radians.
N_HEADS, N_MOVES, SPREAD_MM, SPREAD_RAD = 40, 40, 1.0, 0.015
#: How often the whole of preparation is timed.
N_TIMES = 5
#: What is timed, in a process of its own: imports included.
TIMED = """
import resource, sys, time
began = time.perf_counter()
from pathlib import Path
from inference.fmri.preparation import PreparationSpec, prepare
prepare(Path(sys.argv[1]), PreparationSpec(recipe=sys.argv[2]))
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime, time.perf_counter() - began, used.ru_maxrss / 1024)
"""


def masks() -> Iterator[str]:
    """Yield how far masks are the simulated brains, and how many slices count."""
    dice, counted, spec = [], [], ScanSpec(n_volumes=1)
    for seed in range(N_HEADS):
        patient = Patient(float(np.random.default_rng(seed).normal()), seed, effect=1.0)
        truth = Phantom.of(patient, spec).brain > 0.5
        mask = brain_mask(next(volumes(patient, sites_of(seed, 1)[0], spec)).astype(np.float32), spec.voxel_mm)
        dice.append(2 * (mask & truth).sum() / (mask.sum() + truth.sum()))
        counted.append(len(screen(mask, 0.5)))
    yield f"| brain mask beside the truth, {N_HEADS} heads: Dice | {np.median(dice):.3f} (least {min(dice):.3f}) |"
    yield f"| slices that count, of 35 | {np.median(counted):.0f} ({min(counted)} to {max(counted)}) |"


def moves() -> Iterator[str]:
    """Yield how far the moves that are found lie from the true ones."""
    head = np.asarray(900 * Phantom.of(Patient(0.0, 1), SPEC).signal, np.float64)
    follower, rng = HeadMotion(seen(head, np.zeros(6), 0), SPEC.voxel_mm), np.random.default_rng(0)
    spread = np.array([SPREAD_MM] * 3 + [SPREAD_RAD] * 3)
    true = rng.normal(0, spread, (N_MOVES, 6))
    off = np.abs(np.stack([follower.push(seen(head, one, seed)) for seed, one in enumerate(true, 1)]) - true)
    still = np.stack([follower.push(seen(head, np.zeros(6), seed)) for seed in range(100, 120)])
    shift, turn = off[:, :3], SPHERE_MM * off[:, 3:]
    what = f"{N_MOVES} moves of {SPREAD_MM:g} mm and {SPREAD_RAD:g} rad (standard deviation)"
    yield f"| {what}: error of a shift | {np.median(shift):.2f} mm (largest {shift.max():.2f}) |"
    yield f"| error of a turn, on a sphere of 50 mm | {np.median(turn):.2f} mm (largest {turn.max():.2f}) |"
    yield f"| framewise displacement of a head that is still | {framewise_displacement(still).mean():.2f} mm |"


def takes(folder: Path) -> Iterator[str]:
    """Yield time and memory of preparing a whole scan, in processes of their own on one thread."""
    path = folder / "sub-1_bold.nii.gz"
    write_scan(path, Patient(0.0, 1, effect=1.0), sites_of(1, 1)[0], ScanSpec())
    for recipe in ("mean", "functional"):
        command = [sys.executable, "-c", TIMED, str(path), recipe]
        found = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(N_TIMES)]
        cpu_s, wall_s, mb = np.median([[float(x) for x in re.split(r"\s+", one.strip())] for one in found], axis=0)
        what = f"recipe `{recipe}`, 64 x 64 x 35 x 120, {path.stat().st_size / 1e6:.0f} MB packed"
        yield f"| {what} | {cpu_s:.1f} s CPU, {wall_s:.1f} s wall, {mb:.0f} MB at the peak |"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for line in (*masks(), *moves(), *takes(Path(folder))):
            print(line, flush=True)

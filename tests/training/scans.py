"""Small simulated scans beside the recordings of a small cohort, and patients of made-up slices without a scan."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from inference.fmri.parameters import ScanParameters
from inference.fmri.preparation import PreparationSpec
from inference.fmri.quality import Quality
from tests.once import once
from tests.training.cohorts import SMALL
from training.cohort.cohort import Cohort
from training.data.slices import PatientSlices, prepare_slices
from training.simulated.bold import write_scan
from training.simulated.phantom import ScanSpec
from training.simulated.roster import roster_of
from training.simulated.synth import scan_of

#: A whole head in few voxels, and few volumes of it.
TINY = ScanSpec(shape=(24, 24, 18), voxel_mm=(9.0, 9.0, 8.0), n_volumes=26)
#: Share of the widest layer that a slice of them must have: five or six of a scan do; with four it would be refused.
SCREEN_SHARE = 0.85
#: Pixels of an edge of a made-up slice: the least that all five networks take and leave more than one cell.
SIZE = 64


@pytest.fixture(scope="session")
def scanned_cohort(small_cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the small cohort with a tiny scan of every patient; whoever writes more than ``derivatives`` copies it.

    Its slices are prepared, and kept there: once for all workers of a run.
    """

    def make(folder: Path) -> None:
        cohort = shutil.copytree(small_cohort, folder / "cohort")
        for member in roster_of(SMALL):
            path = scan_of(cohort, member)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_scan(path, member.patient, member.site, TINY)
        prepare_slices(Cohort.open(cohort), PreparationSpec(screen_share=SCREEN_SHARE))

    return once(tmp_path_factory, "scanned", make) / "cohort"


def patient(seed: int, shift: float = 0.0, n: int = 3) -> PatientSlices:
    """Return a patient of random slices; a good outcome brightens a corner of them."""
    rng = np.random.default_rng(seed)
    fma = float(np.round(rng.uniform(2, 32)))
    slices = 0.5 * rng.standard_normal((n, 3, SIZE, SIZE)).astype(np.float32)
    slices[:, :, : SIZE // 2, : SIZE // 2] += shift * (fma > 17)
    return PatientSlices(
        patient=f"{seed:04d}",
        good=fma > 17,
        fma=fma,
        index=np.arange(4, 4 + n),
        level_mm=np.arange(n) * 4.0,
        slices=slices,
        quality=Quality(0.1, 0.2, 60.0, 1.0, 1400.0, 115, n, (), ()),
        parameters=ScanParameters((220.0, 220.0), (64, 64), 35, 2.0, 4.0, 120, (3.4375, 3.4375, 4.0)),
        fingerprint="0123456789abcdef",
        scan_sha256=f"{seed:064d}",
        origin="synthetic",
    )


def patients(n: int, first_seed: int, shift: float = 0.0, n_slices: int = 3) -> list[PatientSlices]:
    """Return several; the first `n` seeds from `first_seed` on."""
    return [patient(seed, shift, n_slices) for seed in range(first_seed, first_seed + n)]

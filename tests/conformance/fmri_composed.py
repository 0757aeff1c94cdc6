"""A scan composed from real anatomy: a CT template's brain with a patient's real lesion, on a scanner's voxels.

The shape of brain and lesion is real; contrast, noise and time are not. No whole real scan is among the shared ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from scipy import ndimage

from tests.inference.fmri import heads

TEMPLATE, LESION = "nifti-stroke-lesions/betsct1_unsmooth.nii.gz", "nifti-stroke-lesions/M2095_lesion.nii.gz"
#: A scanner's voxels, and where the middle of its field lies in the template's mm.
SHAPE, VOXEL_MM, MIDDLE_MM = (64, 64, 35), (3.4375, 3.4375, 4.0), (0.0, -18.0, 5.0)
#: Counts of the brain and of air; how much brighter the lesion is.
BRAIN, AIR, BRIGHTER = 800.0, 12.0, 0.5


def write(folder: Path, shared: Path, n_volumes: int) -> Path:
    """Write the scan, columns to the left as converters of DICOM do, and return its path."""
    affine = np.diag([-1.0, 1.0, 1.0, 1.0]) @ heads.affine(SHAPE, VOXEL_MM)
    affine[:3, 3] += MIDDLE_MM
    brain, lesion = (_seen(nibabel.load(shared / name), affine) for name in (TEMPLATE, LESION))
    still = AIR + BRAIN * brain / np.median(brain[brain > brain.max() / 5]) * (1 + BRIGHTER * lesion)
    return heads.write(folder, heads.course(n_volumes, one=still.astype(np.float32)), affine=affine)


def _seen(image: Any, affine: np.ndarray) -> np.ndarray:
    """Return an image on the scanner's voxels, blurred as by them."""
    matrix = np.linalg.inv(image.affine) @ affine
    blurred = ndimage.gaussian_filter(image.get_fdata(), 1.5)
    return np.asarray(ndimage.affine_transform(blurred, matrix[:3, :3], matrix[:3, 3], SHAPE, order=1))

"""What to do about a file that is no scan to be used, and the refusal that says so (law 10)."""

from __future__ import annotations

from pathlib import Path

from inference.errors import ScanError

DCM2NIIX = "Convert the series from DICOM first: dcm2niix -z y FOLDER; then name the .nii.gz that it writes."
CONVERT = "Convert the series from DICOM again: dcm2niix -z y FOLDER."
SERIES = "Name the resting-state series, not a single volume or an anatomical scan."
WHOLE = "Name the resting-state series of the whole brain."


def refused(path: Path, what: str, remedy: str = CONVERT) -> ScanError:
    """Return the refusal of a file; the caller raises it.

    Parameters
    ----------
    path : Path
    what : str
        Goes on after the file's name, without a full stop.
    remedy : str
    """
    return ScanError(f"{path.name}{'' if what.startswith(':') else ' '}{what}.", subject=str(path), remedy=remedy)

"""Scan: the process of a demonstration that takes its patient to the scanner, and has the scan scored as a ward would.

The scan is simulated while the first windows come in, and scored by the very command of the bedside: the running
session takes the score from the patient's folder. At low priority: the signal does not wait for it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from threading import Event

import structlog

from acquisition.session import SessionFolder
from acquisition.simulator import Patient
from deploy import exits
from deploy.settings import Settings
from training.simulated.bold import write_scan
from training.simulated.phantom import ScanSpec
from training.simulated.sites import Site

#: Seconds from the start of this process to the scoring: PARTIAL is there to be seen before it turns PROVISIONAL.
DUE_S = 20.0
#: By how much this process steps back behind those of the signal.
NICENESS = 10
#: Seconds between looks whether the command has ended.
LOOK_S = 0.1
#: Where a gzip file says when it was packed: 4 bytes, little-endian.
PACKED_AT = 4
#: How the command is started; see :mod:`deploy.ward`.
FLEXION = (sys.executable, "-m", "deploy")

log = structlog.get_logger("scan")


def run(session: str, seed: int, recovery: float, settings: Settings, stop: Event) -> int:
    """Simulate and score the scan of a session's patient; return the command's exit code."""
    begun_s = time.monotonic()
    os.nice(NICENESS)
    info = SessionFolder.find(settings.data_dir, session).info
    with tempfile.TemporaryDirectory(prefix="flexion-scan-") as folder:
        path = Path(folder) / f"{info.patient}_bold.nii.gz"
        simulate(path, replace(Patient.draw(seed, mains_hz=info.mains_hz), recovery=recovery))
        if stop.wait(max(0.0, begun_s + DUE_S - time.monotonic())):
            return exits.OK
        return _score(path, info.patient, settings, stop)


def simulate(path: Path, patient: Patient) -> None:
    """Write the scan of a simulated patient; each one is a file of its own, since it says when it was packed."""
    site = Site("demo", patient.mains_hz, *[1.0] * 6)
    write_scan(path, patient, site, ScanSpec())
    with path.open("r+b") as file:
        file.seek(PACKED_AT)
        file.write(int(time.time()).to_bytes(4, "little"))


def _score(path: Path, patient: str, settings: Settings, stop: Event) -> int:
    """Run ``flexion fmri score`` on a scan of today, until it ends or we are told to."""
    named = ("--patient", patient, "--date", date.today().isoformat(), "--data", str(settings.data_dir))
    command = (*FLEXION, "fmri", "score", str(path), *named, "--bundle", str(settings.models.fmri))
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        if stop.wait(LOOK_S):
            process.terminate()
            process.wait()
            return exits.OK
    log.info("scan scored", patient=patient, exit=process.returncode)
    return process.returncode

"""A simulated patient's file: recovery shows in every measure of it, or with effect 0 in none of its bytes."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from acquisition.measures.conditioned import condition
from acquisition.measures.report import Report, report
from acquisition.montage import load_montage
from acquisition.paradigm import ParadigmPlan
from acquisition.reading import AS_IT_IS, decided
from acquisition.simulator import Patient
from acquisition.tape import tape_of
from training.simulated.eeg_file import SenderClock, write_recording

#: The first 4 s settle; eight trials follow.
PLAN = ParadigmPlan(still_s=4.0, n_trials=8)
AMP16 = load_montage("amp16")
#: Worst to best; the right leg is the paretic one, so that C3 and C1 lie over the lesion.
RECOVERIES = (-2.0, 0.0, 2.0)


@cache
def measured(recovery: float) -> Report:
    """Return the measures of a patient, from his file."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "sub-1_task-flexext_eeg.xdf")
        write_recording(path, Patient(recovery, seed=3), PLAN, round(PLAN.total_s), AMP16)
        recording, binding = AS_IT_IS.open(path, AMP16, None)
        decisions = decided(recording, AMP16, binding, 50.0).decisions
        return report(condition(tape_of(recording, binding, decisions), AMP16, 50.0), "right")


def values(measure: str, site: str, phase: str) -> list[float]:
    """Return one measure of each patient, worst first."""
    wanted = (measure, site, phase)
    found = [
        row.value
        for recovery in RECOVERIES
        for row in measured(recovery).measurements
        if (row.subject.measure, row.subject.site, row.subject.phase) == wanted and row.value is not None
    ]
    assert len(found) == len(RECOVERIES)
    return found


def falls(figures: list[float]) -> bool:
    """Tell whether each figure is below the one before."""
    return all(b < a for a, b in pairwise(figures))


@pytest.mark.parametrize(
    ("measure", "site", "phase", "sign"),
    [
        ("mu desynchronisation", "C3", "extension", 1),
        ("mu laterality", "C3 over C4", "extension", -1),
        ("onset latency", "BF", "flexion", 1),
        ("onset latency", "VM", "extension", 1),
        ("beta cortico-muscular coherence", "C1-VM", "extension", -1),
        ("co-contraction", "RF+VM against BF+ST", "flexion", 1),
    ],
)
def test_recovery_shows_in_every_measure_of_the_file(measure: str, site: str, phase: str, sign: int):
    """Deeper fall over the lesion, less of it opposite, earlier muscles, more coherence, less co-contraction."""
    assert falls([sign * value for value in values(measure, site, phase)])


def test_without_effect_recovery_does_not_show_in_a_single_byte_of_the_file(tmp_path: Path):
    """The null cohort is one: nothing can be learned from it, not even from clocks and headers."""
    files = []
    for name, recovery in (("a", -2.0), ("b", 2.0)):
        path = tmp_path / name / "sub-1_task-flexext_eeg.xdf"
        path.parent.mkdir()
        write_recording(path, Patient(recovery, seed=3, effect=0.0), PLAN, 6, AMP16)
        files.append({file.name: file.read_bytes() for file in path.parent.iterdir()})
    assert files[0] == files[1]
    assert sorted(files[0]) == [
        "sub-1_task-flexext_channels.tsv",
        "sub-1_task-flexext_eeg.json",
        "sub-1_task-flexext_eeg.xdf",
    ]


def test_a_marker_on_the_very_end_is_in_the_file(tmp_path: Path):
    """Nine minutes end with the last trial."""
    plan = ParadigmPlan(still_s=0.0, n_trials=1)
    path = tmp_path / "sub-1_task-flexext_eeg.xdf"
    write_recording(path, Patient(0.0, seed=3), plan, 10, AMP16)
    recording, _ = AS_IT_IS.open(path, AMP16, None)
    assert recording.markers[-1].text == "session-end"
    assert 0 < recording.markers[-1].stamp_s - recording.stamps[-1] < 0.0011


def test_stamps_do_not_depend_on_how_they_are_cut():
    """Each is counted from the first sample."""
    clock = SenderClock.of(Patient(0.0, seed=3), 1000.0)
    parts = [clock.stamps(first, 1000) for first in (0, 1000, 2000)]
    assert np.concatenate(parts).tobytes() == clock.stamps(0, 3000).tobytes()

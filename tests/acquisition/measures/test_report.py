"""The report: every measure of a session, and the simulated patient's recovery in each of them."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from acquisition.decisions import Decision
from acquisition.measures import epochs, onset
from acquisition.measures.conditioned import condition
from acquisition.measures.report import DESCRIPTIVE, Report, report
from acquisition.montage import load_montage
from acquisition.paradigm import ParadigmPlan
from acquisition.simulator import Patient, render
from acquisition.tape import Block

#: The first 4 s settle; eight trials follow.
PLAN = ParadigmPlan(still_s=4.0, n_trials=8)
AMP16 = load_montage("amp16")
#: Worst to best; the right leg is the paretic one, so that C3 and C1 lie over the lesion.
RECOVERIES = (-2.0, 0.0, 2.0)


@cache
def simulated(recovery: float) -> Report:
    """Return the report of a simulated patient, through the chain."""
    made = render(Patient(recovery, seed=3), PLAN, PLAN.total_s, AMP16)
    tape = [Decision("segment", 1, 0, 0, {"segment": 0, "first_sample": 0, "reason": "start"})]
    tape += [Decision("marker", 1, 0, 0, {"text": text, "phase": text, "sample": at}) for at, text in made.markers]
    return report(condition([*tape, Block(1, 0, made.samples.astype(np.float64))], AMP16, 50.0), "right")


def values(measure: str, site: str, phase: str) -> list[float]:
    """Return one measure of each patient, worst first; each of them has a value."""
    rows = [
        row
        for recovery in RECOVERIES
        for row in simulated(recovery).measurements
        if (row.subject.measure, row.subject.site, row.subject.phase) == (measure, site, phase)
    ]
    assert [row.missing for row in rows] == [""] * len(RECOVERIES)
    return [row.value for row in rows]


def falls(figures: list[float]) -> bool:
    """Tell whether each figure is below the one before."""
    return all(b < a for a, b in pairwise(figures))


@pytest.mark.parametrize("phase", ["flexion", "extension"])
def test_the_better_the_recovery_the_deeper_the_lesioned_side_falls(phase):
    """Mu at C3, in both movements; the other hemisphere falls less, so that laterality moves to the lesioned side."""
    assert falls(values("mu desynchronisation", "C3", phase))
    assert falls([-index for index in values("mu laterality", "C3 over C4", phase)])


def test_the_better_the_recovery_the_deeper_beta_falls():
    """Beta at C3 in extension."""
    assert falls(values("beta desynchronisation", "C3", "extension"))


@pytest.mark.parametrize(
    ("muscle", "phase"), [("BF", "flexion"), ("ST", "flexion"), ("RF", "extension"), ("VM", "extension")]
)
def test_the_better_the_recovery_the_earlier_the_muscle(muscle, phase):
    """The latency of every agonist."""
    assert falls(values("onset latency", muscle, phase))


@pytest.mark.parametrize("muscle", ["RF", "VM"])
def test_the_better_the_recovery_the_more_the_muscle_follows_the_cortex(muscle):
    """Coherence with C1, over the lesioned side's source."""
    assert falls([-c for c in values("beta cortico-muscular coherence", f"C1-{muscle}", "extension")])


@pytest.mark.parametrize("phase", ["flexion", "extension"])
def test_the_better_the_recovery_the_less_both_sides_work_against_each_other(phase):
    """Co-contraction in both movements."""
    assert falls(values("co-contraction", "RF+VM against BF+ST", phase))


def test_a_report_says_that_it_is_no_part_of_the_score():
    """The statement, the level of the intervals, the trials and all 22 measures are in the JSON."""
    made = simulated(0.0).to_json()
    assert made["statement"] == DESCRIPTIVE == "descriptive; not part of the score"
    assert (made["level"], made["trials"], made["moved_side"]) == (0.95, 8, "right")
    assert len(made["rows"]) == 22
    assert all(row["value"] is not None or row["missing"] for row in made["rows"])


def test_every_measure_and_every_reason_is_in_the_documentation():
    """docs/measures.md names each measure in a heading, and each reason for which a trial is left out."""
    page = (Path(__file__).parents[3] / "docs" / "measures.md").read_text()
    headings = [line for line in page.splitlines() if line.startswith("## ")]
    for measure in {row.subject.measure for row in simulated(0.0).measurements}:
        assert any(f"`{measure}`" in heading for heading in headings), measure
    reasons = (epochs.INCOMPLETE, epochs.SHORT, epochs.END, epochs.GAP, epochs.SETTLING, epochs.QUALITY)
    for reason in (*reasons, onset.NO_ONSET, onset.ACTIVE):
        assert f"| `{reason}` |" in page, reason

"""The report of each patient: what is missing is named, and nobody counts as similar to himself."""

from __future__ import annotations

from typing import Any

from tests.training import reports
from tests.training.evaluations import N_WINDOWS
from training.reporting.patients import HEIGHT, LEFT, RIGHT, WIDTH, Patient, patients


def rows(**changed: Any) -> list[dict[str, Any]]:
    """Return sample patients, a good one first, and some of its values set otherwise."""
    first, *others = sorted(reports.sample()["patients"], key=lambda row: -row["label"])
    return [{**first, **changed}, *others]


def first(**changed: Any) -> Patient:
    """Return the first patient's report."""
    return patients(rows(**changed))[0]


def test_a_patient_has_probability_outcome_signal_and_flags() -> None:
    """The whole report of a patient whose data are all there."""
    patient = first(p=0.7, interval=[0.5, 0.9], fma=25.0)
    assert patient.p.replace("\N{NO-BREAK SPACE}", " ") == "0.70 (0.50 to 0.90)"
    assert patient.said == "same side as the outcome"
    assert patient.outcome == "good (Fugl-Meyer 25 of 34)"
    assert patient.quality == f"{N_WINDOWS} windows, mean weight 1.00"
    assert patient.flags == ("3 windows before the artifact stage was calibrated",)
    assert patient.by_model.rows[0][0] == "lstm-bands"


def test_what_is_missing_is_named() -> None:
    """A patient without probability, score, site, windows or trace has words in their place, not zeros."""
    lacking = dict.fromkeys(("p", "interval", "fma", "site", "n_windows", "weight", "by_model", "by_windows", "flags"))
    patient = first(**lacking)
    assert (patient.p, patient.said) == ("not available (no interval)", "no probability")
    assert patient.outcome == "good (score not available)"
    assert (patient.site, patient.quality) == ("not available", "windows not counted")
    assert (patient.flags, patient.trace, patient.by_model.rows) == ((), (), ())
    assert patient.similar == "No probability, so nobody is similar."


def test_a_patient_on_the_other_side_is_said_to_be() -> None:
    """A wrong call stands in the patient's report."""
    assert first(p=0.2).said == "other side"


def test_similar_patients_are_others_with_a_like_probability() -> None:
    """Counted by hand; a handful is said to be too few."""
    table = [{**row, "p": 0.5 if number < 12 else 0.9, "label": number % 2} for number, row in enumerate(rows())]
    reports_ = patients(table)
    assert reports_[0].similar == "11 other patients of this cohort had a probability within 0.1; 6 were good."
    few = patients(table[:4])[0]
    assert few.similar.endswith("3 other patients of this cohort had a probability within 0.1; 2 were good. "
                                "Too few to say more.")  # fmt: skip


def test_a_trace_fills_its_picture() -> None:
    """The first window lies at the left end, the last at the right; a higher probability lies higher."""
    trace = first(by_windows=[{"n": 1, "p": 0.2}, {"n": 12, "p": None}, {"n": 53, "p": 0.8}]).trace
    assert [dot.n for dot in trace] == ["1", "53"]
    assert (trace[0].x, trace[1].x) == (LEFT, WIDTH - RIGHT)
    assert 0 < trace[1].y < trace[0].y < HEIGHT

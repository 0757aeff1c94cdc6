"""A split by windows finds outcomes where there are none; the same model on a split by patients does not (law 9)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from training.cohort.cohort import Cohort
from training.data.windows import PatientWindows, prepare
from training.errors import SplitError
from training.splitting.leakage import by_lot, inflation, main


@pytest.fixture(scope="module")
def windows(small_cohort: Path) -> dict[str, PatientWindows]:
    """Return the windows of the small cohort."""
    return prepare(Cohort.open(small_cohort))


def test_a_split_by_windows_inflates_the_figure(windows: dict[str, PatientWindows]):
    """Outcomes are dealt by lot: patients are known again by their windows, and nothing else is there to be learned."""
    by_windows, by_patients = inflation(windows)
    assert by_windows > 0.8
    assert abs(by_patients - 0.5) < 0.1


def test_lots_keep_the_number_of_good_outcomes():
    """They are the same outcomes, of other patients, and the same for the same seed."""
    labels = {f"{i:02d}": i < 5 for i in range(12)}
    dealt = by_lot(labels, 0)
    assert dealt != labels
    assert dealt == by_lot(dict(reversed(labels.items())), 0)
    assert (dealt.keys(), sum(dealt.values())) == (labels.keys(), 5)


def test_the_command_prints_both_figures(small_cohort: Path, capsys: pytest.CaptureFixture[str]):
    """What the docs show."""
    main([str(small_cohort)])
    assert re.search(
        r"14 patients, \d+ windows.*\n  split by windows   0.\d\d\n  split by patients  0.\d\d\n",
        capsys.readouterr().out,
    )


def test_what_is_no_cohort_is_refused_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """With the exit code of bad input."""
    with pytest.raises(SystemExit) as refusal:
        main([str(tmp_path)])
    assert refusal.value.code == 3
    assert "participants.tsv" in capsys.readouterr().err


def test_a_cohort_of_one_outcome_is_refused(windows: dict[str, PatientWindows]):
    """There is nothing to tell apart."""
    with pytest.raises(SplitError, match="0 patients with windows have one of the outcomes, too few for 3 folds"):
        inflation({patient: own for patient, own in windows.items() if own.good})

"""What holds for many scans is said once, at the top of the cohort; the nearest to a scan is believed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inference.fmri.sidecar import read_sidecar
from tests import no_files
from training.cohort.errors import CohortError
from training.cohort.inherited import inherited, with_sidecar


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """Return a patient's scan in a cohort's folder."""
    path = tmp_path / "sub-1" / "func" / "sub-1_task-rest_bold.nii.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"a scan")
    return path


def say(path: Path, **values: object) -> None:
    """Write a sidecar."""
    path.write_text(json.dumps(values))


@pytest.mark.parametrize("kind", no_files.KINDS)
def test_a_sidecar_that_is_no_file_is_not_waited_for(tmp_path, scan, kind):
    """Whoever reads the scan says so."""
    say(tmp_path / "bold.json", RepetitionTime=3.0)
    no_files.put(kind, scan.with_name("sub-1_task-rest_bold.json"))
    assert inherited(tmp_path, scan) is None


def test_nothing_at_the_top_adds_nothing(tmp_path, scan):
    """The scan is read where it lies; so is one whose own sidecar says all that they say, or that of another task."""
    assert inherited(tmp_path, scan) is None
    say(tmp_path / "task-fingertap_bold.json", RepetitionTime=3.0)
    assert inherited(tmp_path, scan) is None
    say(scan.with_name("sub-1_task-rest_bold.json"), RepetitionTime=2.0)
    say(tmp_path / "task-rest_bold.json", RepetitionTime=2.5)
    assert inherited(tmp_path, scan) is None
    with with_sidecar(scan, None) as path:
        assert path == scan


def test_what_the_own_sidecar_lacks_is_taken_from_the_top(tmp_path, scan):
    """The task's before that of all scans, the own before both; the scan keeps its name, and nothing stays behind."""
    say(tmp_path / "bold.json", RepetitionTime=3.0, AcquisitionDate="20260101")
    say(tmp_path / "task-rest_bold.json", RepetitionTime=2.5)
    say(scan.with_name("sub-1_task-rest_bold.json"), AcquisitionDate="20260331")
    with with_sidecar(scan, inherited(tmp_path, scan)) as path:
        assert path.name == scan.name and path.read_bytes() == b"a scan"
        said = read_sidecar(path)
        assert said.tr_s == 2.5 and said.scanned_on is not None and said.scanned_on.month == 3
    assert not path.exists() and scan.exists() and len(list(scan.parent.iterdir())) == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [("{", "cannot be read"), ("[" * 100_000, "cannot be read"), ("[]", "no object"), (" " * 1_000_001, "a megabyte")],
    ids=["torn", "deep", "a list", "large"],
)
def test_a_sidecar_at_the_top_that_is_none_is_named(tmp_path, scan, content, words):
    """It would hold for everybody; one beside the scan is the reader's to tell."""
    (tmp_path / "task-rest_bold.json").write_text(content)
    with pytest.raises(CohortError, match=rf"task-rest_bold\.json .*{words}.* Mend that file"):
        inherited(tmp_path, scan)
    say(tmp_path / "task-rest_bold.json", RepetitionTime=2.5)
    scan.with_name("sub-1_task-rest_bold.json").write_text(content)
    assert inherited(tmp_path, scan) is None

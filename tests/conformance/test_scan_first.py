"""A scan that came before its session: the number of both, in every way of scoring; and what is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from inference.bundle import Bundle
from tests.deploy import bundles
from tests.deploy.recordings import write_xdf
from tests.inference import tiny
from tests.inference.fmri import standin

pytestmark = [pytest.mark.conformance, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def named(tmp_path_factory) -> dict[str, str]:
    """Return the variables that name the three bundles."""
    return bundles.build(tmp_path_factory.mktemp("bundles"), scans=True)


@pytest.fixture(scope="module")
def place(start, tmp_path_factory, named) -> Path:
    """Return a folder with a recording of 40 s, whose data hold the scored scan of patient P-01."""
    folder = tmp_path_factory.mktemp("first")
    write_xdf(folder / "patient.xdf", 40.0)
    scan = standin.scan(folder / "sub-1_bold.nii.gz")
    whose = ("--patient", "P-01", "--date", date.today().isoformat())
    scored = start(folder, "fmri", "score", str(scan), *whose, "--json", **named).finish().object
    assert scored["probability"] is not None
    return folder


@pytest.mark.parametrize("verb", [("replay", "--speed", "max"), ("score",)], ids=["replayed", "scored"])
def test_the_scan_may_come_first(start, place, named, verb):
    """Whether through Redis or in one process: the outcome of both."""
    name, *options = verb
    result = start(place, name, "patient.xdf", *options, "--patient", "P-01", "--json", **named).finish().result
    outcome = result["outcome"]
    assert (outcome["state"], outcome["modalities"]) == ("PROVISIONAL", ["eeg_emg", "fmri"])


def test_a_fusion_of_other_models_is_refused_with_that_reason(start, place, named, tmp_path):
    """Then the number is the windows' alone, and what is missing is the fusion."""
    eeg_emg = Bundle.load(Path(named["FLEXION_MODELS__EEG_EMG"]))
    other = tiny.fused(tmp_path / "other", eeg_emg, standin.build(tmp_path / "another", version="9.0.0"))
    variables = {**named, "FLEXION_MODELS__FUSION": str(other.path)}
    whose = ("--patient", "P-01", "--json")
    outcome = start(place, "score", "patient.xdf", *whose, **variables).finish().result["outcome"]
    assert (outcome["state"], outcome["modalities"]) == ("PARTIAL", ["eeg_emg"])
    [missing] = outcome["missing"]
    assert missing["modality"] == "fusion" and "was fitted on fmri" in missing["reason"]
    assert outcome["parts"]["fmri"]["status"] == "ok" and outcome["parts"]["fmri"]["probability"] is not None

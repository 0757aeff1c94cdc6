"""Scoring in process: the same objects as at the bedside, and every refusal with its words."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from acquisition.decisions import Decision
from acquisition.errors import IdentityError, MontageError, RecordingError
from acquisition.montage import load_montage
from acquisition.session import SessionFolder
from deploy.opening import Plan
from deploy.recorded import Between
from deploy.scoring import score_file
from deploy.settings import changed
from inference.engines.choice import open_engine
from inference.errors import BundleMismatch
from inference.fmri.record import keep
from tests.conformance.result_schema import OPTIONAL, RESULT, misfits
from tests.deploy.recordings import write_xdf


@pytest.fixture
def engine(models):
    """Return an open engine."""
    engine = open_engine(models.eeg_emg)
    yield engine
    engine.close()


def test_a_recording_is_scored_and_accounted_for(recording, settings, models, engine):
    """Every sample has its place, also around a hole; nothing was published, so every window counts as it was made."""
    result = score_file(recording, settings, models, engine, patient="P7")
    assert (result["mode"], result["patient"], result["bed"], result["latency_s"]) == ("score", "P7", None, None)
    assert result["ledger"]["balanced"]
    assert (result["ledger"]["received"], result["ledger"]["declared_lost"]) == (25_000, 1_000)
    assert result["windows"] == {
        "made": 1, "published": 1, "scored": 1, "not_scored": 0, "dead_lettered": 0, "unrecorded": 0,
    }  # fmt: skip
    assert result["outcome"]["state"] == "ABSTAINED"


def test_scoring_twice_gives_the_same(recording, settings, models, engine):
    """The second time the decisions beside the file are read back (law 1)."""
    results = [score_file(recording, settings, models, engine) for _ in range(2)]
    assert recording.with_name("patient.xdf.decisions.jsonl").exists()
    for result in results:
        del result["session"]
    assert results[0] == results[1]


def test_mains_of_the_other_frequency_is_said_and_changes_no_score(settings, models, engine, tmp_path):
    """A room of 60 Hz under a notch of 50: named with its channels, in words and in the object; no bit is another."""
    path = write_xdf(tmp_path / "room.xdf", 26.0, hum_hz=60.0)
    told: list[str] = []
    result = score_file(path, settings, models, engine, tell=told.append)
    assert result["other_mains"] == {"hz": 60.0, "channels": list(load_montage("amp16").labels)}
    assert [words.split(" Hz in C3, ")[0] for words in told] == ["room.xdf: Mains of 60"]
    assert told[0].endswith(
        "this session filters 50 Hz alone. If the mains there has 60 Hz, score it with --mains 60; else something else "
        "sent it."
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("deploy.scoring.Hum.push", lambda *_: None)
        unheard = score_file(path, settings, models, engine)
    assert "other_mains" not in unheard and unheard["scores"] == result["scores"]
    assert "other_mains" not in score_file(write_xdf(tmp_path / "own.xdf", 26.0), settings, models, engine)
    assert result["scores"] and not misfits({**result}, {**RESULT, "other_mains": OPTIONAL["other_mains"]})


def test_a_session_s_folder_is_told_so_too(settings, models, engine, tmp_path):
    """Its mains was set at its start, so that only the next session can have another."""
    folder = SessionFolder.create(tmp_path, Plan(
        "live", "live", "P1", "B1", load_montage("amp16"), {"kind": "lsl"}
    ).to_info(models))  # fmt: skip
    write_xdf(folder.part_path(1), 26.0, hum_hz=60.0)
    folder.append_decision(Decision("segment", 1, 0, 0, {"segment": 0, "first_sample": 0, "reason": "start"}))
    told: list[str] = []
    assert score_file(folder.path, settings, models, engine, tell=told.append)["other_mains"]["hz"] == 60.0
    assert "start sessions there with mains 60 Hz" in told[0]


def test_a_folder_that_takes_no_file_is_said(recording, settings, models, engine, tmp_path, monkeypatch):
    """Decisions that cannot be kept live in memory, and that is said."""
    copy = shutil.copy(recording, tmp_path / "read-only.xdf")
    monkeypatch.setattr("acquisition.tape.replace_file", refuse_disk)
    told: list[str] = []
    score_file(copy, settings, models, engine, tell=told.append)
    assert told == [f"{copy}: its folder takes no file, so that its decisions are not kept beside it."]


def test_what_is_not_there_is_refused(settings, models, engine, tmp_path):
    """A path where nothing is."""
    with pytest.raises(RecordingError, match=r"There is no .*nothing\.xdf\. Name a recording or a session's folder\."):
        score_file(tmp_path / "nothing.xdf", settings, models, engine)


def test_a_montage_that_the_recording_lacks_is_refused(recording, settings, models, engine):
    """Missing channels are named, nothing is guessed (law 10)."""
    with pytest.raises(MontageError, match="FC5"):
        score_file(recording, changed(settings, {"session.montage": "eeg16"}), models, engine)


def test_a_bundle_that_does_not_fit_is_refused(recording, settings, models, engine):
    """A model that was trained on another room's mains is refused with words (law 6)."""
    signal = replace(models.eeg_emg.signal, mains_hz=(60.0,))
    bundle = replace(models.eeg_emg, model=replace(models.eeg_emg.model, signal=signal))
    with pytest.raises(BundleMismatch, match="mains in Hz: the stream has 50"):
        score_file(recording, settings, replace(models, eeg_emg=bundle), engine)


def test_a_session_keeps_its_patient(settings, models, engine):
    """A session belongs to one patient for ever."""
    plan = Plan("live", "live", "P1", "B1", load_montage("amp16"), {"kind": "lsl"})
    folder = SessionFolder.create(settings.data_dir, plan.to_info(models))
    with pytest.raises(IdentityError, match="is of patient P1, not of P2. Leave --patient out."):
        score_file(folder.path, settings, models, engine, patient="P2")


class Watching:
    """Remember what a watcher is told."""

    def __init__(self) -> None:
        self.total: tuple[int, float] | None = None
        self.reached: list[tuple[int, int]] = []

    def begins(self, n_samples, rate_hz):
        self.total = (n_samples, rate_hz)

    def reaches(self, n_samples, n_windows):
        self.reached.append((n_samples, n_windows))


def test_whoever_watches_hears_how_far_it_is(recording, settings, models, engine):
    """Every sample, in order, and the windows that they made."""
    watching = Watching()
    score_file(recording, settings, models, engine, watcher=watching)
    assert watching.total == (25_000, 1000.0)
    assert watching.reached[-1] == (25_000, 1)
    assert watching.reached == sorted(watching.reached)


def test_a_part_is_a_session_of_its_own(recording, settings, models, engine, tmp_path):
    """It says of what it is a part; what is decided in it is not kept beside the recording."""
    copy = Path(shutil.copy(recording, tmp_path / "copy.xdf"))
    result = score_file(copy, settings, models, engine, wanted=Between(1.0, 15.0))
    assert (result["replay_of"], result["excerpt"]) == ("copy.xdf", {"from_s": 1.0, "to_s": 15.0})
    assert [score["first_sample"] for score in result["scores"]] == [4_000]
    assert result["ledger"]["received"] == 14_000
    kept = read_decisions_beside(copy)
    assert score_file(copy, settings, models, engine)["windows"]["made"] == 1
    assert read_decisions_beside(copy) == kept


def test_the_patient_s_scan_is_part_of_the_outcome(recording, scan_settings, scan_models, engine):
    """What a session of that patient would take now; another patient's recording has none."""

    hashes = {"scan_sha256": "a" * 64, "bundle_sha256": scan_models.fmri.sha256}
    quality = {"slices": 20, "problems": []}
    values = {"patient": "P7", **hashes, "scanned_on": "2026-03-31", "logit": 0.9, "quality": quality}
    keep(scan_settings.data_dir, "P7", *hashes.values(), {"score.json": json.dumps(values).encode()})
    told: list[str] = []
    ours, theirs = (
        score_file(recording, scan_settings, scan_models, engine, patient=name, tell=told.append)["outcome"]
        for name in ("P7", "P8")
    )
    assert ours["parts"]["fmri"]["scanned_on"] == "2026-03-31" and ours["modalities"] == ["fmri"]
    assert theirs["parts"]["fmri"]["status"] == "absent" and not told
    (scan_settings.data_dir / "patients" / "P7" / "fmri" / ("c" * 64)).mkdir()
    score_file(recording, scan_settings, scan_models, engine, patient="P7", tell=told.append)
    assert "cannot be read" in told[0]


def test_a_scan_that_is_far_away_or_refused_is_told(recording, scan_settings, scan_models, engine):
    """A newer score of somebody else hides nothing; the day of the own one is among the reasons."""
    day = (date.today() - timedelta(days=31)).isoformat()
    quality = {"slices": 20, "problems": []}
    for patient, scan, scanned_on in (("P7", "a" * 64, day), ("P8", "b" * 64, date.today().isoformat())):
        hashes = {"scan_sha256": scan, "bundle_sha256": scan_models.fmri.sha256}
        values = {"patient": patient, **hashes, "scanned_on": scanned_on, "logit": 0.9, "quality": quality}
        keep(scan_settings.data_dir, "P7", *hashes.values(), {"score.json": json.dumps(values).encode()})
    told: list[str] = []
    outcome = score_file(recording, scan_settings, scan_models, engine, patient="P7", tell=told.append)["outcome"]
    assert outcome["parts"]["fmri"]["scan_sha256"] == "a" * 64
    assert told == ["The fMRI score is of patient P8, this session is of P7."]
    assert outcome["reasons"][-1].startswith(f"The fMRI scan of {day} is 31 days away from this session. Prefer")


def test_a_session_keeps_the_scan_that_it_held(recording, scan_settings, scan_models, engine):
    """Its own folder says which; also where the patient's folder is gone."""
    plan = Plan("demo", "simulated", "P1", "B1", load_montage("amp16"), {"kind": "lsl"})
    folder = SessionFolder.create(scan_settings.data_dir, plan.to_info(scan_models))
    shutil.copy(recording, folder.part_path(1))
    folder.append_decision(Decision("segment", 1, 0, 0, {"segment": 0, "first_sample": 0, "reason": "start"}))
    folder.append_result(
        {"patient": "P1", "scan_sha256": "d" * 64, "scanned_on": "2026-03-30", "logit": 0.2,
         "bundle_sha256": scan_models.fmri.sha256, "quality": {"slices": 19, "problems": []}}
    )  # fmt: skip
    found = score_file(folder.path, scan_settings, scan_models, engine)["outcome"]["parts"]["fmri"]
    assert (found["scan_sha256"], found["slices"], found["logit"]) == ("d" * 64, 19, 0.2)
    corrected = {**folder.results()[-1], "scanned_on": "2026-04-02"}
    hashes = (corrected["scan_sha256"], corrected["bundle_sha256"])
    keep(scan_settings.data_dir, "P1", *hashes, {"score.json": json.dumps(corrected).encode()})
    part = score_file(folder.path, scan_settings, scan_models, engine, wanted=Between(2.0, 20.0))
    assert part["outcome"]["parts"]["fmri"] == found and found["scanned_on"] == "2026-03-30"


def test_a_part_of_a_session_is_no_session_at_a_bed(recording, settings, models, engine):
    """It is of the session's patient and room, and names the session."""
    plan = Plan("demo", "simulated", "P1", "B1", load_montage("amp16"), {"kind": "lsl"})
    folder = SessionFolder.create(settings.data_dir, plan.to_info(models))
    shutil.copy(recording, folder.part_path(1))
    folder.append_decision(Decision("segment", 1, 0, 0, {"segment": 0, "first_sample": 0, "reason": "start"}))
    whole = score_file(folder.path, settings, models, engine)
    part = score_file(folder.path, settings, models, engine, wanted=Between(2.0, 20.0))
    assert (whole["session"], whole["bed"], whole["replay_of"]) == (folder.info.session, "B1", None)
    assert (part["patient"], part["bed"], part["replay_of"]) == ("P1", None, folder.info.session)
    assert part["session"] != whole["session"]
    assert part["scores"][0]["first_sample"] == 4_000


def read_decisions_beside(path):
    """Return what is kept beside a recording."""
    return path.with_name(path.name + ".decisions.jsonl").read_bytes()


def refuse_disk(path, content):
    """Be a disk that takes nothing."""
    from acquisition.errors import DiskFull

    raise DiskFull("full", subject=str(path))

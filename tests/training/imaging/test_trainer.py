"""A whole run on scans of a small cohort: what it leaves, how it goes on, what it refuses before an epoch is spent."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from inference.bundle import Bundle
from inference.errors import ScanError
from inference.fmri.preparation import PreparationSpec, Prepared, prepare
from tests.training.scans import SCREEN_SHARE
from tests.training.test_trainer import Hears, Strikes
from training.backbones.augmentation import MIRRORED
from training.backbones.backbone import build
from training.backbones.catalogue import ARCHITECTURES
from training.backbones.weights import VARIABLE
from training.cohort.cohort import Cohort
from training.cohort.errors import CohortError
from training.cohort.participants import TABLE, read_participants, write_participants
from training.errors import Interrupted, RunError, SplitError, TrainingError, WeightsError
from training.evaluation.evaluation import evaluate
from training.fitting.checkpoints import BEST
from training.imaging.rehearsal import rehearse_fmri
from training.imaging.trainer import final_network, train_fmri
from training.runs.config import load_config
from training.runs.image_config import ImageConfig, load_image_config
from training.runs.predictions import CHOSEN, read_predictions
from training.runs.run_folder import RunFolder
from training.splitting.splits import FILE_NAME
from training.trainer import train_eeg

#: The paper's one split, whose network is the final one too; one pass of two backbones over a few slices.
FLAGS = {
    "run.seed": 3,
    "split.profile": "paper",
    "split.folds": 2,
    "scan.screen_share": SCREEN_SHARE,
    "model.backbones": ("shufflenet", "ghostnet"),
    "model.weights": "none",
    "fit.epochs": 1,
    "evaluation.bootstrap": 100,
}
#: Folds and a final network of one backbone.
NESTED = FLAGS | {
    "split.profile": "nested",
    "split.repeats": 1,
    "model.backbones": ("shufflenet",),
    "fit.epochs": 2,
}


@pytest.fixture(scope="module")
def cohort(scanned_cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the cohort, as training writes its splits into it."""
    return shutil.copytree(scanned_cohort, tmp_path_factory.mktemp("trained") / "cohort")


@pytest.fixture(scope="module")
def config() -> ImageConfig:
    """Return settings of a run that takes seconds."""
    return load_image_config(None, FLAGS)


class HearsNotices(Hears):
    """Remembers what people should know, too."""

    def __init__(self) -> None:
        super().__init__()
        self.notices: list[str] = []

    def notice(self, words: str) -> None:
        self.notices.append(words)


@pytest.fixture(scope="module")
def run(cohort: Path, config: ImageConfig, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, HearsNotices]:
    """Return a run, and what was told of it."""
    hears = HearsNotices()
    return train_fmri(cohort, config, tmp_path_factory.mktemp("runs"), watcher=hears), hears


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_run_says_what_it_was_made_from(run):
    """Its record is done, synthetic, of scans; first weights and mirrored slices are told."""
    folder, hears = run
    record = folder.record
    assert (record["state"], record["origin"], record["modality"]) == ("done", "synthetic", "fmri")
    assert record["fingerprint"] == folder.image_config.preparation.fingerprint
    assert (record["cohort"]["with_scan"], record["cohort"]["patients"]) == (16, 16)
    assert {name: how["how"] for name, how in record["initialised"].items()} == {
        "shufflenet": "random", "ghostnet": "random",
    }  # fmt: skip
    assert record["training"]["slices_per_s"] > 0 and record["training"]["epochs"] == 2
    assert [name for name, _ in hears.stages] == ["Audit", "Slices", "Folds", "Baselines", "Bundle"]
    assert hears.folds == ["paper/shufflenet", "paper/ghostnet"]
    assert any(words.startswith("initialised: random (ShuffleNetV2 x1.0, GhostNet x1.0)") for words in hears.notices)
    assert any(words.startswith(MIRRORED) for words in hears.notices)
    assert set(folder.metrics()[0]) > {"fold", "epoch", "loss", "stop_loss", "slices", "slices_per_s"}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_run_on_the_paper_s_one_split_is_judged(run):
    """Most patients of it are tested by nobody, and are no lack."""
    found = evaluate(run[0], permutations=0)
    n_tested = len(run[0].splits.folds[0].test)
    assert n_tested < 16
    assert {model["name"]: model["n"] for model in found["models"]}["cnn-shufflenet"] == n_tested


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_tested_patient_is_judged_by_who_never_saw_him(run):
    """Each network has a row for each slice and one for the patient, the chosen ones and the baselines one each."""
    folder = run[0]
    rows = read_predictions(folder.predictions_path)
    (fold,) = folder.splits.folds
    for model in ("cnn-shufflenet", "cnn-ghostnet"):
        said = [row for row in rows if row.model == model]
        assert {row.patient for row in said} == set(fold.test)
        assert not {row.patient for row in said} & {*fold.train, *fold.stop}
        assert set(Counter((row.patient, row.unit, row.index) for row in said).values()) == {1}
        assert Counter(row.patient for row in said if row.unit == "patient") == Counter(fold.test)
    chosen = folder.record["choices"]["paper"]
    assert chosen["backbone"] == min(chosen["stop_losses"], key=chosen["stop_losses"].get)
    own = [
        (row.patient, row.logit) for row in rows if (row.model, row.unit) == (f"cnn-{chosen['backbone']}", "patient")
    ]
    assert [(row.patient, row.logit) for row in rows if row.model == CHOSEN] == own
    assert {row.model for row in rows} >= {"majority", "baseline-fma"} and "band-power" not in {r.model for r in rows}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_final_network_is_the_chosen_one_and_becomes_the_bundle(run):
    """In the paper's profile it is that of the split: nothing is trained twice."""
    folder = run[0]
    net, facts = final_network(folder)
    assert net.name == folder.record["choices"]["paper"]["backbone"] == folder.record["final"]["backbone"]
    assert facts["best_epoch"] == 0
    assert sorted(path.name for path in folder.path.glob("checkpoints/*")) == ["paper"]
    bundle = Bundle.load(folder.bundle_path)
    assert (bundle.name, bundle.manifest.head.origin) == (f"cnn-{net.name}", "synthetic")
    assert folder.record["parameters"] == sum(part.numel() for part in net.parameters())


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_is_done_is_not_done_again(run, cohort):
    """A run that is done and gone on with trains nothing and changes no file of a fold; with another scan it does not.

    What was noted of its memory, epochs and speed stays.
    """
    folder = run[0]
    before = {path: path.stat().st_mtime_ns for path in folder.path.glob("checkpoints/*/*/*")}
    predictions, training = folder.predictions_path.read_bytes(), folder.record["training"]
    hears = Hears()
    train_fmri(cohort, folder.image_config, folder.path.parent, resume=folder.path, watcher=hears)
    assert hears.epochs == [] and len(before) == 4
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert folder.predictions_path.read_bytes() == predictions
    assert folder.record["training"] | {"seconds": 0} == training | {"seconds": 0}
    scans = folder.record["scans"]
    folder.note(scans={**scans, min(scans): "0" * 64})
    with pytest.raises(RunError, match=f"was made from another scan or score of 1 patients: {min(scans)}"):
        train_fmri(cohort, folder.image_config, folder.path.parent, resume=folder.path)
    folder.note(scans=scans)


@pytest.mark.thorough
@pytest.mark.faults
@pytest.mark.timeout(600)
def test_a_run_that_was_stopped_goes_on_to_the_same_bits_in_any_number_of_processes(cohort, tmp_path):
    """Ctrl-C within an epoch: the message says how to go on, and two processes end as one would have."""
    config = load_image_config(None, NESTED)
    through = train_fmri(cohort, config, tmp_path / "through")
    strikes = Strikes("r0f1/shufflenet", lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(
        Interrupted, match=r"stopped in epoch 2.*Go on with: flexion train fmri .* --resume "
    ) as stopped:
        train_fmri(cohort, config, tmp_path / "stopped", watcher=strikes)
    left = RunFolder.open(Path(re.findall(r"--resume (\S+)", str(stopped.value))[0]))
    assert left.record["state"] == "stopped" and not left.predictions_path.exists()
    with pytest.raises(RunError, match="has chosen no final network: its state is stopped"):
        final_network(left)
    both = load_image_config(None, NESTED | {"run.workers": 2})
    gone_on = train_fmri(cohort, both, tmp_path / "stopped", resume=left.path)
    assert gone_on.predictions_path.read_bytes() == through.predictions_path.read_bytes()
    names = [path.relative_to(through.path) for path in sorted(through.path.glob(f"checkpoints/*/*/{BEST}"))]
    assert [name.parts[1] for name in names] == ["final", "r0f0", "r0f1"]
    for one, other in zip(*([run.bundle_path / "model.onnx"] for run in (through, gone_on)), strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert {row["fold"] for row in gone_on.metrics()} == {"r0f0/shufflenet", "r0f1/shufflenet", "final/shufflenet"}


def test_first_weights_that_are_not_there_are_asked_for_before_anything_is_looked_at(tmp_path, monkeypatch):
    """The message says which file to put where; the cohort need not even exist."""
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(WeightsError, match=r"shufflenetv2_x1-5666bf0f80\.pth"):
        train_fmri(tmp_path / "nowhere", load_image_config(), tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_scan_that_is_cut_is_an_error_of_the_audit(scanned_cohort, config, tmp_path):
    """Nothing is made."""
    broken = shutil.copytree(scanned_cohort, tmp_path / "broken")
    scan = next(iter(broken.glob("sub-*/func/*.nii.gz")))
    scan.write_bytes(scan.read_bytes()[:4000])
    with pytest.raises(CohortError, match="cannot be read to its end.*flexion cohort check"):
        train_fmri(broken, config, tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_cohort_without_scans_is_refused(small_cohort, config, tmp_path):
    """By the part that lacks them; no run is made."""
    cohort = shutil.copytree(small_cohort, tmp_path / "cohort")
    with pytest.raises(SplitError, match="Part train of fold paper has no patient with a good outcome and a scan"):
        train_fmri(cohort, config, tmp_path / "runs", limit_patients=12)
    with pytest.raises(TrainingError, match="Part train of fold paper has no patient with a good outcome and a scan"):
        rehearse_fmri(cohort, config)
    assert not (tmp_path / "runs").exists() and not (cohort / FILE_NAME).exists()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("limit", [None, 12])
def test_a_rehearsal_leaves_nothing_and_says_what_would_be_done(scanned_cohort, tmp_path, limit):
    """One batch is learned and one judged; patients, slices, networks, time and disk are told."""
    cohort = shutil.copytree(scanned_cohort, tmp_path / "cohort")
    config = load_image_config(None, NESTED)
    hears = HearsNotices()
    told = rehearse_fmri(cohort, config, limit_patients=limit, watcher=hears)
    assert list(tmp_path.iterdir()) == [cohort] and not (cohort / FILE_NAME).exists()
    assert (told.patients, told.with_scan, told.folds, told.batch) == (limit or 16, limit or 16, 3, 16)
    assert told.epochs == {"shufflenet": 2} and 5 * told.with_scan <= told.slices < 7 * told.with_scan
    assert 0 < told.steps["shufflenet"].loss < 3 and told.hours > 0 and told.disk_mb > 0
    assert f"{told.patients} patients, {told.with_scan} with a scan" in told.words[0]
    assert told.to_json()["steps"]["shufflenet"]["n_parameters"] == told.steps["shufflenet"].n_parameters
    assert any("initialised: random" in words for words in hears.notices)


def refusing(*patients: str) -> Callable[..., Prepared]:
    """Return a preparation that finds no brain in the scans of some patients, or of all."""

    def prepares(path: Path, spec: PreparationSpec) -> Prepared:
        if not patients or any(f"sub-{patient}" in path.name for patient in patients):
            raise ScanError(f"{path.name} holds nothing that looks like a brain.", subject=path.name, remedy="Look.")
        return prepare(path, spec)

    return prepares


@pytest.mark.timeout(120)
def test_a_scan_that_cannot_be_prepared_leaves_out_its_patient(cohort, config, tmp_path, monkeypatch):
    """What the audit could not know is told, stands in the record, and stops nobody else's training."""
    out = Cohort.open(cohort).participants[0].id
    other = shutil.copytree(cohort, tmp_path / "cohort", ignore=shutil.ignore_patterns("derivatives", FILE_NAME))
    monkeypatch.setattr("training.data.slices.prepare", refusing(out))
    monkeypatch.setattr("training.imaging.trainer._train", lambda *_: None)
    monkeypatch.setattr("training.imaging.trainer._export", lambda *_: None)
    hears = HearsNotices()
    run = train_fmri(other, config, tmp_path / "runs", watcher=hears)
    why = f"sub-{out}_task-rest_bold.nii.gz holds nothing that looks like a brain."
    assert run.record["left_out"] == {out: why}
    assert f"Patient {out} is left out, the scan must not be used: {why}" in hears.notices
    assert set(run.record["scans"]) == set(run.splits.patients) - {out}
    assert run.record["cohort"]["with_scan"] == len(run.splits.patients) - 1
    train_fmri(other, config, tmp_path / "runs", resume=run.path)


@pytest.mark.timeout(120)
def test_scans_of_which_none_can_be_prepared_are_refused_with_the_reason(scanned_cohort, config, tmp_path, monkeypatch):
    """No run is made; the first reason is told beside the part that lacks somebody."""
    monkeypatch.setattr("training.data.slices.prepare", refusing())
    cohort = shutil.copytree(scanned_cohort, tmp_path / "cohort", ignore=shutil.ignore_patterns("derivatives"))
    with pytest.raises(SplitError, match=r"has no patient with a good outcome and a scan.*Left out.*like a brain\)"):
        train_fmri(cohort, config, tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


@pytest.fixture
def without_eeg(scanned_cohort: Path, tmp_path: Path) -> Path:
    """Return the cohort without any EEG."""
    folder = tmp_path / "cohort"
    shutil.copytree(scanned_cohort, folder, ignore=shutil.ignore_patterns("derivatives", "eeg"))
    people = read_participants(folder / TABLE)
    write_participants(folder / TABLE, [replace(one, has_eeg=False) for one in people])
    return folder


@pytest.mark.timeout(120)
def test_a_cohort_without_eeg_is_dealt_by_outcome_alone(without_eeg, config, tmp_path, monkeypatch):
    """It is told, stands in the run's splits, and a network of EEG and EMG is refused with the same file."""
    monkeypatch.setattr("training.imaging.trainer._train", lambda *_: None)
    monkeypatch.setattr("training.imaging.trainer._export", lambda *_: None)
    hears = HearsNotices()
    run = train_fmri(without_eeg, config, tmp_path / "runs", watcher=hears)
    assert run.splits.by == "outcome" and len(run.splits.patients) == run.record["cohort"]["with_scan"] == 16
    assert any("they were dealt by outcome alone" in words for words in hears.notices)
    train_fmri(without_eeg, config, tmp_path / "runs", resume=run.path)
    few = train_fmri(without_eeg, config, tmp_path / "runs", limit_patients=12)
    assert (few.splits.by, len(few.splits.patients)) == ("outcome", 12)
    with pytest.raises(SplitError, match="was dealt by outcome alone, .* 0 with a good outcome and 0 with a poor one"):
        train_eeg(without_eeg, load_config(None, flags={"split.profile": "paper"}), tmp_path / "runs")


@pytest.mark.timeout(120)
def test_a_rehearsal_of_a_cohort_without_eeg_says_how_it_would_be_dealt(without_eeg, config):
    """Nothing is kept."""
    hears = HearsNotices()
    told = rehearse_fmri(without_eeg, config, watcher=hears)
    assert told.patients == 16 and any("by outcome alone" in words for words in hears.notices)
    assert not (without_eeg / FILE_NAME).exists()


@pytest.mark.timeout(120)
def test_scans_that_the_own_bundle_would_refuse_are_told(cohort, config, tmp_path, monkeypatch):
    """When the bundle is made, beside its card."""
    final = {"train": 11, "unlike": {"flagged": 2, "refused": 1}}
    bundle = SimpleNamespace(manifest=SimpleNamespace(head=SimpleNamespace(training={"final": final})))
    monkeypatch.setattr("training.imaging.trainer._train", lambda *_: None)
    monkeypatch.setattr("training.bundles.slice_bundling.bundle_of_fmri_run", lambda *_: bundle)
    hears = HearsNotices()
    train_fmri(cohort, config, tmp_path / "runs", watcher=hears)
    assert any(words.startswith("Of the 11 scans that the network learned from") for words in hears.notices)


@pytest.mark.timeout(120)
def test_a_run_does_not_go_on_from_other_first_weights(cohort, tmp_path, monkeypatch):
    """A file of the same name with other bytes; both digests are named, and the old file goes on."""
    monkeypatch.setattr("training.imaging.trainer._train", lambda *_: None)
    monkeypatch.setattr("training.imaging.trainer._export", lambda *_: None)
    file = tmp_path / "first.pth"
    torch.save(build(ARCHITECTURES["shufflenet"], 1000, 1).state_dict(), file)
    began = file.read_bytes()
    config = load_image_config(None, FLAGS | {"model.backbones": ("shufflenet",), "model.weights": str(file)})
    run = train_fmri(cohort, config, tmp_path / "runs")
    torch.save(build(ARCHITECTURES["shufflenet"], 1000, 2).state_dict(), file)
    with pytest.raises(
        RunError, match=r"began shufflenet from first.pth \(\w{12}\); today its first weights are file,"
    ):
        train_fmri(cohort, config, tmp_path / "runs", resume=run.path)
    file.write_bytes(began)
    train_fmri(cohort, config, tmp_path / "runs", resume=run.path)

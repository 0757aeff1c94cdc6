"""A run becomes a bundle that the bedside takes, or none at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from acquisition.chain import ChainSpec
from acquisition.errors import BadEnvironment
from acquisition.montage import load_montage
from inference.bundle import Bundle
from inference.engines.ort import OrtEngine
from inference.engines.parity import settle
from tests.training.reports import sample
from training.bundles.bundling import bundle_of_run
from training.cohort.cohort import Cohort
from training.data.windows import prepare
from training.errors import FingerprintMismatch, GateError, RunError
from training.fitting.checkpoints import BEST, write_network
from training.models.heads import FmaScale, Heads
from training.models.networks import NetworkSpec, Scale, StackedLstm, build
from training.runs.config import load_config
from training.runs.predictions import Prediction, write_predictions
from training.runs.run_folder import RunFolder
from training.splitting.splits import nested

AMP16 = load_montage("amp16")
FACTS = {"best_epoch": 4, "stop_loss": 0.5, "warm_start": 0}
#: Widths of small networks; multiples of 4, for the bits.
WIDTHS = (8, 4)


def network(kind: str, heads: tuple[str, ...] = ("fma",)) -> tuple[StackedLstm, NetworkSpec]:
    """Return a small untrained network."""
    torch.manual_seed(4)
    spec = NetworkSpec(kind=kind, readout="last" if kind == "raw" else "mean", widths=WIDTHS, heads=heads)  # type: ignore[arg-type]
    scale = Scale(np.full(64, -3.0, np.float32), np.ones(64, np.float32))
    return build(spec, 16, scale, Heads(FmaScale(18.0, 8.0) if "fma" in heads else None, "ordinal" in heads)), spec


def predictions(cohort: Cohort, points: bool) -> list[Prediction]:
    """Return made-up windows of every patient with EEG, in two repeats."""
    rng = np.random.default_rng(3)
    with_eeg = [one for one in cohort.participants if one.has_eeg and one.good is not None]
    rows = []
    for repeat in range(2):
        for one in with_eeg:
            for index in range(6):
                logit = float((1 if one.good else -1) + rng.normal())
                said = float(rng.normal(18, 4)) if points else None
                p = 1 / (1 + np.exp(-logit))
                good, fma = bool(one.good), one.outcome_fma
                rows.append(Prediction("lstm", repeat, 0, one.id, "window", index, 0.9, logit, p, good, fma, said))
    return rows


Make = Callable[..., RunFolder]


@pytest.fixture(scope="module")
def make_run(small_cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Return what makes a run of the small cohort, as if it had been trained."""
    cohort, runs = Cohort.open(small_cohort), tmp_path_factory.mktemp("runs")
    windows = prepare(cohort).values()

    def make(kind: str = "bands", net: StackedLstm | None = None, heads: tuple[str, ...] = ("fma",)) -> RunFolder:
        splits = nested(cohort.participants, 0, repeats=2, folds=2, cohort_sha256=cohort.sha256)
        run = RunFolder.create(runs, load_config(kind=kind), cohort, splits, windows)  # type: ignore[arg-type]
        made, spec = network(kind, heads)
        (folder := run.checkpoints_path("final")).mkdir(parents=True)
        write_network(folder / BEST, net or made, spec, FACTS)
        write_predictions(run.predictions_path, predictions(cohort, "fma" in heads))
        run.note(state="done")
        return run

    return make


@pytest.fixture(scope="module")
def evaluated(make_run: Make, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, Bundle]:
    """Return a run that was evaluated, and its bundle."""
    run = make_run()
    run.evaluation_path.write_text(json.dumps(sample()), "utf-8")
    return run, bundle_of_run(run, tmp_path_factory.mktemp("bundle"))


@pytest.fixture
def out(evaluated: tuple[RunFolder, Bundle], tmp_path: Path) -> Path:
    """Return a folder that holds that bundle already."""
    return Path(shutil.copytree(evaluated[1].path, tmp_path / "out"))


def manifest_of(bundle: Bundle) -> dict[str, Any]:
    """Return the manifest as it is written."""
    return dict(json.loads((bundle.path / "manifest.json").read_text("utf-8")))


@pytest.mark.timeout(180)
def test_a_run_becomes_a_bundle_that_the_bedside_takes(evaluated):
    """Loaded, checked, of today's conditioning, with golden windows that its engine finds."""
    run, bundle = evaluated
    model = bundle.model
    assert (model.head.name, model.head.origin, model.head.kind) == ("lstm-bands", "synthetic", "eeg_emg")
    assert model.head.version == run.record["made_utc"][:10].replace("-", ".")
    bundle.check(AMP16.labels, 1000.0, 10_000, ChainSpec().fingerprint, 50.0, kinds=AMP16.kinds)
    assert set(model.calibration) == {"logit_mean_quality", "prob_mean"}
    assert model.calibration["prob_mean"].n == (1, 2, 3, 6)
    assert model.embedding and len(model.embedding.mean) == 4
    assert model.fma and model.fma.n == 14 and model.fma.half_width > 0
    assert len(model.golden) == 8
    engine = OrtEngine(bundle)
    found = settle(engine.selfcheck())
    assert found.ok and found.batch_invariant
    assert set(engine.run({"x": np.zeros((1, 10_000, 16), np.float32)})) == {"logit", "fma", "embedding"}


def test_a_bundle_says_how_it_was_made_and_no_path_or_patient(evaluated, small_cohort):
    """Run, cohort, folds, settings, gates; nothing that points into a machine or at somebody."""
    run, bundle = evaluated
    training = manifest_of(bundle)["training"]
    assert training["cohort"]["with_eeg"] == 14 and training["described"] == {"effect": 2, "seed": 6}
    final = run.splits.with_eeg(p.id for p in Cohort.open(small_cohort).participants if p.has_eeg).final
    counts = {"train": len(final.train), "stop": len(final.stop), "windows": 6 * len(final.train)}
    assert training["folds"] == 4 and training["final"] == FACTS | counts
    assert training["config"]["fit.learning_rate"] == 5e-4
    assert training["sensitivity"]["windows"] == 8 + 6 and 0 < training["sensitivity"]["gain"] < 100
    assert set(training["parity_to_float64"]) == {"logit", "embedding", "fma"}
    assert training["test_auc_by_windows"]["all"][0] > 0
    text = "".join((bundle.path / name).read_text("utf-8") for name in ("manifest.json", "card.md", "report.md"))
    assert not any(hidden in text for hidden in (str(run.path.parent), str(small_cohort), "sub-"))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_raw_network_without_other_heads_becomes_a_bundle(make_run, tmp_path):
    """The paper's: samples in, last state out, no points; only its baselines were judged."""
    run, evaluation = make_run("raw", heads=()), sample()
    baselines = [model for model in evaluation["models"] if model["kind"] == "baseline"]
    run.evaluation_path.write_text(json.dumps(evaluation | {"models": baselines}), "utf-8")
    bundle = bundle_of_run(run, tmp_path / "out")
    assert manifest_of(bundle)["training"]["test_auc_by_windows"] == {}
    assert bundle.name == "lstm-raw" and bundle.model.fma is None
    assert [tensor.name for tensor in bundle.model.outputs] == ["logit", "embedding"]
    assert "read the samples themselves" in " ".join((bundle.path / "card.md").read_text("utf-8").split())


def test_a_bundle_is_replaced_by_a_whole_one_and_its_old_files_go(make_run, evaluated, out):
    """What is gone from the run goes out, what is somebody else's stays; the name that was asked for goes in."""
    (out / "notes.txt").write_text("mine")
    assert (out / "report.md").read_text("utf-8").startswith("# Report: run ")
    bundle = bundle_of_run(make_run(), out, "mine", "1.2.3")
    assert bundle.words.startswith("mine 1.2.3 (") and bundle.sha256 != evaluated[1].sha256
    assert sorted(path.name for path in out.iterdir()) == ["card.md", "manifest.json", "model.onnx", "notes.txt"]
    assert "Not evaluated yet" in (out / "card.md").read_text("utf-8")
    assert manifest_of(bundle)["training"]["test_auc_by_windows"] is None


def test_the_same_run_gives_the_same_bundle(evaluated, tmp_path):
    """One hash, wherever it is written."""
    run, bundle = evaluated
    assert bundle_of_run(run, tmp_path / "again").sha256 == bundle.sha256


def test_a_chaotic_network_makes_no_bundle_and_leaves_the_old_one(make_run, evaluated, out):
    """The gate stands before anything is written."""
    net, _ = network("bands")
    net.head.weight.data *= 1e6
    with pytest.raises(GateError, match="The logit of lstm-bands moves by"):
        bundle_of_run(make_run(net=net), out)
    assert Bundle.load(out).sha256 == evaluated[1].sha256


def test_a_disk_that_takes_no_bundle_is_said(evaluated, out, tmp_path, monkeypatch):
    """Something lies where a file of it belongs, or there is nowhere to put it together."""
    (out / "card.md").unlink()
    (out / "card.md").mkdir()
    with pytest.raises(BadEnvironment, match=r"card\.md takes no more"):
        bundle_of_run(evaluated[0], out)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(BadEnvironment, match="The bundle cannot be written: .*nowhere.* Make room there"):
        bundle_of_run(evaluated[0], out)


def test_a_run_behind_another_conditioning_is_refused(make_run, tmp_path):
    """A bundle scores only what was conditioned as its training was (law 6)."""
    run = make_run()
    run.note(fingerprint="0" * 64)
    with pytest.raises(FingerprintMismatch, match=r"was trained behind conditioning 000000000000; today's is"):
        bundle_of_run(run, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_recording_that_is_another_one_makes_no_bundle(make_run, tmp_path):
    """Of a patient who trained the final network; it is named."""
    run = make_run()
    patient = next(one for one in run.splits.final.train if one in run.record["windows"])
    run.note(windows=run.record["windows"] | {patient: "0" * 64})
    with pytest.raises(RunError, match=f"another recording or score of 1 patients: {patient}"):
        bundle_of_run(run, tmp_path / "out")


def test_a_run_that_is_not_done_is_refused(make_run, tmp_path):
    """No final network, no predictions, an evaluation that is torn or something else: each is named."""
    run = make_run()
    for text, words in (('{"schema": ', "cannot be read"), ("[1]", "is no evaluation"), ("{}", "is no evaluation")):
        run.evaluation_path.write_text(text, "utf-8")
        with pytest.raises(RunError, match=rf"evaluation\.json {words}"):
            bundle_of_run(run, tmp_path / "out")
    run.evaluation_path.unlink()
    run.predictions_path.unlink()
    with pytest.raises(RunError, match=r"predictions\.csv"):
        bundle_of_run(run, tmp_path / "out")
    (run.checkpoints_path("final") / BEST).unlink()
    with pytest.raises(RunError, match=r"best\.pt cannot be read"):
        bundle_of_run(run, tmp_path / "out")


def test_a_cohort_that_changed_since_is_refused(make_run, tmp_path):
    """Figures and patients must belong together."""
    run = make_run()
    run.note(cohort={**run.record["cohort"], "sha256": "0" * 64})
    with pytest.raises(RunError, match="was made from cohort"):
        bundle_of_run(run, tmp_path / "out")

"""A run on scans becomes a bundle that the bedside takes, or none at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deploy import exits
from deploy.cli import main
from inference.bundle import Bundle
from inference.engines.ort import OrtEngine
from inference.engines.parity import settle
from inference.fmri.gradcam import Readout, cam
from inference.fmri.parameters import ExpectedScan
from inference.fmri.preparation import PreparationSpec
from inference.fmri.score import score_file
from tests.training.pictures import heads
from tests.training.scans import SCREEN_SHARE, TINY, scanned_cohort  # noqa: F401 (a fixture)
from training.backbones.backbone import create
from training.backbones.catalogue import SIZE
from training.backbones.kept import read_backbone, write_backbone
from training.backbones.sanity import settled
from training.backbones.weights import Weights
from training.baselines import known_predictions
from training.bundles.slice_bundling import bundle_of_fmri_run, slice_calibration
from training.bundles.slice_card import slice_card
from training.cohort.cohort import Cohort
from training.data.slices import prepare_slices
from training.errors import FingerprintMismatch, RunError, TrainingError
from training.evaluation.evaluation import evaluate
from training.fitting.checkpoints import BEST
from training.imaging.judging import slice_logits
from training.runs.image_config import load_image_config
from training.runs.predictions import Prediction, read_predictions, write_predictions
from training.runs.run_folder import RunFolder
from training.splitting.splits import Splits, nested

#: A cohort is scanned and a bundle made before the first test.
pytestmark = pytest.mark.timeout(300)

FACTS = {"best_epoch": 4, "stop_loss": 0.5}
CHOICE = {"backbone": "shufflenet", "stop_losses": {"shufflenet": 0.5, "fbnet": 0.6}}


def predictions(splits: Splits, cohort: Cohort, model: str = "cnn-shufflenet") -> list[Prediction]:
    """Return made-up slices of every fold's test patients, and the row of the patient that a run has beside them."""
    rng = np.random.default_rng(3)
    rows = []
    for fold in splits.folds:
        for patient in fold.test:
            good = bool(cohort.participant(patient).good)
            logits = (1 if good else -1) + rng.normal(size=5)
            told: list[tuple[Any, int | None, float]] = [("slice", i, float(z)) for i, z in enumerate(logits)]
            for unit, index, logit in [*told, ("patient", None, float(logits.mean()))]:
                p = 1 / (1 + np.exp(-logit))
                rows.append(Prediction(model, fold.repeat, fold.fold, patient, unit, index, 1.0, logit, p, good))
    return rows


Make = Callable[..., RunFolder]


@pytest.fixture(scope="module")
def make_run(scanned_cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Make:  # noqa: F811
    """Return what makes a run on the cohort's scans, as if it had been trained."""
    cohort, runs = Cohort.open(scanned_cohort), tmp_path_factory.mktemp("runs")
    flags = {"model.weights": "none", "scan.screen_share": SCREEN_SHARE, "evaluation.bootstrap": 100}
    config = load_image_config(flags=flags)
    slices = prepare_slices(cohort, config.preparation)
    net = settled(create("shufflenet", weights=Weights(), seed=4), heads(4, SIZE))

    def make() -> RunFolder:
        splits = nested(cohort.participants, 0, repeats=2, folds=2, cohort_sha256=cohort.sha256)
        run = RunFolder.create(runs, config, cohort, splits, slices.values())
        for fold in (*splits.folds, splits.final):
            (folder := run.checkpoints_path(f"{fold.name}/shufflenet")).mkdir(parents=True)
            write_backbone(folder / BEST, net, FACTS)
        others = [*predictions(splits, cohort, "cnn-fbnet"), *known_predictions(cohort, slices, splits)]
        write_predictions(run.predictions_path, [*predictions(splits, cohort), *others])
        run.note(
            state="done",
            cohort={**run.record["cohort"], "with_scan": len(slices)},
            initialised={"shufflenet": net.initialised.to_json()},
            choices={"final": CHOICE},
            final={"fold": "final", "backbone": "shufflenet", "checkpoint": "final/shufflenet"},
        )
        return run

    return make


@pytest.fixture(scope="module")
def made(make_run: Make, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, Bundle]:
    """Return a run and its bundle."""
    run = make_run()
    return run, bundle_of_fmri_run(run, tmp_path_factory.mktemp("bundle"))


def test_a_run_on_scans_becomes_a_bundle_that_the_bedside_takes(made):
    """Loaded, checked, of today's preparation, with golden slices that its engine finds."""
    run, bundle = made
    model = bundle.model
    assert (model.head.name, model.head.origin, model.head.kind) == ("cnn-shufflenet", "synthetic", "fmri")
    assert model.head.version == run.record["made_utc"][:10].replace("-", ".")
    assert model.image is not None
    assert PreparationSpec.from_json(model.image.preparation) == run.image_config.preparation
    assert ExpectedScan.from_json(model.image.scan).matrix == TINY.shape[:2]
    assert model.image.sanity.n_slices == 20 and abs(model.image.sanity.correlation) < 0.9
    assert model.calibration["logit_mean_quality"].n == model.calibration["prob_mean"].n == (1.0,)
    assert len(model.golden) == 8
    engine = OrtEngine(bundle)
    found = settle(engine.selfcheck())
    assert found.ok and found.batch_invariant


def test_the_bundle_says_where_it_looked_without_torch(made):
    """Its readout makes its model's logits of its model's features."""
    bundle = made[1]
    image = bundle.model.image
    readout = Readout.load(bundle.path / image.cam.file, image.cam.layers)
    outputs = OrtEngine(bundle).run({"slices": heads(2, SIZE)})
    attention = cam(outputs["features"], readout)
    assert np.allclose(attention.logits, outputs["logit"], atol=1e-5)
    assert attention.signed.shape == (2, 7, 7) and attention.strength.min() > 0


def test_a_bundle_says_how_it_was_made_and_no_path_or_patient(made, scanned_cohort):  # noqa: F811
    """Which network, with which first weights, chosen among which, on whose scans."""
    run, bundle = made
    text = (bundle.path / "manifest.json").read_text("utf-8")
    training = json.loads(text)["training"]
    assert training["network"] == {
        "words": "ShuffleNetV2 x1.0",
        "library": "torchvision",
        "model": "shufflenet_v2_x1_0",
    }
    assert training["initialised"] == {"how": "random", "file": None, "sha256": None}
    assert training["choice"] == CHOICE
    assert training["final"]["train"] > training["final"]["stop"] > 0 and training["final"]["best_epoch"] == 4
    assert training["final"]["unlike"] == {"flagged": 0, "refused": 0}
    assert str(run.path) not in text and str(scanned_cohort) not in text
    patient = Cohort.open(scanned_cohort).participants[0].id
    assert f'"{patient}"' not in text


def test_the_card_says_what_it_is_and_is_not(made):
    """Origin first; the network, its first weights, where it looked, and that there are no figures yet."""
    text = (made[1].path / "card.md").read_text("utf-8")
    (columns, rows, levels), thickness = TINY.shape, TINY.voxel_mm[2]
    words = " ".join(text.split())
    assert text.startswith("# cnn-shufflenet ") and "{" not in text
    assert words.index("**Trained on simulated patients alone (origin: synthetic).") < words.index("## What it does")
    for said in (
        "ShuffleNetV2 x1.0 (torchvision shufflenet_v2_x1_0)",
        "**initialised: random**",
        "cannot tell the left half of a brain from the right",
        "It shows where this image model looked",
        f"matrix {columns} x {rows}, {levels} slices of {thickness:g} mm, a volume every {TINY.tr_s:g} s",
        "of 2 networks theirs was the lowest loss (shufflenet 0.500, fbnet 0.600)",
        "Not evaluated yet",
        "| fit.batch | 16 |",
    ):
        assert said in words, said
    assert max(len(line) for line in text.splitlines() if line[:1] != "|") <= 120


def test_the_card_says_how_many_it_learned_from_are_unlike_most(made):
    """Where there are any."""
    manifest = json.loads((made[1].path / "manifest.json").read_text("utf-8"))
    assert "taken otherwise than most" not in slice_card(manifest)
    manifest["training"]["final"]["unlike"] = {"flagged": 2, "refused": 1}
    assert "would refuse them: 1; flag them: 2." in " ".join(slice_card(manifest).split())


def test_an_evaluated_run_is_exported_anew_with_its_figures(make_run, tmp_path: Path, capsys):
    """``flexion models export``: the verdict and the headline on the card, the digest beside it."""
    run = make_run()
    evaluate(run, permutations=20)
    out = tmp_path / "out"
    assert main.run(["models", "export", str(run.path), "--out", str(out), "--name", "mine", "--json"]) == exits.OK
    assert json.loads(capsys.readouterr().out)["sha256"] == Bundle.load(out).sha256
    card = (out / "card.md").read_text("utf-8")
    assert card.startswith("# mine 2") and "Not evaluated yet" not in card
    assert "Headline, unit patient" in card
    assert "cnn-shufflenet" in (report := (out / "report.md").read_text("utf-8")) and "initialised: random" in report


def test_slices_of_another_preparation_are_refused(make_run, tmp_path: Path):
    """A bundle scores only what was prepared as its training was."""
    run = make_run()
    run.note(fingerprint="0" * 64)
    with pytest.raises(FingerprintMismatch, match="was trained behind preparation 000000000000"):
        bundle_of_fmri_run(run, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_without_a_final_network_is_refused(make_run, tmp_path: Path):
    """Its word is that it is not done."""
    run = make_run()
    record = {key: value for key, value in run.record.items() if key != "final"}
    run.record_path.write_text(json.dumps(record), "utf-8")
    with pytest.raises(RunError, match="has chosen no final network"):
        bundle_of_fmri_run(run, tmp_path / "out")


def test_a_scan_that_is_another_one_makes_no_bundle(make_run, tmp_path: Path):
    """Of a patient who trained the final network, or stopped it; it is named. So are those whose scans are gone."""
    run = make_run()
    patient = run.splits.exported.stop[0]
    run.note(scans=run.record["scans"] | {patient: "0" * 64})
    with pytest.raises(RunError, match=f"another scan or score of 1 patients: {patient}"):
        bundle_of_fmri_run(run, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_bedside_sees_what_training_saw(made, scanned_cohort):  # noqa: F811
    """The same scan gives the same slices and, within the bound, the logits that the network gave (law 1)."""
    run, bundle = made
    cohort = Cohort.open(scanned_cohort)
    patient = next(iter(prepare_slices(cohort, run.image_config.preparation).values()))
    found = score_file(cohort.scans(patient.patient)[0], bundle, OrtEngine(bundle))
    assert np.array_equal(found.prepared.slices, patient.slices)
    net = read_backbone(run.checkpoints_path("final/shufflenet") / BEST)[0]
    assert np.allclose(found.logits, slice_logits(net, patient), atol=bundle.model.logit_atol)
    assert found.deviations == () and 0 < found.verdict.probability < 1


def test_a_scan_is_one_observation(made):
    """The line is fitted to patients: more slices of the same logit change nothing."""
    rows = [row for row in read_predictions(made[0].predictions_path) if row.unit == "slice"]
    rows = [row for row in rows if row.model == "cnn-shufflenet"]
    means = {
        key: np.mean([r.logit for r in rows if (r.patient, r.repeat) == key])
        for key in {(r.patient, r.repeat) for r in rows}
    }
    flat = [replace(row, logit=float(means[row.patient, row.repeat])) for row in rows]
    few = [row for row in flat if row.index == 0]
    many, one = (slice_calibration(some, 0) for some in (flat, few))
    for aggregation in many:
        assert many[aggregation]["a"] == pytest.approx(one[aggregation]["a"])
        assert many[aggregation]["draws"]["b"][0] == pytest.approx(one[aggregation]["draws"]["b"][0], abs=1e-5)
    fitted, of_means = (slice_calibration(some, 0)["logit_mean_quality"] for some in (rows, flat))
    assert fitted["a"] == pytest.approx(of_means["a"]) and fitted["n"] == [1]
    assert len(fitted["draws"]["a"][0]) == 200


def test_without_slices_there_is_no_calibration():
    """A run that judged nobody has nothing to calibrate by."""
    with pytest.raises(TrainingError, match="slices of 0 networks"):
        slice_calibration([], 0)

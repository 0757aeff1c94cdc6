"""Runs on scans and of fusions are judged and reported: the paper's tables beside, patients first, slices apart."""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.fused_runs import N_SLICES, cohort_of, runs_of
from tests.training.reporting.reading import Reader
from training.errors import RunError
from training.evaluation import acceptance
from training.evaluation.beside import PAPER, paper_table
from training.evaluation.dealt_anew import dealt_anew
from training.evaluation.document import SCHEMA
from training.evaluation.evaluation import evaluate
from training.evaluation.imaging import image_evaluation_of
from training.evaluation.scores import Scores, models_of
from training.evaluation.sureness import Sureness
from training.fusion.trainer import train_fusion
from training.reporting.facts import Facts
from training.reporting.page import write_report
from training.runs.predictions import CHOSEN, Prediction, read_predictions, write_predictions
from training.runs.run_folder import RunFolder
from training.statistics.auc import auc
from training.statistics.weighting import curve_of, fit_curve

#: Few draws, so that the tests take seconds.
FEW = 20


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with both runs and the run of their fusions; the one of scans chose a network in each fold."""
    folder = tmp_path_factory.mktemp("judged")
    eeg, fmri = runs_of(folder, cohort_of(folder / "cohort"))
    rows = list(read_predictions(fmri.predictions_path))
    chosen = [replace(r, model=CHOSEN) for r in rows if r.model == "cnn-shufflenet" and r.unit == "patient"]
    write_predictions(fmri.predictions_path, [*rows, *chosen])
    first = {"how": "random", "file": None, "sha256": None}
    fmri.note(
        initialised={"shufflenet": first, "resnet50": first},
        choices={f"r0f{k}": {"backbone": name} for k, name in enumerate(("shufflenet", "shufflenet", "resnet50"))},
        cohort={**fmri.record["cohort"], "with_scan": 40},
    )  # fmt: skip
    fusion = train_fusion(eeg.path, fmri.path, folder / "runs")
    # What its run of EEG and EMG would write; recordings there are none.
    table = [{"table": 2, "model": "LSTM", "unit": "not stated", "n": None, "accuracy": 0.68, "recall": 0.6833,
              "precision": 0.6763, "f1": 0.6753, "auc": None, "source": "paper", "note": ""}]  # fmt: skip
    eeg.evaluation_path.write_text(json.dumps({"schema": SCHEMA, "run": {}, "paper_table": table}))
    for name, run in (("eeg", eeg), ("fmri", fmri), ("fusion", fusion)):
        (folder / name).symlink_to(run.path, target_is_directory=True)
    return folder


@pytest.fixture(scope="module")
def judged(place: Path) -> dict:
    """Return what was found of the run of fusions, and of that on scans with it."""
    return evaluate(RunFolder((place / "fusion").resolve()), permutations=FEW)


def of_fmri(place: Path) -> dict:
    """Return what was found of the run on scans."""
    return json.loads((place / "fmri" / "evaluation.json").read_text())


def test_the_runs_of_a_fusion_are_judged_with_it(place: Path, judged: dict) -> None:
    """One command: the run on scans had no evaluation yet; the other's is read."""
    found = of_fmri(place)
    assert found["run"]["modality"] == "fmri"
    assert [model["name"] for model in found["models"]] == ["cnn-chosen", "cnn-resnet50", "cnn-shufflenet", "majority"]
    assert [model["kind"] for model in found["models"]] == ["network"] * 3 + ["baseline"]
    assert {model["n"] for model in found["models"]} == {40}
    assert found["run"]["chosen"] == {"resnet50": 1, "shufflenet": 2}
    assert judged["images"] == {key: found["run"][key] for key in ("initialised", "chosen", "mirrored")}
    assert {row["table"] for row in judged["paper_table"]} == {1, 2, 3}


def test_a_source_that_was_trained_on_since_is_judged_anew(place: Path, judged: dict, tmp_path: Path) -> None:
    """Predictions that are newer than its figures make these of something else; older ones are taken as they are."""
    shutil.copytree(place, tmp_path / "all", symlinks=True)
    fmri, fusion = (RunFolder(tmp_path / "all" / "runs" / (place / name).resolve().name) for name in ("fmri", "fusion"))
    marked = {**json.loads(fmri.evaluation_path.read_text()), "mark": "older"}
    fmri.evaluation_path.write_text(json.dumps(marked))
    evaluate(fusion, permutations=FEW)
    assert "mark" in json.loads(fmri.evaluation_path.read_text())
    then = fmri.evaluation_path.stat().st_mtime_ns
    os.utime(fmri.predictions_path, ns=(then + 1, then + 1))
    evaluate(fusion, permutations=FEW)
    assert "mark" not in json.loads(fmri.evaluation_path.read_text())


def test_without_flips_nothing_is_said_of_them(place: Path, judged: dict) -> None:
    """Nor of a run without scans."""
    found = of_fmri(place)
    assert found["run"]["mirrored"].startswith("Slices are mirrored")
    assert Facts({**found, "run": {**found["run"], "mirrored": None}}).mirrored == ""
    assert Facts({"run": {}}).mirrored == ""


def test_a_patient_counts_once_and_slices_stand_apart(place: Path, judged: dict) -> None:
    """The slice level has every slice once, however many repeats."""
    models = {model["name"]: model for model in of_fmri(place)["models"]}
    assert models["cnn-shufflenet"]["slice_level"]["n"] == 40 * N_SLICES
    assert models["cnn-shufflenet"]["slice_level"]["n_good"] == 20 * N_SLICES
    assert models["cnn-chosen"]["slice_level"] is models["majority"]["slice_level"] is None
    assert models["cnn-shufflenet"]["window_level"] is None and models["cnn-shufflenet"]["by_windows"] == []
    assert [row["n_slices"] for row in of_fmri(place)["patients"]] == [N_SLICES] * 40


def test_the_patients_that_were_chosen_for_are_those_of_the_network(place: Path, judged: dict) -> None:
    """Here every fold chose the same one, so that its figures are the chosen ones'."""
    models = {model["name"]: model["figures"]["auc"] for model in of_fmri(place)["models"]}
    assert models["cnn-chosen"] == models["cnn-shufflenet"] != models["cnn-resnet50"]


def test_fusions_stand_beside_their_heads(judged: dict) -> None:
    """By kind, on the patients that have both, with the paired differences that matter."""
    assert judged["run"]["modality"] == "fusion" and judged["run"]["model"] == "logit_stack"
    kinds = [model["kind"] for model in judged["models"]]
    assert kinds == ["fusion"] * 3 + ["variant"] * 6 + ["head"] * 4 + ["baseline"]
    assert {model["n"] for model in judged["models"]} == {34}
    first = judged["models"][0]["name"]
    pairs = {(pair["a"], pair["b"]) for pair in judged["paired"]}
    assert first == "cnn-chosen + lstm-bands"
    assert {(first, other) for other in ("lstm-bands", "cnn-chosen", "majority", f"{first}, equal")} <= pairs
    assert ("cnn-resnet50 + lstm-bands", "cnn-resnet50") in pairs
    assert len(pairs) == 3 * 2 + 2 + 2 + 1


def test_fused_numbers_are_not_calibrated_once_more(place: Path, judged: dict) -> None:
    """A patient's probability is that of its fused log-odds, as the bedside would show it."""
    rows = read_predictions((place / "fusion" / "predictions.csv").resolve())
    name = judged["models"][0]["name"]
    of = {row.patient: [r.logit for r in rows if r.model == name and r.patient == row.patient] for row in rows}
    for patient in judged["patients"]:
        assert patient["p"] == pytest.approx(float(1 / (1 + np.exp(-np.mean(of[patient["patient"]])))))
        assert patient["by_model"]["cnn-chosen"] is not None


def test_the_paper_s_rows_stand_first_with_unit_and_number(judged: dict) -> None:
    """Five backbones, five fusions, each beside ours; ours over slices too where the paper's are."""
    of = {table: [row for row in judged["paper_table"] if row["table"] == table] for table in (1, 3)}
    for table in (1, 3):
        assert [row["source"] for row in of[table]][:5] == ["paper"] * 5
        assert {row["n"] for row in of[table][:5]} == {325}
    best = of[3][3]
    assert [best[key] for key in ("accuracy", "recall", "f1", "precision", "auc")] == [
        0.8031,
        0.774,
        0.7829,
        0.833,
        0.8665,
    ]
    ours = [(row["model"], row["unit"], row["n"]) for row in of[1][5:] if row["model"].startswith("cnn")]
    assert ours == [
        ("cnn-chosen", "patient", 40), ("cnn-resnet50", "patient", 40), ("cnn-resnet50", "slice", 200),
        ("cnn-shufflenet", "patient", 40), ("cnn-shufflenet", "slice", 200),
    ]  # fmt: skip
    assert {row["model"] for row in of[3][5:]} == {
        f"cnn-{n} + lstm-bands" for n in ("chosen", "shufflenet", "resnet50")
    }
    assert all("simulated" in row["note"] for row in of[1][5:])


def test_the_paper_s_constant_answer_is_said_to_be_one() -> None:
    """Its ResNet50 has a recall of one half and a precision of half its accuracy."""
    rows = {row["model"]: row for row in paper_table([], "clinical", 1)}
    assert "one answer for everybody" in rows["ResNet50"]["note"]
    assert rows["ResNet50"]["precision"] == pytest.approx(rows["ResNet50"]["accuracy"] / 2, abs=1e-4)
    assert len(PAPER) == 11


def test_the_paper_s_aucs_are_said_to_be_of_a_figure_without_a_number() -> None:
    """And the two that lie below their own balanced accuracy are named, at their rows alone."""
    rows = {row["model"]: row for row in paper_table([], "clinical", 3)}
    assert "Figure 1, which states no N" in rows["FBNet_LSTM"]["note"]
    assert rows["FBNet_LSTM"]["auc"] < rows["FBNet_LSTM"]["recall"]
    below = {name for name, row in rows.items() if "below its own balanced accuracy" in row["note"]}
    assert below == {"FBNet_LSTM", "RegNet_LSTM"}
    assert not any("Figure 1" in row["note"] for row in paper_table([], "clinical", 1))


def test_permuted_outcomes_are_told_with_how(place: Path, judged: dict) -> None:
    """The control of a fusion fits calibrations and weights anew; of a network its scores stay."""
    assert judged["permuted"]["n"] == FEW and "calibrations and weights fitted anew" in judged["permuted"]["how"]
    control = of_fmri(place)["permuted"]
    assert control["model"] == "cnn-chosen" and "scores of the network as they are" in control["how"]
    assert judged["permuted"]["observed"] > judged["permuted"]["mean"] + 2 * judged["permuted"]["sd"]


def null_control(folder: Path, seed: int, apart: float = 0.0) -> tuple[dict, list[acceptance.Demand]]:
    """Return the control of a run that says of itself that its patients have no effect, and what is demanded of it."""
    cohort = cohort_of(folder / f"c{seed}", 40, effect=0.0, seed=seed)
    eeg, fmri = runs_of(folder / f"r{seed}", cohort, apart=apart, backbones=("cnn-shufflenet",), seed=seed + 9)
    eeg.evaluation_path.write_text(json.dumps({"schema": SCHEMA, "run": {}}))
    found = evaluate(train_fusion(eeg.path, fmri.path, folder / "runs"), permutations=40)
    assert found["run"]["effect"] == 0.0
    return found["permuted"], acceptance.demands(found)


def test_without_an_effect_the_permutations_find_nothing(tmp_path: Path) -> None:
    """The rule of every run: |z| below 3.5, and the mean near one half; z itself stays within what four cohorts may."""
    made = [null_control(tmp_path, seed) for seed in range(4)]
    assert [one.met for _, asked in made for one in asked] == [True] * 4
    assert np.mean([control["mean"] for control, _ in made]) == pytest.approx(0.5, abs=0.02)
    z = np.array([control["z"] for control, _ in made], float)
    assert np.abs(z.mean()) < 3.0 / np.sqrt(len(z))


def test_what_is_found_without_an_effect_is_not_met(tmp_path: Path) -> None:
    """Heads that know the outcome of patients without an effect: something leaks, and the demand says so."""
    control, [asked] = null_control(tmp_path, 0, apart=2.5)
    assert not asked.met and control["z"] > 3.5
    assert control["mean"] == pytest.approx(0.5, abs=0.05)


def test_outcomes_that_are_dealt_anew_give_chance(place: Path) -> None:
    """And the true ones lie far from it, for a network that knows something."""
    rows = read_predictions((place / "fmri" / "predictions.csv").resolve())
    found = dealt_anew(Scores.of(rows, "cnn-shufflenet"), 100, 0)
    assert found["mean"] == pytest.approx(0.5, abs=0.03)
    assert found["z"] > 2.0
    assert abs(dealt_anew(Scores.of(rows, "cnn-resnet50"), 100, 0)["z"]) < 3.0


def test_a_patient_s_score_is_the_mean_of_its_slices(place: Path) -> None:
    """Of their logits, or as in the paper of their probabilities; the order of the slices has no part in it."""
    rows = [r for r in read_predictions((place / "fmri" / "predictions.csv").resolve()) if r.model == "cnn-shufflenet"]
    slices = [r.logit for r in rows if (r.patient, r.repeat, r.unit) == ("010", 0, "slice")]
    by_logit, by_p = (models_of(rows, way)[0] for way in ("logit_mean_quality", "prob_mean"))
    i = by_logit.patients.index("010")
    assert by_logit.logits()[0, i] == pytest.approx(np.mean(slices))
    p = np.mean(1 / (1 + np.exp(-np.array(slices))))
    assert by_p.logits()[0, i] == pytest.approx(np.log(p / (1 - p)))
    assert set(by_logit.curves[0, 0].n) == {1}
    again = models_of(rows[::-1], "logit_mean_quality")[0]
    np.testing.assert_allclose(again.log_odds(), by_logit.log_odds())
    assert auc(by_logit.good, by_logit.logits()[0]) > 0.6


def test_windows_are_calibrated_as_they_are_put_together() -> None:
    """A line of mean logits is not the line of mean probabilities."""
    rng = np.random.default_rng(0)
    rows = [
        Prediction("lstm-bands", 0, i % 4, f"{i:03d}", "window", k, 1.0, float(x), 0.5, i % 2 == 0)
        for i in range(40)
        for k, x in enumerate(8.0 * rng.standard_normal(3) + 2.0 * (i % 2 == 0))
    ]
    by_p = Scores.of(rows, "lstm-bands", "prob_mean")
    others = [row for row in by_p.rows[0] if row.fold != 0]
    line, right, wrong = (
        curve.at(3)
        for curve in (
            by_p.curves[0, 0],
            *(curve_of(fit_curve(others, 0, way, n_draws=0)) for way in ("prob_mean", "logit_mean_quality")),
        )
    )
    assert (line.a, line.b) == pytest.approx((right.a, right.b))
    assert line.a != pytest.approx(wrong.a, rel=0.05)


def test_a_run_without_networks_is_refused() -> None:
    """Baselines alone are no run on scans."""
    rows = [Prediction("majority", 0, 0, f"{i:03d}", "patient", None, 1.0, 0.1, 0.52, i % 2 == 0) for i in range(6)]
    with pytest.raises(RunError, match="No network of the run has judged patients of both outcomes"):
        image_evaluation_of(rows, {}, "synthetic", Sureness(20, 100), "logit_mean_quality")


def test_a_run_on_scans_that_is_not_through_is_refused(place: Path, tmp_path: Path) -> None:
    """Every patient in every repeat, or it is not done."""
    shutil.copytree(place, tmp_path / "all", symlinks=True)
    run = RunFolder(tmp_path / "all" / "runs" / (place / "fmri").resolve().name)
    rows = [row for row in read_predictions(run.predictions_path) if (row.repeat, row.patient) != (1, "020")]
    write_predictions(run.predictions_path, rows)
    with pytest.raises(RunError, match=r"for all patients of fold r1f\d") as refused:
        evaluate(run, permutations=FEW)
    assert "flexion train fmri --resume" in refused.value.remedy


@pytest.mark.parametrize("text", ["{", None])
def test_a_broken_evaluation_of_a_source_is_refused(place: Path, tmp_path: Path, text: str | None) -> None:
    """With the command that makes it anew; a folder in its place cannot be read either."""
    shutil.copytree(place, tmp_path / "all", symlinks=True)
    runs = {name: RunFolder(tmp_path / "all" / "runs" / (place / name).resolve().name) for name in ("eeg", "fusion")}
    runs["eeg"].evaluation_path.write_text(text or "")
    with pytest.raises(RunError, match=r"evaluation\.json cannot be read") as refused:
        evaluate(runs["fusion"], permutations=FEW)
    assert "flexion evaluate" in refused.value.remedy


def test_the_report_of_a_fusion_says_what_it_is(place: Path, judged: dict) -> None:
    """Verdict against heads and baselines, three tables of the paper, weights, one ROC curve for each fusion."""
    run = RunFolder((place / "fusion").resolve())
    text = Reader(write_report(run, judged).read_text("utf-8")).text
    assert re.search(r"The fusion \(cnn-chosen \+ lstm-bands\) (ranks|does not|is not|was not)", text)
    assert "EEG, EMG and resting-state fMRI, in cohort made-up" in text
    assert "They choose two weights and a bias, drawn to equal weights" in text
    assert "Headline, unit patient, 95 % intervals; initialised: random" in text
    for table, words in ((1, "fMRI alone"), (2, "EEG and EMG alone"), (3, "fusion of both")):
        assert f"The paper's Table {table} ({words}) and this run" in text
    assert "ShuffleNet_LSTM the paper slice, not stated 325 0.8031 0.7740 0.8330 0.7829 0.8665" in text
    assert "Weights of the fusions" in text and "Which network each fold chose" in text
    assert "the run has no pictures of scans" in text
    roc = (run.figures_path / "roc.svg").read_text("utf-8")
    assert "ROC curves of 3 models" in roc and "cnn-resnet50 + lstm-bands" in roc
    assert text.count("this network cannot tell the left half of a brain from the right") == 2
    assert "a leak in their training does not show in the mean" in text and "20 fits on shuffled labels" in text
    assert "No intervals: a fused number of this run" in text and "(no interval)" in text
    assert "run of EEG and EMG" in text and "bundle tiny 1.0.0" in text
    assert "nan" not in text.lower().split()


def test_the_report_of_scans_keeps_slices_folded_up(place: Path, judged: dict) -> None:
    """Patients first; what is counted by slice stands in a closed fold that says so."""
    run = RunFolder((place / "fmri").resolve())
    html = write_report(run, of_fmri(place)).read_text("utf-8")
    text = Reader(html).text
    assert "Secondary: single slices" in text and "SECONDARY: unit slice, not patient" in text
    assert "initialised: random" in text and "The network (cnn-chosen)" in text
    assert text.count("Slices are mirrored at random while training") == 2
    assert "The scores stay as they are, so that the mean lies near 0.5 whatever leaks: only z tells" in text
    assert "something leaks" not in text and "20 deals on shuffled labels" in text
    section = html[html.index('<section id="secondary"') :]
    assert "<details>\n<summary>Secondary figures: the unit is the slice" in section
    assert "5 slices" in text


def png(width: int, height: int) -> bytes:
    """Return a black picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * (width + 1) * height))
        + chunk(b"IEND", b"")
    )


@pytest.fixture
def pictured(place: Path, tmp_path: Path, judged: dict) -> RunFolder:
    """Return a copy of the run of fusions whose run on scans has a picture."""
    shutil.copytree(place, tmp_path / "all", symlinks=True)
    fmri, fusion = (RunFolder(tmp_path / "all" / "runs" / (place / name).resolve().name) for name in ("fmri", "fusion"))
    fmri.figures_path.mkdir(exist_ok=True)
    (fmri.figures_path / "attention-1.png").write_bytes(png(40, 20))
    panel = {"file": "figures/attention-1.png", "alt": "Left: a slice.", "caption": "Patient <b>003</b>"}
    found = json.loads(fmri.evaluation_path.read_text())
    found["attention"] = {"words": "Networks of shufflenet that had not seen the patient.", "panels": [panel]}
    fmri.evaluation_path.write_text(json.dumps(found))
    return fusion


def test_pictures_of_the_scans_stand_in_the_one_report(pictured: RunFolder) -> None:
    """Copied beside it and inside the page; nothing is loaded from elsewhere, and a caption is text."""
    found = evaluate(pictured, permutations=FEW)
    html = write_report(pictured, found).read_text("utf-8")
    read = Reader(html)
    [image] = read.all("img")
    assert (image["width"], image["height"], image["alt"]) == ("40", "20", "Left: a slice.")
    assert (image["src"] or "").startswith("data:image/png;base64,")
    assert "Patient <b>003</b>" in read.text and "Where the image model looked: orange" in read.text
    assert (pictured.figures_path / "attention-1.png").is_file()


def test_a_picture_that_is_missing_or_none_is_refused(pictured: RunFolder) -> None:
    """With what makes it anew: at the source, and in the report's own folder."""
    found = evaluate(pictured, permutations=FEW)
    copied = pictured.figures_path / "attention-1.png"
    copied.write_bytes(b"no picture")
    with pytest.raises(RunError, match="is no PNG"):
        write_report(pictured, found)
    copied.unlink()
    with pytest.raises(RunError, match=r"attention-1\.png cannot be read"):
        write_report(pictured, found)
    source = pictured.path / found["fusion"]["runs"]["fmri"]["path"]
    (source / "figures" / "attention-1.png").unlink()
    with pytest.raises(RunError, match="cannot be read") as refused:
        evaluate(pictured, permutations=FEW)
    assert "flexion evaluate" in refused.value.remedy


def test_first_weights_of_several_kinds_are_named_each() -> None:
    """One word where all are alike; else every network's, with the start of its file's hash."""
    file = {"how": "imagenet", "file": "shufflenetv2.pth", "sha256": "ab" * 32}
    said = {"run": {"initialised": {"shufflenet": file, "fbnet": {"how": "random", "file": None, "sha256": None}}}}
    assert Facts(said).initialised == (
        "initialised: shufflenet: imagenet, shufflenetv2.pth (SHA-256 abababababab); fbnet: random"
    )
    assert Facts({"run": {}}).initialised == ""

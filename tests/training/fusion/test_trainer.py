"""Two runs become a run of their fusions, and a bundle that the bedside fuses with; what does not fit is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inference.bundle import FusionBundle
from inference.fusion import Verdict, combine, fuse, refusal
from tests.training.fused_runs import bundle_of, cohort_of, runs_of
from training.cohort.participants import TABLE
from training.errors import RunError
from training.evaluation.scores import Scores
from training.fusion.bundle import curve_of_bundle, origin_of
from training.fusion.fitting import Pair
from training.fusion.trainer import train_fusion
from training.runs.fusion_config import FusionConfig
from training.runs.predictions import read_predictions, write_predictions
from training.runs.run_folder import RunFolder

Runs = tuple[RunFolder, RunFolder]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Return two runs on one cohort."""
    folder = tmp_path_factory.mktemp("two")
    return runs_of(folder, cohort_of(folder / "cohort"))


@pytest.fixture
def copied(runs: Runs, tmp_path: Path) -> Runs:
    """Return the same, to be spoilt."""
    shutil.copytree(runs[0].path.parents[1], tmp_path / "two")
    return tuple(RunFolder(tmp_path / "two" / "runs" / run.path.name) for run in runs)  # type: ignore[return-value]


@pytest.fixture(scope="module")
def made(runs: Runs) -> RunFolder:
    """Return the run of their fusions."""
    return train_fusion(runs[0].path, runs[1].path, runs[0].path.parent)


def test_every_image_network_is_fused_by_every_method(made: RunFolder) -> None:
    """Beside the heads alone and the baselines, for the patients that have both, in every repeat."""
    rows = read_predictions(made.predictions_path)
    assert {row.model for row in rows} == {
        "lstm-bands", "cnn-shufflenet", "cnn-resnet50", "majority",
        *(f"cnn-{net} + lstm-bands{way}"
          for net in ("shufflenet", "resnet50") for way in ("", ", equal", ", mean_prob")),
    }  # fmt: skip
    assert len(rows) == 10 * 34 * 2
    assert {row.unit for row in rows} == {"patient"}
    assert all(row.fma in (25.0, 9.0) for row in rows)


def test_the_record_says_what_each_model_is(made: RunFolder, runs: Runs) -> None:
    """Method, heads, weights with their intervals; both runs and the bundles that they were fitted behind."""
    record = made.record
    assert (record["state"], record["modality"], record["origin"]) == ("done", "fusion", "synthetic")
    fusion = record["fusion"]
    assert (fusion["method"], fusion["parts"]) == ("logit_stack", "folds")
    first, *others = fusion["models"]
    assert (first["name"], first["kind"], first["heads"]) == (
        "cnn-shufflenet + lstm-bands", "fusion", ["lstm-bands", "cnn-shufflenet"],
    )  # fmt: skip
    low, high = first["weights"]["fmri"]["interval"]
    assert low < first["weights"]["fmri"]["value"] < high
    blind = next(model for model in others if model["name"] == "cnn-resnet50 + lstm-bands")
    assert blind["weights"]["fmri"]["value"] < first["weights"]["fmri"]["value"]
    assert (made.path / fusion["runs"]["eeg_emg"]["path"]).resolve() == runs[0].path.resolve()
    assert fusion["runs"]["fmri"]["bundle"]["sha256"] == bundle_of(runs[1]).sha256
    assert RunFolder.open(made.path).path == made.path


def test_the_bedside_fuses_exactly_as_was_fitted(made: RunFolder, runs: Runs) -> None:
    """The bundle's weights, behind the bundles' own lines, are those of all patients."""
    fusion = FusionBundle.load(made.bundle_path)
    eeg, fmri = (bundle_of(run) for run in runs)
    assert refusal(fusion, eeg, fmri) is None
    assert "was fitted on fmri" in (refusal(fusion, eeg, eeg) or "")
    scores = [Scores.of(read_predictions(run.predictions_path), name)
              for run, name in zip(runs, ("lstm-bands", "cnn-shufflenet"), strict=True)]  # fmt: skip
    weights, draws = Pair.of(*scores).weigh("logit_stack", (curve_of_bundle(eeg), curve_of_bundle(fmri)))
    assert fusion.fusion.weights == weights and len(fusion.fusion.draws) == len(draws) == 200
    together = fuse(fusion, Verdict(0.4, np.zeros(1)), Verdict(-1.0, np.zeros(1)))
    assert together.log_odds == float(combine("logit_stack", weights, 0.4, -1.0))
    assert (fusion.fusion.n_min, fusion.fusion.n_ready) == (2, 12)


def test_the_card_tells_the_weights_and_whose_they_are(made: RunFolder, runs: Runs) -> None:
    """With their interval, the bundles by name, how many patients, and that they are simulated."""
    card = (made.bundle_path / "card.md").read_text("utf-8")
    fusion = FusionBundle.load(made.bundle_path)
    assert card.startswith(f"# fusion-shufflenet {fusion.fusion.head.version}\n")
    assert "simulated patients alone (origin: synthetic)" in card
    assert f"| EEG and EMG | {fusion.fusion.weights.eeg_emg:.3f} | " in card
    assert all(bundle_of(run).words in card for run in runs)
    assert "34 patients" in card
    assert str(made.path) not in (made.bundle_path / "manifest.json").read_text("utf-8")


def test_its_settings_are_those_of_a_fusion(made: RunFolder, runs: Runs) -> None:
    """Name, split of both runs, method and how it is judged; nothing of a network."""
    settings = made.settings
    assert isinstance(settings, FusionConfig)
    assert (settings.run.name, settings.fusion.method) == ("fusion", "logit_stack")
    assert settings.split == runs[0].config.split and settings.evaluation == runs[0].config.evaluation
    assert "[model]" not in made.config_path.read_text() and "windows" not in made.record


@pytest.mark.parametrize("method", ["equal", "mean_prob"])
def test_another_method_may_be_asked_for(runs: Runs, tmp_path: Path, method) -> None:
    """Equal weights are nobody's; a mean of probabilities has weights of its grid."""
    run = train_fusion(runs[0].path, runs[1].path, tmp_path, method=method, name="other")
    fusion = FusionBundle.load(run.bundle_path).fusion
    assert (fusion.method, fusion.untrained) == (method, method == "equal")
    assert run.path.name.endswith("_other")
    assert run.record["fusion"]["models"][0]["name"] == "cnn-shufflenet + lstm-bands"
    assert run.record["fusion"]["models"][0]["method"] == method
    if method == "mean_prob":
        assert all(draw.eeg_emg * 20 == pytest.approx(round(draw.eeg_emg * 20)) for draw in fusion.draws)
    assert "none" in (run.bundle_path / "card.md").read_text() or method != "equal"


def test_a_profile_of_one_fold_is_dealt_into_parts(tmp_path: Path) -> None:
    """Otherwise its few patients would choose their own weights."""
    run = train_fusion(*(r.path for r in runs_of(tmp_path, cohort_of(tmp_path / "c", 60), "paper")), tmp_path / "runs")
    rows = read_predictions(run.predictions_path)
    assert run.record["fusion"]["parts"] == "dealt"
    fused = [row for row in rows if row.model == "cnn-shufflenet + lstm-bands"]
    assert {row.fold for row in fused} == set(range(5))
    assert {row.patient for row in rows} <= set(run.splits.folds[0].test)


def test_a_run_of_fewer_repeats_shares_the_first_ones(tmp_path: Path) -> None:
    """A network that takes long may be trained on one repeat."""
    run = train_fusion(
        *(r.path for r in runs_of(tmp_path, cohort_of(tmp_path / "c"), repeats=(2, 1))), tmp_path / "runs"
    )
    assert {row.repeat for row in read_predictions(run.predictions_path)} == {0}
    assert len(run.splits.folds) == 4
    assert run.settings.split.repeats == 1


def test_other_splits_are_refused(copied: Runs, tmp_path: Path) -> None:
    """Who trained one network must not judge the other."""
    path = copied[1].splits_path
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
    with pytest.raises(
        RunError, match="has other splits than .*: who trained one network could be judged by the other"
    ):
        train_fusion(copied[0].path, copied[1].path, tmp_path)


def test_another_cohort_is_refused(copied: Runs, tmp_path: Path) -> None:
    """The one of the runs, unchanged since."""
    table = copied[0].cohort_folder / TABLE
    table.write_text(table.read_text().replace("\t9\t", "\t30\t", 1))
    with pytest.raises(RunError, match="was made from cohort made-up as it was then"):
        train_fusion(copied[0].path, copied[1].path, tmp_path)


SPOILT: list[tuple[Callable[[Runs], object], str]] = [
    (lambda runs: runs[0].predictions_path.unlink(), "has no predictions.csv: its state is done, not done"),
    (lambda runs: shutil.copy(runs[1].predictions_path, runs[0].predictions_path), "is no run of EEG and EMG"),
    (lambda runs: shutil.copy(runs[0].predictions_path, runs[1].predictions_path), "is no run of fMRI"),
    (lambda runs: shutil.rmtree(runs[1].bundle_path), "has no bundle to fuse"),
]


@pytest.mark.parametrize(("spoil", "words"), SPOILT, ids=[words for _, words in SPOILT])
def test_what_cannot_be_fused_is_refused(copied: Runs, tmp_path: Path, spoil, words: str) -> None:
    """Before a run is made, with the remedy."""
    spoil(copied)
    with pytest.raises(RunError, match=words) as refused:
        train_fusion(copied[0].path, copied[1].path, tmp_path / "out")
    assert refused.value.remedy
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("names", ["cnn-resnet50, cnn-shufflenet", "cnn-shufflenet"])
def test_a_bundle_of_another_network_is_refused(copied: Runs, tmp_path: Path, names: str) -> None:
    """Its weights could not be known: no prediction is its own, also where the run has one network."""
    rows = read_predictions(copied[1].predictions_path)
    write_predictions(copied[1].predictions_path, [r for r in rows if r.model in {*names.split(", "), "majority"}])
    from inference.building import write_bundle

    manifest = json.loads((copied[1].bundle_path / "manifest.json").read_text())
    manifest["backbone"] = "fbnet"
    del manifest["files"]
    write_bundle(copied[1].bundle_path, manifest)
    with pytest.raises(RunError, match=rf"has a bundle of none of its networks \({names}\)"):
        train_fusion(copied[0].path, copied[1].path, tmp_path)


def test_one_simulated_patient_makes_all_of_it_synthetic() -> None:
    """The origin of two bundles."""
    assert origin_of("clinical", "clinical") == "clinical"
    assert origin_of("clinical", "synthetic") == "synthetic"


def test_heads_that_know_nothing_fuse_to_chance(tmp_path: Path) -> None:
    """Over cohorts whose logits are dealt by lot the mean AUC of the fusion is one half, by every method."""
    found = []
    for seed in range(6):
        cohort = cohort_of(tmp_path / f"c{seed}", 40, 0, effect=0.0, seed=seed)
        eeg, fmri = runs_of(tmp_path / f"r{seed}", cohort, apart=0.0, backbones=("cnn-shufflenet",), seed=seed + 50)
        scores = [Scores.of(read_predictions(run.predictions_path), name)
                  for run, name in ((eeg, "lstm-bands"), (fmri, "cnn-shufflenet"))]  # fmt: skip
        pair = Pair.of(*scores)
        for method in ("equal", "logit_stack", "mean_prob"):
            fused = pair.cross_fitted(method)
            parts = [(pair.good[pair.parts[r] == k], fused[r, pair.parts[r] == k]) for r in (0, 1) for k in range(4)]
            found.append(np.mean([_auc(*part) for part in parts]))
    assert np.mean(found) == pytest.approx(0.5, abs=0.08)


def _auc(good: np.ndarray, x: np.ndarray) -> float:
    return float(np.mean((np.sign(x[good][:, None] - x[~good]) + 1) / 2))


def test_runs_are_found_again_after_both_moved(made: RunFolder) -> None:
    """The record names them relative to its own folder."""
    assert not any(Path(run["path"]).is_absolute() for run in made.record["fusion"]["runs"].values())
    assert replace(made).splits.profile == "nested"

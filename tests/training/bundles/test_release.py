"""The bundles that ship are built from nothing, and gone on with where that was interrupted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from acquisition.errors import BadInput
from inference.bundle import Bundle
from tests.training.fused_runs import bundle_of, cohort_of, runs_of
from training.bundles.release import FUSED, FUSION, RECIPES, VERSION, Order, fuse, release, simulate, train
from training.errors import RunError
from training.evaluation.document import SCHEMA
from training.runs.run_folder import RunFolder
from training.simulated.roster import roster_of
from training.simulated.synth import synthesise

SMALL = Order(patients=12, minutes=1.1, seed=3, epochs=1, only="lstm-bands")


def test_an_order_is_for_one_bundle_or_for_all():
    """A name that no bundle has is refused before anything is simulated."""
    assert [recipe.name for recipe in Order(120, 9.0, 1).recipes] == ["lstm-bands", "lstm-raw", "cnn-shufflenet"]
    assert [recipe.name for recipe in SMALL.recipes] == ["lstm-bands"]
    with pytest.raises(BadInput, match=r"No bundle that ships is called 'lstm'\. Name one of: lstm-bands, lstm-raw"):
        _ = Order(120, 9.0, 1, only="lstm").recipes
    assert Order(120, 9.0, 1, only=FUSION).recipes == ()
    assert [Order(120, 9.0, 1, only=only).fuses for only in ("", FUSION, "lstm-raw")] == [True, True, False]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_recipe_is_a_configuration(recipe):
    """With the order's seed everywhere; fewer epochs where they are asked for, never more."""
    plain, fewer, more = (Order(120, 9.0, 7, epochs, workers=2).config(recipe) for epochs in (None, 1, 10_000))
    assert (plain.model.kind, plain.run.name, plain.run.seed, plain.split.seed) == (recipe.kind, recipe.name, 7, 7)
    assert plain.run.workers == 2
    assert (fewer.fit.epochs, more.fit.epochs) == (1, plain.fit.epochs)
    assert plain.split.profile == ("paper" if recipe.kind == "raw" else "nested")


def test_as_many_patients_have_eeg_as_of_the_paper_s():
    """86 of 102; scans are left out where nothing learns from them."""
    spec = Order(40, 2.0, 7).cohort(RECIPES[0])
    assert (spec.patients, spec.with_eeg, spec.bold, spec.seed) == (40, 34, False, 7)


def test_scans_are_learned_from_the_same_patients():
    """Both modalities can be fused: the tables are the same, and so are the cohorts that splits are dealt for."""
    order = Order(20, 1.1, 7)
    tables = {recipe.name: [one.participant for one in roster_of(order.cohort(recipe))] for recipe in RECIPES}
    assert tables["cnn-shufflenet"] == tables["lstm-bands"]
    image = order.cohort(RECIPES[2])
    assert image.bold and image.minutes < 2


def test_the_networks_that_ship_are_fused_as_they_ship(tmp_path: Path):
    """The newest run of each gives its logits; the fusion is bound to their bundles, and says what it weighs."""
    order, work, cohort = Order(40, 1.1, 0), tmp_path / "work", cohort_of(tmp_path / "cohort")
    runs = []
    for name, run in zip(FUSED, runs_of(tmp_path, cohort, backbones=("cnn-shufflenet",)), strict=True):
        with pytest.raises(RunError, match=f"has no run of {name} to fuse.*flexion models build --only {name}"):
            fuse(order, work, tmp_path / "out")
        [recipe] = (recipe for recipe in RECIPES if recipe.name == name)
        spec = order.cohort(recipe)
        folder = f"cohort-40-patients-{'scans' if spec.bold else '1.1-min'}-seed-0"
        runs.append(RunFolder(Path(shutil.move(run.path, work / "runs" / folder / name / "20260101T000000Z"))))
        runs[-1].note_cohort(cohort)
        # What judging them would write; recordings and scans there are none.
        runs[-1].evaluation_path.write_text(json.dumps({"schema": SCHEMA, "run": {}, "paper_table": []}))
    fusion = fuse(order, work, tmp_path / "out")
    assert fusion.path == tmp_path / "out" / FUSION
    assert fusion.words.startswith(f"{FUSION} {VERSION} (")
    assert fusion.fusion.method == "logit_stack" and len(fusion.fusion.draws) == 200
    assert fusion.fusion.fitted_on == {
        "eeg_emg": bundle_of(runs[0]).sha256, "fmri": bundle_of(runs[1]).sha256,
    }  # fmt: skip


@pytest.mark.thorough
@pytest.mark.timeout(600)
def test_a_small_order_becomes_a_bundle_and_is_gone_on_with(tmp_path: Path):
    """Simulated, trained, judged, exported; asked for again, nothing is trained anew and the bundle is the same."""
    [recipe] = SMALL.recipes
    cohort = simulate(SMALL, recipe, tmp_path / "work")
    run = train(recipe, SMALL, cohort, tmp_path / "work")
    bundle = release(run, recipe, tmp_path / "out")
    assert isinstance(bundle, Bundle) and bundle.words.startswith(f"lstm-bands {VERSION} (")
    assert bundle.model.fma is not None and bundle.model.head.origin == "synthetic"
    card = " ".join((bundle.path / "card.md").read_text("utf-8").split())
    assert "The network (lstm-bands)" in card and "| band-power |" in card
    metrics = run.metrics_path.read_bytes()
    synthesise(cohort, SMALL.cohort(recipe))
    again = train(recipe, SMALL, cohort, tmp_path / "work")
    assert again == run and run.metrics_path.read_bytes() == metrics
    assert release(again, recipe, tmp_path / "out").sha256 == bundle.sha256 == Bundle.load(run.bundle_path).sha256
    with pytest.raises(RunError, match=r"was made with fit\.epochs 1, not 2"):
        train(recipe, Order(12, 1.1, 3, epochs=2), cohort, tmp_path / "work")

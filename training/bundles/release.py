"""The bundles that ship, from nothing: simulate a cohort, train each network on it, judge it, export it, fuse two.

Everything lies in one work folder, and each step goes on where it was interrupted: patients that are written stay, a
run that was killed goes on, one that is done is taken as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from acquisition.errors import BadInput
from inference.bundle import Bundle, FusionBundle
from training.bundles.bundling import bundle_of_run
from training.bundles.placing import replace_bundle
from training.bundles.slice_bundling import bundle_of_fmri_run
from training.errors import RunError
from training.evaluation.evaluation import evaluate
from training.fusion.trainer import bundle_of_fusion_run, train_fusion
from training.imaging.trainer import train_fmri
from training.reporting.page import write_report
from training.runs.config import Kind, load_config
from training.runs.image_config import ImageConfig, load_image_config
from training.runs.run_folder import AnyConfig, RunFolder
from training.simulated.spec import EEG_OF_ALL, SynthSpec
from training.simulated.synth import Watcher as CohortWatcher
from training.simulated.synth import synthesise
from training.stages import Watcher
from training.trainer import train_eeg
from training.watching import NOBODY

#: Of all bundles that ship.
VERSION = "1.0.0"


@dataclass(frozen=True)
class Recipe:
    """How a bundle that ships is trained.

    Parameters
    ----------
    name : str
        Of the bundle.
    kind : {"bands", "raw", "fmri"}
        Which network: of EEG and EMG, or of scans.
    settings : mapping
        By dotted key, over the defaults of the kind.
    """

    name: str
    kind: Kind | Literal["fmri"]
    settings: Mapping[str, Any] = field(default_factory=dict)


#: All of them. The paper's of EEG and EMG reads a hundred times as many steps, and so has the paper's one split, not 25
#: folds, and begins with crops of a second. The image network is the paper's best, from random weights; one dealing of
#: five folds and a final network, 16 epochs each at most, are 72 minutes of CPU.
RECIPES = (
    Recipe("lstm-bands", "bands"),
    Recipe("lstm-raw", "raw", {"split.profile": "paper", "fit.warm_start": 4}),
    Recipe(
        "cnn-shufflenet",
        "fmri",
        {
            "model.backbones": ("shufflenet",),
            "model.weights": "none",
            "split.repeats": 1,
            "fit.epochs": 16,
            "fit.patience": 5,
        },
    ),
)
#: The fusion that ships, and the networks that it weighs.
FUSION, FUSED = "fusion-stack", ("lstm-bands", "cnn-shufflenet")
#: Minutes and still start of recordings that only stand for a patient's EEG where scans are learned from: the same
#: patients, outcomes and splits, so that both modalities can be fused.
STAND_IN_MINUTES, STAND_IN_STILL_S = 1.1, 4.0


@dataclass(frozen=True)
class Order:
    """What is to be built.

    Parameters
    ----------
    patients, minutes : int, float
        Of the simulated cohort; as many of them have EEG as of the paper's.
    seed : int
        Of everything random.
    epochs : int or None
        At most so many, where that is fewer than the recipe's.
    workers : int
        Processes; they change no figure.
    only : str
        The one bundle, the fusion among them; all when empty.
    """

    patients: int
    minutes: float
    seed: int
    epochs: int | None = None
    workers: int = 1
    only: str = ""

    def cohort(self, recipe: Recipe) -> SynthSpec:
        """Return the cohort that is simulated for a recipe: the same patients for all, with scans where they count."""
        with_eeg = round(self.patients * EEG_OF_ALL)
        everybody = SynthSpec(patients=self.patients, with_eeg=with_eeg, seed=self.seed)
        if recipe.kind == "fmri":
            return replace(everybody, minutes=STAND_IN_MINUTES, still_s=STAND_IN_STILL_S)
        return replace(everybody, minutes=self.minutes, bold=False)

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """What is trained; nothing for the fusion alone.

        Raises
        ------
        BadInput
            If no bundle that ships has that name.
        """
        chosen = tuple(recipe for recipe in RECIPES if self.only in ("", recipe.name))
        if not chosen and not self.fuses:
            names = ", ".join((*(recipe.name for recipe in RECIPES), FUSION))
            message = f"No bundle that ships is called {self.only!r}."
            raise BadInput(message, subject=self.only, remedy=f"Name one of: {names}.")
        return chosen

    @property
    def fuses(self) -> bool:
        """Whether the fusion is wanted."""
        return self.only in ("", FUSION)

    def config(self, recipe: Recipe) -> AnyConfig:
        """Return the settings of a run."""
        flags = {
            "run.name": recipe.name,
            "run.seed": self.seed,
            "run.workers": self.workers,
            "split.seed": self.seed,
            **recipe.settings,
        }
        config = _loaded(recipe, flags)
        fewer = self.epochs is not None and self.epochs < config.fit.epochs
        return _loaded(recipe, flags | {"fit.epochs": self.epochs}) if fewer else config


def _loaded(recipe: Recipe, flags: Mapping[str, Any]) -> AnyConfig:
    return load_image_config(flags=flags) if recipe.kind == "fmri" else load_config(kind=recipe.kind, flags=flags)


def simulate(order: Order, recipe: Recipe, work: Path, watcher: CohortWatcher = NOBODY) -> Path:
    """Return the folder of a recipe's cohort, written to its end.

    Parameters
    ----------
    order, recipe : Order, Recipe
        What is wanted.
    work : Path
        Where cohort and runs are kept.
    watcher : training.simulated.synth.Watcher
        Is told how far it is.
    """
    folder = _cohort_folder(order, recipe, work)
    synthesise(folder, order.cohort(recipe), watcher, workers=order.workers)
    return folder


def _cohort_folder(order: Order, recipe: Recipe, work: Path) -> Path:
    spec = order.cohort(recipe)
    what = "scans" if spec.bold else f"{spec.minutes:g}-min"
    return work / f"cohort-{spec.patients}-patients-{what}-seed-{spec.seed}"


def train(recipe: Recipe, order: Order, cohort: Path, work: Path, watcher: Watcher = NOBODY) -> RunFolder:
    """Return the run of a recipe: the one that is done, the rest of the one that was interrupted, or a new one.

    Parameters
    ----------
    recipe, order : Recipe, Order
        What is trained.
    cohort : Path
        On which patients.
    work : Path
        Where runs are kept.
    watcher : training.stages.Watcher
        Is told how far it is.

    Raises
    ------
    RunError
        If the run that is there was begun with other settings.
    """
    runs, begun = _runs(cohort, recipe, work)
    config, resume = order.config(recipe), begun[-1] if begun else None
    if isinstance(config, ImageConfig):
        return train_fmri(cohort, config, runs, resume=resume, watcher=watcher)
    return train_eeg(cohort, config, runs, resume=resume, watcher=watcher)


def _runs(cohort: Path, recipe: Recipe, work: Path) -> tuple[Path, list[Path]]:
    """Return where the runs of a recipe lie, and those that are there, the newest last."""
    runs = work / "runs" / cohort.name / recipe.name
    return runs, sorted(path.parent for path in runs.glob("*/run.json"))


def release(run: RunFolder, recipe: Recipe, out: Path) -> Bundle:
    """Judge a run and return its bundle, in a folder of the recipe's name below `out`; the run keeps the same."""
    write_report(run, evaluate(run))
    make = bundle_of_fmri_run if run.modality == "fmri" else bundle_of_run
    made = make(run, run.bundle_path, recipe.name, VERSION)
    replace_bundle(made.path, made.manifest.head.files, out / recipe.name)
    return Bundle.load(out / recipe.name)


def fuse(order: Order, work: Path, out: Path) -> FusionBundle:
    """Weigh the two networks that ship by the patients whom neither had seen, and return the bundle of it.

    Raises
    ------
    RunError
        If one of the two is not trained yet.
    """
    latest = []
    for recipe in (recipe for name in FUSED for recipe in RECIPES if recipe.name == name):
        folder, runs = _runs(_cohort_folder(order, recipe, work), recipe, work)
        if not runs:
            remedy = f"Train it: flexion models build --only {recipe.name} --work {work}."
            raise RunError(f"{folder} has no run of {recipe.name} to fuse.", subject=str(folder), remedy=remedy)
        latest.append(runs[-1])
    eeg_emg, fmri = latest
    run = train_fusion(eeg_emg, fmri, work / "runs" / FUSION, name=FUSION)
    write_report(run, evaluate(run))
    return bundle_of_fusion_run(run, out / FUSION, FUSION, VERSION)

"""The bundles that ship, from nothing: simulate a cohort, train each network on it, judge it, export it.

Everything lies in one work folder, and each step goes on where it was interrupted: patients that are written stay, a
run that was killed goes on, one that is done is taken as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acquisition.errors import BadInput
from inference.bundle import Bundle
from training.bundling import bundle_of_run
from training.cohort.spec import SynthSpec
from training.cohort.synth import synthesise
from training.config import Config, Kind, load_config
from training.evaluation.evaluation import evaluate
from training.reporting.page import write_report
from training.run_folder import RunFolder
from training.trainer import train_eeg

#: Of all bundles that ship.
VERSION = "1.0.0"


@dataclass(frozen=True)
class Recipe:
    """How a bundle that ships is trained.

    Parameters
    ----------
    name : str
        Of the bundle.
    kind : {"bands", "raw"}
        Which network.
    settings : mapping
        By dotted key, over the defaults of the kind.
    """

    name: str
    kind: Kind
    settings: Mapping[str, Any] = field(default_factory=dict)


#: Both networks. The paper's reads a hundred times as many steps, and so has the paper's one split, not 25 folds.
RECIPES = (
    Recipe("lstm-bands", "bands"),
    Recipe("lstm-raw", "raw", {"split.profile": "paper"}),
)


@dataclass(frozen=True)
class Order:
    """What is to be built.

    Parameters
    ----------
    patients, minutes : int, float
        Of the simulated cohort; every patient has EEG.
    seed : int
        Of everything random.
    epochs : int or None
        At most so many, where that is fewer than the recipe's.
    workers : int
        Processes; they change no figure.
    only : str
        The one bundle; all when empty.
    """

    patients: int
    minutes: float
    seed: int
    epochs: int | None = None
    workers: int = 1
    only: str = ""

    @property
    def cohort(self) -> SynthSpec:
        """The cohort that is simulated."""
        return SynthSpec(
            patients=self.patients, with_eeg=self.patients, minutes=self.minutes, seed=self.seed, bold=False
        )

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """What is trained on it.

        Raises
        ------
        BadInput
            If no bundle that ships has that name.
        """
        chosen = tuple(recipe for recipe in RECIPES if self.only in ("", recipe.name))
        if not chosen:
            names = ", ".join(recipe.name for recipe in RECIPES)
            message = f"No bundle that ships is called {self.only!r}."
            raise BadInput(message, subject=self.only, remedy=f"Name one of: {names}.")
        return chosen

    def config(self, recipe: Recipe) -> Config:
        """Return the settings of a run."""
        flags = {
            "run.name": recipe.name,
            "run.seed": self.seed,
            "run.workers": self.workers,
            "split.seed": self.seed,
            **recipe.settings,
        }
        config = load_config(kind=recipe.kind, flags=flags)
        fewer = self.epochs is not None and self.epochs < config.fit.epochs
        return load_config(kind=recipe.kind, flags=flags | {"fit.epochs": self.epochs}) if fewer else config


def build(order: Order, work: Path, out: Path, say: Callable[[str], None]) -> Iterator[Bundle]:
    """Yield each bundle when it is there.

    Parameters
    ----------
    order : Order
        What is wanted.
    work : Path
        Where cohort and runs are kept.
    out : Path
        The bundles' folder; each gets one of its own name.
    say : callable
        Is told what comes next.
    """
    recipes = order.recipes
    spec = order.cohort
    cohort = work / f"cohort-{spec.patients}-patients-{spec.minutes:g}-min-seed-{spec.seed}"
    say(f"{spec.patients} simulated patients of {spec.minutes:g} minutes: {cohort}")
    synthesise(cohort, spec, workers=order.workers)
    for recipe in recipes:
        runs = work / "runs" / cohort.name / recipe.name
        say(f"{recipe.name}: training, in {runs}")
        run = _run(cohort, order.config(recipe), runs)
        say(f"{recipe.name}: judging")
        write_report(run, evaluate(run))
        say(f"{recipe.name}: gates and export")
        yield bundle_of_run(run, out / recipe.name, recipe.name, VERSION)


def _run(cohort: Path, config: Config, runs: Path) -> RunFolder:
    """Return the run of a recipe: the one that is done, the rest of the one that was interrupted, or a new one."""
    begun = sorted(path.parent for path in runs.glob("*/run.json"))
    if begun and RunFolder.open(begun[-1]).record["state"] == "done":
        return RunFolder.open(begun[-1])
    return train_eeg(cohort, config, runs, resume=begun[-1] if begun else None)

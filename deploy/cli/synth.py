"""``flexion cohort synth``: a cohort of simulated patients, for trying everything that trains and evaluates."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deploy.cli import output
from deploy.cli.bars import Bars
from deploy.cli.options import Json
from deploy.times import words_of

if TYPE_CHECKING:
    from rich.progress import TaskID

#: Share of the patients with EEG where the user does not say: the paper's 86 of 102.
EEG_OF_ALL = 86 / 102

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="New or empty folder, or one that was interrupted.")]
Patients = Annotated[int, typer.Option("--patients", metavar="N", help="How many patients.")]
WithEeg = Annotated[
    int | None, typer.Option("--with-eeg", metavar="N", help="How many of them have EEG and EMG; default 86 of 102.")
]
Minutes = Annotated[float, typer.Option("--minutes", help="Length of a recording.")]
Effect = Annotated[int, typer.Option("--effect", help="How much recovery shows: 0 not at all, 1 hard to see, 2 easy.")]
Seed = Annotated[int, typer.Option("--seed", help="The same seed gives the same cohort.")]
Sites = Annotated[int, typer.Option("--sites", metavar="N", help="Hospitals with equipment of their own.")]
Missing = Annotated[
    Literal["random", "severity"],
    typer.Option("--missing", help="Who has no EEG: anybody, or the worse the likelier."),
]
NoBold = Annotated[bool, typer.Option("--no-bold", help="Leave the BOLD scans out.")]
Workers = Annotated[int, typer.Option("--workers", metavar="N", min=1, help="Processes; they change no byte.")]


def synth(
    folder: Folder,
    patients: Patients = 102,
    with_eeg: WithEeg = None,
    minutes: Minutes = 9.0,
    effect: Effect = 2,
    seed: Seed = 1,
    sites: Sites = 3,
    missing: Missing = "random",
    no_bold: NoBold = False,
    workers: Workers = 1,
    as_json: Json = False,
) -> None:
    """Write a cohort of simulated patients.

    Recordings of EEG and EMG, resting-state BOLD and a table with the outcome at three months, all stamped synthetic.
    Interrupted, the same command goes on where it stopped.
    """
    from training.simulated.spec import SynthSpec
    from training.simulated.synth import synthesise

    spec = SynthSpec(
        patients=patients,
        with_eeg=round(patients * EEG_OF_ALL) if with_eeg is None else with_eeg,
        minutes=minutes,
        effect=effect,
        seed=seed,
        bold=not no_bold,
        sites=sites,
        missing=missing,
    )
    with Shown(as_json=as_json) as shown:
        members = synthesise(folder, spec, shown, workers=workers)
    n_good = sum(bool(member.participant.good) for member in members)
    words = f"{spec.patients} patients, {n_good} with a good outcome; {spec.with_eeg} with EEG"
    output.say(f"{folder}: {words}{'' if spec.bold else ', no BOLD'}. Simulated: nothing here is of a patient.")
    if as_json:
        counts = {"patients": spec.patients, "with_eeg": spec.with_eeg, "good": n_good, "written": shown.n_written}
        told = {"folder": str(folder), "origin": "synthetic", "settings": spec.to_json(), **counts}
        output.put_json({"schema": output.SCHEMA, "cohort": told})


class Shown(Bars):
    """Shows how many patients there are; parameters as of ``Bars``."""

    def __init__(self, *, as_json: bool, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(as_json=as_json, clock=clock)
        self._task: TaskID | None = None
        self._n_patients = self._n_kept = self.n_written = 0
        self._began_s = clock()

    def begins(self, n_patients: int, n_kept: int) -> None:
        """Hear how many patients have files, and of how many of them they are there."""
        self._n_patients, self._n_kept, self._began_s = n_patients, n_kept, self.clock()
        if n_kept:
            output.say(f"{n_kept} of {n_patients} patients are there already.")
        if self.drawn is not None:
            self._task = self.drawn.add_task("patients", total=n_patients, completed=n_kept, words="")

    def finished(self, patient: str) -> None:
        """Hear that one more is there."""
        self.n_written += 1
        words = f"{self.words}, ETA {words_of(round(self.left_s))}"
        if self.drawn is not None and self._task is not None:
            self.drawn.update(self._task, advance=1, words=words)
        else:
            self.line(words)

    @property
    def words(self) -> str:
        """How many of how many."""
        return f"{self._n_kept + self.n_written} of {self._n_patients} patients"

    @property
    def left_s(self) -> float:
        """Seconds until the last one at the speed so far."""
        n_left = self._n_patients - self._n_kept - self.n_written
        return n_left * (self.clock() - self._began_s) / max(1, self.n_written)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if kind is KeyboardInterrupt:
            output.say(f"{self.words} are there; the same command goes on from here.")

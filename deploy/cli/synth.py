"""``flexion cohort synth``: a cohort of simulated patients, for trying everything that trains and evaluates."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Literal, Self

import typer

from deploy.cli import output
from deploy.cli.options import Json
from deploy.cli.progress import LINE_S
from deploy.times import words_of

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

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


class Shown:
    """Shows on stderr how many patients there are: a bar on a terminal, else a line now and then.

    Parameters
    ----------
    as_json : bool
        Whether a program reads us: then there are lines, also on a terminal.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._bar: Progress | None = None if as_json or not sys.stderr.isatty() else _bar()
        self._task: TaskID | None = None
        self._n_patients = self._n_kept = self.n_written = 0
        self._began_s = self._told_s = time.monotonic()

    def begins(self, n_patients: int, n_kept: int) -> None:
        """Hear how many patients have files, and of how many of them they are there."""
        self._n_patients, self._n_kept = n_patients, n_kept
        self._began_s = self._told_s = time.monotonic()
        if n_kept:
            output.say(f"{n_kept} of {n_patients} patients are there already.")
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task("patients", total=n_patients, completed=n_kept)

    def finished(self, patient: str) -> None:
        """Hear that one more is there."""
        self.n_written += 1
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=1)
        elif time.monotonic() >= self._told_s + LINE_S:
            self._told_s = time.monotonic()
            output.say(f"{self.words}, ETA {words_of(round(self.left_s))}")

    @property
    def words(self) -> str:
        """How many of how many."""
        return f"{self._n_kept + self.n_written} of {self._n_patients} patients"

    @property
    def left_s(self) -> float:
        """Seconds until the last one at the speed so far."""
        n_left = self._n_patients - self._n_kept - self.n_written
        return n_left * (time.monotonic() - self._began_s) / max(1, self.n_written)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        if kind is KeyboardInterrupt:
            output.say(f"{self.words} are there; the same command goes on from here.")


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("ETA"))
    return Progress(*columns, TimeRemainingColumn(), console=Console(file=sys.stderr), transient=True)

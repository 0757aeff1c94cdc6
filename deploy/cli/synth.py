"""``flexion cohort synth``: a cohort of simulated patients, for trying everything that trains and evaluates."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Annotated, Literal

import typer

from deploy.cli import output
from deploy.cli.bars import PatientBar
from deploy.cli.options import Json

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
    from training.simulated.spec import EEG_OF_ALL, SynthSpec
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
        counts = {"patients": spec.patients, "with_eeg": spec.with_eeg, "good": n_good, "written": shown.n_done}
        told = {"folder": str(folder), "origin": "synthetic", "settings": spec.to_json(), **counts}
        output.put_json({"schema": output.SCHEMA, "cohort": told})


class Shown(PatientBar):
    """Shows how many patients there are; parameters as of ``Bars``."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if kind is KeyboardInterrupt:
            output.say(f"{self.words} are there; the same command goes on from here.")

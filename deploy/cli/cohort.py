"""``flexion cohort``: patients to learn from: simulated ones, the ward's own sessions, and whether all is in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deploy import exits
from deploy.cli import output
from deploy.cli.bars import PatientBar
from deploy.cli.options import Data, Json
from deploy.cli.sessions import Session, find
from deploy.cli.synth import synth

if TYPE_CHECKING:
    from training.audit.audit import Audit
    from training.audit.examining import Row
    from training.audit.findings import Finding

#: Columns of the table of patients.
HEAD = (
    "patient", "site", "FMA", "outcome", "paper", "recording", "length", "EEG", "EMG", "mains", "scan", "findings",
)  # fmt: skip
#: Findings of one check that are told one by one; more are told together.
EACH = 3
#: Pseudonyms of those that are told together.
NAMED = 6
#: Name of the cohort in the data folder, where none is named.
COHORT = "cohort"

group = typer.Typer()
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a cohort.")]
Into = Annotated[
    Path | None, typer.Option("--cohort", metavar="DIR", help="The cohort; made if it is not there. [<data>/cohort]")
]
Fma3mo = Annotated[float, typer.Option("--fma-3mo", help="Fugl-Meyer score of the leg at three months, 0 to 34.")]
FmaBaseline = Annotated[float | None, typer.Option("--fma-baseline", help="The same at the recording.")]
FollowUp = Annotated[float | None, typer.Option("--followup-days", help="Days after the stroke of --fma-3mo.")]
Onset = Annotated[float | None, typer.Option("--days-since-onset", help="Days after the stroke at the recording.")]
Side = Annotated[Literal["left", "right"] | None, typer.Option("--lesion-side", help="Hemisphere of the lesion.")]
Territory = Annotated[str | None, typer.Option("--infarct-territory", help="Artery, such as MCA.")]
Comorbidity = Annotated[str | None, typer.Option("--comorbidity", help="In a word.")]
Site = Annotated[str | None, typer.Option("--site", help="Name of the hospital.")]
Age = Annotated[float | None, typer.Option("--age", help="Years.")]
Sex = Annotated[str | None, typer.Option("--sex", help="As your study writes it.")]
Strength = Annotated[float | None, typer.Option("--strength-grade", min=0, max=5, help="Of the leg, 0 to 5 (MRC).")]
Sitting = Annotated[float | None, typer.Option("--sitting-balance", help="Points.")]
Leg = Annotated[float | None, typer.Option("--leg-strength", help="Points.")]


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.add_typer(group, name="cohort")


@group.callback()
def cohort() -> None:
    """Make, check and extend cohorts of patients to learn from."""


group.command()(synth)


@group.command()
def check(folder: Folder, as_json: Json = False) -> None:
    """Find everything that is wrong with a cohort, before anything is learned from it.

    Exit code 3 where training would refuse it.
    """
    from deploy.cli.extra import need_training

    need_training()
    from training.audit.audit import check as audit

    with PatientBar(as_json=as_json) as bar:
        found = audit(folder, bar)
    if as_json:
        output.put_json(found.to_json())
    else:
        put(found)
    raise typer.Exit(exits.BAD_INPUT if found.errors else exits.OK)


@group.command()
def add(
    session: Session,
    fma_3mo: Fma3mo,
    into: Into = None,
    fma_baseline: FmaBaseline = None,
    followup_days: FollowUp = None,
    days_since_onset: Onset = None,
    lesion_side: Side = None,
    infarct_territory: Territory = None,
    comorbidity: Comorbidity = None,
    site: Site = None,
    age: Age = None,
    sex: Sex = None,
    strength_grade: Strength = None,
    sitting_balance: Sitting = None,
    leg_strength: Leg = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Add a session of the ward to a cohort, with its patient's follow-up.

    The session's folder is copied. A patient who is there already gets what is new; what contradicts is refused.
    """
    from deploy.settings import load
    from training.cohort.adding import add_session

    given = {
        "fma_3mo": fma_3mo,
        "fma_baseline": fma_baseline,
        "followup_days": followup_days,
        "days_since_onset": days_since_onset,
        "lesion_side": lesion_side,
        "infarct_territory": infarct_territory,
        "comorbidity": comorbidity,
        "site": site,
        "age": age,
        "sex": sex,
        "strength_grade": strength_grade,
        "sitting_balance": sitting_balance,
        "leg_strength": leg_strength,
    }
    folder = load({"data_dir": data}).data_dir
    values = {field: value for field, value in given.items() if value is not None}
    added = add_session(find(folder, session), into or folder / COHORT, values)
    patient, n = added.participant, len(added.cohort.participants)
    outcome = "good" if patient.good else "poor"
    made = f"New {added.cohort.origin} cohort. " if added.made else ""
    output.say(f"{made}{added.cohort.folder}: patient {patient.id}, outcome {outcome}; {n} patient{'s' * (n != 1)}.")
    if as_json:
        told = {"patient": patient.id, "good": patient.good, "path": str(added.path), "made": added.made}
        about = {"folder": str(added.cohort.folder), "origin": added.cohort.origin, "patients": n}
        output.put_json({"schema": output.SCHEMA, "cohort": about, "added": told})


def put(audit: Audit) -> None:
    """Write an audit for people: the patients as one table, then what was found, errors first."""
    from training.audit.findings import LEVELS

    cohort = audit.cohort
    title = f"{cohort.name}: {len(audit.rows)} patients, {cohort.origin}, montage {cohort.montage}"
    output.put_table(title, HEAD, [_cells(row, audit.findings) for row in audit.rows])
    for level in LEVELS:
        for line in _told(audit.of(level)):
            print(f"{level}: {line}", flush=True)
    counts = [f"{len(audit.of(level))} {level}{'s' * (len(audit.of(level)) != 1)}" for level in LEVELS]
    verdict = "training refuses this cohort" if audit.errors else "training takes this cohort"
    print(f"{', '.join(counts)}: {verdict}.", flush=True)


def _cells(row: Row, findings: Sequence[Finding]) -> list[object]:
    own = [finding.level for finding in findings if finding.patient == row.patient]
    errors, warnings = own.count("error"), own.count("warning")
    measured = "" if row.mains_measured_hz is None else f", seen {row.mains_measured_hz:g}"
    return [
        row.patient,
        row.site,
        _number(row.outcome_fma),
        {True: "good", False: "poor", None: "none"}[row.good],
        {True: "yes", False: "no", None: "?"}[row.included],
        Path(row.recording).suffix.lstrip(".") or "session" if row.recording else "none",
        "" if row.seconds is None else f"{row.seconds / 60:.1f} min",
        _number(row.eeg_uv, " µV"),
        _number(row.emg_uv, " µV"),
        "" if row.mains_hz is None else f"{row.mains_hz:g} Hz{measured}",
        "x".join(map(str, row.scan_shape)) or ("unreadable" if row.n_scans else "none"),
        ", ".join(f"{n} {word}{'s' * (n != 1)}" for n, word in ((errors, "error"), (warnings, "warning")) if n) or "-",
    ]


def _number(value: float | None, unit: str = "") -> str:
    return "" if value is None else f"{value:.3g}{unit}"


def _told(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield a line for each finding of one level; of many that differ in the patient alone, one line for all."""
    alike: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        alike.setdefault((finding.check, finding.remedy), []).append(finding)
    for same in alike.values():
        together = len(same) > EACH and same[0].level != "error"
        for one in same[:1] if together else same:
            where = ", ".join(name for name in (one.patient, one.file) if name)
            line = " ".join(f"{where}: {one.what} {one.remedy}".split())
            yield line + (_others(same[1:]) if together else "")


def _others(same: Sequence[Finding]) -> str:
    names = ", ".join(one.patient or "the cohort" for one in same[:NAMED])
    return f" Likewise {names}{f' and {len(same) - NAMED} more' if len(same) > NAMED else ''} (all: --json)."

"""``flexion fmri``: a patient's resting-state scan, scored for the sessions of that patient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.cli import output
from deploy.cli.options import Data, Json, Patient

if TYPE_CHECKING:
    from datetime import date

group = typer.Typer()
Nifti = Annotated[Path, typer.Argument(metavar="NIFTI", help="Volumes over time: a .nii or .nii.gz file.")]
ScanBundle = Annotated[str | None, typer.Option("--bundle", metavar="NAME", help="Bundle of scans, or its folder.")]
Day = Annotated[
    str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="Day of the scan, where its file does not say.")
]


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.add_typer(group, name="fmri")


@group.callback()
def fmri() -> None:
    """Score resting-state fMRI."""


@group.command()
def score(
    nifti: Nifti,
    *,
    patient: Patient,
    bundle: ScanBundle = None,
    day: Day = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Score a scan and keep the score for the patient's sessions.

    A session of that patient that runs takes it at once, others at their start. Nothing is overwritten.
    """
    from deploy.errors import WrongUse
    from deploy.scanning import score_scan
    from deploy.settings import load
    from inference.bundle import Bundle, resolve_bundle

    given = None if day is None else _day(day)
    settings = load({"models.fmri": bundle, "data_dir": data})
    if settings.models.fmri is None:
        raise WrongUse(
            "No bundle of scans is named.",
            subject="--bundle",
            remedy="Name one: --bundle DIR, or FLEXION_MODELS__FMRI.",
        )
    model = Bundle.load_image(resolve_bundle(settings.models.fmri))
    scored = score_scan(nifti, patient, model, data=settings.data_dir, engines=settings.models.engines, given=given)
    if as_json:
        output.put_json(scored)
        return
    for line in _lines(scored):
        print(line, flush=True)


def _day(text: str) -> date:
    from datetime import date

    from deploy.errors import WrongUse

    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise WrongUse(
            f"--date is {text!r}, which is no day.", subject="--date", remedy="Give it as 2026-03-31."
        ) from error


def _lines(scored: Mapping[str, Any]) -> Iterator[str]:
    """Yield what people read of a score."""
    quality, attention = scored["quality"], scored["attention"]
    already = ", scored before" if scored["already"] else ""
    yield f"patient {scored['patient']}, scan of {scored['scanned_on']} ({scored['scan_sha256'][:12]}){already}"
    if quality["problems"]:
        yield f"  must not be used: {'; '.join(quality['problems'])}."
    else:
        low, high = scored["interval"]
        yield f"  by the scan alone: {scored['probability']:.2f} [{low:.2f}, {high:.2f}], of {quality['slices']} slices"
    for sentence in (*scored["scan"]["assumed"], *quality["flags"]):
        yield f"  note: {sentence}"
    yield (
        f"  {attention['title'].lower()}: first at level {attention['first_level_mm']:+.0f} mm; "
        f"{100 * attention['in_brain']:.0f} % of it in the brain"
    )
    if scored["origin"] == "synthetic":
        yield "  synthetic: the scan, or what trained the model, is simulated"
    yield f"  {scored['folder']}"
    yield f"  {output.CAUTION}"

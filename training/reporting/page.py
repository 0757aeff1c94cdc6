"""All of it: ``report.html``, one file that asks no network for anything, and its figures as files of their own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acquisition.durable import make_folder, replace_file
from training.reporting.facts import Facts
from training.reporting.sections import Section, render, sections
from training.reporting.tables import ABOUT
from training.reporting.verdict import origin, probabilities, size, verdict
from training.reporting.words import text

if TYPE_CHECKING:
    from training.runs.run_folder import RunFolder


def page(facts: Facts, parts: list[Section]) -> str:
    """Return the whole report as HTML."""
    return str(
        render(
            "report.html",
            name=text(facts.run.get("name")),
            cohort=text(facts.cohort.get("name")),
            origin=origin(facts),
            synthetic=facts.synthetic,
            verdict=verdict(facts),
            size=size(facts),
            probabilities=probabilities(facts),
            about=ABOUT[facts.modality],
            sections=parts,
        )
    )


def write_page(facts: Facts, path: Path, figures: Path) -> None:
    """Write the report, whole or not at all, and each of its figures."""
    parts = list(sections(facts))
    make_folder(figures)
    for drawing in (drawing for part in parts for drawing in part.drawings):
        drawing.write(figures)
    replace_file(path, page(facts, parts).encode())


def write_report(run: RunFolder, evaluation: Mapping[str, Any]) -> Path:
    """Write the report of a run and return where it lies.

    Parameters
    ----------
    run : RunFolder
        Its learning curves are read, ``report.html`` and ``figures/`` written.
    evaluation : mapping
        Its ``evaluation.json``.

    Raises
    ------
    RunError
        If its ``metrics.csv`` cannot be read.
    DiskFull
        If the disk does not take it.
    """
    write_page(Facts(evaluation, run.metrics(), run.path), run.report_path, run.figures_path)
    return run.report_path

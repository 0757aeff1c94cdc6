"""A cohort that was moved: where it lies now is noted in the run that was made from it, and in those of a fusion."""

from __future__ import annotations

from pathlib import Path

from training.cohort.cohort import Cohort
from training.evaluation.fusing import source_path
from training.runs.run_folder import RunFolder


def note_moved(run: RunFolder, folder: Path) -> None:
    """Note where the cohort of a run lies now; nothing is noted unless it is the one that the run was made from.

    Parameters
    ----------
    run : RunFolder
        Of signals, of scans, or of fusions: then its two runs are noted too.
    folder : Path
        Of the cohort.

    Raises
    ------
    CohortError
        If there is no cohort.
    RunError
        If it is another cohort, or another process writes one of the runs.
    """
    cohort = Cohort.open(folder)
    made_of = run.record.get("fusion", {}).get("runs", {}).values()
    runs = [run, *(RunFolder.open(source_path(run, said)) for said in made_of)]
    for one in runs:
        one.check_cohort(cohort)
    for one in runs:
        with one.writing():
            one.note_cohort(cohort)

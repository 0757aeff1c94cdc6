"""``evaluation.json`` as it is read back: by the card of a bundle, and by what is demanded of simulated patients."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from training.errors import RunError
from training.runs.run_folder import RunFolder

SCHEMA = "flexion.evaluation/1"


def read_evaluation(run: Path) -> dict[str, Any]:
    """Return the evaluation of a run.

    Parameters
    ----------
    run : Path
        Its folder.

    Raises
    ------
    RunError
        If there is none, or it cannot be read, or it is something else.
    """
    path, remedy = RunFolder(run).evaluation_path, f"Run flexion evaluate {run} first."
    try:
        evaluation = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}.", subject=str(path), remedy=remedy) from error
    if not isinstance(evaluation, dict) or evaluation.get("schema") != SCHEMA:
        raise RunError(f"{path} is no evaluation of schema {SCHEMA}.", subject=str(path), remedy=remedy)
    return evaluation

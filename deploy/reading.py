"""Reading on the command line: what is said about files must not be said about a session's folder."""

from __future__ import annotations

from pathlib import Path

from acquisition.reading import AS_IT_IS, Reading
from deploy.errors import WrongUse


def refuse_folder(reading: Reading, path: Path) -> None:
    """Refuse to have anything said about a session's folder, which states everything itself.

    Raises
    ------
    WrongUse
        Names the folder.
    """
    if reading != AS_IT_IS:
        raise WrongUse(
            f"{path} is a session's folder, which states everything about its signal itself.",
            subject=str(path),
            remedy="Leave all that is said about files out: --rate, --labels, --stream, --resample, --counter, ...",
        )

"""``metrics.csv``: one row per epoch of each fold, as it comes; what a kill tore is no row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

from acquisition.durable import AppendFile, replace_file
from training.errors import RunError
from training.file_lock import locked

Value = str | int | float


class EpochTable:
    """A table that several processes append to, each row whole.

    Every row has the same columns, ``fold`` (its name) and ``epoch`` (from 0) among them; the first row names them.

    Parameters
    ----------
    path : Path
        The table; a lock lies beside it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = path.with_suffix(".lock")

    def append(self, row: Mapping[str, Value]) -> None:
        """Add a row with one write.

        Raises
        ------
        RunError
            If its columns are not the table's.
        DiskFull
            If the disk does not take it.
        """
        with locked(self._lock):
            kept = self._whole()
            if kept is None:
                replace_file(self.path, _lines([list(row)]))
            elif (columns := next(csv.reader(kept.splitlines()))) != list(row):
                raise self._refusal(f"has the columns {', '.join(columns)}, and the row {', '.join(row)}")
            file = AppendFile(self.path)
            try:
                file.append(_lines([list(row.values())]))
            finally:
                file.close()

    def rows(self) -> list[dict[str, str]]:
        """Return all whole rows; a last one that a crash tore is none.

        Raises
        ------
        RunError
            If it is no such table.
        """
        try:
            text = self.path.read_text("utf-8")
            header, *rows = list(csv.reader(text[: text.rfind("\n") + 1].splitlines(), strict=True)) or [[]]
            table = [dict(zip(header, row, strict=True)) for row in rows]
            for row in table:
                int(row["epoch"]), row["fold"]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, csv.Error) as error:
            raise self._refusal(f"cannot be read: {error}") from error
        return table

    def _whole(self) -> str | None:
        """Return the table's text, a torn last line cut off on disk too; None where there is no header."""
        if not self.path.exists():
            return None
        text = self.path.read_text("utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            replace_file(self.path, whole.encode())
        return whole or None

    def _refusal(self, why: str) -> RunError:
        return RunError(f"{self.path} {why}.", subject=str(self.path), remedy="Delete that file, or start a new run.")


def _lines(rows: Iterable[Iterable[Value]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()

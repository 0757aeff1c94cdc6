"""Several recordings as one table, a row each: scored, or refused in words; and the same as one object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acquisition.errors import FlexionError
from deploy import exits
from deploy.cli import output
from deploy.times import words_of

#: Columns of the table.
HEAD = ("file", "patient", "duration", "windows", "state", "probability", "told, or why refused")
#: State of a recording that was refused.
REFUSED = "refused"


@dataclass(frozen=True)
class Row:
    """What became of one recording.

    Attributes
    ----------
    name : str
        Of the file or session.
    result : mapping
        Its result object, or its refusal.
    code : int
        The exit code that it stands for.
    rate_hz : float
        Of its grid; 0 where it was refused.
    told : tuple of str
        What the file left open and what could not be read, a sentence each.
    """

    name: str
    result: Mapping[str, Any]
    code: int
    rate_hz: float = 0.0
    told: tuple[str, ...] = ()

    @classmethod
    def scored(cls, name: str, result: Mapping[str, Any], rate_hz: float, told: Sequence[str]) -> Row:
        """Return the row of a recording that has a result."""
        named = {"schema": result["schema"], "file": name, **result}
        return cls(name, named, exits.of_result(result), rate_hz, tuple(told))

    @classmethod
    def refused(cls, name: str, path: Path, error: FlexionError) -> Row:
        """Return the row of a recording that was refused; it names the file as the table does."""
        refusal = error.as_refusal()
        for known in {str(path.resolve()), str(path)}:
            refusal = {key: words.replace(known, name) for key, words in refusal.items()}
        refusal["subject"] = name
        return cls(name, {"schema": output.SCHEMA, "error": refusal}, error.exit_code)

    def cells(self) -> tuple[str, ...]:
        """Return its cells, under ``HEAD``."""
        if "error" in self.result:
            error = self.result["error"]
            words = f"{error['message'].removeprefix(f'{self.name} ')} {error['remedy']}".strip()
            return (self.name, "", "", "", REFUSED, "", _capitalised(words))
        windows, ledger, outcome = self.result["windows"], self.result["ledger"], self.result["outcome"]
        duration_s = (ledger["received"] + ledger["declared_lost"]) / self.rate_hz
        return (
            self.name,
            self.result["patient"],
            words_of(round(duration_s)),
            f"{windows['scored']} of {windows['made']}",
            outcome["state"],
            output.number_of(outcome),
            " ".join(self._words()),
        )

    def _words(self) -> list[str]:
        prefix = f"{Path(self.name).name}: "
        told = [sentence.removeprefix(prefix) for sentence in (*self.told, *self.result["outcome"]["reasons"])]
        if self.code:
            told.append("Not everything is accounted for.")
        return [_capitalised(sentence) for sentence in told]


def _capitalised(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def put(rows: Sequence[Row], *, as_json: bool) -> int:
    """Write the table or the object, and return the worst exit code of all."""
    if as_json:
        output.put_json({"schema": output.SCHEMA, "sessions": [row.result for row in rows]})
    else:
        refused = sum("error" in row.result for row in rows)
        title = f"{len(rows)} recording{'s' if len(rows) > 1 else ''}" + (f", {refused} refused" if refused else "")
        output.put_table(title, HEAD, [row.cells() for row in rows])
        output.put_caution([row.result for row in rows if "error" not in row.result])
    return exits.worst(row.code for row in rows)

"""What the command line says about recordings: options as values."""

from __future__ import annotations

import inspect

import pytest

from deploy.cli.said import Reads, Scores, spread
from deploy.errors import WrongUse
from deploy.recorded import WHOLE, Between


def verb(file: str, *, reads: Reads, scores: Scores, as_json: bool = False) -> None:
    """Do something."""
    CALLS.append((file, reads, scores, as_json))


CALLS: list[tuple[str, Reads, Scores, bool]] = []


def test_a_value_is_spread_over_the_signature_and_put_together_again():
    """The command line sees an option for each field; the verb sees the value."""
    command = spread(verb)
    names = list(inspect.signature(command).parameters)
    assert names[:3] == ["file", "unit", "rate"] and names[-2:] == ["data", "as_json"]
    assert (command.__name__, command.__doc__) == ("verb", "Do something.")
    given = {name: None for name in names} | {"file": "x", "unit": "mV", "begin": "1:00", "as_json": True}
    command(**given)
    (file, reads, scores, as_json) = CALLS.pop()
    assert (file, reads.unit, scores.begin, as_json) == ("x", "mV", "1:00", True)


def test_which_part_is_wanted():
    """From the beginning and to the end unless something else is said."""
    assert Scores().wanted() == WHOLE
    assert Scores(begin="0:30").wanted() == Between(30.0)
    assert Scores(begin="30", end="1:00:00").wanted() == Between(30.0, 3600.0)


@pytest.mark.parametrize(
    ("begin", "end", "words"),
    [
        ("-5", None, r"--from is '-5', which is no time\. Give seconds, m:ss or h:mm:ss"),
        (None, "soon", r"--to is 'soon', which is no time"),
        ("1:30", "90", r"--to 90 does not lie behind --from 1:30\. Give a later one\."),
        (None, "0", r"--to 0 does not lie behind --from 0\."),
    ],
)
def test_a_part_that_makes_no_sense_is_refused(begin, end, words):
    """Before any file is read."""
    with pytest.raises(WrongUse, match=words):
        Scores(begin=begin, end=end).wanted()


def test_what_is_said_of_a_table_reaches_the_reader():
    """Words for characters that are hard to type, labels split at their commas."""
    reading = Reads(labels="C3, C1", delimiter="tab", counter="i:256").reading(resample=True)
    assert (reading.labels, reading.dialect.delimiter, reading.counter, reading.resample) == (
        ("C3", "C1"),
        "\t",
        "i:256",
        True,
    )

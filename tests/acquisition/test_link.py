"""Every cell of the link's table, and what an observation means."""

from itertools import product
from pathlib import Path

import pytest

from acquisition.errors import SequenceError
from acquisition.link import Event, LinkState, State, observe

OPEN = (State.SETTLING, State.LIVE, State.LATE, State.STALLED)
#: The table, written a second time by hand: rows are states, columns FOUND OPENED WARMING FRESH AGED SILENT DIED.
TABLE = {
    "SEARCHING": "CONNECTING - - - - - -",
    "CONNECTING": "- SETTLING - - - - LOST",
    "SETTLING": "- - SETTLING LIVE LATE STALLED LOST",
    "LIVE": "- - SETTLING LIVE LATE STALLED LOST",
    "LATE": "- - SETTLING LIVE LATE STALLED LOST",
    "STALLED": "- - SETTLING LIVE LATE STALLED LOST",
    "LOST": "CONNECTING - - - - - -",
}


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)), ids=lambda e: e.name)
def test_every_cell(state: State, event: Event):
    """A lawful event leads where the table says; any other is refused and nothing happens."""
    link = LinkState(state, since_s=5.0)
    expected = TABLE[state.name].split()[list(Event).index(event)]
    if expected == "-":
        with pytest.raises(SequenceError, match=f"A source that is {state.name} cannot see {event.name}"):
            link.step(event, 9.0)
        assert link == LinkState(state, 5.0)
    else:
        after = link.step(event, 9.0)
        assert after.state.name == expected
        assert after.since_s == (5.0 if after.state is state else 9.0)


@pytest.mark.parametrize(
    ("now_s", "heard_s", "age_s", "settled", "event"),
    [
        (10.0, 9.9, 0.02, True, Event.FRESH),
        (10.0, 9.9, 0.02, False, Event.WARMING),
        (10.0, 9.9, 1.0, True, Event.FRESH),
        (10.0, 9.9, 1.01, True, Event.AGED),
        (10.0, 9.9, 20.0, False, Event.AGED),
        (10.0, 9.11, 0.0, True, Event.FRESH),
        (10.0, 9.1, 0.0, True, Event.SILENT),
        (10.0, 2.0, 9.0, False, Event.SILENT),
        (10.0, 10.0, -3.0, True, Event.FRESH),
    ],
)
def test_what_a_pull_means(now_s: float, heard_s: float, age_s: float, settled: bool, event: Event):
    """Silence for 0.9 s is stalled; a newest sample older than 1 s is late; silence is said first."""
    assert observe(now_s, heard_s, age_s, settled) is event


def test_the_cause_says_how_long():
    """People read how long a source has been silent, from the last sample on; a live one needs no words."""
    assert LinkState(State.STALLED, 10.0).cause(14.0) == "no sample for 5 s"
    assert LinkState(State.LOST, 10.0).cause(14.0) == "stream lost, searching for 4 s"
    assert LinkState(State.LOST, 10.0).cause(14.0, "it has 8 channels") == (
        "stream lost, searching for 4 s: it has 8 channels"
    )
    assert LinkState(State.LIVE, 10.0).cause(14.0) == ""
    assert all("{" not in LinkState(state, 0.0).cause(1.0) for state in State)


def test_the_states_are_in_the_docs():
    """docs/sources.md has a row for each state, with the words that people read."""
    page = (Path(__file__).parents[2] / "docs" / "sources.md").read_text(encoding="utf-8")
    for state in State:
        (row,) = [line for line in page.splitlines() if line.startswith(f"| {state.name} |")]
        words = LinkState(state, 0.0).cause(12.0).split("12")[0].split(" for ")[0]
        assert words in row

"""How far a viewer has come."""

from hypothesis import given
from hypothesis import strategies as st

from dashboard.cursor import START, Cursor, numbers, words

IDS = st.tuples(st.integers(0, 2**60), st.integers(0, 2**60))


@given(IDS, IDS)
def test_a_cursor_survives_its_text(events: tuple[int, int], results: tuple[int, int]) -> None:
    """What a browser sends back is what it was given."""
    cursor = Cursor("01J", events, results)
    assert Cursor.parse(str(cursor)) == cursor


@given(st.text())
def test_any_other_text_is_no_cursor_and_no_error(text: str) -> None:
    """A viewer with an unknown id begins anew instead of failing."""
    parsed = Cursor.parse(text)
    assert parsed is None or isinstance(parsed, Cursor)


def test_entry_ids_compare_as_numbers() -> None:
    """Entry 9-10 comes after 9-9, whatever their texts say."""
    assert numbers("9-10") > numbers("9-9") > START
    assert words(numbers("9-10")) == "9-10"


def test_moving_on_one_stream_leaves_the_other() -> None:
    """Events and results have places of their own."""
    cursor = Cursor("S").moved("events", (5, 1)).moved("results", (4, 0))
    assert (cursor.events, cursor.results, cursor.of("results")) == ((5, 1), (4, 0), (4, 0))

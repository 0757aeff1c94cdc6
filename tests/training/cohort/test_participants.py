"""The table of patients: what is read is what was written, and what makes no sense is named."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.cohort.errors import CohortError
from training.cohort.participants import (
    MISSING,
    Participant,
    examine_participants,
    read_participants,
    write_participants,
)

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
WORDS = st.text("abcäöµ -/", min_size=1).map(str.strip).filter(lambda text: text.casefold() not in MISSING)
ROWS = st.builds(
    Participant,
    id=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}", fullmatch=True),
    has_eeg=st.booleans(),
    fma_3mo=st.none() | NUMBERS,
    fma_by_day=st.dictionaries(st.integers(0, 9999), NUMBERS, max_size=3),
    age=st.none() | NUMBERS,
    site=st.none() | WORDS.map(lambda text: " ".join(text.split())),
)


def table(folder, *lines):
    """Write a table, its columns split by `|` for the eye."""
    path = folder / "participants.tsv"
    path.write_text("".join(line.replace("|", "\t") + "\n" for line in lines), encoding="utf-8")
    return path


@given(rows=st.lists(ROWS, max_size=4, unique_by=lambda row: row.id.casefold()))
def test_a_written_table_reads_back_the_same(tmp_path_factory, rows):
    """Every number comes back bit for bit, every word as it was."""
    path = tmp_path_factory.mktemp("cohort") / "participants.tsv"
    rows = [Participant(**{**vars(row), "id": row.id.removeprefix("sub-")}) for row in rows if row.id != "sub-"]
    write_participants(path, rows)
    assert read_participants(path) == tuple(rows)


def test_a_spreadsheet_s_table_is_read(tmp_path):
    """A mark in front, ends of lines of another system, blanks around cells and other capitals change nothing."""
    path = tmp_path / "participants.tsv"
    path.write_bytes("\ufeffParticipant_ID\tFMA_le_3mo\tNote\r\nsub-P1\t 18 \tas is\r\n\r\n".encode())
    (row,) = read_participants(path)
    assert (row.id, row.fma_3mo, row.has_eeg, row.extra) == ("P1", 18.0, False, {"Note": "as is"})


def test_other_columns_are_kept(tmp_path):
    """What means nothing here is written again as it stood, also where it is missing."""
    path = table(tmp_path, "participant_id|nihss|has_eeg", "sub-1|7|true", "sub-2|n/a|no")
    write_participants(path, read_participants(path))
    head, *rows = [line.split("\t") for line in path.read_text().splitlines()]
    assert [row[head.index("nihss")] for row in rows] == ["7", "n/a"]
    assert [row[head.index("has_eeg")] for row in rows] == ["true", "false"]


@pytest.mark.parametrize(
    ("cells", "fma", "good"),
    [
        ("17|n/a|n/a|n/a", 17.0, False),
        ("17.5|30|n/a|n/a", 17.5, True),
        ("n/a|30|n/a|2", 30.0, True),
        ("n/a|30|4|2", 4.0, False),
        ("n/a|n/a|n/a|30", None, None),
    ],
    ids=["three months", "three months first", "near", "nearest", "too late"],
)
def test_the_outcome_is_the_score_at_three_months(tmp_path, cells, fma, good):
    """At three months, else on the nearest day within a week of day 90; good is above 17."""
    path = table(tmp_path, "participant_id|fma_le_3mo|fma_le_84|fma_le_92|fma_le_98", f"sub-1|{cells}")
    (row,) = read_participants(path)
    assert (row.outcome_fma, row.good) == (fma, good)


def test_eeg_is_where_a_file_is(tmp_path):
    """Where the table does not say whether there is EEG, the folder does."""
    path = table(tmp_path, "participant_id|has_eeg", "sub-1|n/a", "sub-2|n/a", "sub-3|n/a")
    (tmp_path / "sub-1" / "eeg").mkdir(parents=True)
    (tmp_path / "sub-1" / "eeg" / "sub-1_task-flexext_eeg.xdf").touch()
    (tmp_path / "sub-2" / "sessions" / "01ARZ3NDEKTSV4RRFFQ69G5FAV").mkdir(parents=True)
    (tmp_path / "sub-2" / "sessions" / "01ARZ3NDEKTSV4RRFFQ69G5FAV" / "session.json").touch()
    assert [row.has_eeg for row in read_participants(path)] == [True, True, False]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["participant_id|age", "sub-1|abc"], r"line 2 \(1\) has 'abc' in column age; expected a number"),
        (["participant_id|age", "sub-1|17,5"], r"'17,5' in column age; .* a point before its decimals"),
        (["participant_id|age", "sub-1|inf"], r"'inf' in column age"),
        (["participant_id|fma_le_90", "sub-1|x"], r"'x' in column fma_le_90"),
        (["participant_id|has_eeg", "sub-1|maybe"], r"'maybe' in column has_eeg; expected true or false"),
        (["participant_id|age", "sub-a b|60"], r"line 2: patient 'a b' is not allowed"),
        (["participant_id|age", "|60"], r"line 2: patient '' is not allowed"),
        (["participant_id|age", "sub-1"], r"line 2 \(1\) has 1 cells; there are 2 columns\. Write n/a"),
        (["participant_id|age", "sub-a|60", "A|70"], r"has 2 rows of patient a and A\. Keep one row"),
        (["participant_id|fma_le_3mo", "a|9", "a|20"], r"2 rows of patient a, with the outcomes 9 and 20\."),
        (["participant_id|Age|age", "sub-1|60|60"], r"has the column age more than once\. Keep one of them"),
        (["id,age", "1,60"], r"has no column participant_id\. Save it with tabs"),
        ([], r"has no column participant_id\."),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, lines, words):
    """The refusal names file, line, patient, column and value, and what to do."""
    with pytest.raises(CohortError, match=words):
        read_participants(table(tmp_path, *lines))


def test_a_table_that_is_not_there_or_no_text_is_refused(tmp_path):
    """Either is named with the way out."""
    with pytest.raises(CohortError, match=r"participants\.tsv cannot be read: No such file .* `flexion cohort add`"):
        read_participants(tmp_path / "participants.tsv")
    (tmp_path / "participants.tsv").write_bytes(b"participant_id\n\xff\xfe")
    with pytest.raises(CohortError, match=r"is no UTF-8 text\. Save it as UTF-8"):
        read_participants(tmp_path / "participants.tsv")


def test_the_audit_reads_what_can_be_read(tmp_path):
    """A cell without sense is left out of its row, a row without a name out of the table; all are listed."""
    path = table(tmp_path, "participant_id|age|fma_le_3mo", "sub-1|old|20", "?|60|20", "sub-2|60|20")
    rows, problems = examine_participants(path)
    assert [(row.id, row.age) for row in rows] == [("1", None), ("2", 60.0)]
    assert [problem.patient for problem in problems] == ["1", None]


def test_the_last_digit_of_a_number_is_written():
    """A table that is written keeps what decides an outcome."""
    assert Participant("1", True, fma_3mo=math.nextafter(17.0, 18.0)).good

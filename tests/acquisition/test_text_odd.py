"""Tables as programs and people really write them: nothing shifts in time, nothing is lost without a word (law 10)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acquisition.errors import RateError, RecordingError
from acquisition.formats.text import read_table
from acquisition.formats.text_lines import n_fields, split
from acquisition.formats.text_rows import Dialect


def table(tmp_path, content, **given):
    """The table in this text, at 10 Hz."""
    path = tmp_path / "a.csv"
    path.write_text(content)
    return read_table(path, **({"rate_hz": 10.0} | given))


@pytest.mark.parametrize(
    "content",
    [
        '"a","b"\n"1.5","2"\n"-300","4"\n',
        '"a"\t"b"\n"1.5"\t2\n"-300"\t4\n',
        '"a","b"\n"1,5","2"\n"-300,0","4"\n',
        '"a" "b"\n"1.5"   "2"\n"-300" "4"\n',
        '"a";"b"\n"1,5";2\n-300;"4"\n',
        'a,b,\n"1.5","2",\n"-300","4",\n',
    ],
    ids=["commas", "tabs", "decimal commas", "blanks", "semicolons", "comma at the end"],
)
def test_quotes_are_taken_off(tmp_path, content):
    """Spreadsheets put them around labels and numbers; inside them a delimiter is none."""
    read = table(tmp_path, content)
    assert read.labels == ("a", "b")
    assert read.samples.tolist() == [[1.5, 2.0], [-300.0, 4.0]]


@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Z"])), min_size=1))
def test_quoted_fields_come_back(fields):
    """Whatever stands in quotes is one field, doubled quotes included."""
    line = ",".join('"' + field.replace('"', '""') + '"' for field in fields)
    assert split(line, ",") == fields and n_fields(line, ",") == len(fields)


def test_a_quote_that_never_ends_takes_no_time():
    """The rest of the line is one field."""
    line = '"' + "1," * 1_000_000
    assert split(line, ",") == [line]


def test_a_quote_inside_a_field_is_a_letter():
    """As in inches."""
    assert split('3" probe,4" probe', ",") == ['3" probe', '4" probe']


@pytest.mark.parametrize(
    "content", ["a,b,\n1,2,\n3,4,\n", "a,b\n1,2,\n3,4,\n", "a,b,\n1,2\n3,4\n"], ids=["both", "rows", "labels"]
)
def test_a_delimiter_at_the_end_of_lines_is_no_channel(tmp_path, content):
    """Of the labels, the rows or both."""
    read = table(tmp_path, content)
    assert read.labels == ("a", "b") and read.samples.tolist() == [[1, 2], [3, 4]]


def test_labels_are_given_for_rows_that_end_in_a_delimiter(tmp_path):
    """The empty column after the last one needs no name."""
    assert table(tmp_path, "1,2,\n3,4,\n", labels=["a", "b"]).labels == ("a", "b")


def test_a_column_without_a_name_is_called_by_its_number(tmp_path):
    """It is a channel like any other, and never taken for something else."""
    read = table(tmp_path, ",C3\n7,1\n9,2\n4,3\n")
    assert read.labels == ("column 1", "C3") and read.stamps.tolist() == [0.0, 0.1, 0.2]


def test_a_row_of_units_stands_between_labels_and_numbers(tmp_path):
    """Each column has its own; times and what else there is may have one too."""
    read = table(tmp_path, "time,C3,RF,angle\ns,(uV),[mV],deg\n0.0,1,2,3\n0.1,4,5,6\n")
    assert (read.labels, read.units) == (("C3", "RF", "angle"), ("uV", "mV", "deg"))
    assert read.stamps.tolist() == [0.0, 0.1]


def test_labels_that_look_like_a_unit_are_labels(tmp_path):
    """A row of units names at least one voltage and nothing else."""
    assert table(tmp_path, "g,n\n1,2\n").labels == ("g", "n")


def test_blank_lines_above_the_rows_hide_no_labels(tmp_path):
    """The last line with something in it is right above the rows."""
    assert table(tmp_path, "a,b\n\n\n1,2\n").labels == ("a", "b")


def test_a_comment_may_name_the_columns(tmp_path):
    """As numpy writes it, and it is told; the user's word, or one of the file's own, counts more."""
    read = table(tmp_path, "# unit: mV\n# C3 (uV),RF\n1,2\n3,4\n")
    assert (read.labels, read.units) == (("C3", "RF"), ("uV", None))
    assert "the comment right above the rows names the columns." in read.assumed
    assert table(tmp_path, "# C3,RF\n1,2\n", labels=["a", "b"]).labels == ("a", "b")
    assert table(tmp_path, "# labels: a,b\n# C3,RF\n1,2\n").labels == ("a", "b")


@pytest.mark.parametrize("content", ["# in microvolts\n1 2\n", "# 1,2\n3,4\n", "# C3\n1\n", "# C3,RF,VM\n1,2\n"])
def test_other_comments_name_nothing(tmp_path, content):
    """Words with blanks, numbers, one column, and another number of columns: names are asked."""
    with pytest.raises(RecordingError, match="and 0 labels"):
        table(tmp_path, content)


def test_a_header_that_comes_again_is_no_sample(tmp_path):
    """Files that were joined: what follows keeps its place in time, and it is told."""
    read = table(tmp_path, "# unit: uV\na,b\n1,2\n3,4\na,b\n5,6\n# unit: uV\na,b\n7,8\n")
    assert read.samples.tolist() == [[1, 2], [3, 4], [5, 6], [7, 8]]
    assert read.problems == ("a.csv: 2 lines among the rows repeat the header; they are left out.",)


def test_rows_above_a_stated_header_may_come_again(tmp_path):
    """A row of numbers is a sample, whatever stands above the rows."""
    read = table(tmp_path, "1,2\na,b\n3,4\n1,2\n", dialect=Dialect(header_lines=2))
    assert read.samples.tolist() == [[3, 4], [1, 2]]


def test_words_of_spreadsheets_are_missing_values(tmp_path):
    """They are no comment, although one begins like it: time must not shift."""
    read = table(tmp_path, "a,b\n1,2\n#N/A,3\n4,5\n")
    np.testing.assert_array_equal(read.samples, [[1, 2], [np.nan, 3], [4, 5]])


def test_markers_may_begin_late(tmp_path):
    """Words after any number of zeros are markers, not fields that are no numbers."""
    codes = ["0"] * 200 + ["flexion"] * 3 + ["0"] + ["2.0"]
    read = table(tmp_path, "a,event\n" + "".join(f"1,{code}\n" for code in codes))
    assert read.events == ((pytest.approx(20.0), "flexion"), (pytest.approx(20.4), "2"))
    assert read.problems == ()


def test_a_torn_row_begins_no_phase_anew(tmp_path):
    """The marker before it goes on through it; before the first row there is none."""
    read = table(tmp_path, "a,event\n1,0\n2,rest\n3\n4\n5,rest\n6,0\n")
    assert read.events == ((0.1, "rest"),) and len(read.samples) == 6


def test_a_channel_that_begins_late_is_a_channel(tmp_path):
    """Nothing in its first rows, numbers in most of them: missing values, then a signal."""
    rows = [("NA" if n < 150 else str(n)) for n in range(400)]
    read = table(tmp_path, "a,b,c\n" + "".join(f"1,{text},{'x' if n else 'y'}\n" for n, text in enumerate(rows)))
    assert read.labels == ("a", "b") and np.isnan(read.samples[:150, 1]).all()
    assert read.samples[150:, 1].tolist() == list(range(150, 400))


@pytest.mark.parametrize(
    ("lines", "there"),
    [
        ("# sampling rate: 1,000 Hz", "1 or 1000"),
        ("# Abtastrate, sampling rate: 1.000 Hz", "1 or 1000"),
        ("# EEG sampling rate: 1000 Hz\n# EMG sampling rate: 2 kHz", "1000 or 2000"),
    ],
)
def test_a_rate_that_could_be_two_is_asked(tmp_path, lines, there):
    """A mark before three digits, or two rates; the user's word decides between them."""
    content = f"{lines}\na\n1\n2\n"
    with pytest.raises(RateError, match=f"leaves its sampling rate open: {there} Hz.*--rate"):
        table(tmp_path, content, rate_hz=None)
    assert table(tmp_path, content, rate_hz=1000.0).rate_hz == 1000.0
    with pytest.raises(RateError, match=f"states {there} Hz; 7 Hz was given"):
        table(tmp_path, content, rate_hz=7.0)


@pytest.mark.parametrize(
    ("line", "rate_hz"),
    [
        ("# sampling rate: 1,000.0 Hz", 1000.0),
        ("# sampling rate: 1.000,00 Hz", 1000.0),
        ("# sampling rate: 250.000 Hz", 250.0),
        ("# sampling rate: 250,000 Hz", 250.0),
        ("# sampling rate: 2.048 kHz", 2048.0),
        ("# sampling rate 1000 Hz (resampled)\n# srate = 1000", 1000.0),
    ],
)
def test_numbers_of_all_countries(tmp_path, line, rate_hz):
    """Marks between thousands are known by the other mark behind them; a rate may be said twice."""
    assert table(tmp_path, f"{line}\na\n1\n2\n", rate_hz=None).rate_hz == rate_hz


@pytest.mark.parametrize("line", ["# sampling rate: unknown\n# subject 12", "# sample rate measured on 12.3.2024"])
def test_another_number_is_no_rate(tmp_path, line):
    """Neither one of the next line nor a date."""
    with pytest.raises(RateError, match="does not state its sampling rate"):
        table(tmp_path, f"{line}\na\n1\n2\n", rate_hz=None)


def test_two_units_are_none(tmp_path):
    """A header that states one for EEG and another for EMG does not say which column is which."""
    assert table(tmp_path, "# EEG unit: uV\n# EMG unit: mV\na,b\n1,2\n").units == (None, None)


@pytest.mark.parametrize("named", ["Zeit", "2"])
def test_a_column_of_times_can_be_named(tmp_path, named):
    """In any language, by its label or its number."""
    read = table(tmp_path, "a,Zeit\n1,0.5\n2,0.6\n3,0.7\n4,1.0\n", dialect=Dialect(times=named))
    assert read.labels == ("a",) and read.stamps.tolist() == [0.5, 0.6, 0.7, 1.0]


def test_a_column_of_times_can_be_left_out(tmp_path):
    """A computer's clock is not the amplifier's: then rows are counted, by the counter where there is one."""
    content = "N,a,time\n4,1,0\n5,2,0\n7,3,0.5\n"
    read = table(tmp_path, content, dialect=Dialect(times="none"))
    assert read.labels == ("N", "a") and read.stamps.tolist() == [0.0, 0.1, 0.2]
    assert "column 'time' is not read as the time of the rows." in read.assumed
    read = table(tmp_path, content, dialect=Dialect(times="none"), counter=("N", None))
    np.testing.assert_allclose(read.stamps, [0.0, 0.1, 0.3])


def test_a_signal_tells_no_time(tmp_path):
    """A column that does not count samples is refused as their counter."""
    rows = "".join(f"{n * n % 17},1\n" for n in range(100))
    with pytest.raises(RecordingError, match=r"column 'N' does not count samples"):
        table(tmp_path, f"N,a\n{rows}", counter=("N", None))


def test_a_column_of_times_in_words_is_told(tmp_path):
    """Found by its name it is not read, and that is told; named by the user it is refused."""
    content = "time,a\n12:00:00,1\n12:00:07,2\n"
    read = table(tmp_path, content)
    assert "column 'time' is not read as the time of the rows: it holds no numbers." in read.assumed
    with pytest.raises(RecordingError, match="no numbers in column 'time'.*--time-column none"):
        table(tmp_path, content, dialect=Dialect(times="time"))


def test_a_column_of_markers_can_be_left_out(tmp_path):
    """A column that happens to have such a name is a channel."""
    read = table(tmp_path, "a,status\n1,7\n2,8\n", dialect=Dialect(markers="none"))
    assert read.labels == ("a", "status") and read.events == ()

"""Tables of numbers in the dialects of this field: what is stated is found, what is open is asked (law 10)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from acquisition.errors import RateError, RecordingError, UnitError
from acquisition.formats.text import read_table, write_table
from acquisition.formats.text_rows import Dialect
from acquisition.montage import load_montage
from acquisition.recording import read_recording

LABELS = [f"ch{n}" for n in range(16)]
#: What is assumed of every table without a column of times or counts.
FOLLOWING = "no column tells the time of the rows: each is taken to follow the one before."


def table(tmp_path, content, **given):
    """The table in this text."""
    path = tmp_path / "a.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path, **given)


@settings(max_examples=60, deadline=None)
@given(
    arrays.arrays(
        st.sampled_from([np.float32, np.float64, np.int16, np.int32]),
        st.tuples(st.integers(1, 20), st.integers(1, 16)),
    )
)
def test_our_own_tables_come_back_bit_for_bit(tmp_path_factory, samples):
    """Any number of any type is read back as it was written, infinities included (law 2)."""
    path = tmp_path_factory.mktemp("own") / "a.txt"
    samples = np.where(np.isnan(samples), 0, samples).astype(samples.dtype)
    write_table(path, samples, LABELS[: samples.shape[1]], rate_hz=999.5, unit="mV")
    read = read_table(path)
    assert read.samples.dtype == samples.dtype
    assert read.samples.tobytes() == samples.tobytes()
    assert (read.rate_hz, read.units[0]) == (999.5, "mV")
    assert read.problems == () and read.assumed == (FOLLOWING,)


@pytest.mark.parametrize(
    "content",
    [
        "a\tb\n1.5\t2\n-3e2\t4\n",
        "a,b\n1.5,2\n-300,4\n",
        "a;b\n1,5;2\n-300,0;4\n",
        "a b\n  1.5   2\n-300  4\n",
        "a, b\r\n1.5, 2\r\n-300, 4\r\n",
        "% a comment\na\tb\n1.5\t2\n\n# another\n-300\t4\n",
        '"a"\t"b"\n1,5\t2\n-300\t4\n',
        b"\xef\xbb\xbfa,b\n1.5,2\n-300,4\n",
    ],
    ids=["tab", "comma", "semicolon", "blanks", "comma and blank", "comments", "decimal comma", "byte order mark"],
)
def test_delimiters_and_decimal_commas_are_found(tmp_path, content):
    """The same two rows in eight dialects."""
    read = table(tmp_path, content, rate_hz=10.0)
    assert read.labels == ("a", "b")
    assert read.samples.tolist() == [[1.5, 2.0], [-300.0, 4.0]]
    assert read.stamps.tolist() == [0.0, 0.1]


@pytest.mark.parametrize(
    ("line", "rate_hz"),
    [
        ("# rate_hz: 1000", 1000.0),
        ("%Sample Rate = 250.0 Hz", 250.0),
        ("# Sampling Rate (Hz):= 125.00", 125.0),
        ("# sampling frequency: 2 kHz", 2000.0),
        ("# fs = 512,5", 512.5),
        ("# srate: 256", 256.0),
    ],
)
def test_the_rate_is_found_in_the_header(tmp_path, line, rate_hz):
    """Each way in which programs write a sampling rate."""
    assert table(tmp_path, f"{line}\na\n1\n2\n").rate_hz == rate_hz


@pytest.mark.parametrize(
    ("header", "units"),
    [
        ("# unit: mV\na\tb", ("mV", "mV")),
        ("# Units = microvolts\na\tb", ("microvolts", "microvolts")),
        ("%Other Columns = EEG data in microvolts\na\tb", ("microvolts", "microvolts")),
        ("a (uV)\tb [mV]", ("uV", "mV")),
        ("a (uV)\tb", ("uV", None)),
        ("a\tb", (None, None)),
    ],
)
def test_the_unit_is_found_in_the_header(tmp_path, header, units):
    """One unit for all, or one in each label; the label loses it."""
    read = table(tmp_path, f"# rate_hz: 10\n{header}\n1\t2\n")
    assert (read.labels, read.units) == (("a", "b"), units)


def test_labels_may_stand_in_a_comment(tmp_path):
    """BioSPPy lists its labels in the header."""
    assert table(tmp_path, "# Labels:= EEG, EMG\n1\t2\n", rate_hz=10.0).labels == ("EEG", "EMG")


def test_a_given_label_counts_more_than_the_files(tmp_path):
    """The user's word is last."""
    assert table(tmp_path, "a,b\n1,2\n", rate_hz=10.0, labels=["C3", "C4"]).labels == ("C3", "C4")


@pytest.mark.parametrize(("unit", "name"), [(1.0, "time"), (1e-3, "time_ms"), (1e-6, "Timestamp"), (1e-9, "t")])
def test_a_time_column_gives_the_stamps(tmp_path, unit, name):
    """Its unit is the one in which its steps fit the rate; holes in it are kept."""
    times = [5, 5.001, 5.002, 5.010, 5.011]
    rows = "\n".join(f"{t / unit:.12g}\t{k}" for k, t in enumerate(times))
    read = table(tmp_path, f"{name}\ta\n{rows}\n", rate_hz=1000.0)
    np.testing.assert_allclose(read.stamps, times, rtol=0, atol=1e-9)
    assert read.labels == ("a",) and read.samples.shape == (5, 1)
    assert any(name in sentence for sentence in read.assumed)


def test_a_time_column_of_one_row_is_taken_as_seconds(tmp_path):
    """One stamp has no step that could tell."""
    assert table(tmp_path, "time\ta\n7.5\t1\n", rate_hz=1000.0).stamps.tolist() == [7.5]


def test_a_time_column_that_counts_rows(tmp_path):
    """Steps of 1 at 250 Hz are samples, and that is told."""
    read = table(tmp_path, "time\ta\n" + "".join(f"{k}\t1\n" for k in (5, 6, 7, 9)), rate_hz=250.0)
    np.testing.assert_allclose(read.stamps, [0.020, 0.024, 0.028, 0.036])
    assert "column 'time' is the time of each row, in units of 0.004 s." in read.assumed


def test_a_time_column_that_fits_no_rate_is_refused(tmp_path):
    """Rows that are 7 apart are 1000 Hz in no unit."""
    with pytest.raises(RateError, match="rows 7 apart in column 'time', which fits 1000 Hz in no unit"):
        table(tmp_path, "time\ta\n0\t1\n7\t2\n14\t3\n", rate_hz=1000.0)


def test_a_marker_column_gives_the_markers(tmp_path):
    """Each change to another code is a marker; 0 is none."""
    rows = "\n".join(f"1\t{code}" for code in (0, 7, 7, 0, 7, 8))
    read = table(tmp_path, f"a\ttrigger\n{rows}\n", rate_hz=10.0)
    assert read.events == ((0.1, "7"), (0.4, "7"), (0.5, "8"))
    assert read.labels == ("a",)


def test_a_column_of_words_can_be_the_markers(tmp_path):
    """Texts are markers as they stand; other columns of words are left out, and that is told."""
    read = table(tmp_path, "a,event,clock\n1,,12:00:01\n2,rest,12:00:02\n3,rest,12:00:03\n", rate_hz=10.0)
    assert read.events == ((0.1, "rest"),)
    assert read.labels == ("a",)
    assert "columns without numbers are left out: clock." in read.assumed


def test_a_row_cut_at_the_end_is_left_out(tmp_path):
    """The last line of a crashed recorder is no sample, and that is told."""
    read = table(tmp_path, "a\tb\n1\t2\n3\t4\n5", rate_hz=10.0)
    assert read.samples.tolist() == [[1, 2], [3, 4]]
    assert read.problems == ("a.txt: 1 incomplete rows at the end are left out.",) and read.assumed == (FOLLOWING,)


def test_a_row_cut_in_the_middle_keeps_its_place(tmp_path):
    """A damaged row is missing values, not a missing sample: time must not shift."""
    read = table(tmp_path, "a\tb\n1\t2\n3\n5\t6\n", rate_hz=10.0)
    np.testing.assert_array_equal(read.samples, [[1, 2], [np.nan, np.nan], [5, 6]])
    assert read.problems == ("a.txt: 1 rows are not whole (the first is number 2); taken as missing values.",)


def test_a_field_that_is_no_number_is_missing(tmp_path):
    """A word among numbers is a missing value, and counted."""
    read = table(tmp_path, "a\tb\n1\t2\n3\tx\n5\t\n", rate_hz=10.0)
    np.testing.assert_array_equal(read.samples, [[1, 2], [3, np.nan], [5, np.nan]])
    assert read.problems == ("a.txt: 2 fields are no numbers; taken as missing values.",)


def test_two_whole_numbers_and_a_comma_are_two_columns(tmp_path):
    """That could be a decimal comma: what was concluded is told."""
    read = table(tmp_path, "1,5\n2,5\n", rate_hz=10.0, labels=["a", "b"])
    assert read.samples.shape == (2, 2)
    assert "the comma is taken for the delimiter, not for a decimal comma." in read.assumed


@pytest.mark.parametrize(
    ("content", "given", "error", "words"),
    [
        ("a,b\n1,2\n", {}, RateError, "does not state its sampling rate.*--rate HZ"),
        ("# rate_hz: 250\na,b\n1,2\n", {"rate_hz": 1000.0}, RateError, "states 250 Hz; 1000 Hz was given"),
        ("1,2\n", {"rate_hz": 1.0}, RecordingError, "has 2 columns and 0 labels.*--labels"),
        ("1,2\n", {"rate_hz": 1.0, "labels": ["a"]}, RecordingError, "has 2 columns and 1 labels"),
        ("# nothing but words\nhere\n", {}, RecordingError, "holds no rows of numbers"),
        ("", {}, RecordingError, "holds no rows of numbers"),
    ],
)
def test_what_is_open_is_asked(tmp_path, content, given, error, words):
    """Each question names the file and the flag that answers it."""
    with pytest.raises(error, match=rf"a\.txt .*{words}"):
        table(tmp_path, content, **given)


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    """Not there, or too large to be a table."""
    with pytest.raises(RecordingError, match="cannot be read: No such file"):
        read_table(tmp_path / "none.txt")
    with open(tmp_path / "large.txt", "wb") as file:
        file.truncate((1 << 30) + 1)
    with pytest.raises(RecordingError, match="more than the 1073741824 bytes"):
        read_table(tmp_path / "large.txt")


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text(alphabet="0123456789.,;\t\n -+eE%#abnaif", max_size=300)))
def test_rubbish_never_crashes(tmp_path_factory, content):
    """Any file is a table, or refused with words (law 10)."""
    path = tmp_path_factory.mktemp("rubbish") / "a.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        read = read_table(path, rate_hz=1000.0, labels=["a", "b"])
    except (RecordingError, RateError) as error:
        assert "a.csv" in str(error)
        return
    assert len(read.stamps) == len(read.samples) and read.samples.shape[1] == len(read.labels)


def test_a_table_becomes_a_recording(tmp_path):
    """The paper's own layout, 16 columns, binds to the montage."""
    montage = load_montage("amp16")
    samples = np.random.default_rng(0).normal(size=(30, 16)).astype(np.float32)
    write_table(tmp_path / "P01.txt", samples, montage.labels, rate_hz=1000.0)
    recording = read_recording(tmp_path / "P01.txt", montage=montage)
    assert recording.name == "P01" and recording.format == "text" and len(recording.sha256) == 64
    binding = montage.bind(recording.labels, recording.units)
    np.testing.assert_array_equal(binding.to_uv(recording.samples), samples.astype(np.float64))


def test_a_table_without_a_unit_needs_one(tmp_path):
    """The unit is the file's, the user's or the montage's; else it is asked."""
    (tmp_path / "a.csv").write_text("# rate_hz: 1000\na,b\n1,2\n")
    with pytest.raises(UnitError, match=r"a\.csv does not state the unit of a\. .*--unit uV"):
        read_recording(tmp_path / "a.csv")
    recording = read_recording(tmp_path / "a.csv", unit="mV")
    assert recording.units == ("mV", "mV") and recording.assumed == (FOLLOWING, "all columns are taken as mV.")


@pytest.mark.parametrize(
    ("content", "dialect", "samples"),
    [
        ("a|b\n1|2\n", {"delimiter": "|"}, [[1, 2]]),
        ("1,5\n2,5\n", {"decimal": ","}, [[1.5], [2.5]]),
        ("a;b\n1;2,5\n", {}, [[1, 2.5]]),
        ("a;b\n0;1\n1;2,5\n", {}, [[0, 1], [1, 2.5]]),
        ("a;b\n1;2,5\n3;4.5\n", {"decimal": "."}, [[1, np.nan], [3, 4.5]]),
        ("7 8\n5 6\na b\n1 2\n", {"header_lines": 3}, [[1, 2]]),
        ("1 2\n3 4\n", {"header_lines": 1}, [[3, 4]]),
        ("a b\n1 2\n", {"header_lines": 0, "delimiter": " "}, None),
    ],
    ids=[
        "another delimiter",
        "one column",
        "comma found",
        "found later",
        "a point",
        "below",
        "row 1 is labels",
        "none",
    ],
)
def test_the_users_word_about_the_dialect_counts(tmp_path, content, dialect, samples):
    """Delimiter, decimal comma and header lines are as they are said, and found where nothing is said."""
    labels = ["a"] if samples and len(samples[0]) == 1 else ["a", "b"]
    if samples is None:
        with pytest.raises(RecordingError, match="holds no rows of numbers right below 0 header lines"):
            table(tmp_path, content, rate_hz=10.0, labels=labels, dialect=Dialect(**dialect))
        return
    read = table(tmp_path, content, rate_hz=10.0, labels=labels, dialect=Dialect(**dialect))
    np.testing.assert_array_equal(read.samples, samples)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"delimiter": "ab"}, "--delimiter is 'ab'; expected one character"),
        ({"delimiter": "1"}, "--delimiter is '1'; expected one character"),
        ({"decimal": ";"}, "--decimal is ';'; expected a point or a comma"),
        ({"decimal": ",", "delimiter": ","}, "expected another character than the delimiter"),
        ({"header_lines": -1}, "--header-lines is -1; expected 0 or more"),
    ],
)
def test_a_dialect_that_makes_no_sense_is_refused(said, words):
    """What cannot be is said at once, with what could be (law 10)."""
    with pytest.raises(RecordingError, match=words):
        Dialect(**said)


@pytest.mark.parametrize("named", ["Trial", "trial", "2"])
def test_a_marker_column_can_be_named(tmp_path, named):
    """By its label, in any case, or by its number; its changes are the markers."""
    read = table(tmp_path, "a,Trial\n1,0\n2,5\n3,5\n", rate_hz=10.0, dialect=Dialect(markers=named))
    assert read.events == ((0.1, "5"),) and read.labels == ("a",)


@pytest.mark.parametrize("named", ["nobody", "0", "3", "9" * 40])
def test_a_marker_column_that_is_not_there_is_refused(tmp_path, named):
    """The columns that there are are named with their numbers."""
    with pytest.raises(RecordingError, match=rf"no column '{named}'; it has 1 a, 2 b\."):
        table(tmp_path, "a,b\n1,0\n", rate_hz=10.0, dialect=Dialect(markers=named))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8", "latin-1"])
def test_tables_of_any_encoding(tmp_path, encoding):
    """Windows exports are read too, and it is told where letters could be others."""
    read = table(tmp_path, "# rate_hz: 10\nC3 (µV)\tC4 (µV)\n1\t2\n".encode(encoding))
    assert read.samples.tolist() == [[1.0, 2.0]]
    assert (read.labels, read.units) == (("C3", "C4"), ("µV", "µV"))
    assert (encoding == "latin-1") == any("Windows-1252" in sentence for sentence in read.assumed)


def test_a_last_line_without_an_end_is_told(tmp_path):
    """Its last number may have been cut, and nobody can know."""
    read = table(tmp_path, "a\tb\n1\t2\n3\t4", rate_hz=10.0)
    assert read.samples.shape == (2, 2)
    assert "the last line has no end; it is taken as whole." in read.assumed


def test_mostly_other_rows_are_another_table(tmp_path):
    """A first row of another width than most is no table of missing values: memory and sense would be lost."""
    words = r"has 3 rows of 5 with another number of columns than the first, which has 2\. .*--header-lines N"
    with pytest.raises(RecordingError, match=words):
        table(tmp_path, "7,8\n1,2,3\n4,5,6\n7,8,9\n1,2\n", rate_hz=10.0, labels=["a", "b"])


def test_too_many_columns_are_no_table(tmp_path):
    """A row of ten thousand numbers is not one sample of an amplifier."""
    with pytest.raises(RecordingError, match="has 5000 columns, more than 4096"):
        table(tmp_path, ",".join(["1"] * 5000) + "\n", rate_hz=10.0)


@pytest.mark.parametrize(("content", "n"), [("1.5\n2", 1), ("nan\n2", 1), ("40000\n-40000", 2)])
def test_numbers_that_are_not_of_the_stated_type_stay_as_they_are(tmp_path, content, n):
    """Nothing is cut to fit a type that the header names."""
    read = table(tmp_path, f"# rate_hz: 10\n# dtype: int16\na\n{content}\n")
    assert read.samples.dtype == np.float64
    assert read.problems == (f"a.txt: {n} numbers are no int16; all are kept as float64.",)


@pytest.mark.parametrize("rate_hz", [0.0, -5.0, float("nan"), float("inf")])
def test_a_rate_that_cannot_be_is_refused(tmp_path, rate_hz):
    """Time would stand still or run backwards."""
    with pytest.raises(RateError, match=r"a\.txt is said to be at .* Hz"):
        table(tmp_path, "a\n1\n", rate_hz=rate_hz)


def test_units_that_are_missing_in_some_columns_are_given(tmp_path):
    """The file's own word counts more, and what was taken from the user is told."""
    read = table(tmp_path, "a (uV)\tb\n1\t2\n", rate_hz=10.0, unit="mV")
    assert read.units == ("uV", "mV") and read.assumed == (FOLLOWING, "columns without a unit are taken as mV.")


@pytest.mark.parametrize(
    ("counts", "modulo", "times"),
    [
        ([254, 255, 0, 1, 3], 256, [0, 0.1, 0.2, 0.3, 0.5]),
        ([7, 8, 12], None, [0, 0.1, 0.5]),
        ([7, "x", 9, 10], 256, [0, 0.1, 0.2, 0.3]),
    ],
)
def test_a_sample_counter_tells_the_time_of_each_row(tmp_path, counts, modulo, times):
    """Where no column is the time, rows that never came are holes; a row without a count follows the one before."""
    content = "a\tN\tevent\n" + "".join(f"1\t{count}\t{k == 2:d}\n" for k, count in enumerate(counts))
    read = table(tmp_path, content, rate_hz=10.0, counter=("n", modulo))
    np.testing.assert_allclose(read.stamps, times)
    assert read.events == ((pytest.approx(times[2]), "1"),) and read.labels == ("a", "N")
    assert "column 'N' counts samples and tells the time of each row." in read.assumed

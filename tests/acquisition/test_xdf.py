"""XDF written one chunk at a time and read back, whole or broken at any byte (laws 2 and 10)."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acquisition.errors import RecordingError
from acquisition.formats import xdf_writer
from acquisition.formats.xdf import read_part, read_xdf
from acquisition.formats.xdf_header import DTYPES, MAX_CHANNELS, StreamHeader
from acquisition.parts import PartWriter

SIGNAL = StreamHeader(
    name="Amp & <16>",
    type="EEG",
    channel_format="float32",
    rate_hz=1000.0,
    channel_count=3,
    labels=("C3", "C4", "RF"),
    units=("uV", None, "mV"),
    kinds=("eeg", "eeg", "emg"),
    source_id="amp-7",
    hostname="bed4-pc",
    uid="a-b-c",
    created_at_s=12.5,
    origin="simulated",
)
MARKERS = StreamHeader("cues", "Markers", "string", 0.0, 1, hostname="bed4-pc", source_id="cues-7")


def signal(n, seed=0):
    """Samples and stamps of the signal, with every kind of odd float."""
    samples = np.random.default_rng(seed).normal(size=(n, 3)).astype(np.float32)
    samples.flat[:: max(1, samples.size // 3)] = np.nan
    return samples, 100.0 + np.arange(n) / 1000


def write(path, n=50, chunk=20, footer=True):
    """A small file with a signal, two markers and clock offsets."""
    writer = PartWriter.create(path, [SIGNAL, MARKERS])
    samples, stamps = signal(n)
    for start in range(0, n, chunk):
        writer.append(0, samples[start : start + chunk], stamps[start : start + chunk])
    writer.append(1, ["preparation", "Übung – läuft"], np.array([100.0105, 100.0201]))
    writer.offset(0, 100.0, -0.25)
    writer.sync()
    if footer:
        writer.close()
    return samples, stamps


def raw(path, *chunks):
    """A file made of these chunks after the magic code."""
    path.write_bytes(xdf_writer.MAGIC + b"".join(chunks))
    return path


def header_chunk(number=1, **changes):
    """The header of a stream, parts of its XML replaced."""
    xml = SIGNAL.to_xml()
    for old, new in changes.items():
        xml = xml.replace(f"<{old}>".encode(), f"<{old}>{new}</{old}><was>".encode(), 1)
        xml = xml.replace(f"</{old}>".encode(), b"</was>", 2).replace(b"</was>", f"</{old}>".encode(), 1)
    return xdf_writer.chunk(2, struct.pack("<I", number) + xml)


def test_what_is_written_is_read_back(tmp_path):
    """Samples, raw stamps, texts, offsets and headers come back bit for bit (law 2)."""
    samples, stamps = write(tmp_path / "a.xdf")
    file = read_xdf(tmp_path / "a.xdf")
    assert file.problems == () and file.whole_bytes == file.size
    eeg, cues = file.streams
    assert eeg.header == SIGNAL
    assert cues.header == MARKERS
    assert eeg.values.dtype == np.float32
    np.testing.assert_array_equal(eeg.values, samples)
    np.testing.assert_array_equal(eeg.stamps, stamps)
    assert cues.texts == (("preparation",), ("Übung – läuft",))
    assert eeg.offsets.tolist() == [[100.0, -0.25]]
    assert eeg.footer["sample_count"] == "50"
    assert float(eeg.footer["measured_srate"]) == pytest.approx(1000)
    assert cues.footer["first_timestamp"] == "100.0105"


def test_pyxdf_reads_it_too(tmp_path):
    """Other people's tools find rate, labels, units, samples and markers."""
    pyxdf = pytest.importorskip("pyxdf")
    samples, stamps = write(tmp_path / "a.xdf", 500)
    streams, _ = pyxdf.load_xdf(str(tmp_path / "a.xdf"), synchronize_clocks=False, dejitter_timestamps=False)
    eeg, cues = sorted(streams, key=lambda stream: stream["info"]["stream_id"])
    np.testing.assert_array_equal(eeg["time_series"], samples)
    np.testing.assert_array_equal(eeg["time_stamps"], stamps)
    channels = eeg["info"]["desc"][0]["channels"][0]["channel"]
    assert [channel["label"][0] for channel in channels] == ["C3", "C4", "RF"]
    assert channels[2]["unit"] == ["mV"]
    assert float(eeg["info"]["nominal_srate"][0]) == 1000.0
    assert [row[0] for row in cues["time_series"]] == ["preparation", "Übung – läuft"]
    assert eeg["footer"]["info"]["sample_count"] == ["500"]


@pytest.mark.parametrize("channel_format", sorted(DTYPES))
def test_every_numeric_format_is_kept(tmp_path, channel_format):
    """The stream's own type is what is recorded, extremes included (law 2)."""
    dtype = DTYPES[channel_format]
    limits = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    samples = np.array([[limits.min, limits.max]], dtype)
    writer = PartWriter.create(tmp_path / "a.xdf", [StreamHeader("s", "EEG", channel_format, 10.0, 2)])
    writer.append(0, samples, np.array([1.0]))
    writer.close()
    stream = read_xdf(tmp_path / "a.xdf").streams[0]
    assert stream.values.dtype == dtype
    np.testing.assert_array_equal(stream.values, samples)


def test_a_file_cut_at_any_byte_gives_its_whole_chunks(tmp_path):
    """Wherever a crash cuts the file, whole chunks are read and the tail is told; no sample is invented (law 2)."""
    samples, _ = write(tmp_path / "a.xdf")
    content = (tmp_path / "a.xdf").read_bytes()
    cut = tmp_path / "cut.xdf"
    begun = len(xdf_writer.file_header()) + len(xdf_writer.stream_header(1, SIGNAL))
    for size in range(len(content)):
        cut.write_bytes(content[:size])
        if size < 4:
            with pytest.raises(RecordingError, match="is not an XDF file"):
                read_part(cut)
            continue
        file = read_part(cut)
        assert file.whole_bytes <= size
        assert (file.whole_bytes < size) == any("torn" in problem for problem in file.problems)
        if size >= begun:
            n = len(file.streams[0].stamps)
            assert n in (0, 20, 40, 50)
            np.testing.assert_array_equal(file.streams[0].values, samples[:n])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damage_anywhere_never_crashes(tmp_path_factory, data):
    """Bytes changed, cut out or put in: a file is read as far as it goes, or refused with words (law 10)."""
    folder = tmp_path_factory.mktemp("damage")
    write(folder / "a.xdf")
    content = bytearray((folder / "a.xdf").read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(content) - 1))
        kind = data.draw(st.sampled_from(["change", "cut", "insert"]))
        if kind == "change":
            content[place] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del content[place : place + data.draw(st.integers(1, 40))]
        else:
            content[place:place] = data.draw(st.binary(min_size=1, max_size=12))
    (folder / "b.xdf").write_bytes(content)
    for read in (read_xdf, read_part):
        try:
            file = read(folder / "b.xdf")
        except RecordingError as error:
            assert "b.xdf" in str(error)
            continue
        assert file.whole_bytes <= file.size
        assert all(len(s.stamps) == len(s.texts if s.values is None else s.values) for s in file.streams)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_rubbish_never_crashes(tmp_path_factory, rubbish):
    """Any bytes after the magic code are problems in words."""
    path = tmp_path_factory.mktemp("rubbish") / "a.xdf"
    file = read_xdf(raw(path, rubbish))
    assert file.problems


def test_reading_goes_on_at_the_next_boundary(tmp_path):
    """In a foreign file what follows damage is read; samples without a stamp of their own are left out."""
    samples, stamps = signal(60)
    chunks = [xdf_writer.samples(1, SIGNAL, samples[k : k + 20], stamps[k : k + 20]) for k in (0, 20, 40)]
    unstamped = xdf_writer.chunk(3, struct.pack("<IBI", 1, 4, 1) + b"\0" + samples[0].tobytes())
    content = [xdf_writer.stream_header(1, SIGNAL), chunks[0], b"\x07", chunks[1]]
    path = raw(tmp_path / "a.xdf", *content, xdf_writer.boundary(), unstamped, chunks[2])
    file = read_xdf(path)
    np.testing.assert_array_equal(file.streams[0].values, np.concatenate([samples[:20], samples[40:]]))
    assert any("reading went on at the next boundary" in problem for problem in file.problems)
    assert any("1 samples of stream 'Amp & <16>' after damage" in problem for problem in file.problems)
    assert len(read_part(path).streams[0].stamps) == 20


def test_missing_stamps_are_counted_on(tmp_path):
    """Samples without a stamp follow the one before at the nominal rate; those before the first are counted back."""
    body = b"\0" + struct.pack("<fff", 1, 2, 3) + b"\x08" + struct.pack("<dfff", 5.0, 4, 5, 6)
    body += b"\0" + struct.pack("<fff", 7, 8, 9)
    chunk = xdf_writer.chunk(3, struct.pack("<IBB", 1, 1, 3) + body)
    stream = read_xdf(raw(tmp_path / "a.xdf", header_chunk(), chunk)).streams[0]
    np.testing.assert_allclose(stream.stamps, [4.999, 5.0, 5.001])
    np.testing.assert_array_equal(stream.values, [[1, 2, 3], [4, 5, 6], [7, 8, 9]])


def test_a_stream_without_any_stamp_is_counted_from_0(tmp_path):
    """No stamp at all: the nominal rate from 0."""
    body = (b"\0" + struct.pack("<fff", 1, 2, 3)) * 3
    chunk = xdf_writer.chunk(3, struct.pack("<IBB", 1, 1, 3) + body)
    np.testing.assert_allclose(
        read_xdf(raw(tmp_path / "a.xdf", header_chunk(), chunk)).streams[0].stamps, [0, 0.001, 0.002]
    )


@pytest.mark.parametrize(
    ("chunk", "words"),
    [
        (xdf_writer.chunk(3, b"\1\0"), "too short to name its stream"),
        (xdf_writer.chunk(3, struct.pack("<IBI", 9, 4, 0)), "stream 9 has no header"),
        (xdf_writer.chunk(3, struct.pack("<IBI", 1, 4, 2_000_000_000)), "states 2000000000 samples in 5 bytes"),
        (xdf_writer.chunk(3, struct.pack("<IBB", 1, 1, 1) + b"\x08" + b"1234"), "sample 0 of 1 is cut"),
        (xdf_writer.chunk(3, struct.pack("<IBB", 1, 1, 1) + b"\x05" + b"1234"), "does not begin where it should"),
        (xdf_writer.chunk(3, struct.pack("<IBB", 1, 1, 1) + b"\0" + b"1234"), "1 samples take 15 bytes"),
        (xdf_writer.chunk(3, struct.pack("<I", 1)), "there is no length at byte 0"),
        (xdf_writer.chunk(4, struct.pack("<Id", 1, 0)), "a clock offset has 20 bytes"),
        (xdf_writer.chunk(6, struct.pack("<I", 1) + b"<info"), "a header is not XML"),
        (xdf_writer.chunk(6, struct.pack("<I", 1) + b"<!DOCTYPE a []><info/>"), "XML declaration of its own"),
        (xdf_writer.chunk(9, b"1234"), "unknown tag 9"),
        (xdf_writer.stream_header(1, SIGNAL), "stream 1 has a header already"),
        (header_chunk(2, channel_count="-3"), "channel count is '-3'"),
        (header_chunk(2, channel_count=str(MAX_CHANNELS + 1)), "expected 0 to 4096"),
        (header_chunk(2, channel_format="complex"), "channel format is 'complex'"),
        (b"\5", "torn at byte"),
    ],
)
def test_a_chunk_that_is_unsound_is_told_and_left_out(tmp_path, chunk, words):
    """Each kind of damage has its sentence, and what is sound around it is read."""
    samples, stamps = signal(2)
    good = xdf_writer.samples(1, SIGNAL, samples, stamps)
    path = raw(tmp_path / "a.xdf", xdf_writer.file_header()[4:], header_chunk(), good, chunk)
    file = read_xdf(path)
    assert any(words in problem for problem in file.problems), file.problems
    assert len(file.streams[0].stamps) == 2
    assert file.whole_bytes == file.size if "unknown tag" in words else file.whole_bytes == file.size - len(chunk)


def test_string_streams_are_checked_too(tmp_path):
    """Texts that are cut, or counts that lie, are told."""
    header = xdf_writer.stream_header(1, MARKERS)
    bodies = [b"\x08" + b"1234", b"\0" + b"\1\x05abc", b"\0" + b"\1\1a!", b"\x03"]
    chunks = [xdf_writer.chunk(3, struct.pack("<IBB", 1, 1, 1) + body) for body in bodies]
    file = read_xdf(raw(tmp_path / "a.xdf", header, *chunks))
    told = " ".join(file.problems)
    assert all(words in told for words in ("is cut", "1 samples take", "does not begin where it should"))
    assert file.streams[0].texts == ()


def test_streams_without_samples_are_streams(tmp_path):
    """A stream that never sent anything is there, empty, with its header."""
    PartWriter.create(tmp_path / "a.xdf", [SIGNAL, MARKERS]).close()
    eeg, cues = read_xdf(tmp_path / "a.xdf").streams
    assert eeg.values.shape == (0, 3) and len(cues.texts) == 0
    assert eeg.footer == {"sample_count": "0", "measured_srate": "0.0"}


def test_headers_with_odd_characters_stay_xml(tmp_path):
    """A name with a control character is recorded with a question mark instead."""
    header = StreamHeader("a\x01b", "EEG", "float32", 10.0, 1, labels=("C\x003",))
    PartWriter.create(tmp_path / "a.xdf", [header]).close()
    read = read_xdf(tmp_path / "a.xdf").streams[0].header
    assert (read.name, read.labels) == ("a?b", ("C?3",))


def test_too_many_streams_are_left_out(tmp_path):
    """A thousand headers are rubbish, and must not fill the memory."""
    headers = [xdf_writer.stream_header(number, MARKERS) for number in range(1030)]
    file = read_xdf(raw(tmp_path / "a.xdf", *headers))
    assert len(file.streams) == 1024
    assert any("more than 1024 streams" in problem for problem in file.problems)


@pytest.mark.parametrize("rate", ["", "fast", "-5", "nan", "inf"])
def test_a_rate_that_is_no_number_is_irregular(tmp_path, rate):
    """Such a stream can be read; it cannot be the signal."""
    chunk = header_chunk(1, nominal_srate=rate)
    assert read_xdf(raw(tmp_path / "a.xdf", chunk)).streams[0].header.rate_hz == 0


def test_a_header_in_an_unknown_encoding_is_told(tmp_path):
    """XML that nobody can decode is not XML."""
    chunk = xdf_writer.chunk(2, struct.pack("<I", 1) + b'<?xml version="1.0" encoding="klingon"?><info/>')
    assert any("a header is not XML" in problem for problem in read_xdf(raw(tmp_path / "a.xdf", chunk)).problems)


def test_too_many_problems_are_counted(tmp_path):
    """A file full of rubbish does not become a message without end."""
    chunks = [xdf_writer.chunk(100 + k, b"") for k in range(80)]
    problems = read_xdf(raw(tmp_path / "a.xdf", *chunks)).problems
    assert len(problems) == 51 and problems[-1] == "a.xdf: 31 more problems."


def test_a_file_that_is_not_xdf_is_refused(tmp_path):
    """Not the magic code, not there, too large: each is said with the path (law 10)."""
    (tmp_path / "a.xdf").write_bytes(b"RIFF....")
    with pytest.raises(RecordingError, match=r"a\.xdf is not an XDF file: it begins with b'RIFF'"):
        read_xdf(tmp_path / "a.xdf")
    with pytest.raises(RecordingError, match=r"none\.xdf cannot be read: No such file"):
        read_xdf(tmp_path / "none.xdf")


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    """The size is looked at before anything is allocated."""
    with open(tmp_path / "a.xdf", "wb") as file:
        file.truncate((4 << 30) + 1)
    with pytest.raises(RecordingError, match="more than the 4294967296 that are read into memory"):
        read_xdf(tmp_path / "a.xdf")


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.zeros((2, 3)), "is float32, its samples are float64"),
        (np.zeros((2, 4), np.float32), r"got samples of shape \(2, 4\)"),
        (np.zeros((3, 3), np.float32), r"need \(2, 3\)"),
    ],
)
def test_samples_that_do_not_fit_their_header_are_refused(tmp_path, samples, words):
    """Nothing is cast on the way to the disk (law 2)."""
    writer = PartWriter.create(tmp_path / "a.xdf", [SIGNAL])
    with pytest.raises(RecordingError, match=words):
        writer.append(0, samples, np.zeros(2))
    writer.close()
    assert len(read_xdf(tmp_path / "a.xdf").streams[0].stamps) == 0


@pytest.mark.parametrize(("stated", "told"), [("50", 0), ("49", 0), ("51", 0), ("40", 1), ("many", 0), ("9" * 30, 0)])
def test_a_footer_that_lies_is_told(tmp_path, stated, told):
    """The samples that are there count; LabRecorder's footers are one short, which is no damage."""
    samples, _ = write(tmp_path / "a.xdf", footer=False)
    footer = struct.pack("<I", 1) + f"<info><sample_count>{stated}</sample_count></info>".encode()
    with open(tmp_path / "a.xdf", "ab") as file:
        file.write(xdf_writer.chunk(6, footer))
    read = read_xdf(tmp_path / "a.xdf")
    np.testing.assert_array_equal(read.streams[0].values, samples)
    words = "a.xdf: the footer of stream 'Amp & <16>' states 40 samples; 50 are there."
    assert read.problems[:told] == (words,) * told
    assert read.problems[told:] == (
        "a.xdf: stream 'cues' has no footer: it was not ended, and its end may be missing.",
    )


def test_a_stream_that_begins_after_damage_is_not_in_doubt(tmp_path):
    """Only streams that were there may have lost samples: one whose header follows keeps all of its own."""
    body = b"\0" + struct.pack("<fff", 1, 2, 3)
    unstamped = xdf_writer.chunk(3, struct.pack("<IBB", 2, 1, 1) + body)
    content = [header_chunk(1), b"\5", xdf_writer.boundary(), header_chunk(2), unstamped]
    assert len(read_xdf(raw(tmp_path / "a.xdf", *content)).streams[1].stamps) == 1

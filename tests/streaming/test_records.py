"""The bytes of what travels, and the refusal of anything else."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.errors import RecordError
from streaming.records import ResultRecord, WindowRecord

from .makers import make_record, make_result


def same(a: WindowRecord, b: WindowRecord) -> bool:
    """Compare two windows, samples by their bits."""
    names = [f.name for f in fields(a.window) if f.name != "x_uv"]
    outer = [f.name for f in fields(a) if f.name not in ("window", "stamp_s")]
    return (
        all(getattr(a.window, n) == getattr(b.window, n) for n in names)
        and all(getattr(a, n) == getattr(b, n) for n in outer)
        and np.array_equal([a.stamp_s], [b.stamp_s], equal_nan=True)
        and a.window.x_uv.tobytes() == b.window.x_uv.tobytes()
    )


@pytest.mark.parametrize("stamp_s", [12.5, 0.1 + 0.2, math.nan])
def test_a_window_comes_back_bit_by_bit(stamp_s):
    """What the scorer reads is what the bridge made (law 1)."""
    record = replace(make_record(7), stamp_s=stamp_s)
    assert same(WindowRecord.decode(record.encode()), record)


def test_decoded_samples_are_read_only_and_float32():
    """Nobody can change a window on its way."""
    x_uv = WindowRecord.decode(make_record().encode()).window.x_uv
    assert (x_uv.flags.writeable, x_uv.flags.c_contiguous, x_uv.flags.owndata) == (False, True, True)
    assert x_uv.dtype == np.float32


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(0, 1), st.none() | st.text(max_size=5))
def test_a_result_comes_back_number_by_number(logit, sqi, calibration):
    """JSON keeps every float64 as it is."""
    result = replace(make_result(3, logit=logit), sqi=sqi, calibration=calibration or "", stages_s={"engine": sqi})
    assert ResultRecord.decode(result.encode()) == result
    assert ResultRecord.from_json(result.to_json()) == result


def test_a_result_without_a_stamp_comes_back():
    """A stamp that is unknown stays unknown, in strict JSON."""
    result = replace(make_result(), stamp_s=math.nan)
    assert math.isnan(ResultRecord.decode(result.encode()).stamp_s)
    assert result.to_json()["stamp_s"] is None


def test_a_result_from_a_later_file_is_read():
    """A line of results.jsonl may hold more than the result, such as its latency."""
    assert ResultRecord.from_json({**make_result().to_json(), "latency_s": 0.2}) == make_result()


def test_a_result_of_a_model_with_points_carries_them():
    """And one of a model without has the very bytes that it had before there were such models."""
    result = replace(make_result(), fma=21.5)
    assert ResultRecord.decode(result.encode()) == ResultRecord.from_json(result.to_json()) == result
    assert result.to_json()["fma"] == 21.5
    assert list(make_result().to_json())[-1] == "stages_s"
    assert ResultRecord.from_json(make_result().to_json()).fma is None


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_flipped_byte_is_refused(at, by):
    """One wrong byte anywhere in a window is noticed (law 10)."""
    entry = make_record().encode()
    name = list(entry)[at % len(entry)]
    value = bytearray(entry[name])
    value[at % len(value)] ^= by
    with pytest.raises(RecordError, match="schema|checksum"):
        WindowRecord.decode({**entry, name: bytes(value)})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"session": None}, "labels|session|field of schema 1"),
        ({"shape": [100, 2]}, "shape is 100 x 2; its 3 labels do not fit"),
        ({"shape": [1 << 30, 3]}, "shape is 1073741824 x 3"),
        ({"shape": [99, 3]}, "has 1200 bytes; 99 x 3 samples need others"),
        ({"channel_quality": [1.0]}, "3 channels, 1 qualities and 3 lists of faults"),
        ({"surprise": 1}, "field of schema 1"),
    ],
    ids=["null session", "labels", "huge", "short", "quality", "unknown"],
)
def test_a_header_that_does_not_fit_is_refused(change, words):
    """A well-sealed entry with a wrong header is refused before numpy sees it (law 10)."""
    import json

    from streaming import records

    entry = make_record().encode()
    header = {**json.loads(entry[records.HEADER]), **change}
    if change == {"session": None}:
        del header["session"]
    sealed = records._sealed({records.HEADER: json.dumps(header).encode(), records.PAYLOAD: entry[records.PAYLOAD]})
    with pytest.raises(RecordError, match=words):
        WindowRecord.decode(sealed)


@pytest.mark.parametrize("header", [b"[1]", b"{", b"\xff"], ids=["list", "cut", "no text"])
def test_a_header_that_is_no_object_is_refused(header):
    """A sealed entry whose header is not JSON, or not an object, is refused."""
    from streaming import records

    with pytest.raises(RecordError, match="header is"):
        ResultRecord.decode(records._sealed({records.HEADER: header}))


def test_entries_of_another_kind_are_refused():
    """Another version, a missing or a surplus field: refused by name."""
    entry = make_record().encode()
    with pytest.raises(RecordError, match="schema b'2'; expected b'1'"):
        WindowRecord.decode({**entry, b"v": b"2"})
    with pytest.raises(RecordError, match="has the fields"):
        ResultRecord.decode(entry)
    with pytest.raises(RecordError, match="schema None"):
        WindowRecord.decode({})


def test_a_result_needs_its_fields():
    """A line of results.jsonl without a field is refused by that field's name."""
    line = make_result().to_json()
    del line["weight"]
    with pytest.raises(RecordError, match="weight"):
        ResultRecord.from_json(line)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"state": "lost"}, "state 'lost'; expected one of scored"),
        ({"logit": None}, "is scored with logit None"),
        ({"logit": math.nan}, "is scored with logit nan"),
        ({"state": "not_scored"}, "is not_scored with logit 0.25"),
        ({"state": "not_scored", "logit": None, "fma": 20.0}, r"is not_scored with 20\.0 points"),
        ({"fma": math.inf}, "is scored with inf points"),
    ],
)
def test_a_result_that_contradicts_itself_is_refused(change, words):
    """Only a score has a number, and it is finite (law 8)."""
    with pytest.raises(RecordError, match=words):
        replace(make_result(), **change)


def test_stages_add_up():
    """A stage is timed without touching the rest."""
    result = make_result().with_stage("engine", 0.01).with_stage("wait", 0.5)
    assert result.stages_s == {"engine": 0.01, "wait": 0.5}
    assert replace(result, stages_s={}) == make_result()

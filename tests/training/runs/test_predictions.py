"""Predictions are read as they were written, to the bit; whatever is no prediction is refused by line and column."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.errors import RunError
from training.runs.predictions import COLUMNS, Prediction, read_predictions, write_predictions

ROW = Prediction("lstm-bands", 0, 3, "001", "window", 12, 0.5, 1 / 3, 0.58, True, fma=21.0)

numbers = st.floats(allow_nan=False, allow_infinity=False)
rows = st.builds(
    Prediction,
    model=st.sampled_from(["lstm-bands", "majority"]),
    repeat=st.integers(0, 9),
    fold=st.integers(0, 9),
    patient=st.text("ab019-", min_size=1),
    unit=st.sampled_from(["window", "patient"]),
    index=st.none() | st.integers(0, 10_000),
    weight=numbers,
    logit=numbers,
    p=numbers,
    label=st.booleans(),
    fma=st.none() | numbers,
    fma_predicted=st.none() | numbers,
    above_9=st.none() | numbers,
    above_17=st.none() | numbers,
    above_25=st.none() | numbers,
)


@settings(deadline=None)
@given(st.lists(rows, max_size=5))
def test_they_are_read_as_they_were_written(tmp_path_factory, predictions: list[Prediction]):
    """Every float to the bit, every absence as such."""
    path = tmp_path_factory.getbasetemp() / "predictions.csv"
    write_predictions(path, predictions)
    assert repr(read_predictions(path)) == repr(tuple(predictions))


def test_numbers_of_numpy_are_written_as_numbers(tmp_path: Path):
    """Logits come out of arrays."""
    row = replace(ROW, logit=np.float64(1 / 3), weight=np.float64(1), index=np.int64(12), label=np.bool_(True))
    write_predictions(tmp_path / "p.csv", [row])
    assert read_predictions(tmp_path / "p.csv") == (replace(ROW, weight=1.0),)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_logit_that_is_no_number_is_not_written(tmp_path: Path, value: float):
    """A network that diverged is no result."""
    with pytest.raises(
        RunError, match=r"lstm-bands of patient 001, repeat 0, fold 3 has logit (nan|inf).*learning_rate"
    ):
        write_predictions(tmp_path / "p.csv", [replace(ROW, logit=value)])
    assert not (tmp_path / "p.csv").exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("window", "voxel", r"p.csv line 2 has 'voxel' as unit"),
        ("0.58", "nan", r"line 2 has 'nan' as p"),
        ("0.58", "x", r"line 2 has 'x' as p"),
        (",1,21.0", ",yes,21.0", r"line 2 has 'yes' as label"),
        ("21.0", "inf", r"line 2 has 'inf' as fma"),
        ("lstm-bands,", "", r"line 2 has 14 values, not 15"),
        ("model,repeat", "net,repeat", r"has the columns net, repeat.*; expected model, repeat"),
        ("lstm-bands", '"lstm', r"cannot be read: unexpected end of data"),
    ],
)
def test_what_is_no_prediction_is_refused(tmp_path: Path, old: str, new: str, said: str):
    """By line and column."""
    path = tmp_path / "p.csv"
    write_predictions(path, [ROW])
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(RunError, match=said):
        read_predictions(path)


def test_a_file_that_is_not_there_or_empty_is_refused(tmp_path: Path):
    """A run that has not come so far has no predictions."""
    with pytest.raises(RunError, match=r"p.csv cannot be read: .*No such file"):
        read_predictions(tmp_path / "p.csv")
    (tmp_path / "p.csv").touch()
    with pytest.raises(RunError, match=r"has the columns ; expected model"):
        read_predictions(tmp_path / "p.csv")


def test_the_columns_are_those_of_the_format():
    """Other programs read them by name."""
    header = "model,repeat,fold,patient,unit,index,weight,logit,p,label,fma,fma_predicted,above_9,above_17,above_25"
    assert ",".join(COLUMNS) == header

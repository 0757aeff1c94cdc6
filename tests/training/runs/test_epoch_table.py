"""Epochs are noted whole, by however many processes, and also after a kill."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from acquisition.errors import DiskFull
from training.errors import RunError
from training.runs.epoch_table import EpochTable


def noted(path: Path, fold: str = "r0f0", epochs: int = 3) -> EpochTable:
    """Return a table with some epochs of a fold."""
    table = EpochTable(path)
    for epoch in range(epochs):
        table.append({"fold": fold, "epoch": epoch, "loss": 1 / (epoch + 1)})
    return table


@pytest.fixture
def table(tmp_path: Path) -> EpochTable:
    """Return a table with three epochs of a fold."""
    return noted(tmp_path / "metrics.csv")


def epochs(table: EpochTable, fold: str) -> list[int]:
    """Return the epochs of a fold."""
    return [int(row["epoch"]) for row in table.rows() if row["fold"] == fold]


def test_rows_come_back_in_order(table: EpochTable):
    """Floats with all their digits."""
    assert epochs(table, "r0f0") == [0, 1, 2]
    assert float(table.rows()[2]["loss"]) == 1 / 3


def test_a_table_that_is_not_there_has_no_rows(tmp_path: Path):
    """A run that was killed before its first epoch goes on too."""
    assert EpochTable(tmp_path / "metrics.csv").rows() == []


@pytest.mark.parametrize("torn", ["r0f0,3", "r0f0,3,0.25", 'r0f0,3,"'])
def test_a_row_that_a_crash_tore_is_none(table: EpochTable, torn: str):
    """It is neither read nor glued to the next one."""
    with table.path.open("a") as file:
        file.write(torn)
    assert epochs(table, "r0f0") == [0, 1, 2]
    table.append({"fold": "r0f0", "epoch": 3, "loss": 0.25})
    assert epochs(table, "r0f0") == [0, 1, 2, 3]


def test_a_header_that_a_crash_tore_is_written_anew(tmp_path: Path):
    """As if there were no table."""
    (tmp_path / "metrics.csv").write_text("fold,ep")
    assert epochs(noted(tmp_path / "metrics.csv"), "r0f0") == [0, 1, 2]


def test_several_processes_append_whole_rows(tmp_path: Path):
    """Folds train side by side."""
    path = tmp_path / "metrics.csv"
    folds = ["r0f0", "r0f1", "r0f2"]
    with ProcessPoolExecutor(3, mp_context=get_context("fork")) as pool:
        list(pool.map(noted, [path] * 3, folds, [20] * 3))
    assert [epochs(EpochTable(path), fold) for fold in folds] == [list(range(20))] * 3


def test_a_row_of_other_columns_is_refused(table: EpochTable):
    """A table has one meaning per column."""
    with pytest.raises(RunError, match=r"metrics.csv has the columns fold, epoch, loss, and the row fold, epoch, auc"):
        table.append({"fold": "r0f0", "epoch": 3, "auc": 0.5})


@pytest.mark.parametrize("content", [b"fold,epoch\na\n", b"a,b\n1,2\n", b"fold,epoch\na,x\n", b"\xff\n"])
def test_rubbish_is_refused(tmp_path: Path, content: bytes):
    """A run does not go on from a table that it cannot read."""
    (tmp_path / "metrics.csv").write_bytes(content)
    with pytest.raises(RunError, match=r"metrics.csv cannot be read"):
        EpochTable(tmp_path / "metrics.csv").rows()


def test_a_disk_that_takes_no_row_is_said(table: EpochTable, monkeypatch: pytest.MonkeyPatch):
    """The row is not noted, and the trainer hears of it."""
    monkeypatch.setattr("acquisition.durable.os.write", lambda fd, record: 3)
    with pytest.raises(DiskFull, match=r"metrics.csv takes no more"):
        table.append({"fold": "r0f0", "epoch": 3, "loss": 0.5})
    assert epochs(table, "r0f0") == [0, 1, 2]

"""A whole report of a sample run, and its text."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.training import reports
from training.reporting.facts import Facts
from training.reporting.page import write_page

Write = Callable[..., str]


def facts_of(origin: str = "synthetic", **changed: Any) -> Facts:
    """Return facts of a sample evaluation, with some of its keys set otherwise."""
    evaluation = {**reports.sample(origin), **changed}
    return Facts(evaluation, list(csv.DictReader(io.StringIO(reports.metrics()))))


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the report of simulated patients and its figures."""
    folder = tmp_path_factory.mktemp("report")
    write_page(facts_of(), folder / "report.html", folder / "figures")
    return folder


@pytest.fixture
def html(folder: Path) -> str:
    """Return that report."""
    return (folder / "report.html").read_text("utf-8")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a report and returns its HTML."""

    def write(facts: Facts) -> str:
        write_page(facts, tmp_path / "report.html", tmp_path / "figures")
        return (tmp_path / "report.html").read_text("utf-8")

    return write

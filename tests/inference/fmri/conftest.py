"""The stand-in bundle and one scored scan, made once for a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.bundle import Bundle
from inference.engines.choice import open_engine
from inference.engines.engine import Engine
from inference.fmri.score import ScanScore, score_file
from tests.inference.fmri import standin


@pytest.fixture(scope="session")
def standin_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Return the stand-in bundle."""
    return standin.build(tmp_path_factory.mktemp("standin"))


@pytest.fixture(scope="session")
def standin_engine(standin_bundle: Bundle) -> Iterator[Engine]:
    """Return a warm and checked engine of it."""
    engine = open_engine(standin_bundle)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a simulated scan."""
    return standin.scan(tmp_path_factory.mktemp("scan") / "sub-1_bold.nii.gz")


@pytest.fixture(scope="session")
def scored(scan: Path, standin_bundle: Bundle, standin_engine: Engine) -> ScanScore:
    """Return that scan, scored."""
    return score_file(scan, standin_bundle, standin_engine)

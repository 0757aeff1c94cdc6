"""The tiny bundles of these tests, built once for a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.bundle import Bundle, FusionBundle
from inference.engines.choice import open_engine
from inference.engines.engine import Engine
from streaming.connection import Client, connect
from streaming.sessions import Registry, SessionEntry
from tests.inference import tiny


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which the tiny bundles lie."""
    folder = tmp_path_factory.mktemp("bundles")
    tiny.build(folder / "tiny")
    tiny.write(folder / "tiny-fmri", tiny.fmri_manifest())
    return folder


@pytest.fixture(scope="session")
def bundle(bundles: Path) -> Bundle:
    """Return the tiny eeg_emg bundle."""
    return Bundle.load(bundles / "tiny")


@pytest.fixture(scope="session")
def fmri_bundle(bundles: Path) -> Bundle:
    """Return the tiny fmri bundle; it is never run."""
    return Bundle.load(bundles / "tiny-fmri")


@pytest.fixture(scope="session")
def fusion(bundles: Path, bundle: Bundle, fmri_bundle: Bundle) -> FusionBundle:
    """Return the equal fusion of both."""
    return tiny.fused(bundles / "fusion", bundle, fmri_bundle)


@pytest.fixture(scope="session")
def engine(bundle: Bundle) -> Iterator[Engine]:
    """Return a warm and checked engine of the tiny bundle."""
    engine = open_engine(bundle)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def long_memory(bundles: Path) -> Bundle:
    """Return a tiny bundle that remembers: errors of rounding add up over its whole window."""
    return tiny.build(bundles / "long-memory", forget_bias=3.0)


@pytest.fixture
def client(redis_url: str) -> Iterator[Client]:
    """Return a client of an empty Redis with one open session."""
    with connect(redis_url, "test") as client:
        Registry(client).open(SessionEntry(tiny.SESSION, "1", "P-01", "replay", "2026-04-01T10:00:00Z"))
        yield client

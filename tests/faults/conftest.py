"""What the tests of faults share: models that are there at once."""

from __future__ import annotations

import pytest

from tests.deploy import bundles


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the variables that name a small model of the default montage: any changed bit of a window shows in it."""
    return bundles.build(tmp_path_factory.mktemp("bundles"))

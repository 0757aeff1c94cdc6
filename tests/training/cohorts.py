"""A small simulated cohort that tests of training share: import the fixture into the ``conftest.py`` that wants it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.once import once
from training.cohort.cohort import Cohort
from training.data.windows import prepare
from training.simulated.spec import SynthSpec
from training.simulated.synth import synthesise

#: Sixteen patients, fourteen with EEG, six windows each: 4 s of settling and 60 s; recovery is easy to see.
SMALL = SynthSpec(patients=16, with_eeg=14, minutes=1.1, effect=2, seed=6, bold=False, sites=2, still_s=4.0)


@pytest.fixture(scope="session")
def small_cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a simulated cohort without BOLD; whoever writes into it, save ``derivatives``, copies it.

    Its windows are prepared, and kept there: once for all workers of a run, of whom each would spend six seconds on it.
    """

    def make(folder: Path) -> None:
        synthesise(folder / "small", SMALL)
        prepare(Cohort.open(folder / "small"))

    return once(tmp_path_factory, "cohort", make) / "small"

"""What tests of the deployment share: a clock that tests turn, and the real command in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from deploy.opening import Models
from deploy.settings import Settings, load
from deploy.supervisor import Supervisor
from tests.deploy import bundles
from tests.deploy.recordings import write_xdf
from tests.inference.fmri import standin

#: The command as it is installed beside this interpreter.
FLEXION = Path(sys.executable).with_name("flexion")
Run = Callable[..., subprocess.CompletedProcess[str]]


class TurnedClock:
    """Time that passes when the test says so; a sleep turns it too."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic_s(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def clock() -> TurnedClock:
    """Return a clock that the test turns."""
    return TurnedClock()


@pytest.fixture
def flexion(tmp_path: Path) -> Run:
    """Return a function that runs the real command in an empty folder, with its own data folder."""

    def run(*arguments: str, timeout: float = 50, **variables: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FLEXION_")}
        kept.pop("REDIS_URL", None)
        environment = {**kept, "FLEXION_DATA_DIR": str(tmp_path / "data"), **variables}
        command = [str(FLEXION), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout, cwd=tmp_path, env=environment)

    return run


@pytest.fixture(scope="session")
def bundle_variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the variables that name small bundles which fit the default montage."""
    return bundles.build(tmp_path_factory.mktemp("bundles"))


@pytest.fixture
def settings(bundle_variables: dict[str, str], tmp_path: Path) -> Settings:
    """Return settings with those bundles and a data folder of the test's own."""
    return load({"data_dir": tmp_path / "data"}, bundle_variables)


@pytest.fixture
def models(settings: Settings) -> Models:
    """Return those bundles, loaded."""
    return Models.load(settings.models)


@pytest.fixture(scope="session")
def scan_variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the variables that name small bundles for EEG and EMG, for scans, and for their fusion."""
    return bundles.build(tmp_path_factory.mktemp("bundles-scans"), scans=True)


@pytest.fixture
def scan_settings(scan_variables: dict[str, str], tmp_path: Path) -> Settings:
    """Return settings with those bundles and a data folder of the test's own."""
    return load({"data_dir": tmp_path / "data"}, scan_variables)


@pytest.fixture
def scan_models(scan_settings: Settings) -> Models:
    """Return those bundles, loaded."""
    return Models.load(scan_settings.models)


@pytest.fixture(scope="session")
def nifti(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a simulated scan."""
    return standin.scan(tmp_path_factory.mktemp("scans") / "sub-1_bold.nii.gz")


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return 26 s of a simulated patient as XDF, one second of which never arrived."""
    return write_xdf(tmp_path_factory.mktemp("recordings") / "patient.xdf", 26.0, skip=(15_000, 16_000))


@pytest.fixture
def supervisor(clock: TurnedClock) -> Iterator[Supervisor]:
    """Return a supervisor on the turned clock, whose children end with the test."""
    made = Supervisor(clock, structlog.get_logger())
    yield made
    for child in made.children.values():
        if child.process is not None:
            child.process.kill()
            child.process.wait()

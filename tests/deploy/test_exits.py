"""Exit codes: what a result stands for, whatever its state."""

from __future__ import annotations

from typing import Any

import pytest

from deploy import exits
from deploy.cli import main, models, roles
from inference.errors import DeviceLost


def result(*, balanced: bool = True, eeg_emg: object = "bundle", **windows: int) -> dict[str, Any]:
    """Return as much of a result as an exit code needs."""
    counts = {"made": 0, "published": 0, "scored": 0, "not_scored": 0, "dead_lettered": 0, "unrecorded": 0}
    return {"ledger": {"balanced": balanced}, "windows": counts | windows, "bundles": {"eeg_emg": eeg_emg}}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (result(), exits.OK),
        (result(made=6, published=6, scored=3, not_scored=2, dead_lettered=1), exits.OK),
        (result(balanced=False), exits.UNBALANCED),
        (result(made=6, published=6, scored=5), exits.UNBALANCED),
        (result(made=6, published=5, scored=5), exits.UNBALANCED),
        (result(made=6, eeg_emg=None), exits.OK),
        (result(made=6, eeg_emg=None, balanced=False), exits.UNBALANCED),
    ],
)
def test_a_result_stands_for_a_code(given, code):
    """0 when the ledger balances and every window has a fate; a session that is only recorded waits for no fate."""
    assert exits.of_result(given) == code


def test_the_worst_of_several_counts():
    """One refused session among several is seen."""
    assert exits.worst([0, 3, 1]) == 3
    assert exits.worst([]) == exits.OK


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["models", "verify", "lstm-bands", "--json"], exits.ENVIRONMENT), (["scorer"], exits.DEVICE_LOST)],
)
def test_a_gpu_that_fails_has_a_code_of_its_own_for_supervisors_alone(monkeypatch, capsys, arguments, code):
    """A role is started again by it; to people it is what every fault of their machine is."""

    def fail(*args: object, **about: object) -> None:
        raise DeviceLost.because("CUDA error")

    monkeypatch.setattr(models, "_verify", fail)
    monkeypatch.setattr(roles, "_begin", fail)
    assert main.run(arguments) == code
    assert "The GPU failed: CUDA error." in capsys.readouterr().err

"""The table of the five networks says what was found, and their page says what the catalogue says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance import five_networks
from tests.training.pictures import heads
from training.backbones.catalogue import ARCHITECTURES, SIZE

PAGE = Path(__file__).parents[2] / "docs" / "backbones.md"


@pytest.mark.timeout(300)
def test_a_row_is_what_was_found_of_a_network(monkeypatch, capsys):
    """Sizes, differences within their bounds, and how far the maps follow the weights."""
    slices = heads(2, SIZE)
    row = five_networks.row_of("shufflenet", slices)
    assert (row.words, row.n_parameters) == ("ShuffleNetV2 x1.0", 1_254_629)
    assert row.logit < 1e-3 and row.features < 1e-2 and row.cam < 1e-5 and abs(row.sanity) < 0.9
    monkeypatch.setattr(five_networks, "simulated_slices", lambda: slices)
    monkeypatch.setattr(five_networks, "NAMES", ("shufflenet",))
    monkeypatch.setattr(five_networks, "row_of", lambda name, slices: row)
    five_networks.main()
    head, _, line = capsys.readouterr().out.splitlines()
    assert head.startswith("| network | parameters |")
    assert line.startswith("| ShuffleNetV2 x1.0 | 1.25 M | 5.1 | ")


@pytest.mark.timeout(300)
def test_slices_are_those_of_a_simulated_scan(monkeypatch):
    """Prepared as at the bedside, from the lowest to the highest."""
    monkeypatch.setattr(five_networks, "N_VOLUMES", 22)
    slices = five_networks.simulated_slices(3)
    assert slices.shape == (3, 3, SIZE, SIZE) and slices.std() > 0.1


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_page_says_what_the_catalogue_says(name):
    """Network, model, file and address; and one row of what was found, within the bounds that the page states."""
    one, page = ARCHITECTURES[name], PAGE.read_text("utf-8")
    assert f"| `{name}` | {one.words} | {one.library} `{one.model}` | {one.n_features} x 7 x 7 |" in page
    assert f"| `{name}` | `{one.published.file}` | {one.published.address} |" in page
    [found] = [line for line in page.splitlines() if line.startswith(f"| {one.words} | ")]
    size, _, logit, features, cam, sanity = found.strip("| ").split(" | ")[1:]
    assert size.endswith(" M")
    assert (float(logit) < 1e-3, float(features) < 1e-2, float(cam) < 1e-5, abs(float(sanity)) < 0.9) == (True,) * 4

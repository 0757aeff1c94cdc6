"""A digest has the report's own tables, as Markdown."""

from tests.training.reports import sample
from training.bundles.digest import digest, markdown
from training.reporting.tables import Table


def test_a_digest_says_first_whose_figures_they_are():
    """Simulated patients before any number (law 9); then what the network is worth, then the tables."""
    text = digest(sample())
    assert text.startswith(
        "# Report: run 20261122T100000Z_sample\n\n**SYNTHETIC: SIMULATED PATIENTS.** No patient was involved."
    )
    assert text.index("SYNTHETIC") < text.index("The network (lstm-bands)") < text.index("| model |")
    assert "| lstm-bands minus majority |" in text and "minus lstm-bands" not in text
    assert "The paper's Table 2" in text and "Permuted labels" in text and "in points of 34" in text
    assert "/work" not in text and "a processor" in text


def test_what_an_evaluation_lacks_has_no_table():
    """A run without points, groups or pairs."""
    text = digest(sample() | {"fma": None, "groups": [], "paired": [], "permuted": None, "paper_table": []})
    assert "in points of 34" not in text and "minus" not in text and "Permuted" not in text
    assert "| lstm-bands |" in text


def test_a_network_of_slices_has_no_table_by_windows():
    """A scan's slices come all at once."""
    evaluation = sample()
    for model in evaluation["models"]:
        model["by_windows"] = []
    words = " by number of windows, unit patient"
    assert words in digest(sample()) and words not in digest(evaluation)


def test_a_cell_cannot_break_its_row():
    """A bar in a name is no column."""
    text = markdown(Table("Two", ("a", "b"), (("x|y", "1"),), "Note."))
    assert text == "Two:\n\n| a | b |\n| --- | --- |\n| x/y | 1 |\n\nNote."

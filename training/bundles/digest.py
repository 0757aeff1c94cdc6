"""The digest: a run's figures as Markdown, short enough to lie beside a bundle; the whole is in ``report.html``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.reporting import tables
from training.reporting.facts import Facts
from training.reporting.tables import Table
from training.reporting.verdict import origin, probabilities, size, verdict


def digest(evaluation: Mapping[str, Any]) -> str:
    """Return the tables of an evaluation, the verdict before them.

    Parameters
    ----------
    evaluation : mapping
        ``evaluation.json``.
    """
    facts = Facts(evaluation)
    title, sentence = origin(facts)
    head = [f"# Report: run {facts.run['name']}", f"**{title}.** {sentence}"]
    head += [verdict(facts), size(facts), promises(facts)]
    return "\n\n".join([*head, *(markdown(table) for table in _tables(facts))]) + "\n"


def promises(facts: Facts) -> str:
    """Return what the probabilities of the figures are, and what those of the bundle are where they are others."""
    words = probabilities(facts)
    if not any(network["calibrated"] is False for network in facts.networks):
        return words
    return (
        f"{words} The bundle's own calibration was fitted to the patients of these figures, so none of them tries it."
    )


def markdown(table: Table) -> str:
    """Return a table with its caption above and its note below."""
    rows = [table.head, ("---",) * len(table.head), *table.rows]
    lines = "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)
    return "\n\n".join(part for part in (f"{table.caption}:", lines, table.note) if part).replace(
        "\N{NO-BREAK SPACE}", " "
    )


def _tables(facts: Facts) -> Iterator[Table]:
    models, found = facts.models, facts.evaluation
    yield tables.headline(models, facts.initialised)
    yield from (tables.by_windows(network) for network in facts.networks if network.get("by_windows"))
    yield tables.macro(models)
    for key, table in (("paired", tables.paired), ("groups", tables.groups)):
        if facts.list_of(key):
            yield table(facts.list_of(key))
    yield from tables.papers(facts.list_of("paper_table"), facts.initialised)
    for key, one in (("fma", tables.scale), ("permuted", tables.control)):
        if found.get(key):
            yield one(found[key])
    yield tables.provenance(facts)

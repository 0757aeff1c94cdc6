"""axe-core in a page that allows no script but its own: it runs in a world of its own, beside the page's scripts."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.conftest import lacking

SOURCE = Path(__file__).parents[2] / "dashboard" / "node_modules" / "axe-core" / "axe.min.js"
#: Everything that axe knows: WCAG 2.2 A and AA, and what is good practice besides.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: Elements of one rule that are named.
SHOWN = 4
RUN = f"axe.run(document, {{runOnly: {TAGS}, resultTypes: ['violations']}}).then((all) => all.violations)"


@cache
def source() -> str:
    """Return axe's own script."""
    if not SOURCE.exists():
        lacking("axe-core: npm ci --prefix dashboard")
    return SOURCE.read_text(encoding="utf-8")


def violations(page: Page) -> list[str]:
    """Return what axe finds on a page as it is now: the rule, and some of the elements that break it."""
    session = page.context.new_cdp_session(page)
    frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
    world = session.send("Page.createIsolatedWorld", {"frameId": frame, "worldName": "axe"})["executionContextId"]
    _run(session, world, source())
    found = _run(session, world, RUN)
    session.detach()
    return [line for rule in found for line in _lines(rule)]


def _run(session: Any, world: int, expression: str) -> Any:
    asked = {"expression": expression, "contextId": world, "awaitPromise": True, "returnByValue": True}
    answer = session.send("Runtime.evaluate", asked)
    assert "exceptionDetails" not in answer, answer["exceptionDetails"]
    return answer["result"].get("value")


def _lines(rule: dict[str, Any]) -> list[str]:
    nodes = rule["nodes"]
    more = [f"{rule['id']}: and {len(nodes) - SHOWN} more"] if len(nodes) > SHOWN else []
    return [f"{rule['id']}: {_where(node)}" for node in nodes[:SHOWN]] + more


def _where(node: dict[str, Any]) -> str:
    why = " ".join(node["failureSummary"].split()[5:])
    return f"{' '.join(map(str, node['target']))} ({why[:160]})"

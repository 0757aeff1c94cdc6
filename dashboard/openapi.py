"""The interface as OpenAPI has it: ``python -m dashboard.openapi`` writes it to stdout, for ``dashboard/openapi.json``.

The file lies beside this module so that a change of the interface is seen in review. OpenAPI knows neither the sockets
nor the events: docs/protocol.md has those.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

#: The committed document.
COMMITTED = Path(__file__).parent / "openapi.json"
#: Every refusal (RFC 9457), as `dashboard.problems` makes them.
PROBLEM = {
    "title": "Problem",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong, in words"},
        "kind": {"type": "string", "description": "The same for programs"},
        "subject": {"type": "string", "description": "What it is about"},
        "remedy": {"type": "string", "description": "What to do"},
    },
}
_REFUSED = {
    "description": "A refusal, in words",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
#: What FastAPI says of refusals by itself, which are none of ours.
_NOT_OURS = ("HTTPValidationError", "ValidationError")


def document(app: FastAPI) -> dict[str, Any]:
    """Return the document of an application, every refusal as it really comes."""
    whole = get_openapi(title=app.title, version=app.version, routes=app.routes)
    for path in whole["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = _REFUSED
    schemas = whole.setdefault("components", {}).setdefault("schemas", {})
    for name in _NOT_OURS:
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM
    return whole


def text_of(app: FastAPI) -> str:
    """Return the document as the committed file has it."""
    return json.dumps(document(app), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> None:
    """Write the document of the dashboard; no Redis is needed."""
    from dashboard.app import create_app
    from dashboard.settings import DashboardSettings

    sys.stdout.write(text_of(create_app(DashboardSettings("unix:///nowhere", Path()))))


if __name__ == "__main__":
    main()

"""``flexion models``: the bundles that ship or lie in a folder, what they say of themselves, whether they are whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli import output
from deploy.cli.options import Json

if TYPE_CHECKING:
    from inference.bundle import Bundle, FusionBundle

group = typer.Typer()
Name = Annotated[str, typer.Argument(metavar="NAME", help="Bundle that ships, or a folder.")]
AnyName = Annotated[
    str | None, typer.Argument(metavar="NAME", help="Bundle that ships, or a folder; by default all that ship.")
]


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.add_typer(group, name="models")


@group.callback()
def models() -> None:
    """List, show and verify bundles of models."""


@group.command("list")
def list_(as_json: Json = False) -> None:
    """List the bundles that ship."""
    from inference.bundle import load_bundle

    bundles = [load_bundle(folder) for folder in _shipped()]
    if as_json:
        output.put_json({"schema": output.SCHEMA, "bundles": [_describe(bundle) for bundle in bundles]})
        return
    head = ("name", "version", "kind", "origin", "sha256")
    rows = [[_describe(bundle)[key] for key in head] for bundle in bundles]
    output.put_table("Bundles that ship", head, rows)


@group.command()
def show(name: Name, as_json: Json = False) -> None:
    """Show a bundle's card, or with --json its manifest."""
    import json

    from inference.bundle import MANIFEST, load_bundle, resolve_bundle

    bundle = load_bundle(resolve_bundle(name))
    if as_json:
        manifest = json.loads((bundle.path / MANIFEST).read_text("utf-8"))
        output.put_json({"schema": output.SCHEMA, **_describe(bundle), "manifest": manifest})
        return
    print((bundle.path / "card.md").read_text("utf-8"))


@group.command()
def verify(name: AnyName = None, as_json: Json = False) -> None:
    """Check every hash of a bundle, and that its model gives its own reference values here."""
    from inference.bundle import load_bundle, resolve_bundle

    verified = [_verify(load_bundle(folder)) for folder in ([resolve_bundle(name)] if name else _shipped())]
    if as_json:
        output.put_json({"schema": output.SCHEMA, **(verified[0] if name else {"bundles": verified})})


def _verify(bundle: Bundle | FusionBundle) -> dict[str, object]:
    """Try a bundle whose hashes fit, say so, and return it described."""
    from inference.bundle import Bundle

    engine = _try_engine(bundle) if isinstance(bundle, Bundle) else None
    output.say(f"{bundle.words}: every hash fits" + (f", and {engine['backend']} agrees." if engine else "."))
    return {**_describe(bundle), "engine": engine}


def _shipped() -> list[Path]:
    from inference.bundle import MANIFEST, SHIPPED

    return [path.parent for path in sorted(SHIPPED.glob(f"*/{MANIFEST}"))]


def _describe(bundle: Bundle | FusionBundle) -> dict[str, str]:
    return {**bundle.to_json(), "kind": bundle.manifest.head.kind, "path": str(Path(bundle.path))}


def _try_engine(bundle: Bundle) -> dict[str, object]:
    from deploy.settings import load
    from inference.engines.choice import open_engine

    engine = open_engine(bundle, load().models.engines)
    found = engine.selfcheck()
    engine.close()
    return {**engine.info.to_json(), "batch_invariant": found.batch_invariant, "largest_difference": found.largest}

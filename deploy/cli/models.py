"""``flexion models``: bundles; what they say of themselves, whether they are whole, and how a run becomes one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli import output
from deploy.cli.options import Data, Json, MovedCohort, RedisUrl
from deploy.errors import WrongUse

if TYPE_CHECKING:
    from inference.bundle import Bundle, FusionBundle
    from inference.engines.oracle import Held

#: Over the figures of an engine that is held against float64.
HELD = ("window", "logit", "float64", "off by")

group = typer.Typer()
Name = Annotated[str, typer.Argument(metavar="NAME", help="Bundle that ships, or a folder.")]
AnyName = Annotated[
    str | None, typer.Argument(metavar="NAME", help="Bundle that ships, or a folder; by default all that ship.")
]
Backend = Annotated[str, typer.Option("--backend", metavar="NAME", help="Engine; auto takes the first that runs.")]
Fusion = Annotated[str | None, typer.Option("--fusion", metavar="NAME", help="Bundle of the fusion, or its folder.")]
#: Processes that begin one after another when a bundle is swapped, beside the scorers of the settings, at most.
FURTHER = 2
#: Seconds that the end of the processes that served before may take, beyond what the new ones may need to begin.
SLACK_S = 20.0
Tried = Annotated[
    str | None, typer.Option("--backend", metavar="ENGINE", help="Try this engine; by default those of the settings.")
]
Full = Annotated[
    bool, typer.Option("--full", help="Everything about --backend tensorrt on this machine, as one table.")
]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run that flexion train made.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Folder of the bundle. [RUN/bundle]")]
BundleName = Annotated[str, typer.Option("--name", metavar="NAME", help="Of the bundle; default lstm- and the kind.")]
Into = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Folder of the bundles. [those that ship]")]
Work = Annotated[Path, typer.Option("--work", metavar="DIR", help="Where cohort and runs lie; they are gone on with.")]
Only = Annotated[
    str,
    typer.Option("--only", metavar="NAME", help="One bundle: lstm-bands, lstm-raw, cnn-shufflenet or fusion-stack."),
]
Patients = Annotated[int, typer.Option("--patients", metavar="N", help="Simulated patients.")]
Minutes = Annotated[float, typer.Option("--minutes", help="Length of a recording.")]
Epochs = Annotated[int | None, typer.Option("--epochs", metavar="N", min=1, help="At most so many passes.")]
Seed = Annotated[int, typer.Option("--seed", help="Of everything random.")]
Workers = Annotated[int, typer.Option("--workers", metavar="N", min=1, help="Processes; they change no figure.")]


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.add_typer(group, name="models")


@group.callback()
def models() -> None:
    """List, show, verify and make bundles of models."""


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
def verify(name: AnyName = None, backend: Tried = None, full: Full = False, as_json: Json = False) -> None:
    """Check every hash of a bundle, and that its model gives its own reference values here.

    With --backend tensorrt --full a GPU is taken through everything: driver, library, memory, a plan built, tried in a
    process of its own and proven, the engine as a scorer opens it. The plan is kept for the scorers of this machine.
    """
    from inference.bundle import load_bundle, resolve_bundle

    if full:
        _examine(name or "lstm-bands", backend, as_json=as_json)
        return
    verified = [_verify(load_bundle(folder), backend) for folder in ([resolve_bundle(name)] if name else _shipped())]
    if as_json:
        output.put_json({"schema": output.SCHEMA, **(verified[0] if name else {"bundles": verified})})


@group.command()
def export(run: Run, out: Out = None, name: BundleName = "", cohort: MovedCohort = None, as_json: Json = False) -> None:
    """Make the bundle of a run.

    Only of a network that passes the sensitivity gate, and of a graph that is that network.
    """
    from deploy.cli.extra import need_training

    need_training()
    from training.bundles.bundling import bundle_of_run
    from training.bundles.slice_bundling import bundle_of_fmri_run
    from training.fusion.trainer import bundle_of_fusion_run
    from training.moved import note_moved
    from training.runs.run_folder import RunFolder

    folder = RunFolder.open(run)
    if cohort is not None:
        note_moved(folder, cohort)
    makers: dict[str, Callable[[RunFolder, Path, str], Bundle | FusionBundle]] = {
        "fmri": bundle_of_fmri_run,
        "fusion": bundle_of_fusion_run,
    }
    make = makers.get(folder.record.get("modality", ""), bundle_of_run)
    bundle = make(folder, out or folder.bundle_path, name)
    output.say(f"{bundle.words}, origin {bundle.manifest.head.origin}: {bundle.path}")
    if as_json:
        output.put_json({"schema": output.SCHEMA, **_describe(bundle)})


@group.command()
def build(
    out: Into = None,
    work: Work = Path("artifacts/models"),
    only: Only = "",
    patients: Patients = 102,
    minutes: Minutes = 9.0,
    epochs: Epochs = None,
    seed: Seed = 2026,
    workers: Workers = 1,
    as_json: Json = False,
) -> None:
    """Build the bundles that ship from nothing: simulate, train, judge, export, fuse.

    Interrupted, the same command goes on where it stopped.
    """
    from deploy.cli.extra import need_training

    need_training()
    from deploy.cli.synth import Shown
    from deploy.cli.training_progress import TrainingProgress
    from inference.bundle import SHIPPED
    from training.bundles.release import Order, fuse, release, simulate, train

    order = Order(patients, minutes, seed, epochs, workers, only)
    # All settings are there before hours are spent on a cohort.
    runs, built = [(recipe, order.config(recipe)) for recipe in order.recipes], []
    for recipe, config in runs:
        with Shown(as_json=as_json) as shown:
            cohort = simulate(order, recipe, work, shown)
        output.say(f"{recipe.name}, on {cohort}:")
        with TrainingProgress(epochs=config.fit.epochs, as_json=as_json) as progress:
            trained = train(recipe, order, cohort, work, progress)
        bundle = release(trained, recipe, out or SHIPPED)
        output.say(f"{bundle.words}: {bundle.path}")
        built.append(_describe(bundle))
    if order.fuses:
        fusion = fuse(order, work, out or SHIPPED)
        output.say(f"{fusion.words}: {fusion.path}")
        built.append(_describe(fusion))
    if as_json:
        output.put_json({"schema": output.SCHEMA, "bundles": built})


@group.command()
def prepare(name: Name, backend: Backend = "auto", as_json: Json = False) -> None:
    """Make a bundle of EEG and EMG ready to run on this machine, and hold it against float64.

    Where a backend has to be built for a GPU, it is built and kept; a scorer that starts finds it. What comes out is
    compared on golden windows with the same model in float64, which needs torch and onnx.
    """
    from inference.bundle import Bundle, resolve_bundle
    from inference.engines.choice import choose
    from inference.engines.oracle import check, exact_run, hold
    from inference.engines.registry import make_ready

    bundle = Bundle.load(resolve_bundle(name))
    exact = exact_run(bundle)
    make_ready(bundle, backend, exact)
    choice = choose(bundle, (backend,))
    held = hold(choice.engine.run, exact, bundle)
    info = choice.engine.info
    for words in choice.passed_over:
        output.say(words)
    if not as_json:
        output.put_table(f"{bundle.words} on {info.backend}, {info.device}", HELD, map(_row, held))
    check(bundle, info.backend, held)
    output.say(f"Ready: {info.backend} {info.version}, {info.precision}, {info.max_batch} windows at once at most.")
    if as_json:
        windows = [{**asdict(one), "difference": one.difference} for one in held]
        about = {**info.to_json(), "max_batch": info.max_batch, "passed_over": choice.passed_over}
        output.put_json({"schema": output.SCHEMA, **_describe(bundle), "engine": about, "windows": windows})


@group.command()
def serve(name: Name, fusion: Fusion = None, data: Data = None, redis: RedisUrl = None, as_json: Json = False) -> None:
    """Have a flexion live that runs score new sessions with another bundle; running ones keep theirs.

    It is loaded, warmed and tried on its golden windows in processes of its own, while the others go on scoring.
    Sessions are bound to it only once it serves; where it does not, nothing changes. For the next flexion live, name it
    in flexion.toml.
    """
    from deploy.cli.asking import ask
    from deploy.opening import absolute
    from deploy.settings import load
    from deploy.swap import WARM_S
    from inference.bundle import Bundle, FusionBundle, resolve_bundle

    bundle = Bundle.load(resolve_bundle(name))
    fused = None if fusion is None else FusionBundle.load(resolve_bundle(fusion))
    args = {"eeg_emg": absolute(bundle.path), "fusion": None if fused is None else absolute(fused.path)}
    settings = load({"data_dir": data, "redis_url": redis})
    output.say(f"{bundle.words} is made ready ...")
    longest_s = WARM_S * (settings.models.scorers + FURTHER) + SLACK_S
    answer = ask(settings, "serve", args, longest_s)
    served = answer["eeg_emg"]
    output.say(f"New sessions are scored by {served['name']} {served['version']} ({served['sha256'][:12]}).")
    if not answer["fused"]:
        named = f"{answer['fusion']['name']} {answer['fusion']['version']}"
        output.say(f"{named} was not fitted on it: sessions are PARTIAL until --fusion names a bundle that was.")
    if as_json:
        output.put_json({"schema": output.SCHEMA, "served": answer})


def _examine(name: str, backend: str | None, *, as_json: bool) -> None:
    """Show what a full checkup of a backend finds; a line that is not well is a fault of this machine."""
    from deploy import exits
    from inference.bundle import Bundle, resolve_bundle

    if backend != "tensorrt":
        raise WrongUse(
            "--full looks at one backend.",
            subject="--full",
            remedy="Say which: --backend tensorrt is the one it knows.",
        )
    from inference.engines.tensorrt.checkup import examine

    bundle = Bundle.load(resolve_bundle(name))
    findings = list(examine(bundle))
    if as_json:
        output.put_json({"schema": output.SCHEMA, **_describe(bundle), "findings": [asdict(one) for one in findings]})
    else:
        rows = [["well" if one.ok else "NOT WELL", one.name, one.found] for one in findings]
        output.put_table(f"TensorRT on this machine, with {bundle.words}", ("", "looked at", "found"), rows)
    if not all(one.ok for one in findings):
        raise typer.Exit(exits.ENVIRONMENT)


def _row(held: Held) -> tuple[str, ...]:
    return f"{held.window} {held.seed}", f"{held.logit:.9g}", f"{held.exact:.9g}", f"{held.difference:.1e}"


def _verify(bundle: Bundle | FusionBundle, backend: str | None) -> dict[str, object]:
    """Try a bundle whose hashes fit, say so, and return it described."""
    from inference.bundle import Bundle

    engine = _try_engine(bundle, backend) if isinstance(bundle, Bundle) else None
    output.say(f"{bundle.words}: every hash fits" + (f", and {engine['backend']} agrees." if engine else "."))
    return {**_describe(bundle), "engine": engine}


def _shipped() -> list[Path]:
    from inference.bundle import MANIFEST, SHIPPED

    return [path.parent for path in sorted(SHIPPED.glob(f"*/{MANIFEST}"))]


def _describe(bundle: Bundle | FusionBundle) -> dict[str, str]:
    return {**bundle.to_json(), "kind": bundle.manifest.head.kind, "path": str(Path(bundle.path))}


def _try_engine(bundle: Bundle, backend: str | None) -> dict[str, object]:
    from deploy.settings import load
    from inference.engines.choice import choose

    choice = choose(bundle, (backend,) if backend else load().models.engines)
    engine, found = choice.engine, choice.found
    engine.close()
    return {**engine.info.to_json(), "batch_invariant": found.batch_invariant, "largest_difference": found.largest}

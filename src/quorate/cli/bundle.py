"""`quorate bundle`: what bundles there are, which one is champion, and how it came to be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quorate.cli import options

if TYPE_CHECKING:
    from quorate.ensemble.bundle.bundle_store import BundleStore
    from quorate.ensemble.bundle.champion_log import ChampionLogEntry

app = typer.Typer(help="Bundles: what there is, which is champion, and going back.", no_args_is_help=True)

_FOLDER = Path("bundles")

_Id = Annotated[str, typer.Argument(metavar="ID", help="A bundle, as `quorate bundle list` names it.")]
_Why = Annotated[str, typer.Option("--why", help="The reason, for the history.")]
_By = Annotated[str | None, typer.Option("--by", help="Who decided; by default the user who runs this.")]


@app.command("list")
def list_(bundles: options.Bundles = _FOLDER, as_json: options.Json = False) -> None:
    """List every bundle of a folder, the champion marked."""
    from quorate.cli import output
    from quorate.ensemble.bundle.bundle_store import BundleStore

    store = BundleStore(bundles)
    champion = store.champion()
    published = {line.id: line.time for line in store.history() if line.action == "publish"}
    found = [
        {"id": name, "champion": name == champion, "published": published.get(name), **_summary(store, name)}
        for name in sorted(store.ids(), key=lambda name: (published.get(name, ""), name))
    ]
    if as_json:
        output.print_json(found)
        return
    rows = [
        (
            ("* " if one["champion"] else "  ") + one["id"] + (" (synthetic)" if one.get("synthetic") else ""),
            (one["published"] or "")[:16].replace("T", " "),
            one.get("timeframe", ""),
            str(len(one.get("symbols", ()))),
            " to ".join(moment[:10] for moment in one.get("training_span", {}).values()),
            one["error"] or ", ".join(f"{name}{'' if ok else ' (failed)'}" for name, ok in one["members"].items()),
        )
        for one in found
    ]
    columns = ("bundle (* is champion)", "published", "bar", "symbols", "trained on", "members")
    output.print_rows(f"{len(found)} bundles in {bundles}", columns, rows, prose=True)
    if champion is None:
        output.note("no champion: name one with quorate bundle promote ID")


@app.command("show")
def show(
    bundle: Annotated[str | None, typer.Argument(metavar="[ID]", help="A bundle; by default the champion.")] = None,
    bundles: options.Bundles = _FOLDER,
    as_json: options.Json = False,
) -> None:
    """Show what a bundle says of itself, and what was done with it."""
    from quorate.cli import output
    from quorate.ensemble.bundle.bundle_store import BundleStore

    store = BundleStore(bundles)
    name = bundle or _champion(store)
    manifest = store.manifest(name)
    lines = [line for line in store.history() if line.id == name]
    document = {
        "path": str(store.path(name)),
        "champion": name == store.champion(),
        **manifest.to_json(),
        "history": [line.to_json() for line in lines],
    }
    if as_json:
        output.print_json(document)
        return
    if manifest.synthetic:
        output.print_line(output.SYNTHETIC)
    span, rows = document["training_span"], manifest.rows
    facts = {
        "bundle": name + (" (champion)" if document["champion"] else ""),
        "recipe": f"{manifest.recipe}, {manifest.timeframe}",
        "features": f"{manifest.features}, {len(manifest.feature_names)} columns",
        "trained on": f"{span['from']} to {span['to']}, {rows.get('train', 0):,} of {rows.get('candles', 0):,} candles",
        "symbols": ", ".join(manifest.symbols),
        "classes": ", ".join(
            f"{name} {share:.1%}" for name, share in zip(document["classes"], manifest.class_prior, strict=True)
        ),
        "policy": ", ".join(f"{key} {value}" for key, value in document["policy"].items() if key != "weights"),
        "versions": ", ".join(f"{package} {version}" for package, version in manifest.versions.items()),
    }
    output.print_rows("Bundle", ("", ""), list(facts.items()), synthetic=manifest.synthetic, prose=True)
    members = [
        (
            member.model,
            f"{manifest.policy.weight(member.model):g}",
            member.failure or f"{member.native}, {member.graph}",
        )
        for member in manifest.members
    ]
    output.print_rows("Members", ("model", "weight", "files"), members, synthetic=manifest.synthetic, prose=True)
    _show_history(lines)


@app.command("verify")
def verify(
    names: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Bundles; by default all.")] = None,
    bundles: options.Bundles = _FOLDER,
    as_json: options.Json = False,
) -> None:
    """Read every file of every bundle against its SHA-256, and load its members. Ends with 1 when one is refused."""
    from quorate.cli import output
    from quorate.core.errors import QuorateError
    from quorate.ensemble.bundle.bundle_store import BundleStore
    from quorate.ensemble.inference.loading import load_bundle

    store = BundleStore(bundles)
    wanted = names or store.ids()
    paths = [store.path(name) for name in wanted]
    verdicts: list[dict[str, Any]] = []
    for name, path in zip(wanted, paths, strict=True):
        try:
            files = len(store.verify(name).files)
            loaded = load_bundle(path)
        except QuorateError as error:
            verdicts.append({"id": name, "ok": False, "files": None, "mode": None, "error": str(error)})
        else:
            failed = [f"{model}: {reason}" for model, reason in loaded.members.failures.items()]
            found = {"files": files, "mode": loaded.mode, "error": "; ".join(failed) or None}
            verdicts.append({"id": name, "ok": loaded.mode != "none", **found})
    if as_json:
        output.print_json(verdicts)
    else:
        rows = [
            (
                one["id"],
                "ok" if one["ok"] else "REFUSED",
                str(one["files"] or ""),
                one["mode"] or "",
                one["error"] or "",
            )
            for one in verdicts
        ]
        output.print_rows(f"Bundles in {bundles}", ("bundle", "verdict", "files", "mode", "found"), rows, prose=True)
    for one in verdicts:
        if not one["ok"]:
            output.note(f"error: {one['error']}")
    if not all(one["ok"] for one in verdicts):
        raise typer.Exit(1)


@app.command("promote")
def promote(
    bundle: _Id, bundles: options.Bundles = _FOLDER, why: _Why = "", by: _By = None, as_json: options.Json = False
) -> None:
    """Make a bundle the champion, after verifying it."""
    from quorate.ensemble.bundle.bundle_store import BundleStore

    store = BundleStore(bundles)
    _crowned(store, bundle, store.promote(bundle, why=why, by=by), as_json)


@app.command("rollback")
def rollback(bundles: options.Bundles = _FOLDER, why: _Why = "", by: _By = None, as_json: options.Json = False) -> None:
    """Make the champion before this one champion again, after verifying it."""
    from quorate.ensemble.bundle.bundle_store import BundleStore

    store = BundleStore(bundles)
    line = store.rollback(why=why, by=by)
    _crowned(store, line.id, line, as_json)


def _crowned(store: BundleStore, champion: str, line: ChampionLogEntry | None, as_json: bool) -> None:
    from quorate.cli import output

    if as_json:
        previous = None if line is None else line.previous
        changed = line is not None
        output.print_json(
            {"champion": champion, "previous": previous, "changed": changed, "path": str(store.path(champion))}
        )
    elif line is None:
        output.print_line(f"{champion} is champion already")
    else:
        output.print_line(f"champion {champion}" + (f", before it {line.previous}" if line.previous else ""))


def _champion(store: BundleStore) -> str:
    from quorate.core.errors import BundleError

    champion = store.champion()
    if champion is None:
        raise BundleError(
            f"show the champion of {store.folder}",
            found="none",
            expected="an ID, or a champion",
            remedy="Name one: quorate bundle promote ID.",
        )
    return champion


def _summary(store: BundleStore, name: str) -> dict[str, Any]:
    """What a list says of a bundle; of one that cannot be read, why."""
    from quorate.core.errors import BundleError

    try:
        manifest = store.manifest(name)
    except BundleError as error:
        return {"error": str(error)}
    return {
        "recipe": manifest.recipe,
        "timeframe": manifest.timeframe,
        "features": manifest.features,
        "symbols": list(manifest.symbols),
        "synthetic": manifest.synthetic,
        "training_span": manifest.to_json()["training_span"],
        "members": {member.model: member.failure is None for member in manifest.members},
        "error": None,
    }


def _show_history(lines: list[ChampionLogEntry]) -> None:
    from quorate.cli import output

    rows = [(line.time, line.action, line.previous or "", line.by, line.why) for line in lines]
    output.print_rows("History", ("time", "action", "champion before", "by", "why"), rows, prose=True)

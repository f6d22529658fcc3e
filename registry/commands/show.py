"""``mintmark show`` and ``mintmark get``: one generation, and its files."""

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

import click

from registry.commands.printing import as_json

if TYPE_CHECKING:
    from registry.canonical import JSON
    from registry.home import Registry
    from registry.show import View


@click.command(short_help="Show one generation, or one run.")
@click.argument("manifest", metavar="ID")
@click.option("--manifest", "raw", is_flag=True, help="Print the manifest's canonical bytes, as signed.")
@click.option("--lineage", is_flag=True, help="Print what it was made from and what was made from it.")
@as_json
def show(manifest: str, raw: bool, lineage: bool, as_json: bool) -> None:
    """Show one generation: ID, a prefix of 8 digits or more, or @last. A run is shown by its id, run-….

    Exit status: 0 shown, 1 no such generation or run.
    """
    from registry.commands.printing import emit, facts, reading
    from registry.show import view

    if lineage and (raw or as_json):
        raise click.UsageError("--lineage prints something else than --manifest and --json; say one of them")
    if manifest.startswith("run-") and (raw or lineage):
        raise click.UsageError("--manifest and --lineage are for generations; a run has neither")
    registry = reading()
    if manifest.startswith("run-"):
        _show_run(registry, manifest, as_json=as_json)
        return
    full = registry.catalog.resolve(manifest)
    if raw:
        click.echo(registry.catalog.get(full).body)
        return
    found = view(registry, full)
    if as_json:
        emit(found.to_json())
        return
    if lineage:
        facts(_lineage(found))
        return
    click.echo(found.id)
    facts(_told(found), "  ")


def _show_run(registry: "Registry", name: str, *, as_json: bool) -> None:
    """A run of a suite: its result where it has one, else how far it is."""
    from registry.commands.printing import emit, facts
    from registry.journal.runs import Runs

    runs = Runs(registry.catalog.database)
    run = runs.get(runs.resolve(name))
    counts = runs.totals(run.id)
    if as_json:
        emit(run.result if run.result is not None else {"id": run.id, "state": run.state, "replays": counts})
        return
    click.echo(run.id)
    result = run.result or {}
    told = [("suite", run.suite), ("state", run.state), ("began", run.created_at), ("ended", result.get("finished_at"))]
    replays = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    told += [("replays", replays), ("exit", result.get("exit_code")), ("because", result.get("exit_reason"))]
    told += [("record", run.record)] + ([("next", f"mintmark check --resume {run.id}")] if run.state == "open" else [])
    facts(told, "  ")


def _told(found: "View") -> Iterator[tuple[str, object]]:
    from registry.commands.printing import fewer
    from registry.show import moderation_of, text_or

    manifest, value = found.manifest, found.disclosed
    yield "operation", manifest.operation
    yield "recorded", manifest.recorded_at
    yield "provider", manifest.provider.name
    yield "model", f"{manifest.model.requested} (pin: {manifest.model.pin})"
    yield "served", manifest.model.served
    for name in ("submitted", "effective"):
        state = found.state.get(f"/prompt/{name}")
        if value["prompt"][name] is not None:
            yield "prompt" if name == "submitted" else "rewritten to", text_or(value["prompt"][name], f"[{state}]")
    seed = manifest.seed.requested or manifest.seed.actual
    yield "seed", seed
    yield (
        "settings",
        ", ".join(
            f"{name}={_plain(setting, _state_of(found, '/settings', name))}"
            for name, setting in value["settings"].items()
        ),
    )
    for direction in ("inputs", "outputs"):
        for n, asset in enumerate(value[direction]):
            lost = found.gone_at(direction[:-1], n)
            yield f"{direction[:-1]} {n}", _asset(asset, lost.sentence if lost else None)
    ended = manifest.outcome.class_ + fewer(manifest)
    yield "outcome", _outcome(ended, value["outcome"], found.state.get("/outcome/error", ""))
    yield "moderation", moderation_of(found)
    yield (
        "cost",
        f"{manifest.cost.amount} {manifest.cost.currency} ({manifest.cost.kind})" if manifest.cost.amount else "",
    )
    for name in ("workflow", "subject"):
        yield name, _said(value["context"][name], found.state.get(f"/context/{name}"))
    yield (
        "labels",
        ", ".join(f"{key}={_said(text, _state_of(found, '/labels', key))}" for key, text in value["labels"].items()),
    )
    yield "tags", ", ".join(f"{key}={text}" for key, text in found.tags.items())
    yield from _later(found)


def _later(found: "View") -> Iterator[tuple[str, object]]:
    from registry.commands.printing import short
    from registry.errors import counted

    manifest = found.manifest
    yield "replay of", manifest.replay_of
    for parent in manifest.parents:
        yield parent.relation, f"of {parent.id}"
    for said in found.reviews:
        yield "review", _review(said)
    for approval in found.approvals:
        yield "approved", _approval(found.id, approval)
    if found.baseline != found.id:
        yield "baseline", f"{found.baseline}\nreplays are held against it since it was approved"
    if found.calibration is not None:
        runs = counted(len(found.calibration["runs"]), "calibration replay")
        yield "regime", f"{found.calibration['regime']}, by {runs} of {found.calibration['recorded_at'][:10]}"
    yield from _verdicts(found)
    yield "replays", f"{len(found.replays)} (newest {short(found.replays[-1])})" if found.replays else ""
    erased = [pointer for pointer, state in found.state.items() if state == "erased"]
    yield "erased", ", ".join(erased)
    yield "log", _place(found)
    yield "recorder", f"{manifest.recorder.capture}, {manifest.recorder.confidence}"
    yield "exchange", manifest.recorder.exchange_id


def _verdicts(found: "View") -> Iterator[tuple[str, str]]:
    """What was said of this one as a replay, and of its replays; a test of samples says one thing of all of them."""
    from registry.errors import counted

    def told(said: "JSON") -> tuple[bool, str | None, "JSON"]:
        own = said["replay"] == found.id
        return own, found.others.get(said["baseline"] if own else said["replay"]), said["verdict"]

    for (own, other, verdict), same in groupby(found.drift, told):
        count = len({said["replay"] for said in same})
        more = [verdict["reason"] or "", counted(count, "replay") if count > 1 else ""]
        kind = f"{verdict['kind']} ({', '.join(filter(None, more))})" if any(more) else verdict["kind"]
        which = f"{'held against' if own else 'with'} {other}: " if other else ""
        yield "verdict" if own else "replayed", f"{which}{kind}: {verdict['sentence']}"


def _place(found: "View") -> str:
    if found.log_index is None:
        return "waiting for the sequencer"
    signed = f"under checkpoint {found.checkpoint_size}" if found.checkpoint_size else "not yet under a checkpoint"
    return f"entry {found.log_index}, {signed}"


def _review(said: dict[str, object]) -> str:
    """Verdict and reason, then who, when, and what it took."""
    told = "usable" if said["usable"] else "unusable"
    if said["reason"]:
        told += f": {_said(said['reason'], 'erased')}"
    more = [f"{str(said['recorded_at'])[:16].replace('T', ' ')} UTC", str(said["actor"])]
    if said["minutes"] is not None:
        more.append(f"{said['minutes']} min")
    if isinstance(cost := said["cost"], dict):
        more.append(f"{cost['amount']} {cost['currency']}")
    return f"{told} ({', '.join(more)})"


def _approval(manifest: str, said: "JSON") -> str:
    """Which replays of a generation were approved, or that it is one of them; who, when and why."""
    from registry.commands.printing import short
    from registry.errors import counted

    told = []
    for subject in said["subjects"]:
        if manifest in subject["replays"]:
            new = subject["effect"] == "replaces" and manifest == subject["replays"][-1]
            told.append(f"as {'the new' if new else 'part of the'} baseline of {short(subject['manifest'])}")
        elif manifest in (subject["manifest"], subject["baseline"]):
            what = "a new baseline" if subject["effect"] == "replaces" else "further samples"
            told.append(f"{counted(len(subject['replays']), 'replay')} as {what} ({short(subject['replays'][-1])})")
    reason = _said(said["reason"], "erased")
    who = f"{said['by']}, {str(said['recorded_at'])[:16].replace('T', ' ')} UTC, run {said['run'][4:16]}"
    return f"{'; '.join(told)}: {reason} ({who})"


def _said(value: object, state: str | None) -> str:
    """A text, or what became of it; nothing where there never was one."""
    from registry.show import text_or

    return "" if value is None else text_or(value, f"[{state}]")


def _state_of(found: "View", region: str, key: str) -> str | None:
    from registry.canonical import escape

    return found.state.get(f"{region}/{escape(key)}")


def _outcome(class_: str, value: dict[str, object], state: str) -> str:
    parts = [class_]
    if value["request_id"]:
        parts.append(f"request {value['request_id']}")
    if value["error"] is not None:
        parts.append(_said(value["error"], state))
    return ", ".join(parts)


def _asset(asset: dict[str, object], lost: str | None) -> str:
    from registry.errors import counted
    from registry.show import shape_of

    digest = asset["digest"]
    name = f"sha256:{digest['sha256']}" if isinstance(digest, dict) and "sha256" in digest else "digest erased"
    size = counted(int(str(asset["bytes"])), "byte")
    told = f"{asset['role']}, {asset['media_type']}, {size}{shape_of(asset['media'])}"
    return f"{told}\n{name}{f', {lost}' if lost else ''}"


def _plain(value: object, state: str | None) -> object:
    from registry.show import plain_text

    if state not in (None, "disclosed"):
        return f"[{state}]"
    if isinstance(value, dict) and "$num" in value:
        return value["$num"]
    return plain_text(value)


def _lineage(found: "View") -> Iterator[tuple[str, object]]:
    yield "this", found.id
    for parent in found.manifest.parents:
        yield f"{parent.relation} of", parent.id
    if found.manifest.replay_of:
        yield "replay of", found.manifest.replay_of
    for child, relation in found.children:
        yield f"{relation} into", child
    for replay in found.replays:
        yield "replayed as", replay


@click.command(short_help="Write the file of a generation, or of a digest.")
@click.argument("name", metavar="ID|DIGEST")
@click.option("--output", type=click.IntRange(0), metavar="N", help="Which output, as `show` numbers them: 0, 1, …")
@click.option("--role", help="Which output or input, by role; the first output where left out.")
@click.option(
    "--to", "target", required=True, type=click.Path(), help="A file, a folder (a file named after the id), or -."
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def get(name: str, output: int | None, role: str | None, target: str, force: bool) -> None:
    """Write an asset to a file, or to standard output: an output of generation ID, or the bytes of DIGEST.

    Exit status: 0 written; 1 no such asset, or its bytes were erased; 2 a file is there already.
    """
    import sys
    from pathlib import Path

    from registry.commands.printing import reading
    from registry.errors import counted
    from registry.fetch import fetch, pour

    if output is not None and role is not None:
        raise click.UsageError("--output picks an output of generation ID: leave --role out")
    registry = reading()
    which = role if output is None else output
    if target == "-":
        pour(registry, name, which, sys.stdout.buffer)
    else:
        written = fetch(registry, name, which, Path(target), replace=force)
        click.echo(f"{written}  {counted(written.stat().st_size, 'byte')}")
    if output is None:
        _tell_others(registry, name, role)


def _tell_others(registry: "Registry", name: str, role: str | None) -> None:
    """Say where a generation made more of a kind than the one that was written."""
    from registry.errors import NotFound

    if name.startswith("blake3:"):
        return
    try:
        outputs = registry.catalog.manifest(registry.catalog.resolve(name)).outputs
    except NotFound:  # a digest
        return
    if sum(role in (None, asset.role) for asset in outputs) > 1:
        told = f"one of {len(outputs)} outputs was written"
        click.echo(f"{told}; --output 0 to {len(outputs) - 1} picks one, `mintmark show` lists them", err=True)

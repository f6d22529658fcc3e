"""``mintmark search``: generations by what their manifests say."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from registry.commands.conditions import conditions, query_of
from registry.commands.printing import as_json

if TYPE_CHECKING:
    from registry.catalog.search import Row
    from registry.home import Registry

_MORE = ("MEDIUM", "PROMPT")
_LEAST = 20  # characters of a prompt that are worth a column


@click.command()
@click.option("--prompt", help="Words that the prompt holds, all of them.")
@conditions
@click.option("--operation", help="image.generate, audio.transcribe …")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Lines a page.")
@click.option("--cursor", help="Go on where an earlier page ended.")
@as_json
def search(prompt: str | None, as_json: bool, **asked: Any) -> int:  # noqa: ANN401 - conditions, as click gives them
    """List generations, newest first.

    Exit status: 0 some found, 1 none.
    """
    from registry.catalog.search import search
    from registry.commands.printing import columns, emit, reading, short
    from registry.indexing import catch_up

    registry = reading()
    among = None
    if prompt is not None:
        catch_up(registry)
        among = registry.index.with_words(prompt)
    page = search(registry.catalog, query_of(among, **asked))
    if as_json:
        rows = [{name: getattr(row, name) for name in row.__slots__} for row in page.rows]
        emit({"generations": rows, "next_cursor": page.next_cursor})
        return 0 if rows else 1
    if not page.rows:
        click.echo("nothing fits; loosen a condition (`mintmark search` alone lists everything)", err=True)
        return 1
    lines = [
        (
            short(row.id),
            row.recorded_at[:19].replace("T", " "),
            row.operation,
            f"{row.provider}/{row.model}",
            row.outcome + (" (replay)" if row.replay_of else ""),
            row.workflow,
        )
        for row in page.rows
    ]
    head: tuple[str, ...] = ("ID", "RECORDED (UTC)", "OPERATION", "MODEL", "OUTCOME", "WORKFLOW")
    more = _more(registry, page.rows, [head, *lines])
    if more:
        columns(head + _MORE, [(*line, *end) for line, end in zip(lines, more, strict=True)])
    else:
        columns(head, lines)
    if page.next_cursor:
        click.echo(f"more: --cursor {page.next_cursor}", err=True)
    return 0


def _more(registry: "Registry", rows: "Sequence[Row]", lines: Sequence[Sequence[object]]) -> list[tuple[str, str]]:
    """Medium and the prompt's beginning for each row; nothing where the terminal has no room for them."""
    import shutil

    from registry.commands.printing import harmless
    from registry.manifest import Manifest, id_of
    from registry.show import text_or

    taken = sum(max(len(str(line[n])) for line in lines) + 2 for n in range(len(lines[0])))
    room = shutil.get_terminal_size().columns - taken - len(_MORE[0]) - 2
    if room < _LEAST:
        return []
    ids = [row.id for row in rows]
    # A record that was altered or is gone must not stop the list; `log audit` and whoever opens it hear of it.
    sound = [found for found in registry.catalog.each(ids) if id_of(found.body) == found.id]
    manifests = {found.id: Manifest.trusted(found.body) for found in sound}
    media = {one: ", ".join(dict.fromkeys(out.media_type for out in manifests[one].outputs)) for one in manifests}
    room -= max([0, *(len(medium) - len(_MORE[0]) for medium in media.values())])
    if room < _LEAST:
        return []
    held = registry.vault.get_many(ids)
    told = []
    for one in ids:
        if (manifest := manifests.get(one)) is None:
            told.append(("-", "[altered or gone: mintmark log audit]"[:room]))
            continue
        opened = {found.pointer: found.value for found in held[one]}
        submitted = opened.get("/prompt/submitted", "" if manifest.prompt.submitted is None else "[erased]")
        prompt = " ".join(harmless(text_or(submitted, "")).split())
        told.append((media[one] or "-", prompt if len(prompt) <= room else f"{prompt[: room - 1]}\u2026"))
    return told

"""``mintmark lookup``: where did this come from?"""

import click

from registry.commands.printing import as_json


@click.command(short_help="Find where a file, a digest or words come from.")
@click.argument("query")
@click.option("--limit", type=click.IntRange(1, 100), default=10, show_default=True, help="The most answers.")
@as_json
def lookup(query: str, limit: int, as_json: bool) -> int:
    """Find the generation behind QUERY: a file, a digest, an id or prefix, a request id, or words of a prompt.

    Exit status: 0 a match, 4 only candidates, 1 nothing; 2 QUERY is a path and no file is there.
    """
    from pathlib import Path

    from registry.commands.printing import emit, reading
    from registry.lookup import answer_json, behind, look_up_digest, look_up_text

    registry = reading()
    named = query.startswith(("sha256:", "blake3:"))
    if not named and _is_file(query):
        from registry.lookup_file import look_up_file

        answer = look_up_file(registry, Path(query), limit=limit)
    else:
        _refuse_no_file(query)
        ask = look_up_digest if named else look_up_text
        answer = ask(registry, query, limit=limit)
        if not answer.hits and behind(registry):
            from registry.indexing import catch_up

            catch_up(registry)
            answer = ask(registry, query, limit=limit)
    if as_json:
        emit(answer_json(registry, answer))
        return answer.exit_code
    for hit in answer_json(registry, answer)["hits"]:
        _tell(hit)
    for note in answer.notes:
        click.echo(note, err=True)
    if not answer.hits:
        click.echo(f"nothing found in {answer.searched}", err=True)
    elif answer.exit_code == 4:
        click.echo("candidates only: look at both before you call one the origin", err=True)
    return answer.exit_code


def _tell(hit: dict[str, object]) -> None:
    from registry.commands.printing import facts

    replay = f", a replay of {str(hit['replay_of'])[7:19]}" if hit["replay_of"] else ""
    click.echo(f"{hit['sureness']}  {hit['id']}{replay}")
    facts(
        [
            ("why", hit["sentence"]),
            ("made by", hit["model"]),
            ("recorded", hit["recorded_at"]),
            ("prompt", hit["prompt"]),
            ("replays", f"{hit['replays']} answer, too" if hit["replays"] else None),
        ],
        "  ",
    )


def _means_a_file(query: str) -> bool:
    """Whether a text is a path by its looks: a mistyped one must not pass for a miss."""
    import re

    return bool(re.fullmatch(r"\S*/\S*|\S+\.[A-Za-z][A-Za-z0-9]{1,4}|\.{1,2}", query))


def _refuse_no_file(query: str) -> None:
    """Let a text pass that can be looked up. Raises: click.UsageError: it is empty, a folder, or a mistyped path."""
    from registry.commands.printing import harmless

    if not query.strip():
        raise click.UsageError("there is nothing to look up: give a file, a digest, an id, a request id or words")
    if _is_folder(query):
        raise click.UsageError(f"{harmless(query)} is a folder; name a file in it")
    if _means_a_file(query):
        raise click.UsageError(f"no such file: {harmless(query)}")


def _is_folder(query: str) -> bool:
    """Whether a text with a slash, or of dots alone, names a folder; any other word may be one of a prompt."""
    import os

    return ("/" in query or not query.strip(".")) and os.path.isdir(query)


def _is_file(query: str) -> bool:
    from pathlib import Path

    try:
        return Path(query).is_file()
    except (OSError, ValueError):  # a prompt can be longer than any file name, or hold a NUL
        return False

"""Imports files that carry their own metadata, and folders of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeAlias

from drift.errors import MintmarkError
from drift.media.limits import DEFAULT_LIMITS
from drift.media.probe import probe
from registry.arriving import FileMissing
from registry.canonical import JSON
from registry.digest import digests_of_file
from registry.drafting import IMPORTED, Draft, Incoming
from registry.home import Registry
from registry.importing.credentials import read_credentials
from registry.importing.fields import read_fields
from registry.importing.found import CredentialsUnread, Found, NoMetadata
from registry.importing.generators import read_generator
from registry.manifest import Context, License, Model, Prompt, Provider, Seed
from registry.record import record

State: TypeAlias = Literal["imported", "known", "refused", "silent"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What the caller says of every file of one import."""

    workflow: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    license: License = field(default_factory=License)


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one file.

    ``imported`` (``id`` is None in a dry run), ``known`` from an earlier import, ``refused`` with the reason in
    ``why``, or ``silent``: found in a folder, and without metadata.
    """

    path: Path
    state: State
    id: str | None = None
    tool: str | None = None
    why: str | None = None


def import_files(
    registry: Registry | None, paths: Sequence[Path], terms: Terms, *, dry_run: bool = False
) -> Iterator[Imported]:
    """Import files, and folders with all that is below them, one by one.

    A file is known by the SHA-256 of its bytes, so importing it again adds nothing. Hidden files and folders below a
    folder are left out, links to folders are not followed.

    Args:
        registry: where to; None only in a dry run, where there is none.
        paths: files and folders.
        terms: what else to say of them.
        dry_run: read everything, record nothing.

    Raises:
        CouldNotRun: disk, database or keys fail; what was imported until then stays.
    """
    seen: dict[str, str | None] = {}
    for path, named in _walked(paths):
        try:
            yield _one(registry, path, terms, seen, dry_run=dry_run)
        except NoMetadata as problem:
            yield Imported(path, "refused" if named else "silent", why=str(problem))
        except MintmarkError as problem:
            if problem.exit_code == 3 and not isinstance(problem, CredentialsUnread):
                raise
            yield Imported(path, "refused", why=str(problem))


def _walked(paths: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    """Every file, and whether it was named itself."""
    for path in paths:
        if not path.is_dir():
            yield path, True
            continue
        for below in sorted(path.rglob("*")):
            inside = below.relative_to(path).parts
            if below.is_file() and not any(part.startswith(".") for part in inside):
                yield below, False


def _one(
    registry: Registry | None, path: Path, terms: Terms, seen: dict[str, str | None], *, dry_run: bool
) -> Imported:
    try:
        if not path.is_file():
            raise FileMissing(str(path), "it is no file" if path.exists() else "no such file")
        found = read_file(path)
        exchange_id = f"import:{digests_of_file(path)[0].sha256}"
    except OSError as problem:
        raise FileMissing(str(path), problem.strerror or str(problem)) from None
    if exchange_id in seen:
        return Imported(path, "known", seen[exchange_id], found.tool)
    known = registry.catalog.exchange(exchange_id) if registry is not None else None
    seen[exchange_id] = known[0] if known else None
    if known is not None:
        return Imported(path, "known", known[0], found.tool)
    if dry_run or registry is None:
        probe(path, limits=registry.settings.limits if registry is not None else DEFAULT_LIMITS)
        return Imported(path, "imported", None, found.tool)
    done = record(registry, draft_of(path, found, terms, exchange_id), {str(path): path})
    seen[exchange_id] = done.id
    return Imported(path, "imported" if done.new else "known", done.id, found.tool)


def read_file(path: Path) -> Found:
    """What a file tells about its making, from a generator's text fields, its content credentials, or both.

    Raises:
        NoMetadata: it tells nothing.
        UnreadableMetadata, CredentialsBroken, CredentialsUnread: it does, and that cannot be relied on.
        OSError: it cannot be read.
    """
    told = read_generator(str(path), read_fields(path))
    signed = read_credentials(path)
    if told is not None and signed is not None:
        return replace(told, credentials=signed.credentials)
    found = told or signed
    if found is None:
        raise NoMetadata(str(path))
    return found


def draft_of(path: Path, found: Found, terms: Terms, exchange_id: str) -> Draft:
    """What is recorded of a file: partly observed, never pinned, its metadata sealed."""
    extension: dict[str, JSON] = {"tool": found.tool, "metadata": found.raw}
    if found.credentials is not None:
        extension["credentials"] = dict(found.credentials)
    negative = {"negative_prompt": found.negative_prompt} if found.negative_prompt else {}
    components = dict(found.components) if found.components else None
    return Draft(
        provider=Provider(name=found.tool),
        model=Model(requested=found.model or "unknown", components=components),
        prompt=Prompt(submitted=found.prompt),
        seed=Seed(actual=found.seed),
        settings=dict(found.settings) | negative,
        context=Context(workflow=terms.workflow),
        outputs=[Incoming(file=str(path))],
        labels=dict(terms.labels),
        license=terms.license,
        capture="import",
        confidence="partial",
        exchange_id=exchange_id,
        extensions={IMPORTED: extension},
    )

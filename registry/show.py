"""Everything the registry knows of one generation, in one value for pages, terminals and JSON."""

from dataclasses import dataclass

from registry.canonical import JSON, parse
from registry.home import Registry
from registry.manifest import Manifest
from registry.sealing import disclose, is_seal, seals_in


@dataclass(frozen=True, slots=True)
class View:
    """One generation: the manifest as recorded and with its disclosures open, and what came later.

    ``state`` maps each seal's pointer to disclosed, erased or missing.
    ``log_index`` is None while a record waits for the sequencer.
    """

    id: str
    manifest: Manifest
    disclosed: dict[str, JSON]
    state: dict[str, str]
    tags: dict[str, str]
    reviews: list[JSON]
    drift: list[JSON]
    replays: list[str]
    children: list[tuple[str, str]]
    log_index: int | None
    checkpoint_size: int | None

    def to_json(self) -> dict[str, JSON]:
        """The shape of schemas/view/v1."""
        return {
            "id": self.id,
            "manifest": self.disclosed,
            "seals": self.state,
            "tags": self.tags,
            "reviews": self.reviews,
            "drift": self.drift,
            "replays": self.replays,
            "children": [{"id": child, "relation": relation} for child, relation in self.children],
            "log": {"index": self.log_index, "checkpoint": self.checkpoint_size},
        }


def view(registry: Registry, manifest_id: str) -> View:
    """Gather what is known of a generation.

    Raises:
        NotFound: there is none of that id.
    """
    manifest = registry.catalog.manifest(manifest_id)
    value = manifest.to_json()
    disclosures = registry.vault.get(manifest_id)
    with registry.catalog.database.reading() as connection:
        index = registry.log.index_of(connection, manifest_id)
        checkpoint = registry.log.latest_checkpoint(connection)
    return View(
        manifest_id,
        manifest,
        disclose(value, disclosures),
        seal_states(registry, manifest_id, value, {found.pointer for found in disclosures}),
        registry.catalog.tags(manifest_id),
        [_open_record(registry, found.id, found.body) for found in registry.catalog.about(manifest_id, "review")],
        [parse(found.body) | {"id": found.id} for found in registry.catalog.about(manifest_id, "drift")],
        registry.catalog.replays(manifest_id),
        [
            (child, relation)
            for child, parent, relation in registry.catalog.relatives(manifest_id)
            if parent == manifest_id
        ],
        index,
        checkpoint.size if checkpoint is not None and index is not None and index < checkpoint.size else None,
    )


def seal_states(registry: Registry, record_id: str, value: JSON, disclosed: set[str]) -> dict[str, str]:
    """What became of each seal: disclosed, erased (a signed record says so) or missing (none does)."""
    erased = {
        pointer
        for found in registry.catalog.about(record_id, "erasure")
        for subject in parse(found.body)["subjects"]
        if subject["id"] == record_id
        for pointer in subject["pointers"]
    }
    return {
        pointer: "disclosed" if pointer in disclosed else "erased" if pointer in erased else "missing"
        for pointer in seals_in(value)
    }


def text_or(value: JSON, otherwise: str) -> str:
    """A disclosed text, or what to say where it is sealed or null."""
    return otherwise if value is None or is_seal(value) else str(value)


def _open_record(registry: Registry, record_id: str, body: bytes) -> JSON:
    return disclose(parse(body), registry.vault.get(record_id)) | {"id": record_id}

"""Everything the registry knows of one generation, in one value for pages, terminals and JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy import or_, select

from registry.approvals import baseline_of
from registry.canonical import JSON, canonical, parse
from registry.catalog.tables import generation
from registry.digest import DigestSet
from registry.home import Registry
from registry.manifest import Manifest
from registry.sealing import Disclosure, disclose, is_seal, seals_in
from registry.taken import taken


@dataclass(frozen=True, slots=True)
class Gone:
    """Bytes that are not here: of input or output ``position``.

    ``record`` is the erasure that took them, None where none says so; ``through`` the generation it was asked for,
    None where that is this one.
    """

    direction: str
    position: int
    record: str | None
    through: str | None

    @property
    def sentence(self) -> str:
        """What to tell a person."""
        if self.record is None:
            return "its bytes are missing, and no record says that they were erased"
        how = f"erased through {self.through[7:19]}" if self.through else "erased"
        return f"{how}, record {self.record[7:19]}"


@dataclass(frozen=True, slots=True)
class View:
    """One generation: the manifest as recorded and with its disclosures open, and what came later.

    ``state`` maps each seal's pointer to disclosed, erased or missing.
    ``baseline`` is what replays are held against, another id where an approved replay took this one's place;
    ``calibration`` is the baseline's, ``calibrated`` are the replays made for this or an earlier one. ``others`` names,
    of the replays and of what this one is a replay of, each that another model or provider was asked for.
    ``log_index`` is None while a record waits for the sequencer.
    """

    id: str
    manifest: Manifest
    disclosed: dict[str, JSON]
    state: dict[str, str]
    tags: dict[str, str]
    reviews: list[JSON]
    approvals: list[JSON]
    baseline: str
    calibration: JSON
    drift: list[JSON]
    replays: list[str]
    children: list[tuple[str, str]]
    log_index: int | None
    checkpoint_size: int | None
    gone: list[Gone]
    calibrated: frozenset[str]
    others: dict[str, str]

    def gone_at(self, direction: str, position: int) -> Gone | None:
        """What became of the bytes of an asset; None where they are here."""
        return next((one for one in self.gone if (one.direction, one.position) == (direction, position)), None)

    def to_json(self) -> dict[str, JSON]:
        """The shape of schemas/view/v1."""
        return {
            "id": self.id,
            "manifest": self.disclosed,
            "seals": self.state,
            "tags": self.tags,
            "reviews": self.reviews,
            "approvals": self.approvals,
            "baseline": self.baseline,
            "calibration": self.calibration,
            "drift": self.drift,
            "replays": self.replays,
            "children": [{"id": child, "relation": relation} for child, relation in self.children],
            "gone": [{name: getattr(one, name) for name in one.__slots__} for one in self.gone],
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
        [_open_record(registry, found.id, found.body) for found in registry.catalog.about(manifest_id, "approval")],
        baseline := baseline_of(registry, manifest_id),
        calibration_of(registry, baseline),
        [parse(found.body) | {"id": found.id} for found in registry.catalog.about(manifest_id, "drift")],
        registry.catalog.replays(manifest_id),
        [
            (child, relation)
            for child, parent, relation in registry.catalog.relatives(manifest_id)
            if parent == manifest_id
        ],
        index,
        checkpoint.size if checkpoint is not None and index is not None and index < checkpoint.size else None,
        gone_assets(registry, manifest_id, manifest, disclosures),
        frozenset(
            run["id"]
            for found in registry.catalog.about(manifest_id, "calibration")
            for run in parse(found.body)["runs"]
        ),
        _others(registry, manifest_id, manifest),
    )


def _others(registry: Registry, manifest_id: str, manifest: Manifest) -> dict[str, str]:
    """Replays and origin of a generation that were asked of another model or provider, and of which."""
    near = or_(generation.c.replay_of == manifest_id, generation.c.id == manifest.replay_of)
    asked = manifest.provider.name, manifest.model.requested
    with registry.catalog.database.reading() as connection:
        rows = connection.execute(select(generation.c.id, generation.c.provider, generation.c.model).where(near))
        return {
            row.id: row.model if row.provider == asked[0] else f"{row.model} by {row.provider}"
            for row in rows
            if (row.provider, row.model) != asked
        }


def calibration_of(registry: Registry, manifest_id: str, measure: str | None = None) -> JSON:
    """The calibration record of a generation that counts, with its id; None where there is none.

    The newest one does that told a regime, unless an earlier one told the same by more replays. ``measure`` leaves out
    those that were measured otherwise.
    """
    best: JSON = None
    for found in reversed(registry.catalog.about(manifest_id, "calibration")):
        value = parse(found.body)
        # The replays it was made with are spoken of, too.
        if value["manifest"] != manifest_id or value["regime"] == "unknown" or measure not in (None, value["measure"]):
            continue
        same = best is None or (best["regime"], best["apart"]) == (value["regime"], value["apart"])
        if best is None or (same and len(value["runs"]) > len(best["runs"])):
            best = value | {"id": found.id}
    return best


def gone_assets(
    registry: Registry, manifest_id: str, manifest: Manifest, disclosures: Sequence[Disclosure]
) -> list[Gone]:
    """The assets of a manifest whose bytes are not here (any more), and why."""
    opened = {found.pointer: found.value for found in disclosures}
    missing: dict[tuple[str, int], DigestSet | None] = {}
    for direction, assets in (("output", manifest.outputs), ("input", manifest.inputs)):
        for n, asset in enumerate(assets):
            digests = asset.digests_with(opened, f"/{direction}s/{n}/digest")
            if digests is None or digests.blake3 not in registry.assets:
                missing[direction, n] = digests
    took = _took(registry, manifest_id) if missing else {}
    if unsaid := missing.keys() - took.keys():  # an erasure of other generations may keep the same bytes out of here
        kept_out = taken(registry).by_sha256
        for place in unsaid:
            if (digests := missing[place]) is not None and (taking := kept_out.get(digests.sha256)) is not None:
                took[place] = taking.record, taking.asked_for
    return [Gone(way, n, *took.get((way, n), (None, None))) for way, n in missing]


def _took(registry: Registry, manifest_id: str) -> dict[tuple[str, int], tuple[str, str | None]]:
    """Of each place of a manifest whose bytes were erased, the record and the generation that it was asked for."""
    took: dict[tuple[str, int], tuple[str, str | None]] = {}
    for found in registry.catalog.about(manifest_id, "erasure"):
        subjects = parse(found.body)["subjects"]
        asked_for = subjects[0]["id"]
        for subject in subjects:
            if subject["id"] == manifest_id:
                own = asked_for == manifest_id or any(not one.endswith("/digest") for one in subject["pointers"])
                through = None if own else asked_for
                took |= {(way, n): (found.id, through) for way in ("output", "input") for n in subject[f"{way}s"]}
    return took


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


def rate_of(fps: str) -> str:
    """A frame rate as people read it: ``30000/1001`` is 29.97."""
    return f"{float(Fraction(fps)):.3f}".rstrip("0").rstrip(".")


def shape_of(media: JSON) -> str:
    """What is known of a medium besides its kind, in a line that goes on: ``, width 96, fps 29.97, has_audio true``."""
    told = {name: value for name, value in (media or {}).items() if name != "kind" and value is not None}
    told |= {name: rate_of(value) for name, value in told.items() if name == "fps"}
    return "".join(f", {name} {plain_text(value)}" for name, value in told.items())


def plain_text(value: JSON) -> str:
    """A value as JSON writes it, a text without its quotes; Python would write True, None and 1e-07."""
    return value if isinstance(value, str) else canonical(value).decode()


def text_or(value: JSON, otherwise: str) -> str:
    """A disclosed text, or what to say where it is sealed or null."""
    return otherwise if value is None or is_seal(value) else str(value)


def moderation_of(found: View) -> str:
    """What a moderation model said before the call, empty where none was asked; others recorded theirs in any form."""
    value = found.disclosed["outcome"]["moderation"]
    if not (isinstance(value, dict) and isinstance(value.get("flagged"), bool)):
        return "" if value is None else plain_text(value)

    def said(told: JSON, place: str) -> str:
        return "" if told is None else text_or(told, f"[{found.state.get(f'/outcome/moderation/{place}')}]")

    listed = value.get("categories")
    named = [said(one, f"categories/{n}") for n, one in enumerate(listed if isinstance(listed, list) else [])]
    who = " of ".join(filter(None, (said(value.get(name), name) for name in ("model", "provider"))))
    flagged = "flagged" if value["flagged"] else "passed"
    why = f" ({', '.join(named)})" if named else ""
    return f"{flagged}{why}{f', {who}' if who else ''}"


def _open_record(registry: Registry, record_id: str, body: bytes) -> JSON:
    return disclose(parse(body), registry.vault.get(record_id)) | {"id": record_id}

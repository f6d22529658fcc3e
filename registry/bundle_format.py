"""What a bundle consists of: its format name and the names of its members."""

import re

FORMAT = "mintmark/bundle/v1"
PAYLOAD_TYPE = "application/vnd.mintmark.bundle+json"  # of the envelope over bundle.json
DISCLOSURES_FORMAT = "mintmark/disclosures/v1"
BUNDLE, ENVELOPE, CHECKPOINT, KEYS = "bundle.json", "bundle.dsse.json", "checkpoint", "keys.txt"
UNLISTED = frozenset((BUNDLE, ENVELOPE))  # every other member stands in bundle.json
WHOLE = ""  # the JSON pointer of a record that is withheld altogether

_HEX = "[0-9a-f]{64}"
_MEMBER = re.compile(
    rf"bundle\.json|bundle\.dsse\.json|checkpoint|keys\.txt"
    rf"|records/{_HEX}\.(json|dsse\.json|tlog-proof)|disclosures/{_HEX}\.json"
    rf"|assets/sha256/{_HEX}|consistency/[1-9][0-9]{{0,15}}"
).fullmatch


def is_member_name(name: str) -> bool:
    """Whether a bundle may have a member of this name; nothing that leaves the folder can match."""
    return _MEMBER(name) is not None


def record_path(record_id: str) -> str:
    """Where a record's canonical bytes lie."""
    return f"records/{_hex(record_id)}.json"


def envelope_path(record_id: str) -> str:
    """Where the signed statement about a record lies."""
    return f"records/{_hex(record_id)}.dsse.json"


def proof_path(record_id: str) -> str:
    """Where the proof that a record is in the log lies."""
    return f"records/{_hex(record_id)}.tlog-proof"


def disclosures_path(record_id: str) -> str:
    """Where the opened values of a record lie."""
    return f"disclosures/{_hex(record_id)}.json"


def asset_path(sha256: str) -> str:
    """Where an asset's bytes lie."""
    return f"assets/sha256/{sha256}"


def consistency_path(size: int) -> str:
    """Where the proof from an earlier checkpoint of that size lies."""
    return f"consistency/{size}"


def record_ids(names: "set[str] | frozenset[str]") -> list[str]:
    """The ids of the records that members speak of, sorted."""
    stems = {name[8:72] for name in names if name.startswith("records/")}
    return [f"sha256:{stem}" for stem in sorted(stems)]


def _hex(record_id: str) -> str:
    return record_id.removeprefix("sha256:")

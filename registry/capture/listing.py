"""The shipped descriptions as a table for people; docs/providers.md holds it, a test keeps it in step."""

from registry.capture.description import Description, Descriptions
from registry.capture.overview import checked_by

_HEAD = (
    "| description | makes | request | outputs | exact versions | seed | key | checked by |\n"
    "|---|---|---|---|---|---|---|---|\n"
)  # fmt: skip
_KINDS = {
    "url": "by address",
    "base64": "base64 in the answer",
    "bytes": "the answer itself",
    "get": "by job",
    "json": "JSON of the answer",
}


def table(descriptions: Descriptions) -> str:
    """One line for each description, in Markdown; remote ones first."""
    order = sorted(descriptions, key=lambda one: (one.local, one.provider, one.id))
    return _HEAD + "".join(map(_line, order))


def _line(one: Description) -> str:
    request = "on this machine" if one.local else f"`{one.method} {one.path}`"
    if one.encode != "json":
        request += f" ({'form' if one.encode == 'multipart' else one.encode})"
    cells = [
        f"`{one.id}`",
        ", ".join(dict.fromkeys(one.operations.values())),
        request,
        _outputs(one),
        ", ".join(dict.fromkeys(known.kind for known in one.pin_patterns)) or "none: aliases only",
        "yes" if one.caps.seed else "no",
        f"`{one.auth.secret}`" if one.auth else "none",
        "it runs here" if one.local else ", ".join(checked_by(one.id)),
    ]
    return f"| {' | '.join(cells)} |\n"


def _outputs(one: Description) -> str:
    if one.protocol is None:
        return "a file"
    told = _KINDS[one.protocol.outputs.kind]
    return f"{told}, after polling" if one.protocol.poll else told

"""docs/providers.md: the table of what is shipped is the one the files make, and the format's words are all there."""

import json
import re
from importlib import resources
from pathlib import Path

import pytest

from registry.capture.description import shipped
from registry.capture.listing import table

PAGE = Path(__file__).parents[3] / "docs" / "providers.md"
FROM, TO = "<!-- made by registry/capture/listing.py -->\n", "<!-- end -->"


def test_the_table_of_the_page_is_the_table_of_the_files():
    page = PAGE.read_text("utf-8")

    shown = page[page.index(FROM) + len(FROM) : page.index(TO)]

    assert shown == table(shipped()), f"put this between the marks of {PAGE.name}:\n{table(shipped())}"


def _described(node):
    """Every key that a part of the schema knows, the words it takes, and what holds where it is left out."""
    for name, one in node.get("properties", {}).items() if isinstance(node, dict) else ():
        if isinstance(one, dict):
            yield name
            yield from map(str, one.get("enum", ()))
            yield from re.findall(r"(\w+) where left out", one.get("description", ""))
    for member in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _described(member)


def _words(text):
    return set(re.findall(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", text))


FORMAT = json.loads(resources.files("schemas").joinpath("provider", "v1.schema.json").read_text("utf-8"))


@pytest.mark.parametrize("name", FORMAT["properties"])
def test_the_page_tells_of_each_key_all_that_the_schema_knows(name):
    page = PAGE.read_text("utf-8")
    section = page[page.index("## Add a provider") : page.index("## Try it")].splitlines()
    told = [line for line in section if line.startswith(f"{name} =") or re.match(rf"\| [^|]*`{name}`[^|]*\|", line)]

    missing = set(_described(FORMAT["properties"][name])) - {word for line in told for word in _words(line)}

    assert told and not missing

"""Descriptions that cannot be read at all, mistakes in the one they are like, and the words of the schema for all."""

import json
from importlib import resources

import pytest

from registry.capture.description import load
from registry.capture.errors import BadDescription

FILES = [
    (b"", 1, "the keys 'id', 'provider', 'operation'"),
    (b"# nothing yet\n", 1, "the keys 'id', 'provider', 'operation'"),
    (b'{"id": "own"}', 1, "TOML: key = value, or a [table]"),
    (b'id = "own"\n\x00', 2, "TOML: key = value, or a [table]"),
    (bytes(range(256)), 2, "UTF-8 text"),
    ('id = "own"'.encode("utf-16"), 1, "UTF-8 text"),
    (b'\xef\xbb\xbfid = "own"', 1, "UTF-8 text without a byte order mark"),
    (b"id = " + b"[" * 5000 + b"]" * 5000, 1, "tables and lists that are nested less deeply"),
]


@pytest.mark.parametrize(("data", "line", "expected"), FILES, ids=[expected[:12] for _, _, expected in FILES])
def test_what_is_no_description_at_all_is_told_so(tmp_path, data, line, expected):
    path = tmp_path / "own.toml"
    path.write_bytes(data)

    with pytest.raises(BadDescription) as caught:
        load(path)

    assert (caught.value.line, caught.value.key) == (line, "")
    assert str(caught.value).startswith(f"{path}:{line}: file: expected {expected}")


@pytest.mark.parametrize(("make", "why"), [("mkdir", "Is a directory"), ("exists", "No such file or directory")])
def test_a_folder_and_a_file_that_is_not_there_are_told(tmp_path, make, why):
    path = tmp_path / "own.toml"
    getattr(path, make)()

    with pytest.raises(
        BadDescription, match=rf"own\.toml:1: file: expected a TOML file; it cannot be read: {why}; name another file"
    ):
        load(path)


def test_a_mistake_in_the_other_file_is_told_of_that_one(tmp_path):
    (tmp_path / "own.toml").write_text('id = "own"\nlike = "other"\n', encoding="utf-8")
    (tmp_path / "other.toml").write_text('id = "other"\nprovider = 3\n', encoding="utf-8")

    with pytest.raises(BadDescription, match=r"other\.toml:2: provider: expected text in quotes: a name of .*, not 3"):
        load(tmp_path / "own.toml")


def test_every_form_that_the_schema_asks_for_is_told_in_words():
    """A pattern without a title could only be told as a regular expression."""
    schema = json.loads(resources.files("schemas").joinpath("provider", "v1.schema.json").read_text("utf-8"))
    untold = [node for name, node in _nodes(schema, "") if "pattern" in node and "title" not in node and name != "if"]

    assert untold == []


def _nodes(node, name):
    if isinstance(node, dict):
        if isinstance(node.get("pattern"), str):
            yield name, node
        for key, member in node.items():
            yield from () if key == "if" else _nodes(member, key)
    elif isinstance(node, list):
        for member in node:
            yield from _nodes(member, name)

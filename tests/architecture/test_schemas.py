"""Every published format has valid and invalid samples, and two validators agree on each."""

import json
from pathlib import Path

import jsonschema
import jsonschema_rs
import pytest
from referencing import Resource

SCHEMAS = Path(__file__).parents[2] / "schemas"
FOLDERS = sorted(path for path in SCHEMAS.iterdir() if path.is_dir() and path.name != "__pycache__")
SAMPLES = [path for folder in FOLDERS for path in sorted(folder.glob("v*/*/*.json"))]


def schema_of(folder):
    return json.loads((folder / "v1.schema.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def validators():
    """Both validators of each format; references between formats are resolved by their $id."""
    schemas = {folder.name: schema_of(folder) for folder in FOLDERS}
    known = {schema["$id"]: schema for schema in schemas.values()}
    from_ids = (
        __import__("referencing")
        .Registry()
        .with_resources((name, Resource.from_contents(schema)) for name, schema in known.items())
    )
    rust = jsonschema_rs.Registry([(name, schema) for name, schema in known.items()])
    return {
        name: (
            jsonschema.Draft202012Validator(schema, registry=from_ids),
            jsonschema_rs.Draft202012Validator(schema, registry=rust),
        )
        for name, schema in schemas.items()
    }


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_format_has_samples_of_both_kinds_and_is_a_sound_schema(folder):
    schema = schema_of(folder)

    jsonschema.Draft202012Validator.check_schema(schema)
    assert folder.name in schema["$id"] and schema["$id"].endswith("v1")
    assert list((folder / "v1" / "valid").glob("*.json")) and list((folder / "v1" / "invalid").glob("*.json"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: str(path.relative_to(SCHEMAS)))
def test_both_validators_answer_as_the_folder_says(validators, path):
    value = json.loads(path.read_text("utf-8"))

    python, rust = validators[path.relative_to(SCHEMAS).parts[0]]

    expected = path.parent.name == "valid"
    assert (python.is_valid(value), rust.is_valid(value)) == (expected, expected), list(python.iter_errors(value))


ONE_MISTAKE = [path for path in SAMPLES if "invalid" in path.parts and path.parts[-4] in ("manifest", "record")]


@pytest.mark.parametrize("path", ONE_MISTAKE, ids=lambda path: f"{path.parts[-4]}/{path.stem}")
def test_an_invalid_sample_has_one_mistake(path):
    """Mended at the one place where it differs from a valid sample, it would be valid: so it proves that one rule."""
    if path.stem == "generation":  # a whole document of another format
        return
    value = json.loads(path.read_text("utf-8"))
    valid = path.parents[1] / "valid"

    fewest = min(differences(value, json.loads(sample.read_text("utf-8"))) for sample in valid.glob("*.json"))

    assert fewest == 1, f"{fewest} places differ from the nearest valid sample"


def differences(a, b):
    """At how many places two JSON values differ, the outermost counted."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() & b.keys():
        shared = sum(differences(a[key], b[key]) for key in a.keys() & b.keys())
        return shared + len(a.keys() ^ b.keys())
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return sum(differences(x, y) for x, y in zip(a, b, strict=True))
    return int(a != b or type(a) is not type(b))

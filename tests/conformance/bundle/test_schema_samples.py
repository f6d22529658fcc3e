"""The published schema of bundle.json against its samples, by two validators."""

import json
from pathlib import Path

import jsonschema
import pytest

from registry.errors import SchemaMismatch
from registry.schema import schema_text, validate

SAMPLES = Path(__file__).parents[3] / "schemas" / "bundle" / "v1"
THEIRS = jsonschema.Draft202012Validator(json.loads(schema_text("bundle/v1")))


@pytest.mark.parametrize("path", sorted((SAMPLES / "valid").iterdir()), ids=lambda path: path.stem)
def test_valid_samples_pass(path):
    value = json.loads(path.read_text())

    validate("bundle/v1", value)

    assert THEIRS.is_valid(value)


@pytest.mark.parametrize("path", sorted((SAMPLES / "invalid").iterdir()), ids=lambda path: path.stem)
def test_invalid_samples_are_refused(path):
    value = json.loads(path.read_text())

    with pytest.raises(SchemaMismatch):
        validate("bundle/v1", value)
    assert not THEIRS.is_valid(value)

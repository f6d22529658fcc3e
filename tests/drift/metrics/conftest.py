"""Pairs of transcripts for the metrics' tests."""

import json

import pytest

from drift.compare import compare


@pytest.fixture
def pair(tmp_path):
    """Compare two JSON documents (or lists of segments); the result's scores by name without version."""

    def measured(reference, candidate, **options):
        for name, document in (("a.json", reference), ("b.json", candidate)):
            if isinstance(document, list):
                document = {"segments": document}
            (tmp_path / name).write_text(json.dumps(document), encoding="utf-8")
        return compare(tmp_path / "a.json", tmp_path / "b.json", **options)

    return measured


@pytest.fixture
def texts(tmp_path):
    """Compare two plain texts."""

    def measured(reference, candidate):
        (tmp_path / "a.txt").write_text(reference, encoding="utf-8")
        (tmp_path / "b.txt").write_text(candidate, encoding="utf-8")
        return compare(tmp_path / "a.txt", tmp_path / "b.txt")

    return measured

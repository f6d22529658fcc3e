"""Public Merkle proof vectors (transparency-dev/merkle): good ones accepted, bad ones refused."""

import base64
import json
from pathlib import Path

import pytest

from registry.log.errors import ProofRefused
from registry.log.merkle import verify_consistency, verify_inclusion

TESTDATA = Path(__file__).parents[4] / "shared" / "vectors" / "merkle" / "testdata"
needs_vectors = pytest.mark.skipif(
    not TESTDATA.is_dir(), reason="../shared/vectors is absent: no public Merkle vectors"
)


def cases(kind: str) -> list[dict]:
    return [json.loads(path.read_bytes()) | {"file": path} for path in sorted((TESTDATA / kind).rglob("*.json"))]


def raw(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def verdict(check, *facts) -> bool:
    try:
        check(*facts)
    except ProofRefused:
        return False
    return True


def is_subtree(start: int, end: int) -> bool:
    """A subtree begins at a multiple of the power of two that covers it (draft-ietf-plants-merkle-tree-certs)."""
    return start < end and start % (1 << (end - start - 1).bit_length()) == 0


@needs_vectors
def test_inclusion_vectors():
    for case in cases("inclusion"):
        proof = [raw(line) for line in case["proof"] or []]

        accepted = verdict(
            verify_inclusion, case["leafIdx"], case["treeSize"], raw(case["leafHash"]), proof, raw(case["root"])
        )

        assert accepted is not case["wantErr"], case["file"]


@needs_vectors
def test_consistency_vectors():
    for case in cases("consistency"):
        proof = [raw(line) for line in case["proof"] or []]

        accepted = verdict(
            verify_consistency, case["size1"], case["size2"], raw(case["root1"]), raw(case["root2"]), proof
        )

        assert accepted is not case["wantErr"], case["file"]


@needs_vectors
def test_subtree_inclusion_vectors_are_inclusion_in_a_shifted_tree():
    for case in cases("subtreeinclusion"):
        start, end = case["start"], case["end"]
        proof = [raw(line) for line in case["proof"] or []]

        accepted = is_subtree(start, end) and verdict(
            verify_inclusion, case["leafIdx"] - start, end - start, raw(case["leafHash"]), proof, raw(case["root"])
        )

        assert accepted is not case["wantErr"], case["file"]


@needs_vectors
def test_subtree_consistency_vectors_that_begin_at_zero_are_consistency():
    """Subtrees elsewhere, and empty ones, belong to Merkle tree certificates, which no log of ours makes."""
    for case in cases("subtreeconsistency"):
        if case["start"] != 0 or case["end"] == 0:
            continue
        proof = [raw(line) for line in case["proof"] or []]

        accepted = verdict(verify_consistency, case["end"], case["size"], raw(case["root1"]), raw(case["root2"]), proof)

        assert accepted is not case["wantErr"], case["file"]


@needs_vectors
def test_all_518_vectors_are_there():
    assert (
        sum(len(cases(kind)) for kind in ("inclusion", "consistency", "subtreeinclusion", "subtreeconsistency")) == 518
    )

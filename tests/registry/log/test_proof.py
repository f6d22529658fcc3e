import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.keyfile import FileSigner
from registry.log import merkle
from registry.log.checkpoint import VerifierKey, sign_checkpoint
from registry.log.errors import LogError, NoteRefused, ProofRefused
from registry.log.proof import LogProof

ORIGIN = "mintmark.local/0123456789abcdef"
SIGNER = FileSigner(Ed25519PrivateKey.from_private_bytes(b"\x01" * 32))
KEY = VerifierKey(ORIGIN, SIGNER.public)
BODIES = [b"entry %d" % n for n in range(11)]
LEAVES = [merkle.leaf_hash(body) for body in BODIES]


def hashes(level: int, index: int) -> bytes:
    return merkle.fold(b"".join(LEAVES[index << level : (index + 1) << level]))


def proof_of(index: int) -> LogProof:
    checkpoint = sign_checkpoint(ORIGIN, 11, merkle.root(11, hashes), SIGNER)
    return LogProof(BODIES[index], index, tuple(merkle.inclusion_proof(index, 11, hashes)), checkpoint)


def test_the_text_has_the_published_layout():
    lines = proof_of(10).text.decode().split("\n")

    assert lines[:3] == ["c2sp.org/tlog-proof@v1", "extra ZW50cnkgMTA=", "index 10"]
    assert lines[5:8] == ["", ORIGIN, "11"]


@pytest.mark.parametrize("index", range(11))
def test_reads_back_and_verifies(index):
    proof = LogProof.parse(proof_of(index).text)

    assert proof == proof_of(index)
    proof.verify_inclusion()


def test_a_proof_of_one_entry_does_not_cover_another():
    a, b = proof_of(3), proof_of(4)

    with pytest.raises(ProofRefused):
        LogProof(b.body, a.index, a.hashes, a.checkpoint).verify_inclusion()


TEXT = proof_of(5).text


@settings(deadline=None, max_examples=400)
@given(at=st.integers(0, len(TEXT) - 1), byte=st.integers(0, 255))
def test_any_changed_byte_is_noticed(at, byte):
    bent = TEXT[:at] + bytes([byte]) + TEXT[at + 1 :]
    if bent == TEXT:
        return

    with pytest.raises(LogError):
        proof = LogProof.parse(bent)
        proof.verify_inclusion()
        proof.checkpoint.verify([KEY])


MALFORMED = {
    "CRLF": TEXT.replace(b"\n", b"\r\n"),
    "index with a leading zero": TEXT.replace(b"index 5", b"index 05"),
    "no extra": b"\n".join(line for line in TEXT.split(b"\n") if not line.startswith(b"extra")),
    "other version": TEXT.replace(b"proof@v1", b"proof@v2"),
    "short hash": TEXT.replace(b"=\n", b"\n", 1),
    "nothing": b"",
    "head only": TEXT.split(b"\n\n")[0],
    "text after": TEXT + b"\n",
    "too long": TEXT + b"x" * (2 << 20),
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_malformed_proofs_are_refused(text):
    with pytest.raises(NoteRefused):
        LogProof.parse(text)

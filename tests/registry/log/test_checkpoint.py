import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.keyfile import FileSigner
from registry.log.checkpoint import Checkpoint, NoteSignature, VerifierKey, sign_checkpoint
from registry.log.errors import LogError, NoteRefused, SignatureRefused, UnknownSigner

ORIGIN = "mintmark.local/0123456789abcdef"
SIGNER = FileSigner(Ed25519PrivateKey.from_private_bytes(b"\x01" * 32))
OTHER = FileSigner(Ed25519PrivateKey.from_private_bytes(b"\x02" * 32))
KEY = VerifierKey(ORIGIN, SIGNER.public)
SIGNED = sign_checkpoint(ORIGIN, 42, b"\xaa" * 32, SIGNER)

# From the Go checksum database's published documentation of signed notes.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = b"If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_LINE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="


def test_the_go_note_package_s_example_verifies():
    key = VerifierKey.parse(GO_KEY)
    raw = base64.b64decode(GO_LINE)

    key.verify(GO_TEXT, raw[4:])

    assert raw[:4] == key.key_hash
    assert str(key) == GO_KEY
    with pytest.raises(SignatureRefused):
        key.verify(GO_TEXT + b"\n", raw[4:])


def test_a_signed_checkpoint_reads_back_and_verifies():
    read = Checkpoint.parse(SIGNED.note)

    assert read == SIGNED
    assert read.verify([KEY]) == (KEY,)
    assert SIGNED.note.startswith(b"mintmark.local/0123456789abcdef\n42\nqqqq")


def test_a_signature_by_a_stranger_or_over_another_text_does_not_count():
    with pytest.raises(UnknownSigner, match=ORIGIN):
        SIGNED.verify([VerifierKey(ORIGIN, OTHER.public)])
    with pytest.raises(UnknownSigner):
        SIGNED.verify([])
    with pytest.raises(SignatureRefused):
        Checkpoint(ORIGIN, 43, SIGNED.root, SIGNED.signatures).verify([KEY])


def test_a_trusted_key_of_another_origin_cannot_sign_for_this_one():
    elsewhere = VerifierKey("elsewhere.example/log", SIGNER.public)
    line = NoteSignature(elsewhere.name, elsewhere.key_hash, SIGNER.sign(SIGNED.text))

    with pytest.raises(UnknownSigner):
        Checkpoint(ORIGIN, 42, SIGNED.root, (line,)).verify([elsewhere])


def test_lines_of_unknown_witnesses_are_kept_as_they_are():
    witness = NoteSignature("witness.example/w1", b"\x01\x02\x03\x04", b"\x00" * 72)
    cosigned = Checkpoint(ORIGIN, 42, SIGNED.root, (*SIGNED.signatures, witness))

    read = Checkpoint.parse(cosigned.note)

    assert read.signatures[1] == witness
    assert read.note == cosigned.note
    assert read.verify([KEY]) == (KEY,)


def test_one_false_signature_by_a_trusted_key_spoils_the_note():
    witness = VerifierKey("witness.example/w1", OTHER.public)
    false = NoteSignature(witness.name, witness.key_hash, b"\x00" * 64)

    with pytest.raises(SignatureRefused, match="witness"):
        Checkpoint(ORIGIN, 42, SIGNED.root, (*SIGNED.signatures, false)).verify([KEY, witness])


def edited(old: bytes, new: bytes) -> bytes:
    assert old in SIGNED.note
    return SIGNED.note.replace(old, new)


LINE = SIGNED.note.split(b"\n\n")[1]
MALFORMED = {
    "CRLF": SIGNED.note.replace(b"\n", b"\r\n"),
    "CR in a line": edited(b"\n42\n", b"\n42\r\n"),
    "leading zero": edited(b"\n42\n", b"\n042\n"),
    "plus sign": edited(b"\n42\n", b"\n+42\n"),
    "negative": edited(b"\n42\n", b"\n-42\n"),
    "other digits": edited(b"\n42\n", "\n٤٢\n".encode()),
    "white space": edited(b"\n42\n", b"\n42 \n"),
    "extension line": edited(b"\n\n", b"\nmore\n\n"),
    "second empty line": edited(b"\n\n", b"\n\n\n"),
    "unpadded root": edited(b"qo=\n", b"qo\n"),
    "root with stray bits": edited(b"qo=\n", b"qp=\n"),
    "short root": edited(b"qqqqqqqqqqo=", b"qqqqqqo="),
    "no origin": SIGNED.note[len(ORIGIN) :],
    "no signature": SIGNED.text + b"\n",
    "no last newline": SIGNED.note[:-1],
    "trailing text": SIGNED.note + b"x",
    "trailing newline": SIGNED.note + b"\n",
    "same signature twice": SIGNED.note + LINE,
    "hyphen for the dash": edited("—".encode(), b"-"),
    "two spaces": edited("— ".encode(), "—  ".encode()),
    "NUL in the origin": edited(ORIGIN.encode() + b"\n42", b"mintmark\x00local\n42"),
    "not UTF-8": edited(b"\n42\n", b"\n42\xff\n"),
    "too many signatures": SIGNED.note + b"".join(b"\xe2\x80\x94 w%d AAAAAAA=\n" % n for n in range(64)),
    "huge": SIGNED.note + LINE * 20_000,
    "empty": b"",
}


@pytest.mark.parametrize("note", MALFORMED.values(), ids=MALFORMED)
def test_malformed_notes_are_refused(note):
    with pytest.raises(NoteRefused):
        Checkpoint.parse(note)


@settings(deadline=None, max_examples=300)
@given(at=st.integers(0, len(SIGNED.note) - 1), byte=st.integers(0, 255))
def test_any_changed_byte_is_noticed(at, byte):
    bent = SIGNED.note[:at] + bytes([byte]) + SIGNED.note[at + 1 :]
    if bent == SIGNED.note:
        return

    with pytest.raises(LogError):
        Checkpoint.parse(bent).verify([KEY])


@pytest.mark.parametrize(
    "text",
    [
        "", "name", "name+", "name+00000000+", str(KEY) + "=", str(KEY)[:-1], " " + str(KEY),
        str(KEY).replace(KEY.key_hash.hex(), "00000000"), str(KEY).replace(KEY.key_hash.hex(), "ABCDEF01"),
        "witness+" + "0" * 8 + "+BA" + str(KEY).split("+")[-1][2:], "a b" + str(KEY)[len(ORIGIN) :],
    ],
)  # fmt: skip
def test_malformed_verifier_keys_are_refused(text):
    with pytest.raises(NoteRefused):
        VerifierKey.parse(text)

import base64
import hashlib
import json

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement as TheirStatement
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

from registry.errors import NotCanonical
from registry.keyfile import FileSigner
from registry.log.errors import SignatureRefused
from registry.signing import (
    PAYLOAD_TYPE,
    Subject,
    envelope,
    keyid_of,
    open_envelope,
    output_subjects,
    pae,
    pae_digest,
    payload,
)

SIGNER = FileSigner(Ed25519PrivateKey.from_private_bytes(b"\x05" * 32))
RECORD = {
    "format": "mintmark/generation/v1",
    "outputs": [
        {"digest": {"blake3": "b" * 64, "sha256": "a" * 64}, "role": "image"},
        {"digest": {"$seal": "sealed"}, "role": "transcript"},
    ],
    "prompt": "é \u2028 \U0001f600",
}
BYTES = rfc8785.dumps(RECORD)


def signed(record: dict = RECORD, kind: str = "generation") -> dict:
    body = payload(kind, rfc8785.dumps(record), output_subjects(record))
    return envelope(body, SIGNER.sign(pae(PAYLOAD_TYPE, body)), SIGNER.keyid)


def test_the_statement_is_canonical_and_names_the_id_and_unsealed_outputs():
    body = payload("generation", BYTES, output_subjects(RECORD))

    statement = json.loads(body)

    digest = hashlib.sha256(BYTES).hexdigest()
    assert rfc8785.dumps(statement) == body
    assert statement["predicate"] == RECORD
    assert statement["predicateType"] == "urn:mintmark:generation:v1"
    assert statement["subject"] == [
        {"name": f"sha256:{digest}", "digest": {"sha256": digest}},
        {"name": "outputs/0", "digest": {"sha256": "a" * 64}},
    ]


exact = 2**53 - 1  # a greater whole number read back as int has no canonical form
values = st.recursive(
    st.none() | st.booleans() | st.integers(-exact, exact) | st.floats(-exact, exact) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@settings(deadline=None)
@given(record=st.dictionaries(st.text().filter(lambda key: key != "outputs"), values, max_size=5))
def test_putting_text_around_a_record_is_the_same_as_writing_it_anew(record):
    body = payload("drift", rfc8785.dumps(record), [Subject("outputs/0", "c" * 64)])

    assert rfc8785.dumps(json.loads(body)) == body


def test_the_in_toto_library_accepts_the_statement():
    statement = json.loads(payload("generation", BYTES, output_subjects(RECORD)))
    theirs = TheirStatement(
        [ResourceDescriptor(name=s["name"], digest=s["digest"]).pb for s in statement["subject"]],
        predicate_type=statement["predicateType"],
        predicate=statement["predicate"],
    )

    theirs.validate()

    assert theirs.pb.type == statement["_type"]


def test_securesystemslib_verifies_our_envelope_and_agrees_on_the_encoding():
    theirs = Envelope.from_dict(signed())
    key = SSlibKey(SIGNER.keyid, "ed25519", "ed25519", {"public": SIGNER.public.hex()})

    accepted = theirs.verify([key], threshold=1)

    assert list(accepted) == [SIGNER.keyid]
    assert theirs.pae() == pae(PAYLOAD_TYPE, theirs.payload)
    assert pae_digest(theirs.payload) == hashlib.sha256(theirs.pae()).hexdigest()


def test_an_opened_envelope_gives_back_what_was_signed():
    opened = open_envelope(rfc8785.dumps(signed()))

    opened.verify(SIGNER.public)

    assert (opened.kind, opened.record, opened.keyid) == ("generation", BYTES, SIGNER.keyid)
    assert [subject.name for subject in opened.subjects][1:] == ["outputs/0"]


def test_another_key_or_another_text_does_not_verify():
    stranger = FileSigner(Ed25519PrivateKey.from_private_bytes(b"\x06" * 32))
    body = payload("generation", BYTES)

    with pytest.raises(SignatureRefused):
        open_envelope(rfc8785.dumps(signed())).verify(stranger.public)
    foreign = envelope(body, stranger.sign(pae(PAYLOAD_TYPE, body)), SIGNER.keyid)
    with pytest.raises(SignatureRefused):
        open_envelope(rfc8785.dumps(foreign | {"payload": signed()["payload"]})).verify(SIGNER.public)


def resigned(text: bytes) -> bytes:
    return rfc8785.dumps(envelope(text, SIGNER.sign(pae(PAYLOAD_TYPE, text)), SIGNER.keyid))


def unpadded(value: str) -> str:
    return value.rstrip("=") if value.endswith("=") else value + "="


GOOD = signed()
TEXT = base64.b64decode(GOOD["payload"])
ONE = GOOD["signatures"][0]
FORGED = {
    "two signatures": rfc8785.dumps(GOOD | {"signatures": [ONE, ONE]}),
    "no signature": rfc8785.dumps(GOOD | {"signatures": []}),
    "another type": rfc8785.dumps(GOOD | {"payloadType": "text/plain"}),
    "a member more": rfc8785.dumps(GOOD | {"more": 1}),
    "a member more beside the signature": rfc8785.dumps(GOOD | {"signatures": [ONE | {"cert": ""}]}),
    "base64 of another form": rfc8785.dumps(GOOD | {"payload": unpadded(GOOD["payload"])}),
    "base64 with a line break": rfc8785.dumps(GOOD | {"payload": GOOD["payload"][:4] + "\n" + GOOD["payload"][4:]}),
    "spaces in the envelope": json.dumps(GOOD).encode(),
    "spaces in the payload": resigned(TEXT.replace(b'":', b'": ', 1)),
    "another order": resigned(b'{"predicate":' + BYTES + TEXT[TEXT.index(b',"predicateType"') : -1] + b',"_type":"https://in-toto.io/Statement/v1"}'),
    "a repeated key": resigned(TEXT.replace(b'{"_type"', b'{"_type":"x","_type"', 1)),
    "a subject of another record": resigned(TEXT.replace(hashlib.sha256(BYTES).hexdigest().encode(), b"0" * 64)),
    "an output left out": resigned(payload("generation", BYTES)),
    "an output added": resigned(
        payload("generation", BYTES, [*output_subjects(RECORD), Subject("outputs/9", "d" * 64)])
    ),
    "another predicate type": resigned(TEXT.replace(b"urn:mintmark:generation:v1", b"https://slsa.dev/provenance/v1")),
    "a record that is no object": resigned(payload("generation", b"[]")),
    "outputs that are no list": resigned(payload("generation", b'{"outputs":{"digest":1}}')),
    "not JSON": b"{",
    "a list": b"[]",
}  # fmt: skip


@pytest.mark.parametrize("data", FORGED.values(), ids=FORGED)
def test_other_forms_are_refused_even_when_signed(data):
    with pytest.raises((SignatureRefused, NotCanonical)):
        open_envelope(data)


def test_the_key_id_is_the_hash_of_the_raw_public_key():
    assert SIGNER.keyid == keyid_of(SIGNER.public) == hashlib.sha256(SIGNER.public).hexdigest()

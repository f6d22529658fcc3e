"""Whose signature counts where: rotations, revocations and strangers."""

from dataclasses import replace

import pytest

from registry import keys
from registry.verify.bundle import verify

NOW = "2026-11-20T12:00:00.000Z"


def rotated(ledger, **change) -> keys.Snapshot:
    index = len(ledger.records)
    old = [replace(key, until=index + 1) if key.role == "recorder" else key for key in ledger.snapshot.keys]
    new = keys.Key("recorder", change.pop("public"), index + 1)
    return replace(ledger.snapshot, keys=(*old, new))


@pytest.fixture
def second_recorder(tmp_path, ledger):
    return ledger.recorder.__class__.create(tmp_path / "second.pem")


def test_a_rotation_endorsed_by_the_log_key_is_followed(ledger, form, second_recorder):
    ledger.rotate(rotated(ledger, public=second_recorder.public))
    ledger.recorder = second_recorder
    ledger.generate(b"after the rotation")

    report = verify(ledger.bundle(form), trust=ledger.trust)

    assert report.exit_code == 0


def test_a_signature_made_after_revocation_is_false(ledger, form, second_recorder, failed):
    revoked = ledger.recorder
    ledger.rotate(rotated(ledger, public=second_recorder.public))
    ledger.generate(b"signed with the old key")  # still ledger.recorder, the revoked one

    report = verify(ledger.bundle(form, signer=second_recorder), trust=ledger.trust)

    assert failed(report) == {"key validity"}
    assert revoked.keyid[:16] in report.layer("key validity").sentence


def test_a_revoked_key_cannot_sign_on_under_the_snapshot_that_allowed_it(ledger, form, second_recorder, failed):
    ledger.rotate(rotated(ledger, public=second_recorder.public))
    ledger.generate(b"signed with the old key")
    ledger.bodies[-1] = replace(ledger.leaf(-1), keys=0).body
    key_record, forged = ledger.records[-2:]

    for records in (ledger.records, [key_record, forged]):
        report = verify(ledger.bundle(form.with_name(f"{len(records)}{form.name}"), records), trust=ledger.trust)

        assert failed(report) == {"key validity"}
        assert "names key record 0 where 5 was in force" in report.layer("key validity").sentence


def test_time_never_goes_backwards_in_what_is_shown(ledger, form, failed):
    ledger.bodies[-1] = replace(ledger.leaf(-1), time="2026-11-20T11:59:59.999Z").body

    assert failed(verify(ledger.bundle(form), trust=ledger.trust)) == {"inclusion"}


def test_a_record_signed_as_another_kind_is_false(ledger, form, failed):
    ledger.add("review", {
        "format": "mintmark/annotation/v1", "recorded_at": NOW, "subject": ledger.records[1].id,
        "tags": {"a": "b"}, "actor": "local",
    })  # fmt: skip

    report = verify(ledger.bundle(form), trust=ledger.trust)

    assert failed(report) == {"signature"}
    assert "signed as review" in report.layer("signature").sentence


def test_a_bundle_signed_by_a_revoked_key_is_false(ledger, form, second_recorder, failed):
    revoked = ledger.recorder
    ledger.rotate(rotated(ledger, public=second_recorder.public))

    assert failed(verify(ledger.bundle(form, signer=revoked), trust=ledger.trust)) == {"bundle"}


def test_a_rotation_without_endorsement_is_false(ledger, form, second_recorder, failed):
    ledger.rotate(rotated(ledger, public=second_recorder.public), by=second_recorder)

    report = verify(ledger.bundle(form, signer=second_recorder), trust=ledger.trust)

    assert failed(report) == {"key validity"}


def test_a_recorder_key_cannot_rotate_keys(ledger, form, second_recorder, failed):
    ledger.rotate(rotated(ledger, public=second_recorder.public), by=ledger.recorder)

    report = verify(ledger.bundle(form, signer=second_recorder), trust=ledger.trust)

    assert failed(report) == {"key validity"}
    assert "may not sign a key" in report.layer("key validity").sentence


def test_a_record_signed_by_a_stranger_is_false(ledger, form, second_recorder, failed):
    ledger.add("annotation", {
        "format": "mintmark/annotation/v1", "recorded_at": NOW, "subject": ledger.records[1].id,
        "tags": {"a": "b"}, "actor": "local",
    }, by=second_recorder)  # fmt: skip

    assert failed(verify(ledger.bundle(form), trust=ledger.trust)) == {"key validity"}


def test_a_signature_that_does_not_match_is_false(ledger, form, failed):
    swapped = replace(ledger.records[1], signature=ledger.records[2].signature)

    assert failed(verify(ledger.bundle(form, [swapped]), trust=ledger.trust)) == {"signature"}

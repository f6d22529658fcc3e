"""Proofs, claimed ranges, and a checkpoint kept from earlier."""

from dataclasses import replace

import pytest

from registry.export.bundle import BundleIncomplete, Selection
from registry.log.checkpoint import VerifierKey
from registry.verify.bundle import verify

NOW = "2026-11-20T12:00:00.000Z"


def test_a_proof_of_one_record_does_not_cover_another(ledger, form, failed):
    checkpoint = ledger.checkpoint()
    swap = {1: 3}

    def crossed(index):
        right, other = ledger.proof(index, checkpoint), ledger.proof(swap.get(index, index), checkpoint)
        return replace(right, index=other.index, hashes=other.hashes)

    assert failed(verify(ledger.bundle(form, [ledger.records[1]], proof=crossed), trust=ledger.trust)) == {"inclusion"}


def test_proofs_under_another_checkpoint_are_false(ledger, form, failed):
    first = ledger.checkpoint(4)

    def older(index):
        return ledger.proof(index, first if index == 1 else ledger.checkpoint())

    assert failed(verify(ledger.bundle(form, [ledger.records[1]], proof=older), trust=ledger.trust)) == {"inclusion"}


def test_a_statement_that_was_never_logged_is_false(ledger, form, failed):
    ledger.bodies[1] = replace(ledger.leaf(1), pae="0" * 64).body

    assert failed(verify(ledger.bundle(form, [ledger.records[1]]), trust=ledger.trust)) == {"inclusion"}


def test_a_claimed_range_must_be_there(ledger, new_ledger, form):
    with pytest.raises(BundleIncomplete, match="2 is not among them"):
        ledger.bundle(form, [ledger.records[1]], selection=Selection("0 to 3", NOW, (0, 3)))

    short = new_ledger()
    shown, _ = short.generate(b"one"), short.generate(b"two")
    bundle = short.bundle(form, [shown], selection=Selection("0 to 3", NOW, (0, 3)))
    report = verify(bundle, trust=short.trust)

    assert report.exit_code == 0
    assert report.layer("completeness").sentence == "complete: every entry from 0 to 2 is here, 1 of them withheld"


def test_a_range_beyond_the_log_is_false(ledger, form, failed):
    bundle = ledger.bundle(form, selection=Selection("all", NOW, (4, 4)))

    assert failed(verify(bundle, trust=ledger.trust)) == {"completeness"}


# A checkpoint kept from earlier


def test_growth_since_a_kept_checkpoint_is_proven_by_a_proof_or_by_all_entries(ledger, tmp_path):
    kept = ledger.checkpoint(3)
    every = ledger.bundle(tmp_path / "every.zip")
    some = ledger.bundle(tmp_path / "some.zip", [ledger.records[1]])
    proven = ledger.bundle(tmp_path / "proven.zip", [ledger.records[1]], consistency={3: ledger.consistency(3)})

    codes = [verify(path, trust=ledger.trust, checkpoint=kept).exit_code for path in (every, some, proven)]

    assert codes == [0, 4, 0]


def test_a_rewritten_log_does_not_continue_a_kept_checkpoint(ledger, tmp_path, failed):
    kept = ledger.checkpoint(3)
    later = [replace(ledger.leaf(n), time="2026-11-20T13:00:00.000Z").body for n in range(1, len(ledger.bodies))]
    ledger.bodies[1:] = later
    every = ledger.bundle(tmp_path / "every.zip")
    proven = ledger.bundle(tmp_path / "proven.zip", [ledger.records[3]], consistency={3: ledger.consistency(3)})

    for path in (every, proven):
        assert failed(verify(path, trust=ledger.trust, checkpoint=kept)) == {"checkpoint"}


def test_a_fork_at_one_size_is_false(ledger, new_ledger, tmp_path, failed):
    kept = ledger.checkpoint()
    ledger.bodies[4] = replace(ledger.leaf(4), time="2027-01-01T00:00:00.000Z").body

    report = verify(ledger.bundle(tmp_path / "b.zip"), trust=ledger.trust, checkpoint=kept)

    assert failed(report) == {"checkpoint"}
    assert "forked" in report.layer("checkpoint").sentence


def test_an_older_bundle_than_the_kept_checkpoint_is_undecided(ledger, tmp_path, undecided):
    bundle = ledger.bundle(tmp_path / "b.zip")
    ledger.generate(b"one more")

    report = verify(bundle, trust=ledger.trust, checkpoint=ledger.checkpoint())

    assert (report.exit_code, undecided(report)) == (4, {"checkpoint"})
    assert "rolled back" in report.layer("checkpoint").sentence


def test_a_kept_checkpoint_stands_for_trust_at_its_own_size_only(ledger, new_ledger, tmp_path, failed):
    bundle = ledger.bundle(tmp_path / "b.zip")
    other = new_ledger()
    other.generate(b"x")

    assert verify(bundle, checkpoint=ledger.checkpoint()).exit_code == 0
    assert verify(bundle, checkpoint=ledger.checkpoint(3)).exit_code == 4
    elsewhere = verify(bundle, checkpoint=replace(ledger.checkpoint(), origin="x/0"))
    assert failed(elsewhere) == {"checkpoint"}
    assert "you kept a checkpoint of x/0" in elsewhere.layer("checkpoint").sentence
    stranger = [VerifierKey(ledger.origin, other.recorder.public)]
    assert verify(bundle, trust=stranger, checkpoint=ledger.checkpoint()).exit_code == 1

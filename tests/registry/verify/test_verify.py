import json
import zipfile
from dataclasses import replace

import pytest

from registry.bundle_format import disclosures_path
from registry.errors import Corrupted
from registry.export.bundle import BundleIncomplete, Selection, export_bundle
from registry.export.writing import TargetExists
from registry.sealing import Disclosure
from registry.verify.bundle import verify
from registry.verify.container import BundleUnreadable

NOW = "2026-11-20T12:00:00.000Z"


@pytest.fixture
def manifest(ledger):
    return ledger.manifest


def test_a_bundle_of_everything_verifies(ledger, form):
    bundle = ledger.bundle(form, selection=Selection("all", NOW, (0, 5)))

    report = verify(bundle, trust=ledger.trust)

    assert (report.verdict, report.exit_code, report.records) == ("verified", 0, 4)
    assert report.layer("completeness").sentence == "complete: every entry from 0 to 4 is here"
    assert report.layer("disclosures").sentence == "sealed values: 4 shown, 1 erased"
    assert report.layer("assets").sentence == "3 of 3 assets are here and match"
    assert json.loads(json.dumps(report.to_json()))["verdict"] == "verified"


def test_a_selection_proves_no_completeness(ledger, form):
    bundle = ledger.bundle(form, [ledger.records[1]])

    report = verify(bundle, trust=ledger.trust)

    assert (report.exit_code, report.records) == (0, 1)
    assert "completeness is not proven" in report.layer("completeness").sentence


def test_without_trust_the_signer_stays_unknown(ledger, form, undecided):
    report = verify(ledger.bundle(form))

    assert (report.verdict, report.exit_code, undecided(report)) == ("undecided", 4, {"checkpoint"})
    assert "self-consistent, signer unknown" in report.layer("checkpoint").sentence


def test_keys_shipped_in_the_bundle_are_never_trusted(ledger, new_ledger, tmp_path, undecided):
    """A forger makes a perfect bundle with keys of his own and ships them too."""
    forger = new_ledger("forger", log=ledger.log.__class__.create(tmp_path / "f.pem"))
    forger.generate(b"first asset", "never asked for")

    report = verify(forger.bundle(tmp_path / "f.zip"), trust=ledger.trust)

    assert (report.exit_code, undecided(report)) == (4, {"checkpoint"})
    assert "none of which is trusted" in report.layer("checkpoint").sentence


def test_a_forged_signature_under_a_trusted_name_is_false(ledger, new_ledger, form, failed):
    forger = new_ledger("forger")
    forger.generate(b"x")
    line = replace(forger.checkpoint().signatures[0], signature=b"\x00" * 64)
    forged = replace(forger.checkpoint(), signatures=(line,))

    bundle = forger.bundle(form, checkpoint=forged, proof=lambda index: forger.proof(index, forged))

    assert failed(verify(bundle, trust=ledger.trust)) == {"checkpoint"}


def test_no_record_but_keys_is_nothing_selected(new_ledger, form):
    ledger = new_ledger()

    report = verify(ledger.bundle(form), trust=ledger.trust)

    assert (report.verdict, report.exit_code) == ("empty", 5)


def test_a_path_that_is_not_there_could_not_run(tmp_path):
    with pytest.raises(BundleUnreadable) as caught:
        verify(tmp_path / "none.zip")

    assert caught.value.exit_code == 3


# Seals


def test_a_withheld_value_is_accounted_for(ledger, form):
    first = replace(ledger.records[1], disclosures=(), withheld=("/prompt/submitted",))

    report = verify(ledger.bundle(form, [first]), trust=ledger.trust)

    assert report.exit_code == 0
    assert report.layer("disclosures").sentence == "sealed values: 1 withheld"


def test_a_value_that_is_neither_shown_nor_accounted_for_is_missing(ledger, form, undecided):
    report = verify(ledger.bundle(form, [replace(ledger.records[1], disclosures=())]), trust=ledger.trust)

    assert (report.exit_code, undecided(report)) == (4, {"disclosures"})
    assert "missing" in report.layer("disclosures").sentence


def test_an_erased_value_is_erased_only_with_its_record(ledger, form, undecided):
    assert verify(ledger.bundle(form, [ledger.records[2], ledger.records[4]]), trust=ledger.trust).exit_code == 0

    form = form.with_name(f"2{form.name}")
    report = verify(ledger.bundle(form, [ledger.records[2]]), trust=ledger.trust)

    assert (report.exit_code, undecided(report)) == (4, {"disclosures"})


@pytest.mark.parametrize("change", ["value", "salt", "pointer"])
def test_a_disclosure_that_does_not_fit_its_seal_is_false(ledger, form, change, failed):
    shown = ledger.records[1].disclosures[0]
    bent = {
        "value": Disclosure(shown.pointer, shown.salt, "a green square"),
        "salt": Disclosure(shown.pointer, "A" * 22, shown.value),
        "pointer": Disclosure("/prompt/effective", shown.salt, shown.value),
    }[change]

    report = verify(ledger.bundle(form, [replace(ledger.records[1], disclosures=[bent])]), trust=ledger.trust)

    assert failed(report) == {"disclosures"}


def test_the_disclosure_of_one_record_does_not_open_another(ledger, form, failed):
    first, third = ledger.records[1], ledger.records[3]
    stolen = [replace(first, disclosures=[d for d in third.disclosures if d.pointer == "/prompt/submitted"])]

    assert failed(verify(ledger.bundle(form, stolen), trust=ledger.trust)) == {"disclosures"}


def test_what_is_withheld_must_be_sealed_and_not_shown_as_a_whole(ledger, form, failed):
    open_value = replace(ledger.records[1], withheld=("/labels/app",))
    assert failed(verify(ledger.bundle(form, [open_value]), trust=ledger.trust)) == {"disclosures"}

    whole = replace(ledger.records[1], withheld=("", "/prompt/submitted"))
    form = form.with_name(f"2{form.name}")
    assert failed(verify(ledger.bundle(form, [whole]), trust=ledger.trust)) == {"disclosures"}


def test_disclosures_without_a_record_are_false(ledger, form, failed):
    bundle = ledger.bundle(form, [ledger.records[1]])
    if bundle.is_file():
        return
    foreign = bundle / disclosures_path(ledger.records[3].id)
    foreign.write_bytes(b"{}")

    assert failed(verify(bundle, trust=ledger.trust)) == {"container"}


# Assets


def test_assets_may_stay_behind(ledger, form):
    report = verify(ledger.bundle(form, [replace(ledger.records[1], assets={})]), trust=ledger.trust)

    assert report.exit_code == 0
    told = report.layer("assets").sentence
    assert told == "0 of 1 assets are here and match, 1 not carried by this bundle (the bundle carries no files)"


def test_an_asset_that_alone_is_not_here_is_told_as_unexplained(ledger, form):
    first, third = ledger.records[1], ledger.records[3]

    report = verify(ledger.bundle(form, [replace(first, assets={}), third]), trust=ledger.trust)

    told = report.layer("assets").sentence
    assert told == "1 of 2 assets are here and match, 1 not carried by this bundle (no record here says why)"


def test_an_erased_asset_is_told_as_erased(ledger, form):
    (sha256,) = ledger.records[1].assets
    erasure = ledger.erase(ledger.records[1], [], [sha256])

    report = verify(ledger.bundle(form, [replace(ledger.records[1], assets={}), erasure]), trust=ledger.trust)

    assert report.layer("assets").sentence == "0 of 1 assets are here and match, 1 erased"


def test_an_asset_that_no_record_names_is_false(ledger, form, failed):
    first = replace(ledger.records[1], assets=ledger.records[2].assets)

    report = verify(ledger.bundle(form, [first]), trust=ledger.trust)

    assert failed(report) == {"assets"}


@pytest.mark.parametrize("change", [{"bytes": 6}, {"digest": {"blake3": "0" * 64}}], ids=["length", "BLAKE3"])
def test_an_asset_must_have_the_length_and_both_digests_its_record_states(ledger, manifest, form, change, failed):
    """A recorder that signed a false length or digest: SHA-256 alone would let it pass."""
    value = manifest(b"asset", "p")
    output = value["outputs"][0]
    output["digest"] |= change.get("digest", {})
    output["bytes"] = change.get("bytes", output["bytes"])
    path = ledger.folder / "asset"
    path.write_bytes(b"asset")

    record = ledger.add("generation", value, sealed=("/prompt/submitted",), assets={output["digest"]["sha256"]: path})

    assert failed(verify(ledger.bundle(form, [record]), trust=ledger.trust)) == {"assets"}


def test_a_sealed_digest_needs_its_disclosure(ledger, form, failed):
    third = ledger.records[3]
    hidden = replace(third, disclosures=(), withheld=("/outputs/0/digest", "/prompt/submitted"))

    report = verify(ledger.bundle(form, [hidden]), trust=ledger.trust)

    assert failed(report) == {"assets"}  # the file is there, and nothing shown names it


# The exporter


def test_an_export_never_overwrites(ledger, form):
    ledger.bundle(form)

    with pytest.raises(TargetExists):
        ledger.bundle(form)


def test_a_bundle_without_its_key_record_is_not_written(ledger, tmp_path):
    with pytest.raises(BundleIncomplete, match="key record at 0"):
        export_bundle(
            tmp_path / "b.zip",
            [ledger.records[1]],
            selection=Selection("", NOW),
            checkpoint=ledger.checkpoint(),
            proof=ledger.proof,
            signer=ledger.recorder,
        )

    assert list(tmp_path.glob("*.zip")) == []


def test_both_forms_hold_the_same_members(ledger, tmp_path):
    zipped, folder = ledger.bundle(tmp_path / "b.zip"), ledger.bundle(tmp_path / "b")
    with zipfile.ZipFile(zipped) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {
            path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
        }


def test_an_asset_that_changed_on_disk_is_not_exported(ledger, tmp_path):
    (path,) = ledger.records[1].assets.values()
    path.write_bytes(b"something else")

    with pytest.raises(Corrupted, match="was altered"):
        ledger.bundle(tmp_path / "b.zip")

    assert not (tmp_path / "b.zip").exists()
    assert list(tmp_path.glob(".b.zip*")) == []

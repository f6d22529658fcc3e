"""Damaged, padded and hostile containers: a named layer, never a traceback."""

import base64
import hashlib
import io
import json
import os
import stat
import zipfile
import zlib
from pathlib import Path

import pytest
from PIL import Image

from registry.bundle_format import PAYLOAD_TYPE
from registry.canonical import canonical
from registry.signing import envelope, pae
from registry.verify.bundle import verify
from registry.verify.container import NotABundle
from registry.zip_layout import Stored, directory


@pytest.fixture
def small(ledger):
    """A bundle of one generation, its key record and the place of the last entry."""
    return ledger.bundle(ledger.folder / "small.zip", [ledger.records[1]])


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(contents: dict[str, bytes]) -> bytes:
    """A zip with the exact layout, whatever its members."""
    return laid_out(sorted(contents.items()))


def laid_out(contents: list[tuple[str, bytes]], gap: bytes = b"") -> bytes:
    """The same for members in a given order, with bytes before the directory."""
    out, listed, at = io.BytesIO(), [], 0
    for name, data in contents:
        listed.append(Stored(name, zlib.crc32(data), len(data), at))
        out.write(listed[-1].header + data)
        at = listed[-1].end
    return out.getvalue() + gap + directory(listed, at + len(gap))


def relisted(ledger, contents: dict[str, bytes], **changes) -> dict[str, bytes]:
    """What an insider with the recorder key can do: list and sign the changed members anew."""
    bundle = json.loads(contents["bundle.json"]) | changes
    bundle["members"] = [
        {"path": name, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        for name, data in sorted(contents.items())
        if name not in ("bundle.json", "bundle.dsse.json")
    ]
    text = canonical(bundle)
    signed = envelope(text, ledger.recorder.sign(pae(PAYLOAD_TYPE, text)), ledger.recorder.keyid, PAYLOAD_TYPE)
    return contents | {"bundle.json": text, "bundle.dsse.json": canonical(signed)}


def test_an_ordinary_zip_reader_opens_it(small):
    with zipfile.ZipFile(small) as archive:
        assert archive.testzip() is None
        infos = archive.infolist()
    assert [info.filename for info in infos] == sorted(info.filename for info in infos)
    assert {(info.compress_type, info.date_time, info.create_system) for info in infos} == {
        (0, (1980, 1, 1, 0, 0, 0), 3)
    }
    assert {stat.S_IMODE(info.external_attr >> 16) for info in infos} == {0o644}


def test_one_flipped_byte_is_noticed_at_every_offset(small, ledger, failed):
    data = bytearray(small.read_bytes())
    assert verify(small, trust=ledger.trust).exit_code == 0
    missed = []

    with small.open("r+b", buffering=0) as stream:
        for offset, original in enumerate(data):
            # One bit at a time, another one at each offset; a whole-byte change is caught by the same comparison.
            os.pwrite(stream.fileno(), bytes([original ^ (1 << offset % 8)]), offset)
            report = verify(small, trust=ledger.trust)
            if report.exit_code != 1 or not failed(report):
                missed.append(offset)
            os.pwrite(stream.fileno(), bytes([original]), offset)

    assert missed == []


def test_one_flipped_byte_of_a_folder_is_noticed_in_every_member(ledger):
    folder = ledger.bundle(ledger.folder / "small", [ledger.records[1]])

    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            continue
        data = path.read_bytes()
        for offset in range(0, len(data), max(1, len(data) // 12)):
            path.write_bytes(data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1 :])
            assert verify(folder, trust=ledger.trust).exit_code == 1, (path, offset)
        path.write_bytes(data)
    assert verify(folder, trust=ledger.trust).exit_code == 0


def test_every_shorter_file_is_refused(small, ledger, failed):
    data = small.read_bytes()

    for length in range(97, len(data), 97):
        small.write_bytes(data[:length])
        assert failed(verify(small, trust=ledger.trust)) == {"container"}


def zip_of(write) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        write(archive)
    return out.getvalue()


def link(archive: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo("checkpoint")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    archive.writestr(info, "/etc/passwd")


ELSE = {
    "an empty file": lambda path: path.write_bytes(b""),
    "a text file": lambda path: path.write_text("not a zip file at all"),
    "of another kind": lambda path: path.write_bytes(hashlib.sha256(b"x").digest() * 100),
    "image/png": lambda path: Image.new("RGB", (8, 8)).save(path, "PNG"),
    "a SQLite database": lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(84)),
    "a folder without bundle.json": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("what", ELSE)
def test_what_is_no_bundle_is_told_to_be_what_it_is(tmp_path, what):
    path = tmp_path / "given"
    ELSE[what](path)

    with pytest.raises(NotABundle, match=what) as told:
        verify(path)

    assert told.value.exit_code == 3


HOSTILE = {
    "no members": zip_of(lambda archive: None),
    "zip slip": packed({"../../etc/passwd": b"x"}),
    "absolute": packed({"/etc/passwd": b"x"}),
    "backslash": packed({"records\\x": b"x"}),
    "drive": packed({"C:evil": b"x"}),
    "another name": packed({"bundle.json": b"{}", "notes.txt": b"x"}),
    "link": zip_of(link),
    "bomb": zip_of(lambda archive: archive.writestr("checkpoint", b"\x00" * (8 << 20), zipfile.ZIP_DEFLATED)),
    "huge claim": packed({"bundle.json": b"{}"}).replace(b"\x02\x00\x00\x00" * 2, b"\x00\xff\xff\xff" * 2),
    "not JSON": packed({"bundle.json": b"{", "bundle.dsse.json": b"{"}),
    "deep JSON": packed({"bundle.json": b"[" * 100_000, "bundle.dsse.json": b"{}"}),
    "list": packed({"bundle.json": b"[]", "bundle.dsse.json": b"[]"}),
    "no envelope": packed({"bundle.json": b"{}"}),
}  # fmt: skip


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_fail_with_a_named_layer(tmp_path, data, failed):
    path = tmp_path / "hostile.zip"
    path.write_bytes(data)

    report = verify(path)

    assert report.exit_code == 1
    assert failed(report) <= {"container", "bundle", "schema"}
    assert failed(report)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"x" + data,
        lambda data: data + b"x",
        lambda data: data[:-2] + b"\x05\x00hello",
        lambda data: data + data[-22:],
    ],
    ids=["prefix", "suffix", "comment", "second end"],
)
def test_bytes_around_a_bundle_are_refused(small, ledger, change, failed):
    small.write_bytes(change(small.read_bytes()))

    assert failed(verify(small, trust=ledger.trust)) == {"container"}


def test_gaps_duplicates_and_another_order_are_refused(small, ledger, failed):
    contents = sorted(members(small).items())
    assert laid_out(contents) == small.read_bytes()
    keys = next(pair for pair in contents if pair[0] == "keys.txt")
    twice = contents.index(keys)
    for data, told in (
        (laid_out(contents, gap=b"x"), "between the last member and the directory"),
        (laid_out([*contents[:twice], keys, *contents[twice:]]), "keys.txt stands twice"),
        (laid_out([contents[1], contents[0], *contents[2:]]), "out of order"),
    ):
        small.write_bytes(data)
        report = verify(small, trust=ledger.trust)
        assert failed(report) == {"container"}
        assert told in report.layer("container").sentence


def test_the_same_members_zipped_by_another_program_are_refused(small, ledger, failed):
    contents = members(small)
    small.write_bytes(zip_of(lambda archive: [archive.writestr(name, data) for name, data in contents.items()]))

    assert failed(verify(small, trust=ledger.trust)) == {"container"}


def test_members_added_or_taken_away_are_noticed(small, ledger, failed):
    contents = members(small)
    foreign = f"assets/sha256/{hashlib.sha256(b'x').hexdigest()}"

    small.write_bytes(packed(contents | {foreign: b"x"}))
    assert failed(verify(small, trust=ledger.trust)) == {"container"}
    for name in contents:
        small.write_bytes(packed({kept: data for kept, data in contents.items() if kept != name}))
        assert failed(verify(small, trust=ledger.trust)) == {"container"}, name


def respaced(data: bytes) -> bytes:
    return json.dumps(json.loads(data), indent=1).encode()


def test_equivalent_but_different_json_is_refused_even_when_signed_anew(small, ledger, failed):
    contents = members(small)
    for name in contents:
        if name.endswith(".json") and not name.startswith("bundle"):
            small.write_bytes(packed(relisted(ledger, contents | {name: respaced(contents[name])})))
            assert "canonical form" in failed(verify(small, trust=ledger.trust)), name
    for name in ("bundle.json", "bundle.dsse.json"):
        small.write_bytes(packed(contents | {name: respaced(contents[name])}))
        assert "bundle" in failed(verify(small, trust=ledger.trust)), name


def test_another_record_under_the_same_name_is_refused_even_when_listed_anew(small, ledger, failed):
    contents = members(small)
    stem = ledger.records[1].id.removeprefix("sha256:")
    value = json.loads(contents[f"records/{stem}.json"])
    value["labels"] = {"app": "forged"}
    body = canonical(value)

    small.write_bytes(packed(relisted(ledger, contents | {f"records/{stem}.json": body})))
    assert failed(verify(small, trust=ledger.trust)) == {"id"}

    statement = json.loads(contents[f"records/{stem}.dsse.json"])
    text = base64.b64decode(statement["payload"]).replace(b'"app":"test"', b'"app":"forged"')
    statement["payload"] = base64.b64encode(text).decode()
    both = {f"records/{stem}.json": body, f"records/{stem}.dsse.json": canonical(statement)}
    small.write_bytes(packed(relisted(ledger, contents | both)))
    assert "signature" in failed(verify(small, trust=ledger.trust))


def test_a_list_that_was_changed_after_signing_is_refused(small, ledger, failed):
    contents = members(small)
    claimed = json.loads(contents["bundle.json"]) | {"selection": "everything there is"}

    small.write_bytes(packed(contents | {"bundle.json": canonical(claimed)}))

    assert failed(verify(small, trust=ledger.trust)) == {"bundle"}


def test_a_list_with_a_false_signature_is_refused(small, ledger, failed):
    contents = members(small)
    signed = json.loads(contents["bundle.dsse.json"])
    signed["signatures"][0]["sig"] = base64.b64encode(bytes(64)).decode()

    small.write_bytes(packed(contents | {"bundle.dsse.json": canonical(signed)}))

    assert failed(verify(small, trust=ledger.trust)) == {"bundle"}


def test_a_statement_about_another_record_is_refused(ledger, failed):
    bundle = ledger.bundle(ledger.folder / "two.zip", ledger.records[1:3])
    contents = members(bundle)
    first, second = (f"records/{record.id.removeprefix('sha256:')}.dsse.json" for record in ledger.records[1:3])

    bundle.write_bytes(packed(relisted(ledger, contents | {first: contents[second]})))
    report = verify(bundle, trust=ledger.trust)

    assert "signature" in failed(report)
    assert "another record" in report.layer("signature").sentence


def test_what_an_insider_claims_about_the_log_is_held_against_the_log(small, ledger, failed):
    contents = members(small)
    bundle = json.loads(contents["bundle.json"])
    stem = ledger.leaf(4).id.removeprefix("sha256:")  # the last entry: its place is shown, its record is not
    assert bundle["withheld"] == {f"sha256:{stem}": [""]}
    renamed = {name.replace(stem, "0" * 64): data for name, data in contents.items()}
    cases = {
        "completeness": [
            relisted(ledger, contents, withheld={}),
            relisted(ledger, contents, range={"from": 0, "to": 3}),
        ],
        "inclusion": [relisted(ledger, renamed, withheld={"sha256:" + "0" * 64: [""]})],
        "checkpoint": [relisted(ledger, contents, checkpoint=bundle["checkpoint"] | {"root": "0" * 64})],
        "assets": [relisted(ledger, contents | {min(contents): b"another asset"})],
    }
    assert len([name for name in contents if name.endswith(".tlog-proof")]) == 3  # as many as the range claims

    for layer, forged in cases.items():
        for each in forged:
            small.write_bytes(packed(each))
            assert failed(verify(small, trust=ledger.trust)) - {"bundle"} == {layer}, layer


def test_lists_of_disclosures_have_one_form_and_one_record(small, ledger, failed):
    contents = members(small)
    stem = ledger.records[1].id.removeprefix("sha256:")
    path = f"disclosures/{stem}.json"
    found = json.loads(contents[path])
    other = f"disclosures/{ledger.records[3].id.removeprefix('sha256:')}.json"
    forged = {
        "another record": {path: canonical(found | {"id": ledger.records[3].id})},
        "another format": {path: canonical(found | {"format": "mintmark/disclosures/v2"})},
        "twice": {path: canonical(found | {"disclosures": found["disclosures"] * 2})},
        "a member more": {path: canonical(found | {"more": 1})},
        "a member more inside": {path: canonical(found | {"disclosures": [found["disclosures"][0] | {"more": 1}]})},
        "a list": {path: b"[]"},
        "no record": {other: contents[path]},
    }

    for name, change in forged.items():
        small.write_bytes(packed(relisted(ledger, contents | change)))
        report = verify(small, trust=ledger.trust)
        assert "disclosures" in failed(report), name


def test_a_record_with_a_member_that_the_schema_does_not_know_fails_schema(small, ledger, failed):
    contents = members(small)
    stem = ledger.records[1].id.removeprefix("sha256:")
    value = json.loads(contents[f"records/{stem}.json"]) | {"more": 1}

    small.write_bytes(packed(relisted(ledger, contents | {f"records/{stem}.json": canonical(value)})))

    assert "schema" in failed(verify(small, trust=ledger.trust))


def test_a_newer_format_is_undecided_not_false(small, ledger, failed):
    contents = members(small)
    bundle = json.loads(contents["bundle.json"]) | {"format": "mintmark/bundle/v2", "more": 1}

    small.write_bytes(packed(contents | {"bundle.json": canonical(bundle)}))
    report = verify(small, trust=ledger.trust)

    assert failed(report) == set()
    assert "install the newer mintmark" in report.layer("bundle").sentence
    assert report.exit_code == 4

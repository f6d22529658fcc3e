import os
import stat

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from registry import keys
from registry.errors import InvalidValue
from registry.keyfile import FileSigner
from registry.log.checkpoint import VerifierKey
from registry.log.errors import LogUnusable, NoteRefused
from registry.signing import keyid_of

NOW = "2026-11-20T12:00:00.000Z"
posix = pytest.mark.skipif(os.name != "posix", reason="file modes are a POSIX notion")


@pytest.fixture
def minted(tmp_path):
    return FileSigner.create(tmp_path / "log.pem"), FileSigner.create(tmp_path / "recorder.pem")


def test_a_key_file_signs_as_before_after_loading(tmp_path):
    made = FileSigner.create(tmp_path / "k.pem")

    loaded = FileSigner.load(tmp_path / "k.pem")

    assert loaded.keyid == made.keyid
    ed25519.Ed25519PublicKey.from_public_bytes(made.public).verify(loaded.sign(b"text"), b"text")


@posix
def test_key_files_are_for_their_owner_only(minted, tmp_path):
    modes = [stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("*.pem")]

    assert modes == [0o600, 0o600]


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_a_key_that_others_can_reach_is_refused(tmp_path, mode):
    FileSigner.create(tmp_path / "k.pem")
    (tmp_path / "k.pem").chmod(mode)

    with pytest.raises(LogUnusable, match="chmod 600"):
        FileSigner.load(tmp_path / "k.pem")


def test_a_key_is_never_overwritten(tmp_path):
    FileSigner.create(tmp_path / "k.pem")
    before = (tmp_path / "k.pem").read_bytes()

    with pytest.raises(LogUnusable, match="never overwritten"):
        FileSigner.create(tmp_path / "k.pem")

    assert (tmp_path / "k.pem").read_bytes() == before


def test_an_encrypted_key_opens_with_its_passphrase_only(tmp_path):
    made = FileSigner.create(tmp_path / "k.pem", "open sesame")

    assert b"ENCRYPTED" in (tmp_path / "k.pem").read_bytes()
    assert FileSigner.load(tmp_path / "k.pem", "open sesame").keyid == made.keyid
    with pytest.raises(LogUnusable, match="another passphrase"):
        FileSigner.load(tmp_path / "k.pem", "open barley")
    with pytest.raises(LogUnusable, match="needs its passphrase"):
        FileSigner.load(tmp_path / "k.pem")


def test_a_passphrase_for_a_plain_key_is_a_mistake_that_is_named(tmp_path):
    FileSigner.create(tmp_path / "k.pem")

    with pytest.raises(LogUnusable, match="no passphrase"):
        FileSigner.load(tmp_path / "k.pem", "open sesame")


@pytest.mark.parametrize(
    "content", [b"", b"not a key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_damaged_key_files_are_refused(tmp_path, content):
    (tmp_path / "k.pem").write_bytes(content)
    (tmp_path / "k.pem").chmod(0o600)

    with pytest.raises(LogUnusable):
        FileSigner.load(tmp_path / "k.pem")


def test_keys_of_other_kinds_and_missing_files_are_refused(tmp_path):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = other.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "rsa.pem").write_bytes(pem)
    (tmp_path / "rsa.pem").chmod(0o600)

    with pytest.raises(LogUnusable, match="not an Ed25519 key"):
        FileSigner.load(tmp_path / "rsa.pem")
    with pytest.raises(LogUnusable, match="cannot be read"):
        FileSigner.load(tmp_path / "none.pem")


def test_the_origin_carries_the_log_key_s_hash(minted):
    log, recorder = minted

    snapshot = keys.first_snapshot(log, recorder, NOW)

    assert snapshot.origin == f"mintmark.local/{log.keyid[:16]}"
    assert keys.origin_of(log.public, "registry.example.com") == f"registry.example.com/{log.keyid[:16]}"
    with pytest.raises(InvalidValue):
        keys.origin_of(log.public, "two words")


def test_a_snapshot_reads_back_from_its_record(minted):
    snapshot = keys.first_snapshot(*minted, NOW)

    assert keys.Snapshot.from_json(snapshot.to_json()) == snapshot


def test_a_key_id_that_is_not_its_key_s_hash_is_refused(minted):
    record = keys.first_snapshot(*minted, NOW).to_json()
    record["keys"][0]["keyid"] = "0" * 64

    with pytest.raises(InvalidValue, match="/keys/0/keyid"):
        keys.Snapshot.from_json(record)


def test_keys_count_in_their_role_and_range_only():
    old, new = keys.Key("recorder", b"\x01" * 32, 0, 10), keys.Key("recorder", b"\x02" * 32, 10)
    snapshot = keys.Snapshot(NOW, "o", (old, new, keys.Key("log", b"\x03" * 32)))

    assert snapshot.valid(old.keyid, "recorder", 9)
    assert not snapshot.valid(old.keyid, "recorder", 10)
    assert not snapshot.valid(new.keyid, "recorder", 9)
    assert snapshot.valid(new.keyid, "recorder", 10)
    assert not snapshot.valid(old.keyid, "log", 5)
    assert not snapshot.valid(keyid_of(b"\x03" * 32), "recorder", 5)


def test_trust_lines_name_log_keys_and_read_back(minted):
    snapshot = keys.first_snapshot(*minted, NOW)

    lines = keys.trust_lines(snapshot)

    assert keys.parse_trust("# our log\n\n" + "\n".join(lines) + "\n") == [
        VerifierKey(snapshot.origin, minted[0].public)
    ]


@pytest.mark.parametrize("text", ["", "# nothing\n", "not a key\n"])
def test_trust_files_without_keys_are_refused(text):
    with pytest.raises(NoteRefused, match="trust file"):
        keys.parse_trust(text)

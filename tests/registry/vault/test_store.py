"""What the vault owes on every database."""

import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from registry.database import DatabaseFailed, file_url
from registry.sealing import Disclosure
from registry.vault.store import HEAD, Vault

ID, OTHER = "sha256:" + "1" * 64, "sha256:" + "2" * 64


@pytest.fixture(params=["sqlite", pytest.param("postgresql")])
def vault(request, tmp_path):
    local = file_url(tmp_path / "vault.db")
    made = Vault(local if request.param == "sqlite" else request.getfixturevalue("vault_url"))
    yield made
    made.close()


def disclosure(pointer, value="value"):
    return Disclosure(pointer, "A" * 22, value)


def test_disclosures_come_back_as_they_went_in(vault):
    given = [
        disclosure("/a", "naïve — 日本"),
        disclosure("/b", {"blake3": "x", "sha256": "y"}),
        disclosure("/c", [1, None]),
    ]

    vault.put(ID, given)

    assert vault.get(ID) == given
    assert vault.get(OTHER) == []
    assert vault.get_many([ID, OTHER]) == {ID: given, OTHER: []}


def test_keeping_the_same_twice_is_no_error_and_keeps_the_first(vault):
    vault.put(ID, [disclosure("/a", "first")])

    vault.put(ID, [disclosure("/a", "second"), disclosure("/b")])

    assert [found.value for found in vault.get(ID)] == ["first", "value"]


def test_an_erased_disclosure_is_gone_and_the_others_stay(vault):
    vault.put(ID, [disclosure("/a"), disclosure("/b")])

    assert vault.erase([(ID, "/a"), (OTHER, "/a")]) == 1
    assert [found.pointer for found in vault.get(ID)] == ["/b"]


def test_forgetting_takes_everything_of_a_record(vault):
    vault.put(ID, [disclosure("/a")])
    vault.put(OTHER, [disclosure("/a")])

    vault.forget([ID])

    assert vault.records(before="9999") == [OTHER]


def test_a_secret_is_minted_once(vault):
    assert vault.secret("draft") == vault.secret("draft")
    assert len(vault.secret("draft")) == 32
    assert vault.secret("draft") != vault.secret("other")


def test_sealed_digests_are_listed_by_storage_key(vault):
    vault.put(ID, [disclosure("/outputs/0/digest", {"blake3": "k1", "sha256": "s"}), disclosure("/prompt/submitted")])

    assert vault.sealed_blake3() == {"k1"}


def test_a_pointer_may_be_long(vault):
    long = disclosure("/request/body/" + "k" * 2500)

    vault.put(ID, [long])

    assert vault.get(ID) == [long]


def test_what_is_sealed_stands_in_no_error(vault):
    with vault.database.writing() as connection:
        connection.execute(text("DROP TABLE disclosure"))

    with pytest.raises(DatabaseFailed) as caught:
        vault.put(ID, [disclosure("/prompt/submitted", " ".join(["nobody", "reads", "this"]))])

    told = "".join(traceback.format_exception(caught.value))
    assert "disclosure" in told
    assert "nobody reads this" not in told  # nor does the line of this test that a traceback quotes


def test_a_secret_asked_for_by_many_at_once_is_one(vault):
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(vault.secret, ["draft"] * 8))) == 1


def test_the_tables_are_at_the_newest_revision(vault):
    assert vault.database.revision() == HEAD

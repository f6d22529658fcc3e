"""Packed suites as strangers hand them over: damaged ones, foreign ones, and who may read them."""

import zipfile

import pytest

from replay.suites.packing import NotAPack, unpacked

NAMES = ("suite.yaml", "suite.lock", "bundle.zip")


def zipped(path, method):
    with zipfile.ZipFile(path, "w", method) as out:
        for name in NAMES:
            out.writestr(name, name * 50)
    return path.read_bytes()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_pack_is_no_pack_whichever_byte_it_is(tmp_path, method):
    whole, path = zipped(tmp_path / "whole.zip", method), tmp_path / "suite.zip"

    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        try:
            with unpacked(path) as folder:
                assert sorted(one.name for one in folder.iterdir()) == sorted(NAMES)
        except NotAPack as problem:
            assert str(path) in str(problem)


def test_nothing_compressed_is_unpacked(tmp_path):
    zipped(tmp_path / "suite.zip", zipfile.ZIP_DEFLATED)

    with pytest.raises(NotAPack, match="compressed"), unpacked(tmp_path / "suite.zip"):
        pass

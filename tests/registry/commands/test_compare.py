"""``compare`` where a registry is: files, ids, digests and @last, in any mix."""

import json

import pytest
from click.testing import CliRunner

from drift.commands import compare as plain
from drift.errors import MintmarkError
from registry.commands.compare import compare
from registry.record import record


@pytest.fixture
def here(tmp_path, local_registry, picture, made, monkeypatch):
    """A folder with a registry of one generation and a file beside it; its id."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINTMARK_HOME", raising=False)
    path = picture("a.png", seed=1)
    return record(local_registry, made(path), {str(path): path}).id


def run(*arguments):
    return CliRunner().invoke(compare, [str(argument) for argument in arguments])


def scores(done):
    assert done.exit_code == 0, done.output
    return {score["name"]: score["value"] for score in json.loads(done.output)["scores"]}


def test_generations_and_files_are_compared_with_one_another(here, tmp_path, picture):
    other = picture("b.png", seed=2)

    for name in ("@last", here, here[:20], here.removeprefix("sha256:")[:8]):
        assert scores(run(name, tmp_path / "a.png", "--json"))["bytes/1"] == 1
        assert 0 < scores(run(name, other, "--json"))["ssim/1"] < 1
    assert scores(run("@last", here, "--json"))["bytes/1"] == 1


def test_an_asset_is_named_by_its_digest(here, tmp_path, local_registry):
    digests = local_registry.catalog.manifest(here).outputs[0].digests

    for name in (f"blake3:{digests.blake3}", f"sha256:{digests.sha256}"):
        assert scores(run(name, tmp_path / "a.png", "--json"))["bytes/1"] == 1


def test_what_the_report_and_the_check_call_it(here, tmp_path, picture):
    run("@last", picture("b.png", seed=2), "-o", tmp_path / "report.html")
    short = here.removeprefix("sha256:")[:12]

    assert f"{short}.png" in (tmp_path / "report.html").read_text()
    assert f"{short}.png: ok" in run("--check", "@last").output


def test_a_file_of_that_name_comes_first(here, tmp_path, picture):
    (tmp_path / "a.png").rename(tmp_path / "deadbeef")

    assert scores(run("deadbeef", "@last", "--json"))["bytes/1"] == 1


@pytest.mark.parametrize("name", ["deadbeef00", "sha256:" + "0" * 64, "blake3:" + "0" * 64])
def test_an_id_that_names_nothing_is_exit_one(here, tmp_path, name):
    problem = run(name, tmp_path / "a.png").exception

    assert isinstance(problem, MintmarkError) and problem.exit_code == 1 and "registry" in str(problem)


def test_what_is_neither_file_nor_id_says_both(here):
    done = run("a.pgn", "@last")

    assert done.exit_code == 2
    assert "there is no file a.pgn (did you mean a.png?); a generation is named by its id" in done.output


def test_altered_bytes_are_not_compared(here, tmp_path, local_registry):
    digests = local_registry.catalog.manifest(here).outputs[0].digests
    path = local_registry.assets.file(digests.blake3)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes() + b"x")

    problem = run("@last", tmp_path / "a.png").exception

    assert isinstance(problem, MintmarkError) and problem.exit_code == 1 and "altered" in str(problem)


def test_without_a_registry_files_still_compare_and_ids_say_why_not(tmp_path, picture, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINTMARK_HOME", raising=False)
    a, b = picture("a.png", seed=1), picture("b.png", seed=2)

    assert scores(run(a, b, "--json"))["ssim/1"] < 1
    problem = run("@last", a).exception
    assert isinstance(problem, MintmarkError) and problem.exit_code == 3 and "no registry here" in str(problem)


def test_it_is_the_drift_command_with_more_names():

    assert [one.name for one in compare.params] == [one.name for one in plain.params]
    assert compare.help == plain.help

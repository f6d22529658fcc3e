import json

import click
import pytest
from click.testing import CliRunner

from drift.errors import MintmarkError
from registry.commands.verify import verify


def run(*arguments) -> tuple[int, str]:
    """Exit code and output, as the program's main function would answer."""
    runner = CliRunner()
    with runner.isolation() as (out, _, _):
        try:
            code = verify.main([str(each) for each in arguments], standalone_mode=False)
        except MintmarkError as problem:
            code = problem.exit_code
            click.echo(str(problem))
        except click.ClickException:
            code = 2
        return code, out.getvalue().decode()


@pytest.fixture
def bundle(ledger):
    return ledger.bundle(ledger.folder / "b.zip")


@pytest.fixture
def trust(ledger):
    path = ledger.folder / "trust.txt"
    path.write_text("".join(f"{key}\n" for key in ledger.trust))
    return path


def test_a_good_bundle_is_told_layer_by_layer(bundle, trust):
    code, out = run(bundle, "--trust", trust)

    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:4]] == ["container", "bundle", "schema"]
    assert out.splitlines()[-1].startswith("verified: ")


def test_exit_codes(bundle, trust, ledger, new_ledger, tmp_path):
    (tmp_path / "cp").write_bytes(ledger.checkpoint(3).note)
    empty = new_ledger().bundle(tmp_path / "empty.zip")

    assert run(bundle)[0] == 4
    assert run(bundle, "--trust", trust, "--checkpoint", tmp_path / "cp")[0] == 0
    assert run(empty)[0] == 5
    assert run(tmp_path / "none.zip")[0] == 3
    assert run(bundle, "--trust", tmp_path / "none.txt")[0] == 3
    assert run(bundle, "--trust", bundle)[0] == 2
    assert run(bundle, "--checkpoint", trust)[0] == 2
    assert run(bundle, "--unknown")[0] == 2
    with bundle.open("r+b") as stream:
        stream.seek(500)
        stream.write(b"\x00")
    code, out = run(bundle, "--trust", trust)
    assert (code, "container" in out, "failed" in out) == (1, True, True)


def test_json_for_programs(bundle, trust):
    code, out = run(bundle, "--trust", trust, "--json")

    report = json.loads(out)
    assert (code, report["verdict"], report["exit_code"], report["records"]) == (0, "verified", 0, 4)
    assert {layer["state"] for layer in report["layers"]} == {"ok"}

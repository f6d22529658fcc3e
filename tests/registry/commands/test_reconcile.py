import csv
import io

import pytest

from registry.schema import validate

HEAD = "request_id,time,model,cost,currency\n"
MODEL = "gpt-image-2-2026-04-21"


@pytest.fixture
def calls(mintmark, picture, home):
    """Three recorded calls of 4 cents at noon, one and two o'clock, and one that failed."""
    ids = []
    for n in range(3):
        said = mintmark(
            "record", picture(f"{n}.png", seed=n), "--provider", "openai", "--model", MODEL, "--cost", "0.04",
            "--request-id", f"req-{n}", "--at", f"2026-10-31T1{n + 2}:00:00Z",
        )  # fmt: skip
        ids.append(said.out.split()[0])
    mintmark("record", "--provider", "openai", "--model", MODEL, "--operation", "image.generate", "--status", "failed",
             "--at", "2026-10-31T12:30:00Z")  # fmt: skip
    return ids


def row(n, cost="0.04", request_id=None):
    return f"{f'req-{n}' if request_id is None else request_id},2026-10-31T1{n + 2}:00:01Z,{MODEL},{cost},USD\n"


@pytest.fixture
def export(tmp_path):
    """Writes an export and answers its name."""

    def write(*rows, head=HEAD):
        (tmp_path / "usage.csv").write_text(head + "".join(rows))
        return "usage.csv"

    return write


def test_a_bill_that_agrees(mintmark, calls, export):
    said = mintmark("reconcile", export(row(0), row(1), row(2, request_id="")), "--provider", "openai", "--json")

    assert said.status == 0
    validate("reconciliation/v1", said.json)
    assert said.json["matched"] == {"count": 3, "by_time": 1, "cost_unknown": 0}
    assert said.json["free"] == 1
    assert said.json["totals"] == [{"currency": "USD", "billed": "0.12", "recorded": "0.12", "difference": "0"}]


def test_every_difference_is_listed(mintmark, calls, export):
    usage = export(row(0, "0.05"), row(2, request_id="req-x"))

    said = mintmark("reconcile", usage, "--provider", "openai")
    rows = list(csv.DictReader(io.StringIO(mintmark("reconcile", usage, "--provider", "openai", "--csv").out)))

    assert said.status == 1
    assert [(one["finding"], one["id"], one["billed"], one["recorded"]) for one in rows] == [
        ("billed-not-recorded", "", "0.04", ""),
        ("recorded-not-billed", calls[1], "", "0.04"),
        ("recorded-not-billed", calls[2], "", "0.04"),
        ("differing", calls[0], "0.05", "0.04"),
    ]
    validate("reconciliation/v1", mintmark("reconcile", usage, "--provider", "openai", "--json").json)
    for told in ("billed otherwise", "req-x", calls[1][7:19], "0.09"):
        assert told in said.out


def test_a_call_of_unknown_cost_that_is_billed_twice_is_told(mintmark, picture, home, export):
    mintmark("record", picture("x.png", seed=9), "--provider", "openai", "--model", MODEL, "--request-id", "req-0",
             "--at", "2026-10-31T12:00:00Z")  # fmt: skip
    usage = export(row(0, "0.01"), row(0, "0.01"))

    said = mintmark("reconcile", usage, "--provider", "openai")
    told = mintmark("reconcile", usage, "--provider", "openai", "--json").json

    assert said.status == 1 and "0.02 USD (the same row twice)" in said.out
    validate("reconciliation/v1", told)
    assert [one["billed"]["twice"] for one in told["differing"]] == [True]
    assert "billed-twice" in mintmark("reconcile", usage, "--provider", "openai", "--csv").out


def test_the_period_of_the_bill_bounds_what_is_missed(mintmark, calls, export):
    usage = export(row(0), row(1))
    assert mintmark("reconcile", usage, "--provider", "openai").status == 0

    assert mintmark("reconcile", usage, "--provider", "openai", "--month", "2026-10", "--tz", "UTC").status == 1
    only = ("--since", "2026-10-31T12:30:00", "--until", "2026-10-31T13:30:00", "--tz", "UTC")
    said = mintmark("reconcile", usage, "--provider", "openai", *only, "--json")
    assert said.status == 0 and said.json["rows"] == 1


def test_a_map_reads_what_the_heading_does_not_tell(mintmark, calls, tmp_path):
    (tmp_path / "rechnung.csv").write_bytes("Vorgang;Betrag\nreq-0;0,04\nreq-1;0,04\nreq-2;0,04\n".encode("utf-8-sig"))
    (tmp_path / "map.toml").write_text(
        '[columns]\nrequest_id = "Vorgang"\ncost = "Betrag"\n[csv]\ndelimiter = ";"\ndecimal = ","\n'
    )

    assert mintmark("reconcile", "rechnung.csv", "--provider", "openai", "--map", "map.toml").status == 0


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (HEAD + row(0, "four"), "usage.csv:2: column 'cost': 'four'"),
        (HEAD + "req-0\n", "usage.csv:2: it has 1 cells"),
        ("", "usage.csv:1: expected a heading"),
        ("id,name\na,b\n", "nothing says what was billed"),
    ],
)
def test_a_file_that_cannot_be_used_is_status_2(mintmark, calls, export, content, told):
    said = mintmark("reconcile", export(head=content), "--provider", "openai")

    assert said.status == 2 and told in said.err


def test_a_file_that_is_not_there_is_status_2(mintmark, calls):
    assert mintmark("reconcile", "none.csv", "--provider", "openai").status == 2


def test_nothing_to_compare_is_status_5(mintmark, calls, export):
    said = mintmark("reconcile", export(row(0)), "--provider", "opnai")
    assert said.status == 5 and "recorded are openai" in said.err

    assert mintmark("reconcile", export(), "--provider", "openai").status == 5
    said = mintmark("reconcile", export(row(0)), "--provider", "openai", "--month", "2026-01")
    assert said.status == 5 and "none of its 1 rows" in said.err


def test_a_bill_for_calls_that_nobody_recorded_is_a_difference(mintmark, calls, export):
    later = "req-9,2029-01-01T00:00:00Z,m,0.04,USD\n"

    assert mintmark("reconcile", export(later), "--provider", "openai").status == 1

import csv
import io
import json

import pytest

from registry.schema import validate

REPORTS = ("cost", "latency", "outcomes", "scorecard")


@pytest.fixture
def storefront(mintmark, picture, home):
    """Four pictures of one workflow, a blocked and a timed-out call; the first is usable, the second is not."""
    call = ("--provider", "openai", "--model", "gpt-image-2-2026-04-21", "--workflow", "hero")
    for n in range(4):
        said = ("--cost", "0.04", "--at", f"2026-10-3{n // 3}T23:30:0{n}Z", "--request-id", f"req-{n}")
        assert mintmark("record", picture(f"{n}.png", seed=n), *call, *said).status == 0
        if n < 2:
            mintmark("review", "@last", "--usable" if n == 0 else "--unusable", "--minutes", "1.5", "--cost", "1EUR")
    failed = (*call, "--operation", "image.generate", "--at", "2026-10-31T12:00:00Z")
    mintmark("record", *failed, "--status", "blocked", "--cost", "12credits")
    mintmark("record", *failed, "--status", "timeout")
    return home


@pytest.mark.parametrize("report", REPORTS)
def test_every_report_fits_its_schema_and_comes_as_rows(mintmark, storefront, report):
    said = mintmark("stats", report, "--json")
    assert said.status == 0
    validate("stats/v1", said.json)
    assert said.json["report"] == report

    rows = list(csv.reader(io.StringIO(mintmark("stats", report, "--csv").out)))

    assert len(rows) > 1 and {len(row) for row in rows} == {len(rows[0])}


def test_cost_per_usable_output_with_everything_that_went_wrong(mintmark, storefront):
    (group,) = mintmark("stats", "cost", "--by", "workflow", "--json").json["groups"]

    spent = {one["currency"]: one for one in group["spent"]}
    assert spent["USD"]["per_usable"] == {"least": "0.053333333333", "most": "0.16", "reason": None}
    assert spent["EUR"]["review"] == "2" and spent["credits"]["by_path"]["blocked"] == "12"
    assert group["minutes"] == "3" and group["cost_unknown"]["failed"] == 1
    assert not spent["USD"]["complete"]


def test_a_month_belongs_to_a_zone_and_the_zone_is_named(mintmark, storefront):
    here = mintmark("stats", "outcomes", "--month", "2026-10", "--tz", "UTC", "--json").json
    there = mintmark("stats", "outcomes", "--month", "2026-11", "--tz", "Asia/Tokyo", "--json").json

    assert sum(group["calls"] for group in here["groups"]) == 6
    assert sum(group["calls"] for group in there["groups"]) == 1
    assert there["selection"]["period"]["zone"] == "Asia/Tokyo"
    assert "(Asia/Tokyo)" in mintmark("stats", "cost", "--month", "2026-11", "--tz", "Asia/Tokyo").out


def test_objectives_decide_the_status_of_latency(mintmark, storefront):
    assert mintmark("stats", "latency").status == 0

    (storefront / "mintmark.toml").write_text("[slo.hero]\ntimeout_rate = 0.2\np95_ms = 100\n")
    said = mintmark("stats", "latency")
    assert said.status == 4 and "unknown: 0 of 20 timed" in said.out

    (storefront / "mintmark.toml").write_text("[slo.hero]\ntimeout_rate = 0.16\n[slo.other]\np50_ms = 1\n")
    assert mintmark("stats", "latency", "--workflow", "hero").status == 4  # 6 calls of 7
    (storefront / "mintmark.toml").write_text("[slo.hero]\ntimeout_rate = 0.166\n")
    mintmark("record", "--provider", "openai", "--model", "m", "--operation", "image.generate", "--status", "expired",
             "--workflow", "hero")  # fmt: skip
    said = mintmark("stats", "latency")
    assert said.status == 1 and "missed" in said.out


def test_weights_of_a_file_go_before_those_of_the_settings(mintmark, storefront, tmp_path):
    (storefront / "mintmark.toml").write_text("[scorecard]\ncost = 5\n")
    (tmp_path / "w.toml").write_text("cost = 7\n")

    assert mintmark("stats", "scorecard", "--json").json["weights"]["cost"] == 5
    assert mintmark("stats", "scorecard", "--weights", "w.toml", "--json").json["weights"]["cost"] == 7


@pytest.mark.parametrize("width", ["40", "80", "120", "200"])
@pytest.mark.parametrize("report", REPORTS)
def test_no_table_is_wider_than_the_terminal(mintmark, storefront, monkeypatch, report, width):
    monkeypatch.setenv("COLUMNS", width)

    said = mintmark("stats", report)

    titles = ("workflow ", "provider ")  # of blocks: names that cannot be cut
    long = [line for line in said.out.splitlines() if len(line) > int(width) and not line.startswith(titles)]
    assert long == [] and said.out


@pytest.mark.parametrize("report", REPORTS)
def test_nothing_selected_is_status_5_and_says_what_helps(mintmark, home, report):
    said = mintmark("stats", report)
    assert said.status == 5 and "nothing is recorded yet" in said.err

    assert mintmark("stats", report, "--csv").status == 5


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("cost", "--json", "--csv"), "not both"),
        (("cost", "--tz", "Berlin"), "--tz: 'Berlin'"),
        (("cost", "--minute-cost", "cheap"), "--minute-cost"),
        (("latency", "--by", "modle"), "did you mean 'model'"),
        (("scorecard", "--by", "workflow"), "provider"),
        (("scorecard", "--weights", "none.toml"), "--weights"),
    ],
)
def test_mistakes_are_usage(mintmark, home, arguments, told):
    said = mintmark("stats", *arguments)

    assert said.status == 2 and told in said.err


def test_names_from_outside_reach_no_terminal_and_no_spreadsheet_as_orders(mintmark, home):
    mintmark("record", "--provider", "p", "--model", "=1+1", "--operation", "image.generate", "--status", "failed")

    assert "'=1+1" in mintmark("stats", "outcomes", "--csv").out
    assert json.dumps("=1+1") in mintmark("stats", "outcomes", "--json").out

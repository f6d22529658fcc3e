from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.importing.mapping import BadMap, read_map
from registry.stats.period import parse_zone
from registry.stats.usage import BadUsage, read_usage

HEAD = "request_id,job_id,time,model,cost,currency\n"


@pytest.fixture
def usage(tmp_path):
    """Reads a table with a map, both given as text or bytes."""

    def read(table, mapped=None, name="usage.csv", zone=None):
        path = tmp_path / name
        path.write_bytes(table if isinstance(table, bytes) else table.encode())
        if mapped is not None:
            (tmp_path / "map.toml").write_text(mapped, encoding="utf-8")
            mapped = read_map(tmp_path / "map.toml", needs=("cost",))
        return list(read_usage(path, mapped, zone and parse_zone(zone)))

    return read


def test_a_plain_export_is_read_by_the_names_of_its_columns(usage):
    (row,) = usage(HEAD + "r-1,j-1,2026-11-01T12:00:00Z,m-1,0.04,usd\n")

    assert (row.line, row.request_id, row.job_id, row.model) == (2, "r-1", "j-1", "m-1")
    assert (row.at, row.amount, row.currency) == ("2026-11-01T12:00:00.000Z", Decimal("0.04"), "USD")


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_marks_and_quoted_line_breaks_are_read(usage, delimiter):
    table = delimiter.join(["Request ID", "Note, long", "Amount"]) + "\r\n" + delimiter.join(["r-1", '"a\nb"', "1.5"])

    (row,) = usage(b"\xef\xbb\xbf" + table.encode())

    assert (row.request_id, row.amount, row.line) == ("r-1", Decimal("1.5"), 3)


def test_refunds_dollars_and_small_amounts_are_amounts(usage):
    rows = usage("cost\n-0.04\n$1.20\n4e-05\n0\n")

    assert [str(row.amount) for row in rows] == ["-0.04", "1.20", "0.00004", "0"]


def test_times_without_a_zone_are_in_the_zone_that_was_said(usage):
    (row,) = usage("time,cost\n2026-11-01 12:00:00,1\n", zone="Europe/Berlin")

    assert row.at == "2026-11-01T11:00:00.000Z"


def test_a_map_names_columns_delimiter_decimal_and_currency(usage):
    mapped = (
        '[columns]\nrequest_id = "Vorgang"\nsubmitted_at = "Zeit"\ncost = "Betrag"\n[constants]\ncurrency = "EUR"\n'
        '[csv]\ndelimiter = ";"\ndecimal = ","\nencoding = "latin-1"\n[time]\nform = "unix"\n'
    )

    (row,) = usage("Vorgang;Zeit;Betrag;Größe\nr-1;1793534400;1.234,56;groß\n".encode("latin-1"), mapped)

    assert (row.amount, row.currency, row.at) == (Decimal("1234.56"), "EUR", "2026-11-01T12:00:00.000Z")


def test_lines_of_json_are_read_with_a_map(usage):
    mapped = '[columns]\nrequest_id = "call.id"\ncost = "usd"\n'

    (row,) = usage('{"call": {"id": "r-1"}, "usd": 0.0400}\n', mapped, "usage.jsonl")

    assert (row.request_id, row.amount) == ("r-1", Decimal("0.04"))


@pytest.mark.parametrize(
    ("table", "line", "column", "told"),
    [
        (b"", 1, None, "the file is empty"),
        (b"\n\n", 1, None, "the file is empty"),
        (bytes(range(256)), 1, None, "no text in UTF-8"),
        (HEAD.encode("utf-16"), 1, None, "no text in UTF-8"),
        (b"request_id,cost\nr-1,\xff\xfe\n", 2, None, "no text in utf-8"),
        (b"name,model\na,b\n", 1, None, "nothing says what was billed"),
        (b"cost,cost\n1,2\n", 1, None, "names column 'cost' twice"),
        (b"request_id,cost\nr-1,0.04\nr-2\n", 3, None, "it has 1 cells, the heading 2"),
        (b'request_id,cost\nr-1,"0.04\n', 2, None, "no CSV"),
        (b"request_id,cost\nr-1,\n", 2, "cost", "not an amount such as 0.04"),
        (b"request_id,Amount\nr-1,0.04\nr-2,four\n", 3, "Amount", "'four' is not an amount"),
        (b"request_id;cost\nr-1;0,04\n", 2, "cost", "reads a decimal comma"),
        (b"request_id,cost\nr-1,NaN\n", 2, "cost", "not an amount"),
        (b"request_id,cost\nr-1,1e999999999\n", 2, "cost", "below 10^18"),
        (b"request_id,cost\nr-1,1e-999999\n", 2, "cost", "at most 12 decimals"),
        (b"request_id,cost\nr-1," + b"9" * 100_000 + b"\n", 2, "cost", "at most 64 characters"),
        (b"time,cost\ntomorrow,1\n", 2, "time", "not a time"),
        (b"cost,currency\n1,$$\n", 2, "currency", "not a currency"),
    ],
)
def test_a_file_that_cannot_be_trusted_names_line_and_column(usage, table, line, column, told):
    with pytest.raises(BadUsage) as problem:
        usage(table)

    assert problem.value.exit_code == 2
    assert (problem.value.line, problem.value.column) == (line, column)
    assert told in str(problem.value) and f"usage.csv:{line}" in str(problem.value)


def test_a_cell_of_many_megabytes_ends_the_reading(usage):
    with pytest.raises(BadUsage, match="field larger than field limit"):
        usage(b"request_id,cost\n" + b"a" * (17 << 20))


def test_a_column_that_the_map_names_and_the_table_lacks_is_told_with_the_nearest(usage):
    with pytest.raises(BadMap, match="did you mean 'amount'"):
        usage("amount\n1\n", '[columns]\ncost = "amont"\n')


def test_a_map_without_a_cost_is_refused(usage):
    with pytest.raises(BadMap, match="a column or a constant for cost"):
        usage("amount\n1\n", '[columns]\nmodel = "amount"\n')


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=300),
        st.text(max_size=300).map(lambda text: b"cost,time,model\n" + text.encode("utf-8", "replace")),
    )
)
def test_any_bytes_are_read_or_refused(usage, table):
    try:
        rows = usage(table)
    except BadUsage as problem:
        assert problem.line >= 1
    else:
        assert all(row.amount.is_finite() for row in rows)

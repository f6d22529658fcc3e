"""Maps of bulk import: every mistake is shown by line and key."""

from decimal import Decimal, InvalidOperation

import pytest

from registry.importing.mapping import BadMap, read_map

GOOD = """
[constants]
provider = "openai"

[columns]
model = "m"
output = "file"
[columns.settings]
size = "size"
"""


@pytest.fixture
def mapped(tmp_path):
    def read(text):
        path = tmp_path / "map.toml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read_map(path)

    return read


def test_a_map_is_read(mapped):
    found = mapped(GOOD)

    assert found.columns == {"model": ["m"], "outputs": ["file"], "settings.size": ["size"]}
    assert found.constants == {"provider": "openai"}
    assert (found.root, found.delimiter, found.time_form) == (".", ",", "iso")


MISTAKES = [
    ("[colums]\nmodel = 'm'\n", 1, "colums", "did you mean 'columns'"),
    (GOOD.replace("model =", "modle ="), 6, "columns.modle", "did you mean 'model'"),
    (GOOD.replace('"m"', "7"), 6, "columns.model", "name of a column"),
    (GOOD.replace('"size"\n', "[]\n"), 9, "columns.settings.size", "name of a column"),
    (GOOD.replace('output = "file"', 'outputs = "file"'), 7, "columns.outputs", "a list"),
    (GOOD.replace('output = "file"', 'output = "f"\noutputs = ["g"]'), 8, "columns.outputs", "either"),
    (GOOD + "[constants.labels]\nTeam = 'a'\n", 11, "constants.labels.Team", "a name that labels can have"),
    (GOOD + "[constants.inputs]\nmask = {}\n", 11, "constants.inputs.mask", "text or a number"),
    (GOOD + "[values]\nstatus = 'ok'\n", 11, "values.status", "expected a table"),
    (GOOD + "[values.stats]\nok = 'x'\n", 10, "values.stats", "did you mean 'status'"),
    (GOOD + "[csv]\ndelimiter = ';;'\n", 11, "csv.delimiter", "one character"),
    (GOOD + "[csv]\nencoding = 'utf-99'\n", 11, "csv.encoding", "text encoding"),
    (GOOD + "[csv]\nencoding = 'zlib'\n", 11, "csv.encoding", "text encoding"),
    (GOOD + "[csv]\ndecimal = ';'\n", 11, "csv.decimal", 'expected "." or ","'),
    (GOOD + "[time]\nform = 'epoch'\n", 11, "time.form", "unix-ms"),
    (GOOD + "[files]\nroots = '.'\n", 11, "files.roots", "did you mean 'root'"),
    (GOOD.replace('provider = "openai"', 'output = "a"'), 3, "constants.output", "no two rows"),
    (GOOD.replace('provider = "openai"', 'region = "a"'), 5, "columns", "for provider"),
    ("columns = 3\n", 1, "columns", "expected a table"),
    ("[columns\n", 1, "", "expected TOML"),
    (b"\xff\xfe", 1, "", "UTF-8"),
    ("", 1, "columns", "for provider"),
]


@pytest.mark.parametrize(("text", "line", "key", "expected"), MISTAKES, ids=[f"{m[2]}-{m[3][:12]}" for m in MISTAKES])
def test_a_mistake_is_shown_where_it_stands(mapped, text, line, key, expected):
    with pytest.raises(BadMap) as problem:
        mapped(text)

    assert (problem.value.line, problem.value.key) == (line, key)
    assert expected in str(problem.value) and f"map.toml:{line}" in str(problem.value)


def test_a_map_that_is_not_there(tmp_path):
    with pytest.raises(BadMap, match="cannot be read"):
        read_map(tmp_path / "none.toml")


def test_a_column_that_the_heading_lacks_is_named_with_the_nearest(mapped):
    with pytest.raises(BadMap, match=r"map\.toml:9: columns\.settings\.size: .*did you mean 'sizes'"):
        mapped(GOOD).check_columns(["m", "file", "sizes"])


@pytest.mark.parametrize(
    ("text", "amount"), [("0,04", "0.04"), ("1.234,56", "1234.56"), ("7", "7"), ("-12.345", "-12345")]
)
def test_a_decimal_comma_is_read_where_the_map_says_so(mapped, text, amount):
    assert mapped(GOOD + "[csv]\ndecimal = ','\n").amount(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["0.04", "1,2,3", "1.2345", "1.23,4", "", "1e3", "NaN"])
def test_what_a_decimal_comma_makes_ambiguous_is_refused(mapped, text):
    with pytest.raises(InvalidOperation):
        mapped(GOOD + "[csv]\ndecimal = ','\n").amount(text)


@pytest.mark.parametrize("text", ["0,04", "1_000", "inf", "NaN", ""])
def test_with_a_point_nothing_else_is_an_amount(mapped, text):
    with pytest.raises(InvalidOperation):
        mapped(GOOD).amount(text)

"""The database of jobs: what its URL may be."""

from dataclasses import replace

import pytest

from registry.database import Database
from registry.errors import InvalidValue
from replay.jobs import Jobs


def test_a_port_that_is_no_number_is_refused_without_its_password(local_registry):
    url = "postgresql://someone:geheim@db.example.com:notaport/x"

    with pytest.raises(InvalidValue, match=r"jobs: .*notaport") as jobs:
        Jobs(replace(local_registry.settings, jobs=url))
    with pytest.raises(InvalidValue, match=r"database: .*notaport") as database:
        Database(url)

    assert "geheim" not in f"{jobs.value}{database.value}"

"""The audit of records against their log entries; what it finds in the log itself is in log/test_store.py."""

from registry.audit import audit
from registry.canonical import canonical


def test_a_record_logged_as_another_kind_is_named(local_registry):
    local_registry.append("annotation", canonical({"format": "mintmark/review/v1"}))

    faults = audit(local_registry).faults

    assert len(faults) == 1
    assert "logged as annotation, its format is mintmark/review/v1" in faults[0]

"""Hosts that may receive a key: exact names with their port, or any name below a domain."""

from collections.abc import Iterable


def host_allowed(netloc: str, hosts: Iterable[str]) -> bool:
    """Whether ``netloc`` (``name`` or ``name:port``) is one of ``hosts``; ``*.name`` there means any below name."""
    netloc = netloc.lower()
    return any(
        netloc == host.lower() or (host.startswith("*.") and netloc.endswith(host[1:].lower())) for host in hosts
    )

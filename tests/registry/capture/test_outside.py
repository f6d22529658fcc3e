"""Addresses in every spelling: none that lies inside is connected to, and what was looked at is what is used."""

import ipaddress
import socket

import httpcore2
import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.capture.hosts import inside, lies_inside
from registry.capture.outside import Inside, OutsideTransport, addresses_of, may_be_asked

INSIDE = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
    "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
]  # fmt: skip
INSIDE_6 = ["::1/128", "::/128", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "2001:db8::/32", "2001::/32"]
OUTSIDE = ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"]

inside_4 = st.sampled_from(INSIDE).flatmap(
    lambda network: st.integers(0, ipaddress.ip_network(network).num_addresses - 1).map(
        lambda n: ipaddress.ip_network(network)[n]
    )
)
inside_6 = st.sampled_from(INSIDE_6).flatmap(
    lambda network: st.integers(0, ipaddress.ip_network(network).num_addresses - 1).map(
        lambda n: ipaddress.ip_network(network)[n]
    )
)


def spellings(address):
    """One IPv4 address in the ways that resolvers and IPv6 know."""
    a, b, c, d = address.packed
    number = int(address)
    yield from (str(address), str(number), hex(number), oct(number).replace("0o", "0"))
    yield from (f"{a:#o}.{b:#o}.{c:#o}.{d:#o}".replace("0o", "0"), f"{a:#x}.{b:#x}.{c:#x}.{d:#x}")
    yield from (f"{a}.{b}.{(c << 8) + d}", f"{a}.{(b << 16) + (c << 8) + d}", f"0{a:o}.{b}.{c}.{d}")
    high, low = number >> 16, number & 0xFFFF
    yield from (f"::ffff:{address}", f"::ffff:{high:x}:{low:x}", f"64:ff9b::{high:x}:{low:x}", f"::{high:x}:{low:x}")
    yield f"2002:{high:x}:{low:x}::1"


def client(own="api.openai.com"):
    return httpx2.Client(trust_env=False, transport=OutsideTransport(own), timeout=2)


@pytest.fixture
def connected(monkeypatch):
    """Addresses that a connection was tried to; none is made."""
    tried = []

    def connect(self, host, port, *more):
        tried.append(host)
        raise httpcore2.ConnectError("no network here")

    monkeypatch.setattr(httpcore2.SyncBackend, "connect_tcp", connect)
    return tried


@given(address=inside_4)
@settings(deadline=None, max_examples=150)
def test_no_spelling_of_an_address_inside_counts_as_outside(address):
    for spelling in spellings(address):
        assert all(map(lies_inside, addresses_of(spelling))), spelling


@given(address=inside_6, zone=st.sampled_from(["", "%lo", "%1"]))
@settings(deadline=None, max_examples=100)
def test_nor_does_one_of_ipv6_with_a_zone_or_without(address, zone):
    assert lies_inside(f"{address}{zone}")


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_lies_outside_is_connected_to_as_it_is(address, connected):
    host = f"[{address}]" if ":" in address else address

    with pytest.raises(httpx2.ConnectError):
        client().get(f"http://{host}/")

    assert not lies_inside(address)
    assert [ipaddress.ip_address(one) for one in connected] == [ipaddress.ip_address(address)]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]",
             "[::ffff:7f00:1]", "169.254.169.254", "[fe80::1%25lo]", "[64:ff9b::7f00:1]", "0", "10.1", "LOCALHOST."]
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_nothing_is_asked_inside(host, scheme, connected):
    with pytest.raises((Inside, httpx2.HTTPError, httpx2.InvalidURL)):
        client().get(f"{scheme}://{host}:1/")

    assert connected == []


METADATA = ["169.254.169.254", "169.254.170.2", "fe80::1", "fe80::1%lo", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"]


@pytest.mark.parametrize(
    ("own", "shut", "opened"),
    [(["127.0.0.1"], ["10.0.0.1", "192.168.7.7", "172.16.0.1", "fd00:ec2::254", "0.0.0.0", "100.64.0.1"],
      ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"]),
     (["::1"], ["10.0.0.1"], ["127.0.0.1", "::1"]),
     (["192.168.1.5"], ["192.168.1.6", "10.0.0.1", "127.0.0.1", "::1"], ["192.168.1.5", "::ffff:192.168.1.5"]),
     (["93.184.215.14"], ["127.0.0.1", "10.0.0.1"], []),
     ([], ["127.0.0.1", "10.0.0.1"], []),
     (["169.254.169.254"], ["127.0.0.1", "10.0.0.1"], [])],
)  # fmt: skip
def test_a_provider_inside_opens_its_own_machine_and_nobody_elses(own, shut, opened):
    assert [one for one in [*shut, *METADATA] if may_be_asked(one, own)] == []
    assert all(may_be_asked(one, own) for one in [*opened, *OUTSIDE])


@pytest.mark.parametrize("own", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("host", ["192.168.7.7", "169.254.169.254", "[fe80::1]", "10.0.0.1"])
def test_nothing_beyond_this_machine_is_asked_for_a_provider_on_it(own, host, connected):
    with pytest.raises((Inside, httpx2.InvalidURL)):
        client(own).get(f"http://{host}/latest/meta-data")

    assert connected == []


def test_a_name_that_turns_inside_after_it_was_looked_at_gains_nothing(connected, monkeypatch):
    answers = iter([["93.184.215.14"], ["93.184.215.14"], ["127.0.0.1"], ["127.0.0.1"]])
    entry = lambda address: (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80))  # noqa: E731
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [entry(one) for one in next(answers)])

    with pytest.raises(httpx2.ConnectError):
        client().get("http://rebinding.example/")

    assert connected == ["93.184.215.14"]


def test_one_address_inside_among_several_is_enough(connected, monkeypatch):
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 80)) for one in ("93.184.215.14", "10.0.0.7")]
    answers = iter([entries, entries[:1]])
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: next(answers))

    with pytest.raises(Inside):
        client().get("http://two.example/")

    assert connected == []


def test_a_connection_is_made_where_it_may_be(emulator):
    assert client("127.0.0.1").get(f"{emulator.url('openai')}/v1/nothing").status_code == 401


@pytest.mark.parametrize("failure", [httpcore2.ConnectTimeout, httpcore2.ConnectError])
def test_an_address_that_does_not_answer_leaves_the_others_their_share_of_the_time(monkeypatch, emulator, failure):
    port = int(emulator.url("openai").split(":")[2].partition("/")[0])
    addresses = ["192.0.2.1", "192.0.2.2", "127.0.0.1"]  # the first two are nobody's
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]
    connect, given = httpcore2.SyncBackend.connect_tcp, []

    def connecting(self, host, port, timeout=None, *more):
        given.append(timeout)
        if host != "127.0.0.1":
            raise failure("nobody there")
        return connect(self, host, port, timeout, *more)

    monkeypatch.setattr(httpcore2.SyncBackend, "connect_tcp", connecting)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: entries)

    answer = httpx2.Client(trust_env=False, transport=OutsideTransport("127.0.0.1"), timeout=9).get(
        f"http://three.example:{port}/openai/v1/nothing"
    )

    assert answer.status_code in (401, 404)
    assert given[0] <= 3 and given[1] <= 4.5 and given[2] <= 9


def test_all_addresses_together_take_no_longer_than_one_may(monkeypatch):
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"1.1.1.{one}", 80)) for one in range(20)]
    now = [0.0]

    def swallowing(self, host, port, timeout=None, *more):
        now[0] += timeout
        raise httpcore2.ConnectTimeout

    monkeypatch.setattr("registry.capture.outside.time.monotonic", lambda: now[0])
    monkeypatch.setattr(httpcore2.SyncBackend, "connect_tcp", swallowing)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: entries)

    with pytest.raises(httpx2.ConnectTimeout):
        client().get("http://many.example/")

    assert now[0] == pytest.approx(2)


@pytest.mark.parametrize("address", ["100.64.0.1", "10.0.0.1", "[::ffff:192.168.0.1]", "[fec0::1]", "[fe80::1%25lo]"])
def test_a_described_address_lies_inside_by_the_same_rule(address):
    assert inside(f"http://{address}:8188/prompt")
    assert not inside("http://1.1.1.1/") and not inside("http://[64:ff9b::101:101]/")

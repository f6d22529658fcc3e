"""The emulator does what was planned: each fault with options of its own."""

import httpx2
import pytest


def asked(emulator):
    answer = httpx2.post(f"{emulator.url('openai')}/v1/images/generations", trust_env=False)
    return answer.status_code, answer.headers.get("retry-after") or answer.headers.get("location")


@pytest.mark.parametrize("times", [1, 2])
def test_a_second_fault_of_a_kind_is_told_with_its_own_options(emulator, times):
    emulator.misbehave("429", method="POST", times=times)
    emulator.misbehave("429", method="POST", retry_after=500)
    emulator.misbehave("redirect", to="/one")
    emulator.misbehave("redirect", to="/two")

    got = [asked(emulator) for _ in range(times + 3)]

    assert got == [(429, None)] * times + [(429, "500"), (302, "/one"), (302, "/two")]

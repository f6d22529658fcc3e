"""Who makes a call, told by machine, boot and process; and what became of them."""

import os
import platform

import pytest

from registry.journal.owners import fate_of, this_process
from registry.processes import host_of


@pytest.fixture
def system(tmp_path):
    """The host that a system with these files is: ``system(boot="b", namespace=…, machine=…)``."""

    def told(boot="boot-1", namespace="pid:[4026531836]", machine="0123abcd", node="studio"):
        folder = tmp_path / os.urandom(4).hex()
        (folder / "proc/sys/kernel/random").mkdir(parents=True)
        (folder / "proc/self/ns").mkdir(parents=True)
        (folder / "proc/sys/kernel/random/boot_id").write_text(f"{boot}\n")
        (folder / "proc/self/ns/pid").symlink_to(namespace)
        if machine is not None:
            (folder / "machine-id").write_text(f"{machine}\n")
        return host_of(node, folder / "proc", folder)

    return told


def test_a_machine_stays_the_same_over_boots_and_a_container_does_not(system):
    before, after = system(boot="boot-1"), system(boot="boot-2")
    inside = [system(boot=boot, namespace=f"pid:[{n}]") for boot in ("boot-1", "boot-2") for n in (1, 2)]
    others = [system(machine="9"), system(machine=None), system(node="render")]
    machines = {host.rpartition(".")[0] for host in [before, *inside, *others]}

    assert before != after and before.rpartition(".")[0] == after.rpartition(".")[0]
    assert system() == before and len(machines) == 1 + len(inside) + len(others)


def test_an_owner_fits_its_column_however_long_the_name_of_the_machine(system):
    host = system(node="a-very-long-name-of-a-machine.example.org:with:colons")

    assert host.count(":") == 0 and len(f"{host}:4194304:{2**53}.12") <= 64


def test_what_an_earlier_boot_ran_is_gone(database, tmp_path):
    (tmp_path / "proc/sys/kernel/random").mkdir(parents=True)
    (tmp_path / "proc/sys/kernel/random/boot_id").write_text("an earlier one\n")
    (tmp_path / "proc/self").symlink_to("/proc/self")
    start = this_process().rsplit(":", 1)[1]

    before = f"{host_of(platform.node(), tmp_path / 'proc')}:{os.getpid()}:{start}"

    assert fate_of(database, before) == "gone", "even where a process of that number and start runs now"
    assert fate_of(database, f"{host_of('another')}:{os.getpid()}:{start}") == "unknown"


def test_an_owner_lives_is_stopped_or_is_gone(database):
    here = this_process()
    host, pid, _ = here.rsplit(":", 2)
    child = os.fork()
    if child == 0:
        os.kill(os.getpid(), 19)  # SIGSTOP
        os._exit(0)
    os.waitpid(child, os.WUNTRACED)
    with open(f"/proc/{child}/stat") as stat_file:
        start = stat_file.read().rpartition(")")[2].split()[19]

    assert len(here) <= 64 and pid == str(os.getpid())
    assert fate_of(database, here) == "alive"
    assert fate_of(database, f"{host}:{child}:{start}") == "gone", "it was stopped: nobody knows whether it goes on"
    assert fate_of(database, f"{host}:{child}:1") == "gone", "another process had this number"
    os.kill(child, 9)
    os.waitpid(child, 0)
    assert fate_of(database, f"{host}:{child}:{start}") == "gone"
    assert fate_of(database, "elsewhere:12:34") == "unknown"
    assert fate_of(database, "worker-7") == "gone", "a worker without a heartbeat"

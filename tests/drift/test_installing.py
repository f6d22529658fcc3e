"""The line that installs what is missing works where it is printed."""

import shlex
import subprocess

from drift.installing import install_line


def test_the_line_reaches_this_environment_though_it_may_have_no_pip():
    words = shlex.split(install_line("mintmark"))

    done = subprocess.run([*words, "--dry-run", "--no-deps", "--no-index"], capture_output=True, text=True, timeout=120)

    assert done.returncode == 0 and "already satisfied: mintmark" in done.stdout, done.stderr
    assert shlex.split(install_line("mintmark[c2pa]"))[-1] == "mintmark[c2pa]"

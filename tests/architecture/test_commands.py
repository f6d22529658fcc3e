"""Every command has help, says its exit statuses, and stands in docs/commands.md with examples that parse."""

import re
import shlex
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest

from registry.cli import GROUP, program

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "commands.md").read_text("utf-8")


def every():
    """Name and command of each command, groups and what is in them."""
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        command = entry.load()
        yield entry.name, command
        inside = getattr(command, "commands", {})  # of a group, or of a command that leads to others
        yield from ((f"{entry.name} {name}", inner) for name, inner in sorted(inside.items()))


COMMANDS = dict(every())
LEAVES = {name: command for name, command in COMMANDS.items() if not isinstance(command, click.Group)}


def sections():
    """The text under each command's heading."""
    parts = re.split(r"^#+ `mintmark ([a-z ]+)`$", PAGE, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def options_of(command):
    return [max(one.opts, key=len) for one in command.params if isinstance(one, click.Option) and not one.is_eager] + [
        name for one in command.params if isinstance(one, click.Option) for name in one.secondary_opts
    ]


def test_every_command_has_a_section_and_no_section_is_about_nothing():
    assert set(sections()) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_help_for_itself_and_for_each_option(name):
    command = COMMANDS[name]

    assert command.help and command.get_short_help_str()
    unexplained = [one.name for one in command.params if isinstance(one, click.Option) and not one.help]
    assert [one for one in unexplained if one not in ("limit", "form", "disclose")] == []


@pytest.mark.parametrize("name", LEAVES)
def test_a_command_says_its_exit_statuses(name):
    assert "exit status" in LEAVES[name].help.lower()


@pytest.mark.parametrize("name", LEAVES)
def test_every_option_is_shown_in_the_commands_section(name):
    told = sections()[name]

    missing = [option for option in options_of(LEAVES[name]) if option not in told and option != "--json"]
    assert missing == []
    assert "$ mintmark " + name in told, "a section without an example"


EXAMPLES = re.findall(r"^\$ mintmark (.*)$", PAGE, flags=re.M)


@pytest.mark.parametrize("line", EXAMPLES)
def test_every_example_parses(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("trust.txt", "hero.png", "other.png", "audit.zip", "kept-checkpoint"):
        (tmp_path / name).touch()
    words = shlex.split(line.partition(" > ")[0])
    command, rest = program.get_command(click.Context(program), words[0]), words[1:]
    assert command is not None
    if isinstance(command, click.Group):
        command, rest = command.commands[rest[0]], rest[1:]

    command.make_context("mintmark", list(rest))  # raises where an argument or option is wrong


def test_the_program_lists_exactly_the_commands_that_are_registered():
    assert program.list_commands(click.Context(program)) == sorted(name for name in COMMANDS if " " not in name)

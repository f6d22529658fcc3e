"""What every source file owes: its size, its name, its first line; and what no tracked file may hold."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for name in ("drift", "registry", "replay") for path in (ROOT / name).rglob("*.py"))
FORBIDDEN = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc", "core"}
LONGEST = 400


def tracked():
    """Every text file that git knows, or would take in."""
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("needs git and a checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if name and path.is_file():
            try:
                yield name, path.read_text("utf-8")
            except UnicodeDecodeError:
                continue


def test_no_module_is_longer_than_its_first_line_says():
    long = {}
    for path in SOURCES:
        lines = path.read_text("utf-8").splitlines()
        if len(lines) > LONGEST and "lines" not in lines[0]:
            long[str(path.relative_to(ROOT))] = len(lines)

    assert long == {}


def test_no_function_is_longer_than_sixty_lines():
    long = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                docstring = ast.get_docstring(node, clean=False)
                length = node.end_lineno - node.lineno + 1 - (docstring.count("\n") + 1 if docstring else 0)
                if length > 60:
                    long[f"{path.relative_to(ROOT)}:{node.name}"] = length

    assert long == {}


def test_every_module_says_in_one_line_what_it_is_for():
    silent = []
    for path in SOURCES:
        text = path.read_text("utf-8")
        if not text.strip():
            continue
        docstring = ast.get_docstring(ast.parse(text))
        if not docstring or not docstring.splitlines()[0].rstrip().endswith((".", "?", ":")):
            silent.append(str(path.relative_to(ROOT)))

    assert silent == []


def test_no_module_has_a_name_that_says_nothing():
    named = [
        str(path.relative_to(ROOT)) for path in SOURCES if FORBIDDEN & set(path.relative_to(ROOT).with_suffix("").parts)
    ]

    assert named == []


def test_tests_are_no_packages_and_helpers_have_their_own_names():
    assert [str(path) for path in (ROOT / "tests").rglob("__init__.py")] == []


# Spelled in pieces, so that this file does not hold what it looks for.
MACHINE = re.compile(
    "|".join(["/" + "home/[a-z]", "/" + "Users/[A-Za-z]", r"C:\\" + "Users", "/" + "work/", "/" + "root/"])
)
HOSTS = re.compile(
    "|".join(
        ["py" + r"pi\.org", "python" + r"hosted\.org", "artifact" + "ory", "npm" + r"js\.(org|com)", "mirror" + r"s?\."]
    )
)


def test_no_tracked_file_names_a_machines_folders_or_a_package_host():
    found = []
    for name, text in tracked():
        for number, line in enumerate(text.splitlines(), 1):
            if MACHINE.search(line) or HOSTS.search(line):
                found.append(f"{name}:{number}: {line.strip()[:100]}")

    assert found == []


def test_layers_hold():
    program = Path(sys.executable).with_name("lint-imports")
    if not program.exists():
        pytest.skip("import-linter is not installed; `make setup` does")

    done = subprocess.run([str(program), "--no-cache"], cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def test_only_commands_import_inside_functions():
    late = []
    for path in SOURCES:
        if "commands" in path.parts or path.name == "commands.py":
            continue
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                late += [
                    f"{path.relative_to(ROOT)}:{node.lineno}"
                    for node in ast.walk(function)
                    if isinstance(node, ast.Import | ast.ImportFrom)
                ]

    assert late == []

"""Runs every benchmark and prints one table; ``--json FILE`` keeps the rows, names given on the command line select.

Run: ``make bench``, or ``.venv/bin/python benchmarks/run.py registry drift``.
"""

import argparse
import importlib
import json
import sys
from pathlib import Path

NAMES = ("registry", "http", "capture", "drift", "log", "suites", "jobs")


def main() -> int:
    """Measure, print, and say by the exit status whether every figure holds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("names", nargs="*", choices=[[], *NAMES], help="which ones; all where left out")
    options.add_argument("--json", type=Path, help="write the rows to a file")
    given = options.parse_args()
    sys.path.insert(0, str(Path(__file__).parent))
    rows = []
    for name in given.names or NAMES:
        for row in importlib.import_module(f"bench_{name}").rows():
            rows.append(row)
            show(row)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    missed = [row["figure"] for row in rows if not row["ok"]]
    print(
        f"{len(rows) - len(missed)} of {len(rows)} figures hold" + (f"; missed: {', '.join(missed)}" if missed else "")
    )
    return 1 if missed else 0


def show(row: dict) -> None:
    """Print one line as soon as it is measured."""
    ours = "" if row["ours_ms"] is None else f"{row['ours_ms']:.3f} ms"
    peer = "" if row["peer_ms"] is None else f"{row['peer']} {row['peer_ms']:.3f} ms, ratio {row['ratio']}"
    print(f"{'ok  ' if row['ok'] else 'MISS'}  {row['figure']:<46} {ours:>14}  {row['limit']!s:<11} {peer}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

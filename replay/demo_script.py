"""The home-made check that the demo holds mintmark against: a sheet of prompts and pHashes, and a limit."""

import csv
from pathlib import Path

import imagehash
from PIL import Image

LIMIT = 10  # bits of 64: the pHash distance at which such a script says "changed"


class Sheet:
    """A CSV file with one row per picture: id, prompt, pHash. What it answers is counted, not claimed."""

    def __init__(self, path: Path, pictures: list[tuple[str, str, Path]]) -> None:
        self.path = path
        self._files = {name: file for name, _, file in pictures}
        self._write([[name, prompt, str(_phash(file))] for name, prompt, file in pictures])

    def near(self, picture: Path) -> tuple[int, int]:
        """How many rows lie within the limit of a picture, and how near the nearest lies, in bits."""
        wanted = _phash(picture)
        distances = [int(wanted - imagehash.hex_to_hash(code)) for _, _, code in self._rows()]
        return sum(distance <= LIMIT for distance in distances), min(distances)

    def check(self) -> int:
        """How many rows no longer fit their file."""
        return sum(_phash(self._files[name]) - imagehash.hex_to_hash(code) > LIMIT for name, _, code in self._rows())

    def erase(self, prompt: str) -> int:
        """Delete the rows of a prompt; returns how many rows still tell that their pictures were generated."""
        gone = [name for name, text, _ in self._rows() if text == prompt]
        self._write([row for row in self._rows() if row[1] != prompt])
        return sum(name in gone for name, _, _ in self._rows())

    def change_a_byte(self) -> None:
        """Change one letter of the first prompt, as a careless or a dishonest hand would."""
        rows = self._rows()
        rows[0][1] = ("b" if rows[0][1][0] == "a" else "a") + rows[0][1][1:]
        self._write(rows)

    def _rows(self) -> list[list[str]]:
        with self.path.open(newline="", encoding="utf-8") as sheet:
            return list(csv.reader(sheet))

    def _write(self, rows: list[list[str]]) -> None:
        with self.path.open("w", newline="", encoding="utf-8") as sheet:
            csv.writer(sheet).writerows(rows)


def _phash(path: Path) -> imagehash.ImageHash:
    with Image.open(path) as picture:
        return imagehash.phash(picture)

"""The manual's picture of a run's page, made anew where MINTMARK_UPDATE_PICTURES=1 asks for it."""

import io
import os
from pathlib import Path

import pytest
from PIL import Image

from registry.home import create
from registry.journal.runs import Runs
from registry.settings import Settings
from replay.calibrating import calibrate
from replay.generating import Ask, generate
from replay.report.html import write
from replay.report.pictures import Shown
from replay.suites.driving import drive
from replay.suites.file import parse_suite
from replay.suites.planning import Asked, plan_of
from replay.suites.selecting import Lock
from replay.suites.wanting import beginning

PICTURE = Path(__file__).parents[3] / "docs" / "pictures" / "run-report.jpg"
SUITE = b"""
format: mintmark/suite/v1
name: storefront-images
select: [{labels: {golden: "true"}}]
target: {model: procedural-image@2}
"""
MADE = [("none", "a lighthouse above a stormy sea at dusk"), ("seeded", "sun over desert dunes"),
        ("free", "a forest at dawn"), ("free", "calm sea at noon"), ("free", "rolling hills in summer"),
        ("free", "a mountain lake at first light"), ("free", "city lights at night")]  # fmt: skip


@pytest.mark.skipif(os.environ.get("MINTMARK_UPDATE_PICTURES") != "1", reason="only where pictures are wanted anew")
def test_the_page_of_a_changed_model(browser, tmp_path):
    registry, _ = create(Settings(home=tmp_path / ".mintmark", actor="tester"))
    ids = []
    for seed, (noise, prompt) in enumerate(MADE):
        settings = {"width": 320, "height": 200, "noise": noise}
        ids.append(
            generate(
                registry, Ask("procedural", "procedural-image@1", prompt=prompt, seed=str(seed), settings=settings)
            ).id
        )
        calibrate(registry, ids[-1], {"none": 3, "seeded": 13, "free": 5}[noise])
    suite = parse_suite(tmp_path / "suite.yaml", SUITE)
    plan = plan_of(registry, suite, Lock(tuple(ids), "0" * 64), Asked())
    runs = Runs(registry.catalog.database)
    run = runs.create(
        plan.suite.name, plan.to_json(), [(one.manifest, one.ordinal, one.purpose) for one in beginning(plan)]
    )
    result = drive(registry, run, jobs=2).result

    write(result, tmp_path / "report.html", Shown(registry))

    page = browser.new_page(viewport={"width": 1080, "height": 1500}, color_scheme="light")
    page.goto((tmp_path / "report.html").as_uri())
    shot = Image.open(io.BytesIO(page.screenshot()))
    shot.convert("RGB").save(PICTURE, quality=72, optimize=True)
    page.close()
    registry.close()
    assert result["exit_code"] == 1 and PICTURE.stat().st_size < 200_000

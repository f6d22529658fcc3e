"""Family one: landscapes of 1/f noise under a sky, with a ball; continuous tone, fine texture, grain."""

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Scene:
    """What a prompt fixes; every sample draws the rest."""

    sky: np.ndarray
    low: np.ndarray
    high: np.ndarray
    roughness: float
    horizon: float
    clouds: float
    ball: float
    hue: float
    grain: float
    fields: int


def scene(rng):
    """A prompt: palette, roughness, horizon and the ball's size and hue."""
    sky = (np.array([90, 130, 180]) + rng.uniform(-60, 60, 3)).astype(np.float32)
    low, high = ((np.array([110, 100, 70]) + rng.uniform(-70, 70, 3)).astype(np.float32) for _ in range(2))
    return Scene(
        sky, low, high, rng.uniform(0.8, 1.6), rng.uniform(0.3, 0.6), rng.uniform(0.1, 0.6),
        rng.uniform(0.09, 0.16), rng.uniform(0, 180), rng.uniform(1, 4), int(rng.integers(1 << 30)),
    )  # fmt: skip


def _cloud(rng, size, roughness):
    """A periodic noise field whose amplitude falls with frequency to the power of ``roughness``, mean 0, sd 1."""
    y, x = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None]
    radius = np.maximum(np.hypot(y, x).astype(np.float32) * size, 1)
    waves = np.fft.rfft2(rng.standard_normal((size, size), np.float32)) / radius ** np.float32(roughness)
    waves[0, 0] = 0
    field = np.fft.irfft2(waves, s=(size, size))
    return ((field - field.mean()) / field.std()).astype(np.float32)


def sample(rng, scene, *, variety=1.0, fields=1.0, hue=0.0, absent=0.0, size=256):
    """uint8 RGB; ``variety`` scales places, shapes and light, ``fields`` how far land and clouds are drawn anew.

    ``hue`` turns the ball's (degrees), ``absent`` is how often there is none.
    """

    def jitter(spread):
        return rng.normal() * spread * variety

    land = _mixed(rng, scene.fields, size, scene.roughness + jitter(0.1), fields)
    air = _mixed(rng, scene.fields + 1, size, 1.7 + jitter(0.1), fields)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    heights = scene.horizon + jitter(0.04) + rng.normal(0, 0.06 * variety, 6)
    ridge = np.interp(x[0], np.linspace(0, 1, 6), heights).astype(np.float32)
    slope = np.gradient(land, axis=1) * np.float32((2 + jitter(0.3)) * size / 256)
    blend = np.clip(0.5 + 0.28 * land, 0, 1)[..., None]
    shade = np.clip(1 + 0.35 * slope, 0.3, 1.7)[..., None]
    ground = (scene.low * (1 - blend) + scene.high * blend) * shade
    veil = np.clip(np.float32(scene.clouds + jitter(0.08)) + np.float32(0.25) * air, 0, 1)[..., None]
    above = (scene.sky * (0.7 + 0.5 * y[..., None])) * (1 - veil) + 225 * veil
    edge = np.clip((y - ridge[None]) * size / 3, 0, 1)[..., None]
    picture = above * (1 - edge) + ground * edge
    ball = hue + jitter(4), 0.5 + jitter(0.12), 0.62 + jitter(0.07), 1 + jitter(0.1)
    if rng.random() >= absent:
        picture = _with_ball(picture, scene, *ball)
    light = np.float32(1 + jitter(0.05) + np.array([1, 0, -1]) * jitter(0.02))
    picture = picture * light + np.float32(scene.grain) * rng.standard_normal((size, size, 1), np.float32)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def _mixed(rng, fixed, size, roughness, share):
    """A field that differs between samples with ``share`` of the usual deviation, around one the prompt fixes."""
    fresh = _cloud(rng, size, roughness)
    if share == 1:
        return fresh
    own = _cloud(np.random.default_rng(fixed), size, roughness)
    return share * fresh + np.float32((1 - share**2) ** 0.5) * own


def _with_ball(picture, scene, hue, across, down, scale):
    size = picture.shape[0]
    tint = np.uint8([[[(scene.hue + hue / 2) % 180, 190, 215]]])
    colour = cv2.cvtColor(tint, cv2.COLOR_HSV2RGB)[0, 0].astype(np.float32)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    radius = scene.ball * scale
    away = np.hypot(x - across, y - down) / radius
    lit = np.clip(1.1 - 0.5 * np.hypot(x - across + radius / 3, y - down + radius / 3) / radius, 0.2, 1)[..., None]
    cover = np.clip((1 - away) * radius * size / 2, 0, 1)[..., None]
    return picture * (1 - cover) + colour * lit * cover

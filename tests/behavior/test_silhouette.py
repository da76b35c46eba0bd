"""Silhouettes, appearance and background on drawn shapes with known answers."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from behavior.appearance import learn_appearance
from behavior.background import high_level, level_without
from behavior.outlines import Outlines, Silhouette, outlines
from behavior.region import Region
from behavior.scene import learn_scene
from behavior.silhouette import find_blobs, make_cuts

EVERYWHERE = np.full((120, 160), 255, np.uint8)


def pictures(count=12, *, dark=True, noise=1.5, contrast=120):
    """Small pictures with one ellipse at changing places."""
    rng = np.random.default_rng(2)
    stack = []
    for k in range(count):
        picture = np.full((120, 160), 160.0)
        place = (30 + 9 * k, 60 + int(25 * np.sin(k)))
        cv2.ellipse(picture, place, (14, 7), 25 * k, 0, 360, 160 - contrast, -1)
        picture += rng.normal(0, noise, picture.shape)
        stack.append(np.clip(picture if dark else 255 - picture, 0, 255).astype(np.uint8))
    return np.stack(stack)


@pytest.mark.parametrize("dark", [True, False])
def test_polarity_level_and_size_are_learned(dark):
    """Darker or lighter, brightness, area and length come from the pictures alone."""
    found = learn_appearance(pictures(dark=dark), EVERYWHERE)
    assert found is not None
    assert found.dark == dark
    assert found.seen.all()
    assert found.level == pytest.approx(40, abs=4)
    assert found.area_px == pytest.approx(np.pi * 14 * 7, rel=0.15)
    assert found.length_px == pytest.approx(28, rel=0.1)


def test_noise_alone_is_no_subject():
    """Pictures of noise have no subject; neither has a scene of nothing."""
    rng = np.random.default_rng(0)
    noise = np.clip(rng.normal(120, 5, (12, 120, 160)), 0, 255).astype(np.uint8)
    assert learn_appearance(noise, EVERYWHERE) is None
    assert learn_scene([np.full((120, 160), 90, np.uint8)] * 5, Region()) is None


def test_high_level_is_the_floor_where_the_subject_sat_often():
    """A dark subject in 13 of 16 pictures at one place leaves the floor there."""
    stack = np.full((16, 20, 20), 150, np.uint8)
    stack[:13, 5:10, 5:10] = 30
    assert (high_level(stack, np.ones(16)) == 150).all()


def test_level_without_takes_the_light_out():
    """Brightness of each picture does not show in the level."""
    gain = np.array([0.8, 1.0, 1.2, 1.0])
    stack = np.stack([np.full((6, 6), round(100 * g), np.uint8) for g in gain])
    level = level_without(stack, gain, np.zeros_like(stack), stack[0])
    assert np.abs(level.astype(int) - 100).max() <= 1


def body_with_tail(angle, *, tail=True, fine=8):
    """Egg 40 x 16 px, thin end ahead, tail behind, edges blurred by half a px."""
    size = 160
    u = np.linspace(-1, 1, 121)
    half = 8 * np.sqrt(1 - u**2) * (1 - 0.35 * u)
    shape = np.concatenate([np.stack([20 * u, half], 1), np.stack([20 * u, -half], 1)[::-1]])
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    cover = np.zeros((size * fine, size * fine), np.uint8)
    middle = np.array([80.3, 79.6])
    cv2.fillPoly(cover, [np.round((shape @ turn + middle + 0.5) * fine).astype(np.int32)], 255)
    if tail:
        line = np.array([(-18, 0), (-50, 3)]) @ turn + middle
        cv2.polylines(cover, [np.round((line + 0.5) * fine).astype(np.int32)], False, 255, 2 * fine)
    share = cv2.resize(cover, (size, size), interpolation=cv2.INTER_AREA) / 255
    ends = np.array([(20, 0), (-20, 0)]) @ turn + middle
    weight = np.trapezoid(u * half, u) / np.trapezoid(half, u) * 20
    centroid = np.array([weight, 0]) @ turn + middle
    return (180 - 150 * share).astype(np.uint8), centroid, ends


def one(values: Outlines, k=0) -> Outlines:
    """What silhouette k tells."""
    return Outlines(*(value[k] for value in values))


@pytest.mark.parametrize("angle", np.linspace(0, 2 * np.pi, 9)[:-1])
def test_body_centre_ends_and_tail(angle):
    """Centroid of the body without the tail to 0.6 px, both ends to 2 px, tail on the right side."""
    picture, centroid, (nose, base) = body_with_tail(angle)
    cuts = make_cuts(np.full_like(picture, 180), 30.0)
    (blob,) = find_blobs(picture, cuts.core, length=40)
    shape = one(outlines([Silhouette(picture, cuts, blob)], length=40))
    assert np.hypot(*(shape.centre - centroid)) < 0.6
    ahead = (np.cos(shape.angle), np.sin(shape.angle))
    forward = np.dot(ahead, nose - base) > 0
    front, back = (shape.front, shape.back_base) if forward else (shape.back, shape.front_base)
    assert np.hypot(*(front - nose)) < 2.5
    assert np.hypot(*(back - base)) < 2.5
    assert (shape.tail < 0) == forward
    assert abs(shape.tail) > 0.4
    assert (shape.skew > 0) == forward


def test_without_a_tail_none_is_found():
    """A body alone has no tail; its centre is the same."""
    picture, centroid, _ = body_with_tail(0.4, tail=False)
    cuts = make_cuts(np.full_like(picture, 180), 30.0)
    (blob,) = find_blobs(picture, cuts.core, length=40)
    shape = one(outlines([Silhouette(picture, cuts, blob)], length=40))
    assert shape.tail == 0
    assert np.hypot(*(shape.centre - centroid)) < 0.35


def test_a_pale_reflection_beside_the_body_stays_out():
    """A mirror image half as dark, touching the body, does not draw the centre."""
    picture, centroid, _ = body_with_tail(0.0, tail=False)
    mirrored = np.flipud(picture)
    reflection = np.roll((180 - 0.55 * (180.0 - mirrored)).astype(np.uint8), -16, axis=0)
    together = np.minimum(picture, reflection)
    cuts = make_cuts(np.full_like(picture, 180), 30.0)
    blob = find_blobs(together, cuts.core, length=40)[0]
    shape = one(outlines([Silhouette(together, cuts, blob)], length=40))
    assert np.hypot(*(shape.centre - centroid)) < 1.5


def test_silhouettes_measured_together_are_as_if_alone():
    """Pictures of different sizes that bodies and tails fill to the edge do not disturb each other."""
    silhouettes = []
    for k in range(7):
        picture, _, _ = body_with_tail(k, tail=k % 3 > 0)
        rows, columns = np.nonzero(picture < 100)
        picture = picture[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].copy()
        cuts = make_cuts(np.full_like(picture, 180), 30.0)
        silhouettes.append(Silhouette(picture, cuts, find_blobs(picture, cuts.core, length=40)[0]))
    together = outlines(silhouettes, length=40)
    for k, silhouette in enumerate(silhouettes):
        alone = one(outlines([silhouette], length=40))
        for name, value in one(together, k)._asdict().items():
            np.testing.assert_allclose(value, getattr(alone, name), atol=1e-9, err_msg=f"{name} of {k}")
    assert (together.tail != 0).tolist() == [k % 3 > 0 for k in range(7)]


def test_where_nothing_is_known_nothing_is_found():
    """Where the scene is 0 there is no subject, however dark the picture."""
    assert find_blobs(np.zeros((60, 60), np.uint8), np.zeros((60, 60), np.uint8), length=20) == []

"""Signed distances of virtual bones: true where geometry says what they are, and blind to where and how a bone stands."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from onclair.virtual.bone_anatomy import FAR_MM, Cone, Frame, Window, ellipsoid, filled, join_cones, smooth_min, turned
from onclair.virtual.bone_vertebra import random_vertebra
from onclair.virtual.lesion_shapes import random_shape
from onclair.virtual.scanner import cupping, kernel_of_width, streaks

degrees = st.floats(-180, 180)
millimetres = st.floats(-30, 30)
seeds = st.integers(0, 10_000)


@given(degrees, degrees, degrees, st.tuples(millimetres, millimetres, millimetres), st.tuples(millimetres, millimetres, millimetres))
def test_a_point_of_a_bone_comes_back_from_the_world(a, b, c, centre, place):
    frame = Frame(centre, turned(x=a, y=b, z=c))
    back = frame.own(tuple(np.float32(v).reshape(1, 1, 1) for v in frame.world(place)))
    assert np.allclose([v.item() for v in back], place, atol=1e-3)


@given(seeds, degrees, degrees)
def test_the_volume_of_a_cone_does_not_depend_on_how_it_is_turned(seed, a, b):
    rng = np.random.default_rng(seed)
    cone = Cone((-6.0, 0.0, 0.0), (6.0, 1.0, 2.0), float(rng.uniform(2, 4)), float(rng.uniform(2, 4)))
    window = Window((-14.0, -14.0, -14.0), (0.8, 0.8, 0.8), (36, 36, 36))
    volumes = []
    for frame in (Frame((0.0, 0.0, 0.0)), Frame((0.3, 0.1, -0.2), turned(x=a, y=b))):
        found = np.full(window.shape, np.float32(FAR_MM))
        join_cones(found, window, frame, [cone], 0.0)
        volumes.append(float(filled(found, 0.8).sum()))
    assert abs(volumes[0] / volumes[1] - 1) < 0.03


@given(st.tuples(*[st.floats(2, 9)] * 3))
def test_an_ellipsoid_fills_what_its_radii_say(radii):
    window = Window((-10.0, -10.0, -10.0), (0.5, 0.5, 0.5), (41, 41, 41))
    volume = filled(ellipsoid(window.points(), (0.0, 0.0, 0.0), radii), 0.5).sum() * 0.125
    assert abs(volume / (4 / 3 * np.pi * np.prod(radii)) - 1) < 0.05


@given(seeds, st.sampled_from(["smooth", "lobed", "spiculated"]), st.floats(4, 40))
def test_a_lesion_lies_in_its_box_and_is_about_as_large_as_asked(seed, style, diameter):
    shape = random_shape((0.0, 0.0, 0.0), diameter, style, np.random.default_rng(seed))
    reach, step = 1.25 * diameter, diameter / 24
    n = int(2 * reach / step) + 1
    window = Window((-reach,) * 3, (step,) * 3, (n, n, n))
    distance = shape.distance(window.points())
    outside = np.ones(window.shape, bool)
    outside[window.around(*shape.box())] = False
    assert distance[outside].min(initial=1.0) > 0
    volume = (distance < 0).sum() * step**3
    assert 0.7 * diameter < (6 * volume / np.pi) ** (1 / 3) < 1.3 * diameter


@given(seeds, st.sampled_from(["T11", "L1", "L3"]))
def test_a_vertebra_lies_in_its_box_and_holds_its_body(seed, level):
    rng = np.random.default_rng(seed)
    bone = random_vertebra(level, Frame((0.0, 0.0, 0.0), turned(x=float(rng.normal(0, 8)))), 1.0, rng)
    window = Window((-80.0, -60.0, -60.0), (4.0, 4.0, 4.0), (41, 41, 31))
    distance = bone.distance(window)
    outside = np.ones(window.shape, bool)
    outside[window.around(*bone.box())] = False
    assert distance[outside].min() > 0
    a, b, c = bone.half_mm
    ml = (distance < 0).sum() * 0.064
    assert ml > 0.7 * np.pi * a * b * 2 * c / 1000


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(0.5, 8))
def test_a_smooth_union_is_never_smaller_than_the_sharp_one(one, two, width):
    joined = float(smooth_min(np.float32([one]), np.float32([two]), width)[0])
    assert min(one, two) - width / 4 - 1e-4 <= joined <= min(one, two) + 1e-4


@given(st.floats(0.6, 1.4), st.floats(0, 0.8))
def test_a_kernel_keeps_the_mean_and_cuts_off_the_finest(width, overshoot):
    kernel = kernel_of_width("k", width, overshoot=overshoot)
    frequency = np.linspace(0, 3, 400)
    transfer = kernel.transfer(frequency)
    assert transfer[0] == 1.0
    assert transfer[-1] < 0.01
    assert (transfer.max() > 1.0) == (overshoot > 0.33) or abs(overshoot - 0.33) < 0.2


@given(st.floats(0.6, 1.4))
def test_the_point_spread_of_a_plain_kernel_is_as_wide_as_its_name_says(width):
    n, step = 512, 0.05
    transfer = kernel_of_width("k", width).transfer(np.abs(np.fft.fftfreq(n, step)))
    spread = np.fft.fftshift(np.real(np.fft.ifft(transfer)))
    assert abs((spread > spread.max() / 2).sum() * step - width) < 2 * step


@given(st.floats(0, 30))
def test_cupping_leaves_the_mean_of_a_large_slice_and_lowers_its_middle(depth):
    bowl = cupping((101, 101), depth)
    assert abs(bowl.mean()) < 0.4 * depth + 1e-9
    assert bowl[50, 50] <= bowl[0, 50] <= bowl[0, 0]


@given(seeds)
def test_streaks_run_along_the_slice_and_are_as_strong_as_asked(seed):
    sigma = np.array([0.0, 10.0, 40.0])
    drawn = streaks((120, 200, 3), sigma, np.random.default_rng(seed))
    assert (drawn[:, :, 0] == 0).all()
    assert 0.7 * 40 < drawn[:, :, 2].std() < 1.3 * 40
    along = np.corrcoef(drawn[:-1, :, 2].ravel(), drawn[1:, :, 2].ravel())[0, 1]
    across = np.corrcoef(drawn[:, :-1, 2].ravel(), drawn[:, 1:, 2].ravel())[0, 1]
    assert along > 0.95
    assert abs(across) < 0.35

import numpy as np
import pytest

from bot.demo.shop.drawing import draw, frame, tags


def pixels(number, width=256, height=256):
    return np.asarray(draw(number, width, height)).astype(int)


def test_the_same_number_is_the_same_bag():
    for number in (1, 7, 10**9):
        assert draw(number, 200, 240).tobytes() == draw(number, 200, 240).tobytes()
        assert tags(number) == tags(number)
        assert frame(number) == frame(number)


def test_different_numbers_are_different_bags():
    assert len({draw(number, 64, 64).tobytes() for number in range(60)}) == 60


@pytest.mark.parametrize("size", [(512, 512), (480, 600), (600, 480), (64, 64), (260, 17)])
def test_the_picture_has_the_size_asked_for_and_a_white_frame(size):
    picture = draw(5, *size)
    assert picture.size == size
    assert picture.mode == "RGB"
    border = np.asarray(picture)
    assert (np.concatenate([border[0], border[-1], border[:, 0], border[:, -1]]) == 255).all()


def test_the_bag_is_centered_and_fills_about_three_quarters_of_the_frame():
    for number in range(80):
        inked = (pixels(number).min(axis=2) < 215).nonzero()
        spans = [axis.max() - axis.min() for axis in inked]
        middles = [(axis.max() + axis.min()) / 2 for axis in inked]
        assert 0.7 < max(spans) / 256 < 0.85
        assert all(abs(middle - 128) < 16 for middle in middles)


def test_the_shop_has_many_kinds_colors_and_frames():
    all_tags = [tags(number) for number in range(300)]
    assert len({tag.category for tag in all_tags}) >= 6
    assert len({tag.color for tag in all_tags}) >= 20
    assert len({tag.brand for tag in all_tags}) >= 6
    assert all(tag.price > 0 and tag.price % 5 == 0 and len(tag.currency) == 3 for tag in all_tags)
    shapes = {(width > height) - (width < height) for width, height in map(frame, range(300))}
    assert shapes == {-1, 0, 1}


def test_the_picture_has_the_color_of_its_tag():
    navy = next(number for number in range(999) if tags(number).title.startswith("Navy Leather"))
    red = next(number for number in range(999) if tags(number).title.startswith("Red Leather"))
    heart = np.s_[110:170, 100:156]
    assert pixels(navy)[heart].mean((0, 1)).argmax() == 2
    assert pixels(red)[heart].mean((0, 1)).argmax() == 0

"""The palette of a screenshot keeps what a reader tells apart by its colour."""

from PIL import Image

from tests.support.browser.screenshots import COLOURS, with_palette

SURFACE, PAGE, MARK = (255, 255, 255), (250, 249, 247), (207, 58, 68)
WIDTH = 400


def test_areas_and_a_small_mark_keep_their_colours_among_the_shades_of_letters() -> None:
    whole = Image.new("RGB", (WIDTH, 200), SURFACE)
    whole.paste(PAGE, (0, 0, WIDTH, 60))
    for shade in range(2 * COLOURS):
        grey = shade * 255 // (2 * COLOURS)
        blue = min(255, grey + shade % 3)
        top = 60 + shade // 100 * 10
        whole.paste((grey, grey, blue), (shade % 100 * 4, top, shade % 100 * 4 + 4, top + 10))
    whole.paste(MARK, (10, 190, 13, 193))
    small = with_palette(whole).convert("RGB")
    assert len(small.getcolors() or []) <= COLOURS
    for point in ((0, 0), (0, 199), (11, 191)):
        assert small.getpixel(point) == whole.getpixel(point)

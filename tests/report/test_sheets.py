"""Contact sheets: what stands where, at which size."""

from pathlib import Path

import pytest
from PIL import Image

from genren.errors import InputError
from genren.report.sheets import GAP, LABEL, TILE, generation_sheet, reconstruction_sheet

RED, GREEN, BLUE = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 255)


def save(path: Path, color: tuple[int, int, int, int], width: int = 64, height: int = 64) -> None:
    """A picture of one colour."""
    Image.new("RGBA", (width, height), color).save(path)


def pixel(sheet: Image.Image, x: int, row: int) -> object:
    """The middle of a row of the sheet at column x of pixels."""
    return sheet.getpixel((x, LABEL + row * (TILE + GAP) + TILE // 2))


def test_pictures_stand_in_their_row_and_column(tmp_path: Path) -> None:
    """Input, re-render and views of one number share a row, numbers in order, small and large pictures alike."""
    for number, colors in (("01", (GREEN, BLUE, RED)), ("00", (RED, GREEN, BLUE))):
        save(tmp_path / f"{number}_input.png", colors[0])
        save(tmp_path / f"{number}_rerender.png", colors[1], 32, 32)
        save(tmp_path / f"{number}_views.png", colors[2], 5 * 200, 200)
    sheet = reconstruction_sheet(tmp_path)

    assert sheet is not None
    assert sheet.size == (7 * TILE + 2 * GAP, LABEL + 2 * TILE + GAP)
    middle, second, third = TILE // 2, TILE + GAP + TILE // 2, 2 * (TILE + GAP) + TILE // 2
    assert [pixel(sheet, x, 0) for x in (middle, second, third)] == [RED, GREEN, BLUE]
    assert [pixel(sheet, x, 1) for x in (middle, second, third)] == [GREEN, BLUE, RED]


def test_transparency_is_kept(tmp_path: Path) -> None:
    """The ground shows through between and inside the pictures, so a sheet suits any page."""
    save(tmp_path / "00_render.png", (9, 9, 9, 0))
    save(tmp_path / "00_views.png", RED, 320, 64)
    sheet = generation_sheet(tmp_path)

    assert sheet is not None
    assert pixel(sheet, TILE // 2, 0)[3] == 0  # type: ignore[index]
    assert pixel(sheet, TILE + GAP // 2, 0) == (0, 0, 0, 0)


def test_no_pictures_give_no_sheet(tmp_path: Path) -> None:
    """An absent folder and an empty one are the same: nothing to show."""
    assert generation_sheet(tmp_path) is None
    assert generation_sheet(tmp_path / "absent") is None


def test_a_row_that_lacks_a_picture_is_an_error(tmp_path: Path) -> None:
    """Half a row would shift what is compared with what."""
    save(tmp_path / "00_render.png", RED)

    with pytest.raises(InputError, match=r"00_views\.png cannot be read"):
        generation_sheet(tmp_path)

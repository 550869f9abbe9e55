"""Contact sheets of what the model made, on a transparent ground so that they suit light and dark pages."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError

from genren.errors import InputError

TILE = 128  # height of a picture on the sheet, pixels
GAP = 8
LABEL = 26  # height of the line of labels
GREY = (128, 128, 128, 255)  # readable on white and on black


def reconstruction_sheet(folder: Path) -> Image.Image | None:
    """Rows of input, re-render and five views of the predicted mesh, from NN_{input,rerender,views}.png."""
    return _sheet(folder, {"input": "input", "rerender": "re-render", "views": "predicted mesh from five views"})


def generation_sheet(folder: Path) -> Image.Image | None:
    """Rows of render and five views of a generated mesh, from NN_{render,views}.png."""
    return _sheet(folder, {"render": "render", "views": "generated mesh from five views"})


def _sheet(folder: Path, kinds: dict[str, str]) -> Image.Image | None:
    """Pictures NN_<kind>.png, a row for each NN and a labelled column for each kind; None if there are none."""
    first = next(iter(kinds))
    numbers = sorted(path.name.removesuffix(f"_{first}.png") for path in folder.glob(f"*_{first}.png"))
    if not numbers:
        return None
    rows = [[_tile(folder / f"{number}_{kind}.png") for kind in kinds] for number in numbers]
    widths = [max(row[column].width for row in rows) for column in range(len(kinds))]

    size = (sum(widths) + GAP * (len(kinds) - 1), LABEL + len(rows) * (TILE + GAP) - GAP)
    sheet = Image.new("RGBA", size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=15)
    x = 0
    for column, label in enumerate(kinds.values()):
        draw.text((x + widths[column] / 2, LABEL / 2), label, fill=GREY, font=font, anchor="mm")
        for line, row in enumerate(rows):
            sheet.paste(row[column], (x, LABEL + line * (TILE + GAP)))
        x += widths[column] + GAP
    return sheet


def _tile(path: Path) -> Image.Image:
    """A picture at the height of the sheet's rows, aspect kept."""
    try:
        with Image.open(path) as opened:
            image = opened.convert("RGBA")
    except (FileNotFoundError, UnidentifiedImageError, OSError) as error:
        raise InputError(f"{path} cannot be read as an image ({error}); run the stage evaluate again") from None
    return image.resize((max(1, round(image.width * TILE / image.height)), TILE), Image.Resampling.BICUBIC)

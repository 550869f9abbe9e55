"""Files from the internet, honest and hostile."""

import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from genren.data.arrays import read_npz
from genren.data.r2n2 import PIXEL_LIMIT, decode_image
from genren.errors import InputError
from genren.fetch.formats.images import cut_from_white
from genren.fetch.formats.pickles import read_pickle
from genren.fetch.formats.pixel2mesh import read_lists
from genren.fetch.formats.tables import read_xyz
from genren.fetch.formats.tensors import read_tensor
from tests.fetch.world import python2_pickle

TABLE = np.random.default_rng(0).normal(size=(50, 6))


class Runs:
    """A pickle of this runs a command that leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("dtype", ["<f8", "<f4", ">f8", "u1", "<i8"])
def test_arrays_of_numbers_are_read(dtype: str):
    """What Python 2 wrote, and what any protocol of Python 3 writes, in C and Fortran order."""
    table = TABLE.astype(dtype)

    if dtype != ">f8":
        np.testing.assert_array_equal(read_pickle(python2_pickle(table), "x")[0], table)
    for protocol in range(6):
        for array in (table, np.asfortranarray(table)):
            (read,) = read_pickle(pickle.dumps(array, protocol=protocol), "x")
            np.testing.assert_array_equal(read, table)
            assert read.dtype == table.dtype


def test_several_arrays_are_read():
    """A pair, as the old form has it."""
    picture = np.zeros((4, 4, 3), np.uint8)
    first, second = read_pickle(python2_pickle(picture, TABLE), "x")

    assert first.shape == picture.shape
    np.testing.assert_array_equal(second, TABLE)


def hostile(kind: str, target: Path) -> bytes:
    """Pickles that would do something, or that are no numbers."""
    call = f"touch {target}"
    return {
        "command": pickle.dumps(Runs(target), protocol=2),
        "command in a list": pickle.dumps([TABLE, Runs(target)], protocol=2),
        "python 2 command": b"cposix\nsystem\n(S'" + call.encode() + b"'\ntR.",
        "eval": b"c__builtin__\neval\n(S'open(\"" + str(target).encode() + b'","w")\'\ntR.',
        "dotted name": b"\x80\x04\x8c\x05numpy\x8c\x0ef2py.os.system\x93\x8c"
        + bytes([len(call)])
        + call.encode()
        + b"\x85R.",
        "call of ndarray": b"cnumpy\nndarray\n((I1000000000000\ntR.",
        "loads through numpy": b"cnumpy\nload\n(S'x'\ntR.",
        "object array": pickle.dumps(np.array([{"a": 1}], dtype=object), protocol=2),
        "structured array": pickle.dumps(np.zeros(3, [("a", "f4")]), protocol=2),
        "text array": pickle.dumps(np.array(["a"]), protocol=2),
        "claims too much": python2_pickle(TABLE).replace(b"J\x32\x00\x00\x00", b"J\xff\xff\xff\x7f"),
        "state on a function": b"cnumpy.core.multiarray\n_reconstruct\n}S'__code__'\nNsb.",
        "not an array": pickle.dumps({"a": TABLE}, protocol=2),
        "truncated": python2_pickle(TABLE)[:-100],
        "text": b"hello",
        "empty": b"",
    }[kind]


KINDS = [
    *(
        "command",
        "command in a list",
        "python 2 command",
        "eval",
        "dotted name",
        "call of ndarray",
        "loads through numpy",
    ),
    *("object array", "structured array", "text array", "claims too much", "state on a function", "not an array"),
    *("truncated", "text", "empty"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_pickles_are_refused_without_running(kind: str, tmp_path: Path):
    """Whatever a `.dat` is made of, it is one sentence, and nothing of it has happened."""
    with pytest.raises(InputError, match=r"x\.dat .*expected a pickle of arrays of numbers") as caught:
        read_pickle(hostile(kind, tmp_path / "pwned"), "x.dat")

    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["command", "python 2 command", "eval"])
def test_the_hostile_pickles_are_real(kind: str, tmp_path: Path):
    """The same bytes do run with Python's own reader."""
    pickle.loads(hostile(kind, tmp_path / "pwned"))

    assert (tmp_path / "pwned").exists()


def saved(value: Any, **options: Any) -> bytes:
    """What torch.save writes."""
    stream = io.BytesIO()
    torch.save(value, stream, **options)
    return stream.getvalue()


def test_tensors_are_read_and_others_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Points come back as float32 from both of torch's formats; code, other shapes, views of one number do not."""
    monkeypatch.setattr("genren.fetch.formats.tensors.MEMBER_LIMIT", 1 << 20)
    points = torch.from_numpy(TABLE[:, :3])
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(2 << 20))
    cases = {
        "command": (saved(Runs(tmp_path / "pwned")), "it would run code"),
        "old command": (saved(Runs(tmp_path / "pwned"), _use_new_zipfile_serialization=False), "it would run code"),
        "bare pickle": (pickle.dumps(Runs(tmp_path / "pwned"), protocol=2), "cannot be loaded"),
        "list": (saved([points]), "holds list"),
        "flat": (saved(points.flatten()), r"holds \(150,\)"),
        "view": (saved(torch.zeros(1).expand(1 << 30, 3)), "claims 3221225472 numbers"),
        "bomb": (bomb.getvalue(), "unpacks to over"),
        "truncated": (saved(points)[:-50], "cannot be loaded"),
        "text": (b"text", "cannot be loaded"),
    }

    np.testing.assert_array_equal(read_tensor(saved(points), "x"), points.float())
    np.testing.assert_array_equal(read_tensor(saved(points, _use_new_zipfile_serialization=False), "x"), points.float())
    for name, (data, words) in cases.items():
        with pytest.raises(InputError, match=words) as caught:
            read_tensor(data, f"{name}.pt")
        assert str(caught.value).startswith(f"{name}.pt ")
    assert not list(tmp_path.iterdir())


def npz(**members: bytes) -> bytes:
    """A zip of these `.npy` members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return stream.getvalue()


def test_array_files_are_read_and_others_refused():
    """Every array comes back; objects, headers that claim more than there is, and bombs do not."""
    stream = io.BytesIO()
    np.savez_compressed(stream, a=TABLE, b=np.asfortranarray(TABLE), c=np.float64(3))
    arrays = read_npz(stream.getvalue(), "x")
    np.testing.assert_array_equal(arrays["a"], TABLE)
    np.testing.assert_array_equal(arrays["b"], TABLE)
    assert arrays["c"] == 3

    header = (
        b"\x93NUMPY\x01\x00\x76\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (%d,), }".ljust(117) + b"\n"
    )
    objects = io.BytesIO()
    np.save(objects, np.array([{}], dtype=object))
    cases = {
        "claims": (npz(points=header.replace(b"%d", b"999999999999")), "not of the size it claims"),
        "objects": (npz(points=objects.getvalue()), "no array of numbers"),
        "bomb": (npz(points=header.replace(b"%d", b"6000000") + bytes(48_000_000)), "unpacks .* to 48000"),
        "text": (npz(points=b"text"), "cannot be read"),
        "cut": (stream.getvalue()[:-40], "cannot be read"),
    }
    for data, words in cases.values():
        with pytest.raises(InputError, match=words):
            read_npz(data, "x.npz")


def test_a_picture_is_bounded_before_it_is_decoded():
    """A PNG of a few kilobytes that would decode to gigabytes is refused by its header."""
    small = io.BytesIO()
    Image.new("RGBA", (8, 8)).save(small, "PNG")
    data = bytearray(small.getvalue())
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    import zlib

    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")

    with pytest.raises(InputError, match=rf"(60000x60000 pixels|cannot be decoded).*(at most {PIXEL_LIMIT})?"):
        decode_image(bytes(data), "x.png")
    wide = io.BytesIO()
    Image.new("RGBA", (PIXEL_LIMIT + 1,) * 2).save(wide, "PNG")
    with pytest.raises(
        InputError, match=f"is {PIXEL_LIMIT + 1}x{PIXEL_LIMIT + 1} pixels; expected .* at most {PIXEL_LIMIT}"
    ):
        decode_image(wide.getvalue(), "x.png")


def test_text_clouds_are_read_and_others_refused():
    """Numbers in six columns; words, other widths and nothing are named."""
    text = "\n".join(" ".join(map(repr, row)) for row in TABLE.tolist()).encode()
    np.testing.assert_array_equal(read_xyz(text, "x", 6), TABLE)

    for data in (b"", b"1 2 3\n", b"1 2 3 4 5 six\n", b"1 2 3 4 5 6\n1 2\n", b"\xff\xfe"):
        with pytest.raises(InputError, match=r"x\.xyz (is no table|has the shape|is empty).*"):
            read_xyz(data, "x.xyz", 6)


def test_a_mask_is_guessed_from_white():
    """White that hangs together with the border is background; white inside of the object stays."""
    picture = np.full((9, 9, 3), 255, np.uint8)
    picture[2:7, 2:7] = (90, 20, 20)
    picture[4, 4] = 255
    rgba = cut_from_white(picture)
    expected = np.zeros((9, 9), np.uint8)
    expected[2:7, 2:7] = 255

    np.testing.assert_array_equal(rgba[..., 3], expected)
    assert not rgba[..., :3][expected == 0].any()


def line(model: str, view: int, synset: str = "02933112") -> str:
    """A line of Pixel2Mesh's lists."""
    return f"Data/ShapeNetP2M/{synset}/{model}/rendering/{view:02d}.dat\n"


def test_models_in_both_lists_train():
    """A model whose views were drawn into both lists trains with them all and is named; other classes do not count."""
    train = "".join(line("a", view) for view in range(5)) + "".join(line("b", view) for view in (0, 3))
    test = "".join(line("b", view) for view in (1, 2, 4)) + "".join(line("c", view) for view in range(5))
    test += line("a", 0, "02958343")

    splits, leaking = read_lists(train, test, "02933112", ["a", "b", "c", "d"])
    assert splits == {"a": "train", "b": "train", "c": "test"}
    assert leaking == ["b"]
    # Without the train list: what is not tested trains, and b shows by its missing views.
    splits, leaking = read_lists("", test, "02933112", ["a", "b", "c", "d"])
    assert splits == {"a": "train", "b": "train", "c": "test", "d": "train"}
    assert leaking == ["b"]


def test_lists_of_the_plus_plus_form_have_one_view_each():
    """There nobody leaks, and the names are flat."""
    splits, leaking = read_lists("02933112_a_00.dat\n", "02933112_b_00.dat\n", "02933112", ["a", "b"])

    assert (splits, leaking) == ({"a": "train", "b": "test"}, [])
    with pytest.raises(InputError, match="line 1 of a Pixel2Mesh list is 'hello'"):
        read_lists("", "hello\n", "02933112", [])

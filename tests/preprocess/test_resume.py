"""`preprocess` interrupted, failed or shared by processes ends as if it had run once, alone."""

import shutil
from pathlib import Path

import pytest

from genren.data import r2n2
from genren.data.clouds import cloud_file
from genren.data.raw import Packed, Task, pack
from genren.errors import InputError
from genren.preprocess import preprocess
from tests.conftest import contents
from tests.preprocess.chairs import NAMES, damage, params


def test_a_failed_run_leaves_the_old_store(raw: Path, tmp_path: Path) -> None:
    """Too few designs, only damaged models, small images or no folder: an error, and the store stays as it was."""
    out = tmp_path / "data" / "out"
    preprocess("chair", params(), raw, out)
    before = contents(out)

    with pytest.raises(InputError, match="expected at least img_size, 32"):
        preprocess("chair", params(img_size=32), raw, out)
    for name in NAMES[:4]:
        damage(raw, name, "no normals")
    with pytest.raises(InputError, match="2 models of 2 designs"):
        preprocess("chair", params(), raw, out)
    for name in NAMES[4:]:
        damage(raw, name, "missing image")
    with pytest.raises(InputError, match=r"none of the 6 chair models can be used; the first: .* has no normals"):
        preprocess("chair", params(), raw, out)
    with pytest.raises(InputError, match=r"does not exist; .* fetch sofa first"):
        preprocess("sofa", params(), raw, out)

    assert before == contents(out)
    assert [path.name for path in out.parent.iterdir()] == ["out"]


@pytest.fixture
def many(raw: Path) -> Path:
    """Forty chairs, enough for processes to be worth it if that is set low, one of them damaged."""
    for index in range(34):
        for path in (r2n2.rendering_folder(raw, "chair", NAMES[0]).parent, cloud_file(raw, "chair", NAMES[0]).parent):
            shutil.copytree(path, path.with_name(f"more-{index:02d}"))
    (raw / "models.csv").unlink()
    damage(raw, "more-05", "truncated image")
    return raw


def test_processes_change_nothing(many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers write the bytes that one writes, but for their own number in the settings."""
    monkeypatch.setattr("genren.preprocess.pool.WORTH_IT", 10)
    for workers in (1, 2):
        preprocess("chair", params(workers=workers), many, tmp_path / str(workers))
    one, two = contents(tmp_path / "1"), contents(tmp_path / "2")

    assert one.pop("store.json") == two.pop("store.json").replace(b'"workers": 2', b'"workers": 1')
    assert one == two


@pytest.mark.parametrize("tear", [False, True])
def test_an_interrupted_run_continues_and_ends_identical(
    tear: bool, many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was packed before is not read again; also where the crash tore the last line and row apart."""
    preprocess("chair", params(), many, tmp_path / "whole")
    packed: list[str] = []

    def stopping(task: Task) -> Packed | str:
        if len(packed) == 20:
            raise KeyboardInterrupt
        packed.append(task.name)
        return pack(task)

    def counting(task: Task) -> Packed | str:
        packed.append(task.name)
        return pack(task)

    monkeypatch.setattr("genren.preprocess.pool.pack", stopping)
    with pytest.raises(KeyboardInterrupt):
        preprocess("chair", params(), many, tmp_path / "resumed")
    assert not (tmp_path / "resumed").exists()
    if tear:
        partial = tmp_path / ".resumed.partial"
        journal = (partial / "journal.jsonl").read_bytes()
        (partial / "journal.jsonl").write_bytes(journal[:-30])
        with (partial / "images.npy").open("ab") as stream:
            stream.write(b"half a row")
    monkeypatch.setattr("genren.preprocess.pool.pack", counting)
    preprocess("chair", params(), many, tmp_path / "resumed")

    assert len(packed) == 40 + tear
    assert contents(tmp_path / "resumed") == contents(tmp_path / "whole")
    assert {path.name for path in tmp_path.iterdir()} == {"raw", "whole", "resumed"}


def test_another_question_does_not_continue_the_old_answer(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a store of other settings or other raw data is thrown away."""
    monkeypatch.setattr("genren.preprocess.pool.pack", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        preprocess("chair", params(), many, tmp_path / "out")
    monkeypatch.undo()
    preprocess("chair", params(seed=1), many, tmp_path / "out")
    preprocess("chair", params(seed=1), many, tmp_path / "other")

    assert contents(tmp_path / "out") == contents(tmp_path / "other")

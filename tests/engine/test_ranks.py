"""Two processes that share a batch: what they draw, see and learn is what one process would."""

from pathlib import Path
from typing import Any

import pytest
import torch

from genren.engine import joint, ranks
from genren.errors import InputError
from tests.engine.on_two_ranks import network
from tests.engine.together import together


@pytest.fixture(scope="module")
def given() -> dict[str, torch.Tensor]:
    """Rows of a joint batch of eight, and a small network's weights."""
    torch.manual_seed(1)
    names = {"0.weight": (4, 3), "0.bias": (4,), "1.weight": (4,), "1.bias": (4,), "3.weight": (1, 4), "3.bias": (1,)}
    return {"rows": torch.randn(8, 3), "weights": torch.randn(8, 3)} | {k: torch.randn(v) for k, v in names.items()}


@pytest.fixture(scope="module")
def found(given: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the two processes found."""
    folder = tmp_path_factory.mktemp("ranks")
    torch.save(given, folder / "inputs.pt")
    together("tests.engine.on_two_ranks", folder / "inputs.pt", folder / "outputs.pt")
    return torch.load(folder / "outputs.pt", weights_only=True)


def test_ranks_draw_their_rows_of_one_draw(found: dict[str, Any]):
    """Together the ranks have the numbers of one process, and their generators stay in step."""
    torch.manual_seed(0)

    assert torch.equal(torch.randn(6, 2), found["drawn"])
    assert torch.equal(torch.rand(2), found["after"])


def test_gradients_through_gathered_rows_are_the_joint_batchs(given: dict[str, torch.Tensor], found: dict[str, Any]):
    """A loss that sorts the joint batch gives each row the gradient it has in one process."""
    rows = given["rows"].clone().requires_grad_()

    rows.sort(dim=0).values.pow(3).mul(given["weights"]).sum().backward()

    torch.testing.assert_close(rows.grad, found["gathered"])


def test_a_penalty_through_batch_norm_is_the_joint_batchs(given: dict[str, torch.Tensor], found: dict[str, Any]):
    """Statistics, their gradient and the gradient of that see the rows of all ranks."""
    norm, x = network(given), given["rows"].clone().requires_grad_()

    (slope,) = torch.autograd.grad(norm(x).sigmoid().sum(), x, create_graph=True)
    (slope.norm(dim=1) - 1).square().mean().backward()

    torch.testing.assert_close([p.grad for p in norm.parameters()], found["penalty"])
    torch.testing.assert_close([norm[1].running_mean, norm[1].running_var], found["running"])


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux's list of threads")
def test_a_group_takes_its_threads_with_it(found: dict[str, Any]):
    """A thread of the group that outlives it can abort the process at its end, after all is written."""
    assert found["threads"] == []


def test_dropout_differs_between_ranks(found: dict[str, Any]):
    """Generators in step must not drop the same places on every rank."""
    one, other = found["dropped"].chunk(2)

    assert set(found["dropped"].unique().tolist()) == {0.0, 2.0}
    assert not torch.equal(one, other)


def test_ranks_average_and_agree(found: dict[str, Any]):
    """One rank's wish is everyone's; a mean is over ranks."""
    assert found["average"].tolist() == [0.5, 0.5]
    assert found["agreed"] == [True, False]


def test_alone_nothing_changes():
    """Without a group the joint batch is the batch, and PyTorch's own layers stay."""
    x = torch.rand(4, 3)
    layers = torch.nn.Sequential(torch.nn.BatchNorm1d(3), torch.nn.Dropout())
    joint.join(layers)

    assert ranks.gather(x) is x
    assert ranks.own(x) is x
    assert (ranks.count(), ranks.rank(), ranks.agree(True)) == (1, 0, True)
    assert [type(layer) for layer in layers] == [torch.nn.BatchNorm1d, torch.nn.Dropout]


@pytest.mark.parametrize(
    ("world", "device", "message"), [("3", "cpu", "3 processes cannot share"), ("1", "cuda", "no CUDA")]
)
def test_impossible_settings_are_named(world: str, device: str, message: str, monkeypatch: pytest.MonkeyPatch):
    """A batch that does not divide, or a device that is not there, is one sentence."""
    monkeypatch.setenv("WORLD_SIZE", world)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    with pytest.raises(InputError, match=message), ranks.group(device, 8):
        pass

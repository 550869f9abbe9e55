"""What `test_ranks.py` runs in two processes: `python -m tests.engine.on_two_ranks inputs.pt outputs.pt`."""

import sys
from pathlib import Path

import torch
from torch import nn

from genren.engine import joint, ranks


def main(inputs: str, outputs: str) -> None:
    """Everything that couples ranks, on this rank's rows of the inputs; rank 0 writes what comes out."""
    given = torch.load(inputs, weights_only=True)
    found: dict[str, object] = {}
    with ranks.group("cpu", 8):
        torch.manual_seed(0)
        found["drawn"] = ranks.gather(ranks.draw(torch.randn, 3, 2))
        found["after"] = torch.rand(2)

        rows = ranks.own(given["rows"]).clone().requires_grad_()
        # Ranks' means of losses: the gradient of the joint batch's loss, so often as there are ranks.
        ranks.gather(rows).sort(dim=0).values.pow(3).mul(given["weights"]).sum().backward()
        found["gathered"] = ranks.gather(rows.grad) / ranks.count()

        norm = network(given)
        joint.join(norm)
        x = ranks.own(given["rows"]).clone().requires_grad_()
        (slope,) = torch.autograd.grad(norm(x).sigmoid().sum(), x, create_graph=True)
        (slope.norm(dim=1) - 1).square().mean().backward()
        ranks.average([p.grad for p in norm.parameters()])
        found["penalty"] = [p.grad for p in norm.parameters()]
        found["running"] = [norm[1].running_mean, norm[1].running_var]

        dropout = nn.Sequential(nn.Dropout(0.5))
        joint.join(dropout)
        found["dropped"] = ranks.gather(dropout(torch.ones(4, 50)))

        one = torch.full((2,), float(ranks.rank()))
        ranks.average([one])
        found["average"] = one
        found["agreed"] = [ranks.agree(ranks.rank() == 1), ranks.agree(False)]
        # An optimiser imports much of PyTorch.
        torch.optim.Adam(norm.parameters())
        first = ranks.rank() == 0
    tasks = Path("/proc/self/task").glob("*/comm")
    found["threads"] = [name for task in tasks if "gloo" in (name := task.read_text())]
    if first:
        torch.save(found, outputs)


def network(given: dict[str, torch.Tensor]) -> nn.Sequential:
    """Linear, batch norm, linear; the weights are the inputs'."""
    layers = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ELU(), nn.Linear(4, 1))
    with torch.no_grad():
        for name, parameter in layers.named_parameters():
            parameter.copy_(given[name])
    return layers


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Layers that couple the rows of a batch, over the rows of all ranks."""

import torch
from torch import Tensor, nn

from genren.engine import ranks


class JointBatchNorm(nn.BatchNorm2d):
    """Batch norm of rows (B, C) or maps (B, C, H, W) with the joint batch's statistics, in float32.

    PyTorch's own, SyncBatchNorm, runs on CUDA alone and cannot be differentiated twice, as gradient penalties want.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise; in evaluation by the running statistics, as any batch norm."""
        if not self.training:
            return nn.functional.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        values, over = x.float(), [0, *range(2, x.ndim)]
        variances, means = torch.var_mean(values, over, correction=0)
        # The variance of the whole is the mean variance of the parts and the variance of their means.
        of_ranks = ranks.gather(torch.stack([means, variances])[None])
        mean = of_ranks[:, 0].mean(0)
        variance = of_ranks[:, 1].mean(0) + of_ranks[:, 0].var(0, correction=0)
        self._remember(mean.detach(), variance.detach(), ranks.count() * x.numel() // x.shape[1])
        scale = self.weight * (variance + self.eps).rsqrt()
        shape = [1, -1, *[1] * (x.ndim - 2)]
        return (values * scale.view(shape) + (self.bias - mean * scale).view(shape)).to(x.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, samples: int) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * (samples / (samples - 1)), self.momentum)


class JointDropout(nn.Dropout):
    """Dropout whose mask is this rank's share of the joint batch's: generators that agree would repeat it otherwise."""

    def forward(self, x: Tensor) -> Tensor:
        """Zero elements of x (B, ...) with probability p and scale up the others, in training."""
        if not self.training or self.p == 0:
            return x
        return x * (ranks.draw(torch.rand, *x.shape, device=x.device) >= self.p) / (1 - self.p)


def join(module: nn.Module) -> None:
    """Let a module's batch norms and dropouts act on the joint batch; alone, it stays as it is."""
    if ranks.count() == 1:
        return
    for child in module.modules():
        # The parameters, and with them optimisers and state dicts, stay the same: only the arithmetic is exchanged.
        if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d):
            child.__class__ = JointBatchNorm
        elif isinstance(child, nn.Dropout):
            child.__class__ = JointDropout

"""Heads for recipes/ablation.sh beside the one of pytorch_peer.py: what becomes of the class weight's norm, and of the embedding's.

M = batch, N = classes, K = width.   x (M, K)   W (N, K)   y (M)

exact            s (cos - m), both sides normalized in the graph: the gradient goes through the normalization
mean-norm        rows are projected to the mean of their norms after each step, a constant of the gradient, and the scale is learned:
                 s W x / |x|, so s times the norm of the rows, which begins at 1
fixed            the same rows, and the scale s whatever norm they have
unit-norm        rows are projected to norm 1, and the scale is 1
unit-norm-scaled rows are projected to norm 1, and the scale is s
free-feature     rows of norm 1, and an embedding that is not normalized: |x| (cos - m), as in the CosFace paper's comparison
"""

import torch
import torch.nn.functional as F
from torch import nn

from pytorch_peer import CosFace


class Projected(nn.Module):
    """Rows of one norm, which is a constant of a step: dW = gamma dlogits^T e, as an inner product's."""

    def __init__(self, classes, width, multiplier, margin, norm=None, scale=None, normalizes=True):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(classes, width))
        self.multiplier, self.margin, self.norm, self.scale = multiplier, margin, norm, scale
        self.normalizes = normalizes

    def forward(self, x, labels):
        norm = self.weight[0].detach().norm()
        gamma = self.multiplier if self.scale is None else self.scale / norm
        embedding = F.normalize(x) if self.normalizes else x
        length = embedding.norm(dim=1)
        logits = gamma * embedding @ self.weight.t()
        margins = torch.zeros_like(logits)
        margins[torch.arange(len(labels)), labels] = gamma * self.margin * norm * length
        return F.cross_entropy(logits - margins, labels)

    @torch.no_grad()
    def project(self):
        norms = self.weight.norm(dim=1, keepdim=True)
        self.weight.mul_((norms.mean() if self.norm is None else self.norm) / norms)


def make_head(kind, classes, width, scale, margin):
    """Rows of length about 1, whatever they become."""
    head = {
        "exact": lambda: CosFace(classes, width, scale, margin),
        "mean-norm": lambda: Projected(classes, width, scale, margin),
        "fixed": lambda: Projected(classes, width, 1, margin, scale=scale),
        "unit-norm": lambda: Projected(classes, width, 1, margin, norm=1),
        "unit-norm-scaled": lambda: Projected(classes, width, scale, margin, norm=1),
        "free-feature": lambda: Projected(classes, width, 1, margin, norm=1, normalizes=False),
    }[kind]()
    # With AdamW the rows' length decides how fast they turn.
    nn.init.normal_(head.weight, std=width**-0.5)
    if kind != "exact":
        head.project()
    return head

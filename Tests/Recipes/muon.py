"""Records what Muon's tests compare with: torch.optim.Muon with its orthogonalization in float64, and torch.optim.AdamW.

    python muon.py > Tests/NeuralNetworkTests/Optimization/RecordedMuon.swift

PyTorch computes the orthogonalization in bfloat16. Its own text is run here with another type.
"""
import inspect

import numpy as np
import torch
import torch.optim._muon as muon

from literals import coarse, literal

text = inspect.getsource(muon._zeropower_via_newtonschulz)
assert text.count(".bfloat16()") == 1
exec(text.replace(".bfloat16()", ".double()"), muon.__dict__)

shapes = [(3, 5), (8, 2, 2), (6,), (4, 1, 3)]
r = np.random.default_rng(7)
start = [coarse(r.normal(size=s)).astype(np.float32) for s in shapes]
gradients = [[coarse(r.normal(size=s)).astype(np.float32) for s in shapes] for _ in range(4)]
rates = [0.05, 0.025, 0.0125, 0.00625]


def flat(arrays):
    return np.concatenate([np.asarray(a).ravel() for a in arrays])


def run(momentum, factor, decay, clip):
    ps = [torch.nn.Parameter(torch.tensor(s.copy())) for s in start]
    # PyTorch takes matrices alone, so a convolution's weight is given as (outputs, rest), and its view is updated.
    matrices = [torch.nn.Parameter(ps[i].detach().reshape(len(ps[i]), -1)) for i in (0, 1)]
    first = torch.optim.Muon(matrices, lr=1, momentum=momentum, adjust_lr_fn="match_rms_adamw")
    second = torch.optim.AdamW([ps[2], ps[3]], lr=1, weight_decay=decay)
    for step, rate in zip(gradients, rates):
        for p, g in zip([*matrices, ps[2], ps[3]], step):
            p.grad = torch.tensor(g.copy()).reshape(p.shape)
        if clip:
            torch.nn.utils.clip_grad_norm_([*matrices, ps[2], ps[3]], clip)
        # Decay goes with the learning rate, not with the factor.
        for group in first.param_groups:
            group["lr"], group["weight_decay"] = rate * factor, decay / factor
        for group in second.param_groups:
            group["lr"] = rate
        first.step()
        second.step()
    return flat([p.detach().numpy() for p in [*matrices, ps[2], ps[3]]])


if __name__ == "__main__":
    print("// Written by Tests/Recipes/muon.py: torch.optim.Muon, orthogonalization in float64, and AdamW for the rest.")
    print()
    print("enum RecordedMuon {")
    print(f"  static let shapes = {[list(s) for s in shapes]}")
    print("  static let start: [Float] =", literal(flat(start), 2))
    print("  /// Four steps.")
    print("  static let gradients: [Float] =", literal(flat([flat(g) for g in gradients]), 2))
    print("  static let learningRates: [Float] =", rates)
    print()
    print("  struct Run: Sendable {")
    print("    let momentum: Double\n    let factor: Double\n    let decay: Float\n    let clip: Double?\n    let result: [Float]\n  }")
    print()
    print("  static let runs = [")
    for momentum, factor, decay, clip in ((0.95, 1, 0, None), (0.95, 4, 0.5, None), (0.8, 2, 0.25, 1.5)):
        print(f"    Run(\n      momentum: {momentum}, factor: {factor}, decay: {decay}, clip: {clip or 'nil'},")
        print("      result:", literal(run(momentum, factor, decay, clip), 6) + "),")
    print("  ]")
    print("}")

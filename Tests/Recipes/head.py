"""Records what the head's tests compare with: the reference's three steps, torch.optim.SGD and torch.optim.AdamW.

    python head.py path/to/lmcl.py > Tests/NeuralNetworkTests/Head/RecordedHead.swift

Inputs are multiples of 1/256, so a decimal literal names the same number in every language and width.
"""
import importlib.util
import sys

import numpy as np
import torch

from literals import coarse, literal

spec = importlib.util.spec_from_file_location("lmcl", sys.argv[1])
lmcl = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lmcl)


r = np.random.default_rng(0)
N, K, M, P = 11, 6, 4, 2
xs = [coarse(r.normal(size=(M + p, K))) for p in range(P)]
ys = [r.integers(0, N, M + p) for p in range(P)]
W0 = coarse(r.normal(size=(N, K)))
print("// Written by Tests/Recipes/head.py: three steps of the reference in float64, PyTorch's SGD and AdamW in float32.")
print()
print("/// Two unequal shards of one batch, and three steps of the reference over them (learning rate 0.1, momentum 0.9).")
print("enum RecordedHead {")
print(f"  static let (classCount, width, shardSizes) = ({N}, {K}, {[M + p for p in range(P)]})")
print("  /// Rows of both shards, one after the other.")
print("  static let inputs: [Float] =", literal(np.concatenate(xs), 2))
print("  static let labels: [Int32] =", literal(np.concatenate(ys), 2, "{}"))
print("  static let classWeight: [Float] =", literal(W0, 2))
print()
print("  struct Run: Sendable {")
print("    let name: String\n    let multiplier: Double?\n    let fixed: Double?\n    let decay: Float")
print("    let losses: [Double]\n    let scales: [Double]")
print("    /// dx of the third step.")
print("    let inputGradient: [Double]")
print("    /// W after the third step, before the next projection.")
print("    let classWeight: [Double]\n  }")
print()
print("  static let runs = [")
for name, kind, decay in (
    ("original layer", dict(multiplier=1.0), 0.0),
    ("learned, 16", dict(multiplier=16.0), 0.0),
    ("fixed, 16", dict(logit_scale=16.0), 0.0),
    ("learned, 4, decay 0.01", dict(multiplier=4.0), 0.01),
):
    W, V, losses, scales = W0.copy(), np.zeros((N, K)), [], []
    for t in range(3):
        loss, dxs, W, scale = lmcl.step(xs, ys, W, V, decay=decay, **kind)
        losses.append(loss)
        scales.append(scale)
    print("    Run(")
    print(f'      name: "{name}", multiplier: {kind.get("multiplier", "nil")}, fixed: {kind.get("logit_scale", "nil")},')
    print(f"      decay: {decay},")
    print("      losses:", literal(losses, 6, "{:.12f}") + ",")
    print("      scales:", literal(scales, 6, "{:.12f}") + ",")
    print("      inputGradient:", literal(np.concatenate(dxs), 6) + ",")
    print("      classWeight:", literal(W, 6) + "),")
print("  ]")
print("}")
print()
print("/// torch.optim.SGD over five steps: two groups, of 5 and 3 values, with weight decays of their own.")
print("enum RecordedSGD {")
start = coarse(r.normal(size=8)).astype(np.float32)
gradients = coarse(r.normal(size=(5, 8))).astype(np.float32)
rates = [0.5, 0.25, 0.125, 0.125, 0.0625]
print("  static let start: [Float] =", literal(start, 2))
print("  /// Five steps of eight values.")
print("  static let gradients: [Float] =", literal(gradients, 2))
print("  static let learningRates: [Float] =", rates)
print()
print("  struct Run: Sendable {")
print("    let momentum: Float\n    let isNesterov: Bool\n    let decays: [Float]")
print("    /// The largest norm of all eight gradients of a step, nil without clipping.")
print("    let clip: Double?\n    let result: [Float]\n  }")
print()
print("  static let runs = [")
for momentum, nesterov, decays, clip in (
    (0.0, False, (0.0, 0.0), None),
    (0.9, False, (0.0, 0.0), None),
    (0.9, False, (0.0625, 0.0), None),
    (0.9, True, (0.0625, 0.125), None),
    (0.9, False, (0.0625, 0.0), 1.5),
):
    ps = [torch.nn.Parameter(torch.tensor(start[:5].copy())), torch.nn.Parameter(torch.tensor(start[5:].copy()))]
    groups = [dict(params=[p], weight_decay=d) for p, d in zip(ps, decays)]
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=momentum, nesterov=nesterov)
    for g, rate in zip(gradients, rates):
        ps[0].grad, ps[1].grad = torch.tensor(g[:5].copy()), torch.tensor(g[5:].copy())
        if clip:
            torch.nn.utils.clip_grad_norm_(ps, clip)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
    result = np.concatenate([p.detach().numpy() for p in ps])
    print(f"    Run(\n      momentum: {momentum}, isNesterov: {str(nesterov).lower()}, decays: {list(decays)},", end="")
    print(f" clip: {clip or 'nil'},\n      result:", literal(result, 6) + "),")
print("  ]")
print("}")
print()
print("/// torch.optim.AdamW over the steps of RecordedSGD: the same start, gradients and groups, a tenth of the rates.")
print("enum RecordedAdamW {")
print("  struct Run: Sendable {")
print("    let beta1: Double\n    let beta2: Double\n    let epsilon: Double\n    let decays: [Float]")
print("    let clip: Double?\n    let result: [Float]\n  }")
print()
print("  static let runs = [")
for beta1, beta2, epsilon, decays, clip in (
    (0.9, 0.999, 1e-8, (0.0, 0.0), None),
    (0.9, 0.999, 1e-8, (0.5, 0.125), None),
    (0.8, 0.95, 1e-3, (0.5, 0.0), None),
    (0.9, 0.999, 1e-1, (0.5, 0.0), 1.5),
):
    ps = [torch.nn.Parameter(torch.tensor(start[:5].copy())), torch.nn.Parameter(torch.tensor(start[5:].copy()))]
    groups = [dict(params=[p], weight_decay=d) for p, d in zip(ps, decays)]
    optimizer = torch.optim.AdamW(groups, lr=0.1, betas=(beta1, beta2), eps=epsilon)
    for g, rate in zip(gradients, rates):
        ps[0].grad, ps[1].grad = torch.tensor(g[:5].copy()), torch.tensor(g[5:].copy())
        if clip:
            torch.nn.utils.clip_grad_norm_(ps, clip)
        for group in optimizer.param_groups:
            group["lr"] = rate / 10
        optimizer.step()
    result = np.concatenate([p.detach().numpy() for p in ps])
    print(f"    Run(\n      beta1: {beta1}, beta2: {beta2}, epsilon: {epsilon}, decays: {list(decays)},", end="")
    print(f" clip: {clip or 'nil'},\n      result:", literal(result, 6) + "),")
print("  ]")
print("}")

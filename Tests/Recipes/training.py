"""Records what RecordedTrainingTests compares with: training steps of PyTorch in float64, batch norms and all.

    python training.py path/to/peer.py > Tests/RankTests/RecordedTraining.swift

Weights and images are formulas of their names and indices, which both languages compute to the same bits. Of each tensor's
update two numbers are kept: its norm, and its projection onto a vector of pseudorandom signs.
What is frozen takes no gradient; its batch norms are in eval mode, as `--freeze` says.
"""
import fnmatch
import importlib.util
import sys
import zlib

import numpy as np
import torch

spec = importlib.util.spec_from_file_location("peer", sys.argv[1])
peer = importlib.util.module_from_spec(spec)
spec.loader.exec_module(peer)

SIDE, WIDTH, CLASSES, BATCH, STEPS = 48, 32, 11, 6, 2
RATE, DECAY, MULTIPLIER = 0.0001, 0.05, 24.0
# Adam's first updates are signs of gradients, which rounding turns where they are tiny, but for an epsilon as large as they.
BETAS, EPSILON = (0.8, 0.95), 0.01


def hashed(name, count):
    """Numbers of [0, 1), multiples of 2^-32."""
    x = np.arange(count, dtype=np.uint32) * np.uint32(2654435761) + np.uint32(zlib.crc32(name.encode()))
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x = (x ^ (x >> np.uint32(shift))) * np.uint32(factor)
    return (x ^ (x >> np.uint32(16))).astype(np.float64) / 2.0**32


def interval(name, shape, statistics, fixed):
    """The tensor's values lie between these two."""
    kind = name.split(".")[-1]
    if len(shape) > 1:
        bound = np.sqrt(3.0 / np.prod(shape[1:]))
        return -bound, bound
    if name in fixed:
        return 1.0, 1.0
    if kind in ("bias", "running_mean"):
        return -0.125, 0.125
    if kind == "running_var" or name[: -len("weight")] + "running_var" in statistics:
        return 0.5, 1.5
    return 0.0625, 0.5  # PReLU


def filled(name, shape, low, high):
    values = low + (high - low) * hashed(name, int(np.prod(shape)))
    return torch.tensor(values.astype(np.float32).reshape(shape))


print("// Written by Tests/Recipes/training.py: PyTorch in float64.")
print()
print("enum RecordedTraining {")
print(f"  static let (side, width, classes, batch, steps) = ({SIDE}, {WIDTH}, {CLASSES}, {BATCH}, {STEPS})")
print(f"  static let (learningRate, weightDecay, multiplier) = ({RATE}, {DECAY}, {MULTIPLIER})")
print(f"  static let (beta1, beta2, epsilon) = ({BETAS[0]}, {BETAS[1]}, {EPSILON})")
print("  static let labels: [Int32] =", [(5 * i + 2) % CLASSES for i in range(STEPS * BATCH)])
print()
print("  struct Run: Sendable {")
print("    /// Patterns of what `--freeze` names.")
print("    var frozen: [String] = []")
print("    let losses: [Double]")
print("    /// Name, norm, and projection of each tensor's update; tab-separated lines.")
print("    let updates: String\n  }")
SGD = (torch.optim.SGD, dict(momentum=0.9))
mobilefacenet = lambda: peer.MobileFaceNet(WIDTH, 1, SIDE)
iresnet18 = lambda: peer.IResNet([2, 2, 2, 2], WIDTH, SIDE)
# Batch norms of the one between layers that are trained; of the other what comes first, and norms.
NORMS = ("layers.[35].*.layers.1.weight", "layers.[35].*.layers.1.bias")
PART = ("conv1.*", "bn1.*", "prelu.*", "layer1.*", "layer3.?.bn*")
for record, make, (algorithm, constants), frozen in (
    ("mobilefacenet", mobilefacenet, SGD, ()),
    ("iresnet18", iresnet18, SGD, ()),
    ("mobilefacenetAdamW", mobilefacenet, (torch.optim.AdamW, dict(betas=BETAS, eps=EPSILON)), ()),
    ("mobilefacenetFrozenNorms", mobilefacenet, SGD, NORMS),
    ("iresnet18FrozenPart", iresnet18, SGD, PART),
):
    net = make()
    stays = {k for k, p in net.named_parameters() if any(fnmatch.fnmatchcase(k, f) for f in frozen)}
    fixed = {k for k, p in net.named_parameters() if not p.requires_grad}
    start = {k: v for k, v in net.state_dict().items() if v.is_floating_point()}
    start = {k: filled(k, tuple(v.shape), *interval(k, tuple(v.shape), start, fixed)) for k, v in start.items()}
    net.load_state_dict(start, strict=False)
    rows = filled("classWeight", (CLASSES, WIDTH), -0.25, 0.25)
    head = peer.MeanNormLMCL(rows.clone(), multiplier=MULTIPLIER)
    net.train().double(), head.double()
    for name, parameter in net.named_parameters():
        parameter.requires_grad &= name not in stays
    for name, module in net.named_modules():
        if name + ".weight" in stays and hasattr(module, "running_mean"):
            module.eval()
            stays |= {name + ".running_mean", name + ".running_var"}
    groups = [{"params": [p for p in net.parameters() if p.requires_grad], "weight_decay": DECAY},
              {"params": head.parameters(), "weight_decay": 0}]
    optimizer = algorithm(groups, lr=RATE, **constants)
    losses = []
    for step in range(STEPS):
        images = filled(f"images {step}", (BATCH, 3, SIDE, SIDE), -1.0, 1.0).double()
        labels = torch.tensor([(5 * i + 2) % CLASSES for i in range(step * BATCH, (step + 1) * BATCH)])
        optimizer.zero_grad(set_to_none=True)
        loss = head(net(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    head.project()
    print()
    patterns = f"    frozen: [{', '.join(chr(34) + f + chr(34) for f in frozen)}],\n" if frozen else ""
    print(f"  static let {record} = Run(\n{patterns}    losses: {losses},\n    updates: \"\"\"")
    end = net.state_dict() | {"classWeight": head.classWeight.detach()}
    for name, value in (start | {"classWeight": rows}).items():
        if name in fixed | stays:
            continue
        change = (end[name].double() - value.double()).numpy().ravel()
        signs = np.where(hashed("signs of " + name, change.size) < 0.5, -1.0, 1.0)
        print(f"      {name}\t{np.linalg.norm(change):.9e}\t{(change * signs).sum():.9e}")
    print('      """)')
print("}")

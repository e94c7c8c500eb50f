"""Records what the tests of distilling compare with: PyTorch's cosine_similarity behind a linear map, in float64.

    python teacher.py > Tests/NeuralNetworkTests/Head/RecordedDistillation.swift
"""
import numpy as np
import torch
import torch.nn.functional as F

from literals import coarse, literal

M, K = 5, 6
r = np.random.default_rng(11)
x = coarse(r.normal(size=(M, K)))


def run(width, weight):
    teacher = r.normal(size=(M, width)).astype(np.float32)
    teacher /= np.linalg.norm(teacher, axis=1, keepdims=True)
    a = coarse(r.normal(size=(width, K)))
    xs, map_ = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (x, a))
    y = F.linear(xs, map_) if width != K else xs
    cosines = F.cosine_similarity(y, torch.tensor(teacher, dtype=torch.float64), eps=0)
    loss = weight * (1 - cosines).mean()
    loss.backward()
    return teacher, a, loss.item(), cosines.mean().item(), xs.grad.numpy(), None if map_.grad is None else map_.grad.numpy()


if __name__ == "__main__":
    print("// Written by Tests/Recipes/teacher.py: torch.nn.functional.cosine_similarity behind a linear map, float64.")
    print()
    print("enum RecordedDistillation {")
    print(f"  static let (batch, width) = ({M}, {K})")
    print("  static let embeddings: [Float] =", literal(x, 2))
    print()
    print("  struct Run: Sendable {")
    print("    let weight: Double\n    let teacherWidth: Int\n    let teacher: [Float]\n    let map: [Float]")
    print("    let loss: Double\n    let cosine: Double\n    let gradient: [Float]\n    let mapGradient: [Float]\n  }")
    print()
    print("  static let runs = [")
    for width, weight in ((4, 3.5), (9, 24), (K, 1)):
        teacher, a, loss, cosine, dx, da = run(width, weight)
        print(f"    Run(\n      weight: {weight}, teacherWidth: {width},")
        print("      teacher:", literal(teacher, 6) + ",")
        print("      map:", (literal(a, 6) if da is not None else "[]") + ",")
        print(f"      loss: {loss!r}, cosine: {cosine!r},")
        print("      gradient:", literal(dx, 6) + ",")
        print("      mapGradient:", (literal(da, 6) if da is not None else "[]") + "),")
    print("  ]")
    print("}")

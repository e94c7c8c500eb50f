"""Prints the recorded values of Tests/NeuralNetworkTests/Head/MarginTests.swift: PyTorch's own gradients, in float64.

    pip install torch==2.13.0; python3 Tests/Recipes/margins.py
"""
import torch

M, N, K, S = 4, 6, 5, 16.0
torch.set_default_dtype(torch.float64)


def unit_rows(count, phase, step):
    x = torch.sin(phase + step * torch.arange(count * K)).reshape(count, K)
    # What a Float holds.
    return (x / x.norm(dim=1, keepdim=True)).float().double()


for name, (m1, m2, m3) in {"angular": (1, 0.5, 0), "combined": (1, 0.3, 0.2), "multiplied": (1.35, 0, 0)}.items():
    e, w = unit_rows(M, 1.0, 1.3).requires_grad_(), unit_rows(N, 2.0, 0.7).requires_grad_()
    labels = torch.tensor([3, 0, 5, 3])
    cosines = e @ w.T
    label_cosines = cosines[torch.arange(M), labels]
    target = torch.cos(m1 * torch.acos(label_cosines) + m2) - m3
    one_hot = torch.nn.functional.one_hot(labels, N).bool()
    logits = S * torch.where(one_hot, target[:, None], cosines)
    loss = torch.nn.functional.cross_entropy(logits, labels)
    loss.backward()
    print(f"    // cosines at the labels: {[round(c, 3) for c in label_cosines.tolist()]}")
    print(f"    Recorded(\n      .{name}, loss: {loss.item():.9f},")
    for what, values in (("embeddingGradient", e.grad), ("weightGradient", w.grad)):
        rows = [", ".join(f"{v:.7f}" for v in row) for row in values.tolist()]
        print(f"      {what}: [\n        " + ",\n        ".join(rows) + ",\n      ]" + ("," if what[0] == "e" else "),"))

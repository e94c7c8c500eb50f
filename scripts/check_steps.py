"""Weights in, five steps, weights out: does cosface train a network of arcface_torch as PyTorch does?

    python check_steps.py ARCFACE_TORCH COSFACE [NETWORK...]

ARCFACE_TORCH: the folder insightface/recognition/arcface_torch. COSFACE: the program. Needs PyTorch and NumPy.

A state dict of arcface_torch's class goes into `cosface train --weights`, five steps are trained on made pictures, and what
`cosface export --format pytorch` writes is loaded strictly. PyTorch trains the same steps in float64 and in float32. Printed is
how far losses and updates are from float64's: ours, and beside it PyTorch's float32, in the one of two memory layouts that is
farther off. Training amplifies rounding, so that this is the measure. Ends with 1 where ours are off by more than twice as much
in the middle of the tensors, or by more than eight times at worst.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch

from pytorch_heads import Projected

sys.path.insert(0, sys.argv[1])
from backbones import iresnet, mobilefacenet  # noqa: E402

NETWORKS = {
    "mobilefacenet": lambda: mobilefacenet.MobileFaceNet(False, 512, scale=1),
    "mobilefacenet-x2": lambda: mobilefacenet.MobileFaceNet(False, 512, scale=2),
    "iresnet18": iresnet.iresnet18,
    "iresnet34": iresnet.iresnet34,
    "iresnet50": iresnet.iresnet50,
    "iresnet100": iresnet.iresnet100,
}
STEPS, BATCH, RATE, DECAY, SCALE, MARGIN = 5, 8, 0.0002, 0.0005, 16.0, 0.35
FACTORS = 8, 2, 8


def cosface(*arguments):
    done = subprocess.run([sys.argv[2], *map(str, arguments)], capture_output=True, text=True)
    # 75: stopped where it was told to.
    if done.returncode not in (0, 75):
        sys.exit(done.stdout + done.stderr)


def make_faces(folder):
    """Six people of five pictures: squares of random colours."""
    random = np.random.default_rng(1)
    for person in range(6):
        (folder / f"p{person}").mkdir(parents=True)
        for image in range(5):
            squares = random.integers(0, 256, (14, 14, 3), dtype=np.uint8)
            pixels = squares.repeat(8, axis=0).repeat(8, axis=1)
            (folder / f"p{person}" / f"{image}.ppm").write_bytes(b"P6 112 112 255\n" + pixels.tobytes())


def read_face(path):
    pixels = np.frombuffer(path.read_bytes()[-112 * 112 * 3 :], np.uint8).reshape(112, 112, 3)
    return torch.tensor((pixels.astype(np.float32) - 127.5) / 127.5).permute(2, 0, 1)


def randomize(network):
    """No layer keeps a start that would hide a mistake."""
    for module in network.modules():
        if isinstance(module, torch.nn.PReLU):
            module.weight.data.uniform_(0.05, 0.5)
        elif isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.bias.data.normal_(0, 0.1)
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            if module.weight.requires_grad:
                module.weight.data.uniform_(0.5, 1.5)


def train(network, rows, batches, dtype):
    """LMCL with a fixed scale and rows of one norm; SGD with momentum. The losses and the state dict at the end."""
    network = network.train().to(dtype)
    head = Projected(*rows.shape, 1, MARGIN, scale=SCALE)
    head.weight.data.copy_(rows)
    head.to(dtype)
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(
        [{"params": trained, "weight_decay": DECAY}, {"params": head.parameters()}], lr=RATE, momentum=0.9)
    losses = []
    for images, labels in batches:
        optimizer.zero_grad()
        loss = head(network(images.to(dtype)), labels)
        loss.backward()
        optimizer.step()
        head.project()
        losses.append(loss.item())
    return losses, network.state_dict()


def check(name, folder):
    make_faces(folder / "faces")
    torch.manual_seed(1)
    network = NETWORKS[name]()
    randomize(network)
    torch.save(network.state_dict(), folder / "in.pt")
    options = {
        "weights": folder / "in.pt", "data": folder / "faces", "output": folder / "run", "augment": "none",
        "optimizer": "sgd", "new-rows": "random", "learning-rate": RATE, "schedule": "constant", "warmup": 0,
        "logit-scale": SCALE, "margin": MARGIN, "weight-decay": DECAY, "batch-size": BATCH, "steps": STEPS,
        "stop-after": 0, "threads": 1,
    }
    flags = [text for key, value in options.items() for text in (f"--{key}", value)]
    cosface("train", *flags, "--log-samples", "--no-tensorboard")
    start = read_rows(folder / "run/checkpoints/step-00000000/model.safetensors")
    cosface("train", "--resume", folder / "run")
    cosface("export", "--model", folder / "run", "--format", "pytorch", "--output", folder / "out.pt")

    batches = []
    for line in (folder / "run/samples.jsonl").read_text().splitlines():
        images = json.loads(line)["images"]
        labels = torch.tensor([int(image[1]) for image in images])
        batches.append((torch.stack([read_face(folder / "faces" / image) for image in images]), labels))
    ours = [json.loads(line)["loss"] for line in (folder / "run/metrics.jsonl").read_text().splitlines()]

    def again():
        made = NETWORKS[name]()
        made.load_state_dict(torch.load(folder / "in.pt", weights_only=True))
        return made

    begin = again().state_dict()
    true_losses, truth = train(again(), start, batches, torch.float64)
    peers = [
        train(again().to(memory_format=layout), start, batches, torch.float32)
        for layout in (torch.contiguous_format, torch.channels_last)
    ]
    end = NETWORKS[name]()
    end.load_state_dict(torch.load(folder / "out.pt", weights_only=True), strict=True)

    def errors(losses, state):
        """The largest of the losses', the middle and the largest of the tensors' updates; relative."""
        updates = sorted(
            ((state[key].double() - value).norm() / ((value - begin[key].double()).norm() + 1e-12)).item()
            for key, value in truth.items() if value.is_floating_point())
        loss = max(abs(a - b) / b for a, b in zip(losses, true_losses, strict=True))
        return loss, updates[len(updates) // 2], updates[-1]

    found = errors(ours, end.state_dict())
    usual = [max(pair) for pair in zip(*(errors(*peer) for peer in peers))]
    print(f"{name:18}" + "  ".join(f"{a:.1e} {b:.1e}" for a, b in zip(found, usual)), flush=True)
    return all(a <= factor * b for a, b, factor in zip(found, usual, FACTORS))


def read_rows(path):
    """The class weight of a safetensors file."""
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    entry = json.loads(data[8 : 8 + size])["classWeight"]
    begin, end = entry["data_offsets"]
    return torch.tensor(np.frombuffer(data[8 + size + begin : 8 + size + end], np.float32).reshape(entry["shape"]))


print(f"{'':18}loss: ours, float32   updates, middle   updates, largest")
agree = True
for name in sys.argv[3:] or NETWORKS:
    with tempfile.TemporaryDirectory() as folder:
        agree &= check(name, pathlib.Path(folder))
sys.exit(0 if agree else 1)

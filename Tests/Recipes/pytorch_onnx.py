"""PyTorch's exporters against `cosface embed`: networks of scripts/pytorch_peer.py with random weights and statistics, written as
ONNX by both exporters, with and without folding, read here, and compared with PyTorch's own embeddings. Last, our own export is read again.

    ~/.cache/cosface-peer/bin/pip install onnxscript
    ~/.cache/cosface-peer/bin/python Tests/Recipes/pytorch_onnx.py .build/release/cosface FACES

FACES: folders of aligned 112 x 112 pictures. The environment is the one that scripts/compare-pytorch.sh makes.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
from pytorch_peer import make_network  # noqa: E402

KEPT = torch.onnx.TrainingMode.PRESERVE
EXPORTERS = {
    "TorchScript's, opset 9": dict(dynamo=False, opset_version=9),
    "TorchScript's, nothing folded": dict(dynamo=False, opset_version=13, do_constant_folding=False, training=KEPT),
    "dynamo's": dict(dynamo=True, opset_version=18, verbose=False),
    "dynamo's, nothing folded": dict(dynamo=True, opset_version=18, optimize=False, verbose=False),
}


def randomize(network):
    """Weights and running statistics as a trained network has them: none is 0 or 1."""
    torch.manual_seed(3)
    for module in network.modules():
        if isinstance(module, (torch.nn.BatchNorm2d, torch.nn.BatchNorm1d)):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.1)
            if module.weight.requires_grad:
                torch.nn.init.uniform_(module.weight, 0.5, 1.5)
        elif isinstance(module, torch.nn.PReLU):
            torch.nn.init.uniform_(module.weight, 0.05, 0.5)


def embeddings(program, model, faces, place):
    """What cosface makes of the faces by a model, a row each."""
    output = place / "embeddings.npy"
    subprocess.run(
        [program, "embed", "--model", str(model), "--data", str(faces), "--output", str(output), "--flip", "none"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return np.load(output)


def main():
    program, folder = sys.argv[1:3]
    faces = sorted(pathlib.Path(folder).glob("*/*.jpg"))[:16]
    # libjpeg-turbo decodes both.
    pixels = np.stack([np.asarray(Image.open(face).convert("RGB")) for face in faces]).astype(np.float32)
    images = torch.from_numpy((pixels.transpose(0, 3, 1, 2) - 127.5) / 127.5)
    worst = 0

    def compare(title, found, expected):
        nonlocal worst
        difference = np.abs(found - expected).max() / np.abs(expected).max()
        worst = max(worst, difference)
        print(f"{title}: {len(faces)} faces, greatest difference {difference:.1e} of the largest value", flush=True)

    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        for i, face in enumerate(faces):
            (place / "faces" / f"{i:02}").mkdir(parents=True)
            (place / "faces" / f"{i:02}" / "0.jpg").symlink_to(face.resolve())
        for name in ("mobilefacenet", "iresnet18", "iresnet50"):
            network = make_network(argparse.Namespace(network=name, embedding=512, input_size=112))
            randomize(network)
            network.eval()
            with torch.no_grad():
                expected = network(images).numpy()
            for exporter, options in EXPORTERS.items():
                model = place / "network.onnx"
                torch.onnx.export(network, (images[:1],), model, input_names=["data"], output_names=["embedding"], **options)
                compare(f"{name}, {exporter}", embeddings(program, model, place / "faces", place), expected)
            own = place / "own.onnx"
            subprocess.run(
                [program, "export", "--model", str(model), "--format", "onnx", "--output", str(own)],
                check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            compare(f"{name}, our own export", embeddings(program, own, place / "faces", place), expected)
    if not worst <= 1e-4:
        sys.exit("they are not the same networks")


if __name__ == "__main__":
    main()

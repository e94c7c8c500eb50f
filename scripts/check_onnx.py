#!/usr/bin/env python3
"""Checks an exported ONNX file with onnx and onnxruntime against what `cosface embed` wrote for the same model.

    cosface export --model RUN --format onnx --output face.onnx
    cosface embed --model RUN --data DIR --output faces.npy --flip none
    python3 scripts/check_onnx.py face.onnx faces.npy --images DIR

It needs onnx, onnxruntime, numpy and Pillow from PyPI. The images must have the network's size: resizing differs among programs.
Prints the greatest difference at each batch size; exit code 1 where it is above --tolerance.
"""
import argparse
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from PIL import Image


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="the ONNX file")
    parser.add_argument("embeddings", help="the .npy file of cosface embed, its .names.txt beside it")
    parser.add_argument("--images", required=True, help="folder that the names are relative to")
    parser.add_argument("--count", type=int, default=64, help="images to check, spread over all (default 64)")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 32], help="batch sizes (default 1 32)")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="greatest difference allowed, of the largest value where that is above 1 (default 1e-4)")
    arguments = parser.parse_args()

    onnx.checker.check_model(arguments.model, full_check=True)
    print("onnx.checker passed")
    expected = np.load(arguments.embeddings)
    names = pathlib.Path(arguments.embeddings).with_suffix(".names.txt").read_text(encoding="utf-8").split("\n")[:-1]
    if len(names) != len(expected):
        sys.exit(f"{len(names)} names for {len(expected)} rows")
    rows = np.unique(np.linspace(0, len(names) - 1, min(arguments.count, len(names))).astype(int))

    session = onnxruntime.InferenceSession(arguments.model, providers=["CPUExecutionProvider"])
    data = session.get_inputs()[0]
    takes_pixels = data.type == "tensor(uint8)"
    images = []
    for row in rows:
        with Image.open(pathlib.Path(arguments.images) / names[row]) as image:
            if [image.height, image.width] != data.shape[2:]:
                sys.exit(f"{names[row]} is {image.width} x {image.height}, the network's input {data.shape[2:]}")
            images.append(np.asarray(image.convert("RGB")).transpose(2, 0, 1))
    images = np.stack(images)
    if not takes_pixels:
        images = (images.astype(np.float32) - 127.5) / 127.5

    worst = 0.0
    allowed = arguments.tolerance * max(1.0, float(np.abs(expected[rows]).max()))
    for batch in arguments.batches:
        found = np.concatenate(
            [session.run(None, {data.name: images[i : i + batch]})[0] for i in range(0, len(images), batch)])
        difference = float(np.abs(found - expected[rows]).max())
        worst = max(worst, difference)
        print(f"batch {batch}: {len(rows)} images, greatest difference {difference:.2e}, largest value {np.abs(found).max():.3g}")
    if not worst <= allowed:
        sys.exit(f"the difference is above {allowed:.1e}")


main()

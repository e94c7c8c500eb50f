"""MXNet's own exporter (mx2onnx) against `cosface embed`: networks built as InsightFace's MXNet programs build them (fmobilefacenet.py;
fresnet.py, unit 3, output E), random weights and statistics, exported, read here, and compared with MXNet's own embeddings.

    python3 -m venv venv
    venv/bin/pip install onnx==1.13.1 protobuf==3.20.3 safetensors requests graphviz
    venv/bin/pip install --no-deps mxnet==1.9.1 numpy==1.23.5
    venv/bin/python Tests/Recipes/mxnet_onnx.py .build/release/cosface FACES

FACES: folders of aligned 112 x 112 pictures. mx2onnx writes a graph that nothing can run where FullyConnected does not say `flatten`.
"""
import pathlib
import subprocess
import sys
import tempfile

import mxnet as mx
import numpy as np
from mxnet import onnx as mx2onnx
from safetensors.numpy import load_file

S = mx.sym


def pixels():
    return (S.identity(S.Variable("data"), name="id") - 127.5) * 0.0078125


def norm(x, name, epsilon, fixed=False):
    return S.BatchNorm(x, name=name, fix_gamma=fixed, eps=epsilon, momentum=0.9)


def conv(x, name, outputs, kernel, stride=1, pad=0, groups=1):
    return S.Convolution(
        x, name=name, num_filter=outputs, kernel=(kernel, kernel), stride=(stride, stride), pad=(pad, pad), num_group=groups,
        no_bias=True)


def embedding(x, width, epsilon):
    return norm(S.FullyConnected(x, num_hidden=width, flatten=True, name="pre_fc1"), "fc1", epsilon, fixed=True)


def mobilefacenet():
    def linear(x, name, outputs, kernel, stride, pad, groups):
        return norm(conv(x, name + "_conv2d", outputs, kernel, stride, pad, groups), name + "_batchnorm", 1e-3)

    def block(x, name, *sizes):
        return S.LeakyReLU(linear(x, name, *sizes), act_type="prelu", name=name + "_relu")

    def depthwise(x, name, outputs, groups, stride):
        y = block(x, name + "_conv_sep", groups, 1, 1, 0, 1)
        y = block(y, name + "_conv_dw", groups, 3, stride, 1, groups)
        return linear(y, name + "_conv_proj", outputs, 1, 1, 0, 1)

    def stage(x, name, count, outputs, groups):
        for i in range(count):
            x = depthwise(x, f"{name}_block{i}", outputs, groups, 1) + x
        return x

    x = block(block(pixels(), "conv_1", 64, 3, 2, 1, 1), "conv_2_dw", 64, 3, 1, 1, 64)
    x = stage(depthwise(x, "dconv_23", 64, 128, 2), "res_3", 4, 64, 128)
    x = stage(depthwise(x, "dconv_34", 128, 256, 2), "res_4", 6, 128, 256)
    x = stage(depthwise(x, "dconv_45", 128, 512, 2), "res_5", 2, 128, 256)
    x = linear(block(x, "conv_6sep", 512, 1, 1, 0, 1), "conv_6dw7_7", 512, 7, 1, 0, 512)
    return embedding(x, 128, 1e-3)


def iresnet(counts):
    def prelu(x, name):
        return S.LeakyReLU(x, act_type="prelu", name=name)

    x = prelu(norm(conv(pixels(), "conv0", 64, 3, 1, 1), "bn0", 2e-5), "relu0")
    for i, (count, outputs) in enumerate(zip(counts, (64, 128, 256, 512)), 1):
        for j in range(1, count + 1):
            name, stride = f"stage{i}_unit{j}", 2 if j == 1 else 1
            y = norm(conv(norm(x, name + "_bn1", 2e-5), name + "_conv1", outputs, 3, 1, 1), name + "_bn2", 2e-5)
            y = norm(conv(prelu(y, name + "_relu1"), name + "_conv2", outputs, 3, stride, 1), name + "_bn3", 2e-5)
            x = y + (norm(conv(x, name + "_conv1sc", outputs, 1, stride), name + "_sc", 2e-5) if j == 1 else x)
    return embedding(S.Dropout(norm(x, "bn1", 2e-5), p=0.4), 512, 2e-5)


def value(random, name, shape):
    if name.endswith(("relu_gamma", "relu0_gamma", "relu1_gamma")):
        return random.uniform(0.05, 0.5, shape)
    if name == "fc1_gamma":
        return np.ones(shape)
    if name.endswith(("gamma", "moving_var")):
        return random.uniform(0.5, 1.5, shape)
    if name.endswith("weight"):
        return random.normal(0, np.sqrt(1 / np.prod(shape[1:])), shape)
    return random.normal(0, 0.1, shape)


def main():
    program, folder = sys.argv[1:3]
    faces = sorted(pathlib.Path(folder).glob("*/*.jpg"))[:16]
    images = np.stack([mx.image.imread(str(f)).asnumpy().transpose(2, 0, 1) for f in faces]).astype(np.float32)
    worst = 0
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        for i, face in enumerate(faces):
            (place / "faces" / f"{i:02}").mkdir(parents=True)
            (place / "faces" / f"{i:02}" / "0.jpg").symlink_to(face.resolve())
        for name, symbol in (
            ("mobilefacenet", mobilefacenet()), ("iresnet18", iresnet((2, 2, 2, 2))), ("iresnet50", iresnet((3, 4, 14, 3)))):
            random = np.random.RandomState(3)
            shapes, _, auxiliary = symbol.infer_shape(data=(1, 3, 112, 112))
            names = symbol.list_arguments() + symbol.list_auxiliary_states()
            weights = {
                n: mx.nd.array(value(random, n, s).astype(np.float32)) for n, s in zip(names, shapes + auxiliary) if n != "data"}
            states = set(symbol.list_auxiliary_states())
            network = symbol.simple_bind(mx.cpu(), grad_req="null", data=images.shape)
            network.copy_params_from(
                {n: v for n, v in weights.items() if n not in states}, {n: v for n, v in weights.items() if n in states})
            expected = network.forward(is_train=False, data=mx.nd.array(images))[0].asnumpy()
            onnx = mx2onnx.export_model(symbol, weights, [(1, 3, 112, 112)], [np.float32], str(place / f"{name}.onnx"))
            written = place / f"{name}.safetensors"
            subprocess.run(
                [program, "embed", "--model", onnx, "--data", str(place / "faces"), "--output", str(written), "--flip", "none"],
                check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            found = load_file(written)["embeddings"]
            difference = np.abs(found - expected).max() / np.abs(expected).max()
            worst = max(worst, difference)
            print(f"{name}: {len(faces)} faces, greatest difference {difference:.1e} of the largest value")
    if not worst <= 1e-4:
        sys.exit("they are not the same networks")


if __name__ == "__main__":
    main()

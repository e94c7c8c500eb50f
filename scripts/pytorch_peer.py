"""The other side of compare-pytorch.sh: the same work in PyTorch and onnxruntime, one JSON object on standard output.

    python pytorch_peer.py step  --network mobilefacenet --batch-size 32 --classes 10000 [--channels-last] [--compile]
    torchrun --nproc_per_node=2 pytorch_peer.py step --batch-size 16 --threads 1 ...       DDP over gloo
    python pytorch_peer.py head  --classes 100000 --batch-size 64
    python pytorch_peer.py infer --network mobilefacenet --batch-size 1 --threads 1        onnxruntime
    python pytorch_peer.py about

Networks are arcface_torch's; the head is what its users write: s (cos - m), both sides normalized in the graph.
Fixed seeds, two steps of warm-up, medians. peakResidentGB is this process's alone.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import tempfile
import time

import torch
import torch.nn.functional as F
from torch import nn


def convolution(inputs, outputs, kernel=1, stride=1, padding=0, groups=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)


class ResidualBlock(nn.Module):
    """IResNet's: batch normalization first, the second convolution strides."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = convolution(inputs, outputs, 3, 1, 1)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.prelu = nn.PReLU(outputs)
        self.conv2 = convolution(outputs, outputs, 3, stride, 1)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        return self.bn3(self.conv2(x)) + shortcut


class IResNet(nn.Module):
    def __init__(self, depths, width, side):
        super().__init__()
        self.stem = nn.Sequential(convolution(3, 64, 3, 1, 1), nn.BatchNorm2d(64), nn.PReLU(64))
        blocks, inputs = [], 64
        for depth, outputs in zip(depths, (64, 128, 256, 512)):
            for index in range(depth):
                blocks.append(ResidualBlock(inputs, outputs, 2 if index == 0 else 1))
                inputs = outputs
        self.body = nn.Sequential(*blocks)
        self.bn2 = nn.BatchNorm2d(512)
        self.fc = nn.Linear(512 * (side // 16) ** 2, width)
        self.features = nn.BatchNorm1d(width)
        self.features.weight.requires_grad = False

    def forward(self, x):
        x = self.bn2(self.body(self.stem(x)))
        return self.features(self.fc(x.flatten(1)))


def activated(inputs, outputs, kernel=1, stride=1, padding=0, groups=1):
    return nn.Sequential(
        convolution(inputs, outputs, kernel, stride, padding, groups), nn.BatchNorm2d(outputs), nn.PReLU(outputs))


def linear(inputs, outputs, kernel=1, groups=1):
    return nn.Sequential(convolution(inputs, outputs, kernel, groups=groups), nn.BatchNorm2d(outputs))


class Bottleneck(nn.Module):
    """1 x 1 to `groups` channels, 3 x 3 depthwise, 1 x 1 back."""

    def __init__(self, inputs, outputs, groups, stride=2, residual=False):
        super().__init__()
        self.layers = nn.Sequential(
            activated(inputs, groups), activated(groups, groups, 3, stride, 1, groups), linear(groups, outputs))
        self.residual = residual

    def forward(self, x):
        return x + self.layers(x) if self.residual else self.layers(x)


def mobilefacenet(width, side, multiplier):
    a, b = 64 * multiplier, 128 * multiplier

    def stage(channels, count, groups):
        return [Bottleneck(channels, channels, groups, 1, True) for _ in range(count)]

    return nn.Sequential(
        activated(3, a, 3, 2, 1), activated(a, a, 3, 1, 1, 64), Bottleneck(a, a, 128), *stage(a, 4, 128),
        Bottleneck(a, b, 256), *stage(b, 6, 256), Bottleneck(b, b, 512), *stage(b, 2, 256),
        activated(b, 512), linear(512, 512, side // 16, 512), nn.Flatten(), nn.Linear(512, width, bias=False),
        nn.BatchNorm1d(width))


DEPTHS = {"iresnet18": (2, 2, 2, 2), "iresnet34": (3, 4, 6, 3), "iresnet50": (3, 4, 14, 3), "iresnet100": (3, 13, 30, 3)}
NETWORKS = ["mobilefacenet", "mobilefacenet-x2", *DEPTHS]


def make_network(options):
    if options.network in DEPTHS:
        return IResNet(DEPTHS[options.network], options.embedding, options.input_size)
    return mobilefacenet(options.embedding, options.input_size, 2 if options.network.endswith("x2") else 1)


class CosFace(nn.Module):
    def __init__(self, classes, width, scale=64.0, margin=0.35):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, width) * 0.01)
        self.scale, self.margin = scale, margin

    def forward(self, x, labels):
        cosines = F.linear(F.normalize(x), F.normalize(self.weight))
        cosines[torch.arange(len(labels)), labels] -= self.margin
        return F.cross_entropy(cosines * self.scale, labels)


def peak_gb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def measure(count, body, warm_up=2):
    seconds = []
    for index in range(count + warm_up):
        start = time.perf_counter()
        body()
        if index >= warm_up:
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def sgd(modules):
    parameters = [p for module in modules for p in module.parameters() if p.requires_grad]
    return torch.optim.SGD(parameters, lr=0.01, momentum=0.9, weight_decay=5e-4)


def step(options):
    ranks, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    network, head = make_network(options), CosFace(options.classes, options.embedding)
    images = torch.rand(options.batch_size, 3, options.input_size, options.input_size) * 2 - 1
    labels = torch.randint(0, options.classes, (options.batch_size,))
    if options.channels_last:
        network = network.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    if ranks > 1:
        torch.distributed.init_process_group("gloo")
        network, head = nn.parallel.DistributedDataParallel(network), nn.parallel.DistributedDataParallel(head)
    if options.compile:
        network, head = torch.compile(network), torch.compile(head)
    optimizer = sgd([network, head])

    def body():
        optimizer.zero_grad(set_to_none=True)
        loss = head(network(images), labels)
        loss.backward()
        optimizer.step()
        loss.item()

    seconds = measure(options.steps, body)
    peak = peak_gb()
    if ranks > 1:
        torch.distributed.destroy_process_group()
    if rank == 0:
        return dict(ranks=ranks, channelsLast=options.channels_last, compiled=options.compile, secondsPerStep=seconds,
                    imagesPerSecond=options.batch_size * ranks / seconds, peakResidentGB=peak)


def head(options):
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    head = CosFace(options.classes, options.embedding)
    embeddings = torch.randn(options.batch_size, options.embedding, requires_grad=True)
    labels = torch.randint(0, options.classes, (options.batch_size,))
    optimizer = sgd([head])

    def body():
        optimizer.zero_grad(set_to_none=True)
        head(embeddings, labels).backward()
        optimizer.step()

    seconds = measure(options.steps, body, warm_up=1)
    return dict(secondsPerStep=seconds, peakResidentGB=peak_gb())


def infer(options):
    import onnxruntime

    torch.manual_seed(0)
    network = make_network(options).eval()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "network.onnx")
        images = torch.rand(options.batch_size, 3, options.input_size, options.input_size) * 2 - 1
        torch.onnx.export(network, (images,), path, input_names=["data"], output_names=["embedding"], dynamo=False)
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = options.threads
        settings.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    data = {"data": images.numpy()}
    seconds = measure(options.steps, lambda: session.run(None, data), warm_up=3)
    return dict(milliseconds=1e3 * seconds, imagesPerSecond=options.batch_size / seconds, peakResidentGB=peak_gb())


def about(options):
    import onnxruntime

    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    return dict(torch=torch.__version__, onnxruntime=onnxruntime.__version__, python=platform.python_version(),
                processor=model, cores=os.cpu_count())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=["step", "head", "infer", "about"])
    parser.add_argument("--network", choices=NETWORKS, default="mobilefacenet")
    parser.add_argument("--embedding", type=int, default=512)
    parser.add_argument("--input-size", type=int, default=112)
    parser.add_argument("--batch-size", type=int, default=32, help="of each rank")
    parser.add_argument("--classes", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    report = {"step": step, "head": head, "infer": infer, "about": about}[options.work](options)
    if report is not None:
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()

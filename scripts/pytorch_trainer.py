"""The other side of time-to-accuracy.sh: trains as a cosface run did, in PyTorch, and keeps weights with their times.

    python pytorch_trainer.py RUN/configuration.json OUTPUT [--epochs E] [--until MINUTES] [--head KIND] [--seed N] [--plain]

The recipe is the run's: network, input size, batch, optimizer, rate and schedule, scale, margin, augmentation, seed. Faces are
decoded before the clock starts and stay in memory; the fastest of PyTorch's settings (plain, channels-last, compiled) is found
before, too, on all cores. After each epoch OUTPUT receives epoch-E.safetensors, under arcface_torch's names, and a line in
times.jsonl: minutes of training without the writing, loss and more.
--epochs: a schedule of so many epochs instead of the run's. --until: ends after so many minutes. --head: see pytorch_heads.py.
--seed: instead of the run's.
--plain: without a search for the fastest setting, where time is not what is asked.
"""

import argparse
import json
import math
import os
import struct
import time

import numpy
import torch
from PIL import Image
from torch import nn

from pytorch_heads import make_head
from pytorch_peer import make_network


def refuse(message):
    raise SystemExit(f"pytorch_trainer.py: {message}")


class Recipe:
    """What a run's configuration.json says, as far as this trainer does the same."""

    def __init__(self, path):
        values = json.load(open(path))
        wanted = dict(
            marginKind="cosine", gradientAccumulation=1, gradientClipping=None, dropout=0, sampling="uniform", weights=None,
            minImagesPerPerson=1, maxImagesPerPerson=None, holdoutPeople=0)
        for name, value in wanted.items():
            if values.get(name, value) != value:
                refuse(f"{path} has {name} = {values[name]}; only {value} is done here too")
        if values["augment"] not in ("none", "flip", "standard"):
            refuse(f"{path} has the augmentation {values['augment']}, which is not done here")
        if not values["length"].endswith("e") or not values["warmup"].endswith("e"):
            refuse(f"{path} has a length or warm-up in steps; epochs are needed")
        if values["schedule"] != "cosine" or "logitScale" not in values or len(values["data"]) != 1:
            refuse(f"{path} needs the schedule cosine, a fixed logitScale, and one set")
        self.values = values
        self.epochs = float(values["length"][:-1])
        self.warmup = float(values["warmup"][:-1])

    def __getattr__(self, name):
        return self.values[name]

    def optimizers(self, network, head):
        """Optimizers, and how much larger than the schedule's the rate of each is."""
        trained = [p for p in network.parameters() if p.requires_grad]
        of_head = dict(params=head.parameters(), weight_decay=self.classWeightDecay)
        adamw = dict(lr=self.learningRate, betas=(self.beta1, self.beta2), eps=self.epsilon)
        kind = self.values["optimizer"]
        if kind == "sgd":
            groups = [dict(params=trained, weight_decay=self.weightDecay), of_head]
            return [(torch.optim.SGD(groups, lr=self.learningRate, momentum=self.momentum, nesterov=self.nesterov), 1)]
        matrices = [p for p in trained if kind == "muon" and is_matrix(p)]
        rest = [p for p in trained if not any(p is m for m in matrices)]
        result = [(torch.optim.AdamW([dict(params=rest, weight_decay=self.weightDecay), of_head], **adamw), 1)]
        if matrices:
            factor = self.matrixRateFactor
            result.append((Muon(matrices, lr=self.learningRate * factor, weight_decay=self.weightDecay / factor), factor))
        return result

    @property
    def augment_strength(self):
        """Runs without a strength have the whole augmentation, or none that has one."""
        return self.values.get("augmentStrength", 1)

    def rate(self, step, steps, per_epoch):
        warm = round(self.warmup * per_epoch)
        if step < warm:
            return self.learningRate * (step + 1) / (warm + 1)
        return self.learningRate * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(steps - warm, 1)))


def is_matrix(parameter):
    """Whether cosface's Muon updates it as a whole: see Muon.isMatrix."""
    return parameter.ndim > 1 and parameter.shape[1] > 1 and max(len(parameter), parameter.numel() // len(parameter)) <= 8192


class Muon(torch.optim.Optimizer):
    """torch.optim.Muon with match_rms_adamw, for convolutions too; in float32, which is faster on CPUs than its bfloat16."""

    def __init__(self, weights, lr, weight_decay, momentum=0.95):
        super().__init__(weights, dict(lr=lr, weight_decay=weight_decay, momentum=momentum))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for weight in group["params"]:
                gradient = weight.grad.reshape(len(weight), -1)
                if not self.state[weight]:
                    self.state[weight]["average"] = torch.zeros_like(gradient)
                average = self.state[weight]["average"]
                average.lerp_(gradient, 1 - group["momentum"])
                direction = orthogonal(gradient.lerp(average, group["momentum"]))
                rate = group["lr"] * 0.2 * math.sqrt(max(gradient.shape))
                weight.mul_(1 - group["lr"] * group["weight_decay"]).add_(direction.reshape(weight.shape), alpha=-rate)


def orthogonal(matrix):
    """Newton and Schulz's iteration, with the constants of torch.optim.Muon."""
    x = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(5):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
    return x.T if matrix.shape[0] > matrix.shape[1] else x


def faces(folder, side):
    """All images of DIR/PERSON/IMAGE as (count, 3, side, side) bytes, and their people's numbers."""
    images, labels = [], []
    people = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
    for label, person in enumerate(people):
        for name in sorted(os.listdir(os.path.join(folder, person))):
            image = Image.open(os.path.join(folder, person, name)).convert("RGB")
            image = image.resize((side, side), Image.BILINEAR)
            images.append(numpy.asarray(image).transpose(2, 0, 1))
            labels.append(label)
    return torch.from_numpy(numpy.stack(images)), torch.tensor(labels), len(people)


def augmented(images, kind, strength, generator):
    """(M, 3, side, side) bytes to values in [-1, 1], varied as cosface's augmentation of that name does."""
    count, side = len(images), images.shape[-1]
    values = (images.float() - 127.5) / 127.5
    if kind == "none":
        return values
    mirrored = torch.rand(count, generator=generator) < 0.5
    values[mirrored] = values[mirrored].flip(-1)
    if kind == "flip":
        return values
    reach = round(0.06 * strength * side)
    padded = nn.functional.pad(values, (reach,) * 4, mode="replicate")
    for index, (x, y) in enumerate(torch.randint(0, 2 * reach + 1, (count, 2), generator=generator).tolist()):
        values[index] = padded[index, :, y : y + side, x : x + side]
    contrast = 1 + strength * (0.4 * torch.rand(count, 1, 1, 1, generator=generator) - 0.2)
    brightness = strength * (0.4 * torch.rand(count, 1, 1, 1, generator=generator) - 0.2)
    return (contrast * values + brightness).clamp(-1, 1)


def arcface_name(name):
    """A parameter's name here as arcface_torch's mbf has it."""
    first, *rest = name.split(".")
    index = int(first)
    if index < 2:
        return ".".join(["layers", first, "layers", *rest])
    # 2; 3..6; 7; 8..13; 14; 15, 16 are bottlenecks: single ones, and stages of several.
    starts = [(2, None), (3, 4), (7, None), (8, 6), (14, None), (15, 2)]
    for stage, (start, count) in enumerate(starts):
        if start <= index < start + (count or 1):
            place = ["layers", str(stage + 2)] + (["layers", str(index - start)] if count else [])
            return ".".join([*place, "layers", rest[1], "layers", *rest[2:]])
    last = {17: "conv_sep.layers", 18: "features.layers.0.layers", 20: "features.layers.2", 21: "features.layers.3"}
    return ".".join([last[index], *rest])


def write_safetensors(network, path):
    """The format's own description: the header's length, a JSON header, the tensors' bytes."""
    header, pieces, offset = {}, [], 0
    for name, tensor in network.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        data = tensor.detach().contiguous().numpy().tobytes()
        header[arcface_name(name)] = dict(
            dtype="F32", shape=list(tensor.shape), data_offsets=[offset, offset + len(data)])
        offset += len(data)
        pieces.append(data)
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.writelines(pieces)


def settings():
    return [dict(channels_last=last, compiled=compiled) for last in (False, True) for compiled in (False, True)]


class Trainer:
    def __init__(self, recipe, classes, setting, head):
        torch.manual_seed(recipe.seed)
        options = argparse.Namespace(network=recipe.network, embedding=recipe.embedding, input_size=recipe.inputSize)
        self.network = make_network(options)
        self.head = make_head(head, classes, recipe.embedding, recipe.logitScale, recipe.margin)
        self.optimizers = recipe.optimizers(self.network, self.head)
        self.channels_last = setting["channels_last"]
        if self.channels_last:
            self.network = self.network.to(memory_format=torch.channels_last)
        self.forward = torch.compile(self.network) if setting["compiled"] else self.network

    def step(self, images, labels, rate):
        for optimizer, factor in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
        if self.channels_last:
            images = images.to(memory_format=torch.channels_last)
        for module in (self.network, self.head):
            module.zero_grad(set_to_none=True)
        loss = self.head(self.forward(images), labels)
        loss.backward()
        for optimizer, _ in self.optimizers:
            optimizer.step()
        if hasattr(self.head, "project"):
            self.head.project()
        return loss.item()


def fastest(recipe, classes, head):
    images = torch.rand(recipe.batchSize, 3, recipe.inputSize, recipe.inputSize) * 2 - 1
    labels = torch.randint(0, classes, (recipe.batchSize,))
    seconds = []
    for setting in settings():
        trainer = Trainer(recipe, classes, setting, head)
        for _ in range(3):
            trainer.step(images, labels, 0.0)
        start = time.perf_counter()
        for _ in range(10):
            trainer.step(images, labels, 0.0)
        seconds.append(time.perf_counter() - start)
    best = min(range(len(seconds)), key=seconds.__getitem__)
    return settings()[best], 10 * recipe.batchSize / seconds[best]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configuration")
    parser.add_argument("output")
    parser.add_argument("--epochs", type=float)
    parser.add_argument("--until", type=float, default=math.inf, metavar="MINUTES")
    parser.add_argument("--head", default="exact")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--plain", action="store_true")
    options = parser.parse_args()
    recipe = Recipe(options.configuration)
    if options.seed is not None:
        recipe.values["seed"] = options.seed
    if recipe.network != "mobilefacenet":
        refuse(f"the network {recipe.network} has other names; mobilefacenet is done")
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    images, labels, classes = faces(recipe.data[0], recipe.inputSize)
    setting, speed = (settings()[0], None) if options.plain else fastest(recipe, classes, options.head)
    os.makedirs(options.output)
    print(json.dumps(dict(images=len(images), people=classes, imagesPerSecond=speed, **setting)), flush=True)

    trainer = Trainer(recipe, classes, setting, options.head)
    generator = torch.Generator().manual_seed(recipe.seed)
    # A smaller last batch would be compiled anew; it is left out, as PyTorch's users do.
    per_epoch = len(images) // recipe.batchSize
    if per_epoch == 0:
        refuse(f"{len(images)} images make no batch of {recipe.batchSize}")
    steps = round((options.epochs or recipe.epochs) * per_epoch)
    trained, start, losses, order = 0.0, time.perf_counter(), [], None
    for step in range(steps):
        place = step % per_epoch
        if place == 0:
            order = torch.randperm(len(images), generator=generator)
        batch = order[place * recipe.batchSize : (place + 1) * recipe.batchSize]
        pixels = augmented(images[batch], recipe.augment, recipe.augment_strength, generator)
        rate = recipe.rate(step, steps, per_epoch)
        losses.append(trainer.step(pixels, labels[batch], rate))
        if place + 1 < per_epoch and step + 1 < steps:
            continue
        trained += time.perf_counter() - start
        epoch = f"{(step + 1) / per_epoch:.4g}"
        write_safetensors(trainer.network, os.path.join(options.output, f"epoch-{epoch}.safetensors"))
        line = dict(
            steps=step + 1, epoch=float(epoch), minutes=trained / 60, loss=sum(losses) / len(losses),
            samples=len(losses) * recipe.batchSize, learningRate=rate, scale=recipe.logitScale,
            classWeightNorm=trainer.head.weight.norm(dim=1).mean().item())
        with open(os.path.join(options.output, "times.jsonl"), "a") as file:
            file.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)
        if trained / 60 > options.until:
            break
        losses, start = [], time.perf_counter()


if __name__ == "__main__":
    main()

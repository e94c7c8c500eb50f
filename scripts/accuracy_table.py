"""Prints time-to-accuracy.sh's table from its folder, and writes both curves as runs for `cosface report`.

    accuracy_table.py FOLDER
"""

import json
import os
import shutil
import sys


def judged(path):
    """Accuracies by the name of what was judged, which the file has in per cent."""
    return {name: float(value) / 100 for name, value in (line.split() for line in open(path))}


def cosface(folder):
    """Of each judged checkpoint the run's own line of metrics, with the seconds of training until then and the accuracy."""
    accuracies = judged(os.path.join(folder, "cosface.txt"))
    points, seconds = [], 0.0
    for line in map(json.loads, open(os.path.join(folder, "cosface", "metrics.jsonl"))):
        seconds += line["seconds"]
        name = f"step-{line['step'] + 1:08d}"
        if name in accuracies:
            points.append(dict(line, seconds=seconds, accuracy=accuracies.pop(name)))
    if accuracies:
        raise SystemExit(f"accuracy_table.py: metrics.jsonl has no step of {', '.join(accuracies)}")
    return points


def pytorch(folder):
    accuracies = judged(os.path.join(folder, "pytorch.txt"))
    points, before = [], 0.0
    for line in map(json.loads, open(os.path.join(folder, "pytorch", "times.jsonl"))):
        seconds = 60 * line["minutes"]
        points.append(dict(
            step=line["steps"] - 1, epoch=round(line["epoch"]) - 1, seconds=seconds, loss=line["loss"],
            accuracy=accuracies[f"epoch-{line['epoch']:.4g}"], scale=line["scale"],
            classWeightNorm=line["classWeightNorm"], learningRate=line["learningRate"], samples=line["samples"],
            imagesPerSecond=line["samples"] / (seconds - before), dataSeconds=0, communicationShare=0, badImages=0))
        before = seconds
    return points


def write_run(points, folder, configuration):
    """A run's files with a line for each epoch."""
    os.makedirs(folder)
    shutil.copy(configuration, folder)
    before = 0.0
    with open(os.path.join(folder, "metrics.jsonl"), "w") as file:
        for point in points:
            line = {name: value for name, value in point.items() if name != "accuracy"}
            # The page draws `accuracy`: here the ten-fold one of `cosface evaluate`.
            line["validations"] = [dict(set="judge", accuracy=point["accuracy"])]
            file.write(json.dumps(dict(line, seconds=point["seconds"] - before)) + "\n")
            before = point["seconds"]


def main():
    folder = sys.argv[1]
    programs = dict(cosface=cosface(folder), pytorch=pytorch(folder))
    for name, points in programs.items():
        write_run(points, os.path.join(folder, "curves", name), os.path.join(folder, "cosface", "configuration.json"))
        print(f"{name}\n  epoch  minutes  loss     accuracy")
        for point in points:
            print(f"  {point['epoch'] + 1:5d}  {point['seconds'] / 60:7.1f}  {point['loss']:7.3f}  {100 * point['accuracy']:.2f} %")
    ours, peers = programs["cosface"], programs["pytorch"]
    target, minutes = ours[-1]["accuracy"], ours[-1]["seconds"] / 60
    reached = next((point["seconds"] / 60 for point in peers if point["accuracy"] >= target), None)
    print(f"\ncosface ends with {100 * target:.2f} % after {minutes:.1f} minutes.")
    if reached is not None:
        print(f"PyTorch has as much after {reached:.1f} minutes: {reached / minutes:.2f} times as long.")
    else:
        print(f"PyTorch has {100 * max(p['accuracy'] for p in peers):.2f} % at best within {peers[-1]['seconds'] / 60:.1f} "
              f"minutes: more than {peers[-1]['seconds'] / 60 / minutes:.2f} times as long.")


if __name__ == "__main__":
    main()

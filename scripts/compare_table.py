"""Prints compare-pytorch.sh's table from its results: lines of row, program, setting, JSON.

    compare_table.py RESULTS ABOUT LOAD
    compare_table.py --behind RESULTS      ROW/PROGRAM/SETTING of those that are a quarter behind the best of their program
"""

import json
import statistics
import sys
from collections import defaultdict

# PyTorch's convolutions gain more from AVX-512 than ours, which multiply less.
IRESNET_TARGET = 2.2 if "avx512f" in open("/proc/cpuinfo").read() else 2.7

ROWS = {
    "step-mobilefacenet": ("mobilefacenet step, 32 images in all, N = 10,000", "imagesPerSecond", "images/s", 2.7),
    "step-iresnet18": ("iresnet18 step, 32 images in all, N = 10,000", "imagesPerSecond", "images/s", IRESNET_TARGET),
    "step-iresnet50": ("iresnet50 step, 16 images in all, N = 10,000", "imagesPerSecond", "images/s", IRESNET_TARGET),
    "step-iresnet100": ("iresnet100 step, 8 images in all, N = 10,000", "imagesPerSecond", "images/s", IRESNET_TARGET),
    "head-100k": ("head alone, N = 100,000, K = 512, 64 samples", "secondsPerStep", "s", 5),
    "head-1m": ("head alone, N = 1,000,000", "secondsPerStep", "s", 15),
    "infer-1": ("mobilefacenet forward, 1 image, 1 thread", "milliseconds", "ms", 1.8),
    "infer-32": ("mobilefacenet forward, 32 images, 1 thread", "milliseconds", "ms", 1.8),
}


def shown(value):
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def cost(value, key):
    """Less is better."""
    return 1 / value if key == "imagesPerSecond" else value


def read(path):
    """Of each row, and of each program's settings, the reports."""
    reports = defaultdict(lambda: defaultdict(list))
    for line in open(path):
        row, program, setting, text = line.rstrip("\n").split("\t")
        reports[row][program, setting].append(json.loads(text))
    return reports


def print_behind(path):
    for row, settings in read(path).items():
        # The other rows compare settings, not programs.
        if row not in ROWS:
            continue
        key = ROWS[row][1]
        for program in ("cosface", "peer"):
            costs = {s: cost(runs[0][key], key) for (p, s), runs in settings.items() if p == program}
            for setting, own in costs.items():
                if 0.75 * own > min(costs.values()):
                    print(f"{row}/{program}/{setting}")


def main():
    if sys.argv[1] == "--behind":
        return print_behind(sys.argv[2])
    path, about, load = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
    reports = read(path)

    def median(row, program, setting, key):
        return statistics.median(report[key] for report in reports[row][program, setting])

    def best(row, program, key):
        """The best of the settings: its median and its name."""
        settings = [s for p, s in reports[row] if p == program]
        medians = [(median(row, program, s, key), s) for s in settings]
        return min(medians, key=lambda pair: cost(pair[0], key), default=None)

    def least_memory(row, program):
        """One process that does all of the work, against one."""
        settings = [s for p, s in reports[row] if p == program and "DDP" not in s and "ranks x" not in s]
        return min((median(row, program, s, "peakResidentGB") for s in settings), default=float("nan"))

    print(f"{about['processor']}, {about['cores']} cores; PyTorch {about['torch']}, onnxruntime {about['onnxruntime']};"
          f" load before the start {load}\n")
    print("| work | cosface | PyTorch or onnxruntime | ratio | target | share of the limit | memory |")
    print("|---|---|---|---|---|---|---|")
    for row, (name, key, unit, target) in ROWS.items():
        if row not in reports:
            continue
        a, b = best(row, "cosface", key), best(row, "peer", key)
        if a is None or b is None:
            print(f"| {name} | {'failed' if a is None else shown(a[0])} | {'failed' if b is None else shown(b[0])} | | | | |")
            continue
        ratio = cost(b[0], key) / cost(a[0], key)
        share = "shareOfLimit" if row.startswith("head") else "shareOfConvolutionRate"
        memory = [least_memory(row, program) for program in ("cosface", "peer")]
        print(f"| {name} | {shown(a[0])} {unit} ({a[1]}) | {shown(b[0])} {unit} ({b[1]}) | {ratio:.2f} | {target} "
              f"| {100 * median(row, 'cosface', a[1], share):.0f} % | {memory[0]:.2f} / {memory[1]:.2f} GB, "
              f"{100 * memory[0] / memory[1]:.0f} % |")
    if "ranks" in reports:
        rates = {s: median("ranks", p, s, "imagesPerSecond") for p, s in reports["ranks"]}
        alone = rates.pop("1 replicated")
        for setting, rate in rates.items():
            count, classifier = setting.split()
            print(f"| {count} ranks of 1 thread against 1, 16 images each, classes {classifier} | {shown(rate)} images/s "
                  f"| {shown(alone)} images/s (1 rank) | {rate / alone:.2f} | {0.95 * int(count):.1f} | | |")
    if "data" in reports:
        data = median("data", "cosface", "1 worker", "imagesPerSecond")
        training = median("data", "cosface", "training on them", "imagesPerSecond")
        print(f"| decoding and augmenting, 1 thread | {shown(data)} images/s | {shown(training)} images/s (training, 1 "
              f"thread) | {data / training:.1f} | 10 | | |")
    print("\nMedians of the runs. Memory: the peak of one process that does all of the work, ours / theirs (the least of its settings).")
    for row in reports:
        for (program, setting), runs in reports[row].items():
            key = ROWS.get(row, ("", "imagesPerSecond"))[1]
            print(f"  {row:20} {program:8} {setting:28} {' '.join(shown(r[key]) for r in runs)}")


if __name__ == "__main__":
    main()

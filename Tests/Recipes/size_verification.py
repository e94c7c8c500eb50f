"""Verification at the size of IJB-C: what each rank needs, and how long it takes.

Makes embeddings of people by a seed (a person's direction and noise), as `cosface embed` writes them, and pairs of them; runs
`cosface evaluate --embeddings` on each number of ranks, prints a table of peak memory and seconds, and checks that all print the
same figures and that these are NumPy's.

    python size_verification.py --cosface .build/release/cosface --folder /tmp/size --ranks 1 2 4
"""

import argparse
import json
import os
import re
import struct
import subprocess
import time

import numpy as np


def write_embeddings(path, names, vectors):
    text = ("\n".join(names) + "\n").encode()
    header = {
        "__metadata__": {"flip": "none", "normalize": "false", "weights": "made"},
        "embeddings": {"dtype": "F32", "shape": list(vectors.shape), "data_offsets": [0, vectors.nbytes]},
        "names": {"dtype": "U8", "shape": [len(text)], "data_offsets": [vectors.nbytes, vectors.nbytes + len(text)]},
    }
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(head)) + head)
        vectors.tofile(file)
        file.write(text)


def make(folder, images, width, pairs, seed):
    """Six images a person; half of the pairs of one person."""
    generator = np.random.default_rng(seed)
    people = images // 6
    vectors = generator.standard_normal((images, width), dtype=np.float32)
    centres = generator.standard_normal((people + 1, width), dtype=np.float32)
    owner = np.minimum(np.arange(images) // 6, people)
    vectors = vectors * 1.5 + centres[owner]
    names = [f"p{owner[i]:06}/{i:07}.jpg" for i in range(images)]
    half = pairs // 2
    person = generator.integers(0, people, half)
    first = person * 6 + generator.integers(0, 6, half)
    second = person * 6 + (first - person * 6 + generator.integers(1, 6, half)) % 6
    first = np.concatenate([first, generator.integers(0, images, pairs - half)])
    second = np.concatenate([second, generator.integers(0, images, pairs - half)])
    same = owner[first] == owner[second]
    order = generator.permutation(pairs)
    first, second, same = first[order], second[order], same[order]
    # An image with itself says nothing.
    keep = first != second
    first, second, same = first[keep], second[keep], same[keep]
    os.makedirs(folder, exist_ok=True)
    write_embeddings(f"{folder}/faces.safetensors", names, vectors)
    with open(f"{folder}/pairs.txt", "w") as file:
        for start in range(0, len(first), 1 << 20):
            part = slice(start, start + (1 << 20))
            file.writelines(
                f"{names[i]} {names[j]} {int(k)}\n" for i, j, k in zip(first[part], second[part], same[part]))
    return vectors, first, second, same


def figures(vectors, first, second, same):
    """Of exact cosines: the balanced accuracy at the best threshold, TAR at FAR 1e-1 to 1e-6, means."""
    unit = vectors.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    scores = np.empty(len(first))
    for start in range(0, len(first), 1 << 16):
        part = slice(start, start + (1 << 16))
        scores[part] = np.einsum("ij,ij->i", unit[first[part]], unit[second[part]])
    order = np.argsort(-scores, kind="stable")
    ranked = same[order]
    tp, fp = np.cumsum(ranked), np.cumsum(~ranked)
    best = np.max(tp / tp[-1] + 1 - fp / fp[-1]) / 2
    rates = [tp[np.searchsorted(fp, fp[-1] // 10**k, side="right") - 1] / tp[-1] for k in range(1, 7)]
    return best, rates, scores[same].mean(), scores[~same].mean()


def run(cosface, folder, ranks, threads):
    command = [
        "mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks), "/usr/bin/time", "-f", "peak %M", cosface,
        "evaluate", "--embeddings", f"{folder}/faces.safetensors", "--data", folder, "--pairs", f"{folder}/pairs.txt",
        "--threads", str(threads), "--json",
    ]
    environment = dict(os.environ)
    if os.geteuid() == 0:
        environment |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    begin = time.time()
    outcome = subprocess.run(command, capture_output=True, text=True, env=environment)
    seconds = time.time() - begin
    if outcome.returncode != 0:
        raise SystemExit(outcome.stderr)
    peaks = [int(kilobytes) for kilobytes in re.findall(r"peak (\d+)", outcome.stderr)]
    assert len(peaks) == ranks, outcome.stderr
    return outcome.stdout, max(peaks) * 1024, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cosface", default=".build/release/cosface")
    parser.add_argument("--folder", required=True, help="folder for the made files; they stay")
    parser.add_argument("--images", type=int, default=400_000)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--pairs", type=int, default=15_000_000)
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    made = make(options.folder, options.images, options.width, options.pairs, options.seed)
    best, rates, same_mean, different_mean = figures(*made)
    bytes_in_all = made[0].nbytes
    del made
    outputs = set()
    print("ranks  threads  peak MB  allowed  seconds")
    for ranks in options.ranks:
        threads = max(1, (os.cpu_count() or 1) // ranks)
        # One thread a rank, so that times of ranks compare; then all cores.
        text, peak, seconds = run(options.cosface, options.folder, ranks, 1)
        allowed = 1.3 * bytes_in_all / ranks + 200e6
        print(f"{ranks:5}  {1:7}  {peak / 1e6:7.0f}  {allowed / 1e6:7.0f}  {seconds:7.1f}", flush=True)
        outputs.add(text)
        if threads > 1:
            text, peak, seconds = run(options.cosface, options.folder, ranks, threads)
            print(f"{ranks:5}  {threads:7}  {peak / 1e6:7.0f}  {allowed / 1e6:7.0f}  {seconds:7.1f}", flush=True)
            outputs.add(text)
    assert len(outputs) == 1, "The ranks' figures differ"
    report = json.loads(text)["verification"]
    ours = [report["best"]["accuracy"], *[r.get("trueAcceptRate") for r in report["acceptRates"]],
            report["sameScores"]["mean"], report["differentScores"]["mean"]]
    theirs = [best, *rates, same_mean, different_mean]
    worst = max(abs(a - b) for a, b in zip(ours, theirs) if a is not None)
    print(f"figures beside NumPy's: {worst:.1e} apart at most")
    assert worst < 1e-9, (ours, theirs)


if __name__ == "__main__":
    main()

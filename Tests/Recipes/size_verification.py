"""Verification at the size of IJB-C: what each rank needs, and how long it takes.

Makes embeddings of people by a seed (a person's direction and noise), as `cosface embed` writes them, and pairs of them; runs
`cosface evaluate --embeddings` on each number of ranks, prints a table of peak memory and seconds, and checks that all print the
same figures and that these are NumPy's.

    python3 Tests/Recipes/size_verification.py .build/release/cosface [--images 400000] [--pairs 15000000] [--ranks 1 2 4]

Needs numpy and mpirun, and 5 GB of memory for NumPy's own figures.
"""

import os
import sys
import tempfile

import numpy as np

from ranks import Table, arguments, run, write_embeddings


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
    write_embeddings(f"{folder}/rows.safetensors", names, width, [vectors])
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


def main():
    parser = arguments(__doc__)
    parser.add_argument("--images", type=int, default=400_000)
    parser.add_argument("--pairs", type=int, default=15_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        made = make(folder, options.images, options.width, options.pairs, options.seed)
        expected, table, reports = figures(*made), Table(), []
        del made
        for ranks in options.ranks:
            command = ["evaluate", "--embeddings", f"{folder}/rows.safetensors", "--data", folder]
            command += ["--pairs", f"{folder}/pairs.txt", "--json"]
            report, notes, peak, seconds, processor = run(options.program, command, ranks, options.threads, folder)
            print(f"{ranks} ranks:\n{notes}", end="", flush=True)
            reports.append(report)
            assert report == reports[0], f"other figures on {ranks} ranks than on {options.ranks[0]}"
            table.add(ranks, options.threads, options.images * options.width, peak, seconds, processor)
        report = reports[0]["verification"]
        best, rates, same_mean, different_mean = expected
        pairs = [(report["best"]["accuracy"], best), (report["sameScores"]["mean"], same_mean),
                 (report["differentScores"]["mean"], different_mean)]
        # A rate that needs more pairs is left out.
        pairs += [(rate["trueAcceptRate"], value) for rate, value in zip(report["acceptRates"], rates)
                  if "trueAcceptRate" in rate]
        worst = max(abs(ours - theirs) for ours, theirs in pairs)
        print(f"\n{options.images:,} x {options.width}, {options.pairs:,} pairs; the same figures on all, at most {worst:.1e} "
              "from NumPy's")
        assert worst < 1e-9, pairs
        sys.exit(not table.show())


if __name__ == "__main__":
    main()

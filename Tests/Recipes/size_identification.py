#!/usr/bin/env python3
"""How much memory and time a search among many distractors takes: `cosface evaluate --embeddings` on several ranks.

    python3 Tests/Recipes/size_identification.py .build/release/cosface [--rows 1000000] [--width 512] [--ranks 1 2 4]

Makes a .safetensors of random embeddings by a seed, in which 200 people with 5 images each are planted, the lists
`path person` of both sets, and runs MegaFace's protocol. Prints for each number of ranks the peak memory of the largest
rank, what it may be (1.3 times its share of the embeddings and 200 MB), the seconds, and the seconds of processor time of the
rank that used least, which waited least for others: on a machine that others use it tells more. Checks that the results are the
same on all, and the ranks of some searches by NumPy. Needs numpy and mpirun; the file is as large as the embeddings.
"""

import itertools
import os
import sys
import tempfile

import numpy as np

from ranks import Table, arguments, run, write_embeddings

PEOPLE, IMAGES = 200, 5


def piece(seed, index, count, width):
    return np.random.default_rng([seed, index]).standard_normal((count, width), dtype=np.float32)


def write_rows(path, probes, rows, width, seed, size=50_000):
    """The probes' rows, and behind them the distractors'."""
    names = [f"probes/{i // IMAGES:03d}/{i % IMAGES}.jpg" for i in range(len(probes))]
    names += [f"distractors/{i // 1000:04d}/{i:07d}.jpg" for i in range(rows)]
    pieces = (piece(seed, index, min(size, rows - start), width) for index, start in enumerate(range(0, rows, size)))
    write_embeddings(path, names, width, itertools.chain([probes], pieces))
    return names


def planted(width, seed):
    """Images of a person around a direction of its own, some so far from it that a search has to count."""
    random = np.random.default_rng([seed, 1 << 32])
    people = random.standard_normal((PEOPLE, 1, width), dtype=np.float32)
    noise = random.standard_normal((PEOPLE, IMAGES, width), dtype=np.float32)
    spread = np.linspace(0.5, 4, PEOPLE, dtype=np.float32)[:, None, None]
    return (people + spread * noise).reshape(-1, width)


def check(csv, probes, rows, width, seed, size=50_000, searches=40):
    """Ranks of some searches against NumPy's count in Double, where no distractor is near the mate's score."""
    unit = probes.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    number = {f"probes/{i // IMAGES:03d}/{i % IMAGES}.jpg": i for i in range(len(probes))}
    lines = [line.split(",") for line in open(csv).read().split()[1:]]
    assert len(lines) == PEOPLE * IMAGES * (IMAGES - 1), f"{len(lines)} searches"
    some = lines[:: len(lines) // searches]
    pairs = [(number[line[0]], number[line[1]]) for line in some]
    scores = np.array([unit[a] @ unit[b] for a, b in pairs])
    least, most = np.ones(len(some), int), np.ones(len(some), int)
    for index, start in enumerate(range(0, rows, size)):
        others = piece(seed, index, min(size, rows - start), width).astype(np.float64)
        others /= np.linalg.norm(others, axis=1, keepdims=True)
        cosines = unit[[a for a, _ in pairs]] @ others.T
        least += (cosines > scores[:, None] + 1e-12).sum(axis=1)
        most += (cosines > scores[:, None] - 1e-12).sum(axis=1)
    for line, low, high, score in zip(some, least, most, scores):
        assert low <= int(line[2]) <= high and abs(float(line[3]) - score) < 1e-12, (line, low, high, score)
    found = [int(line[2]) for line in some]
    assert min(found) == 1 and max(found) > 10, "searches that are all found, or all lost, say nothing"
    return len(some)


def main():
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        files = {name: os.path.join(folder, name) for name in ["rows.safetensors", "probes.txt", "distractors.txt"]}
        probes = planted(options.width, options.seed)
        names = write_rows(files["rows.safetensors"], probes, options.rows, options.width, options.seed)
        with open(files["probes.txt"], "w") as file:
            file.writelines(f"{name} {name.split('/')[1]}\n" for name in names[: len(probes)])
        # As in MegaFace about two images of three show somebody of their own.
        with open(files["distractors.txt"], "w") as file:
            file.writelines(f"{name} stranger{2 * i // 3}\n" for i, name in enumerate(names[len(probes) :]))
        first, table = None, Table()
        for ranks in options.ranks:
            csv = os.path.join(folder, f"ranks{ranks}.csv")
            command = ["evaluate", "--embeddings", files["rows.safetensors"], "--probes", files["probes.txt"]]
            command += ["--distractors", files["distractors.txt"], "--json", "--output", csv]
            report, notes, peak, seconds, processor = run(options.program, command, ranks, options.threads, folder)
            print(f"{ranks} ranks:\n{notes}", end="", flush=True)
            result = (report, open(csv).read())
            first = first or result
            assert result == first, f"other results on {ranks} ranks than on {options.ranks[0]}"
            table.add(ranks, options.threads, options.rows * options.width, peak, seconds, processor)
        count = check(os.path.join(folder, f"ranks{options.ranks[0]}.csv"), probes, options.rows, options.width, options.seed)
        print(f"\n{options.rows:,} x {options.width}; the same results on all, {count} searches as NumPy counts them; "
              f"rank 1: {100 * first[0]['rates'][0]['rate']:.2f} %")
        sys.exit(not table.show())


if __name__ == "__main__":
    main()

"""What the measurements of size share: made embeddings as `cosface embed` writes them, and runs on several ranks."""

import argparse
import json
import os
import struct
import subprocess
import sys
import time

# Starts the program as one rank, and says what it took: the kernel counts pages of mapped files, too.
WRAPPER = """import os, resource, subprocess, sys
code = subprocess.run(sys.argv[2:]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(f"{sys.argv[1]}.{os.environ.get('OMPI_COMM_WORLD_RANK', '0')}", "w") as file:
    file.write(f"{used.ru_maxrss} {used.ru_utime + used.ru_stime}")
sys.exit(code)
"""


def arguments(description):
    """The parser of what both measurements take."""
    parser = argparse.ArgumentParser(description=description.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--threads", type=int, default=1, help="of each rank")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", help="where the files go; a temporary folder unless given")
    return parser


def write_embeddings(path, names, width, pieces):
    """A .safetensors of rows that come in pieces (n, width) of float32, with their names."""
    text = "".join(name + "\n" for name in names).encode()
    end = 4 * width * len(names)
    header = json.dumps(
        {
            "__metadata__": {"flip": "none", "normalize": "false", "weights": "0" * 32},
            "embeddings": {"dtype": "F32", "shape": [len(names), width], "data_offsets": [0, end]},
            "names": {"dtype": "U8", "shape": [len(text)], "data_offsets": [end, end + len(text)]},
        }
    ).encode()
    header += b" " * (-len(header) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        for piece in pieces:
            piece.tofile(file)
        file.write(text)


def run(program, arguments, ranks, threads, folder):
    """The JSON object that it printed, its first lines, the largest rank's MB, the seconds, the least processor seconds."""
    wrapper, peaks = os.path.join(folder, "wrapper.py"), os.path.join(folder, f"peak{ranks}")
    with open(wrapper, "w") as file:
        file.write(WRAPPER)
    command = [sys.executable, wrapper, peaks, program] + arguments
    if ranks > 1:
        command = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks)] + command
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
    if os.geteuid() == 0:
        environment |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    start = time.time()
    outcome = subprocess.run(command, capture_output=True, text=True, env=environment)
    seconds = time.time() - start
    if outcome.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {outcome.returncode}\n{outcome.stdout}{outcome.stderr}")
    used = [[float(word) for word in open(f"{peaks}.{rank}").read().split()] for rank in range(ranks)]
    # The kernel's KiB in MB.
    largest = max(kilobytes for kilobytes, _ in used) * 1024 / 1e6
    return json.loads(outcome.stdout), outcome.stderr, largest, seconds, min(processor for _, processor in used)


class Table:
    """Of what the runs took; `allowed`: 1.3 times a rank's share of the embeddings and 200 MB."""

    def __init__(self):
        self.rows = []

    def add(self, ranks, threads, embeddings, peak, seconds, processor):
        allowed = 1.3 * 4 * embeddings / ranks / 1e6 + 200
        self.rows.append((ranks, threads, peak, allowed, seconds, processor))

    def show(self):
        """False where a rank took more than it may."""
        print(f"{'ranks':>5} {'threads':>7} {'peak MB':>9} {'may be MB':>10} {'seconds':>8} {'processor s':>12}")
        for ranks, threads, peak, allowed, seconds, processor in self.rows:
            print(f"{ranks:5} {threads:7} {peak:9.0f} {allowed:10.0f} {seconds:8.1f} {processor:12.1f}"
                  + ("" if peak <= allowed else "  TOO MUCH"))
        return all(row[2] <= row[3] for row in self.rows)

#!/usr/bin/env python3
"""A reader and writer of RecordIO by the published format alone, to compare `cosface dataset` with: needs Python alone.

    records.py write DIR OUT.rec     packs DIR/PERSON/IMAGE in InsightFace's layout, and writes OUT.idx and property
    records.py verify DIR OUT.rec    compares a .rec, its .idx and its labels with DIR, image by image
    records.py bin DIR OUT.bin PROTOCOL [--pairs LIST]   pickles the pairs of a list 'PATH PATH 0|1'

The digest in RecordPackerTests is that of `write` over the files that the test makes.
"""
import os
import pickle
import struct
import sys

MAGIC = struct.pack("<I", 0xCED7230A)


def parts(record):
    """dmlc-core's RecordIOWriter::WriteRecord."""
    pieces, start = [], 0
    for place in range(0, len(record) // 4 * 4, 4):
        if record[place:place + 4] == MAGIC:
            pieces.append(record[start:place])
            start = place + 4
    pieces.append(record[start:])
    return pieces


def frame(record):
    pieces, result = parts(record), b""
    for number, piece in enumerate(pieces):
        kind = 0 if len(pieces) == 1 else 1 if number == 0 else 3 if number == len(pieces) - 1 else 2
        result += MAGIC + struct.pack("<I", kind << 29 | len(piece)) + piece + b"\0" * (-len(piece) % 4)
    return result


def unframe(file):
    record = b""
    while True:
        magic, code = struct.unpack("<II", file.read(8))
        assert struct.pack("<I", magic) == MAGIC, "magic number"
        length = code & (1 << 29) - 1
        record += file.read(length)
        file.read(-length % 4)
        if code >> 29 in (0, 3):
            return record
        record += MAGIC


def header(labels, key):
    """mxnet.recordio.pack"""
    if isinstance(labels, int):
        return struct.pack("<IfQQ", 0, labels, key, 0)
    return struct.pack("<IfQQ", len(labels), 0, key, 0) + struct.pack(f"<{len(labels)}f", *labels)


def people(folder):
    for person in sorted(os.listdir(folder), key=os.fsencode):
        names = sorted(os.listdir(f"{folder}/{person}"), key=os.fsencode)
        yield person, [open(f"{folder}/{person}/{name}", "rb").read() for name in names]


def side(image):
    """Of PGM and JPEG."""
    if image[:1] == b"P":
        return int(image.split()[2]), int(image.split()[1])
    place = 2
    while image[place + 1] not in (0xC0, 0xC1, 0xC2):
        place += 2 + struct.unpack(">H", image[place + 2:place + 4])[0]
    return struct.unpack(">HH", image[place + 5:place + 9])


def write(folder, output):
    everybody = list(people(folder))
    count = sum(len(images) for _, images in everybody)
    records = [header((count + 1, count + 1 + len(everybody)), 0)]
    ranges = []
    for label, (_, images) in enumerate(everybody):
        ranges.append((len(records), len(records) + len(images)))
        for image in images:
            records.append(header(label, len(records)) + image)
    for pair in ranges:
        records.append(header(pair, len(records)))
    offset = 0
    with open(output, "wb") as file, open(output[:-4] + ".idx", "w") as index:
        for key, record in enumerate(records):
            framed = frame(record)
            index.write(f"{key}\t{offset}\n")
            file.write(framed)
            offset += len(framed)
    with open(os.path.join(os.path.dirname(output) or ".", "property"), "w") as file:
        file.write("%d,%d,%d\n" % (len(everybody), *side(everybody[0][1][0])))


def verify(folder, record):
    offsets = dict(map(int, line.split("\t")) for line in open(record[:-4] + ".idx"))
    file = open(record, "rb")

    def read(key):
        file.seek(offsets[key])
        data = unframe(file)
        flag, label, number, _ = struct.unpack("<IfQQ", data[:24])
        labels = struct.unpack(f"<{flag}f", data[24:24 + 4 * flag]) if flag else label
        assert number == key, "id"
        return labels, data[24 + 4 * flag:]

    (end, total), empty = read(0)
    assert empty == b"" and total == len(offsets)
    key = 1
    for label, (person, images) in enumerate(people(folder)):
        start = key
        for image in images:
            assert read(key) == (label, image), f"record {key} of {person}"
            key += 1
        assert read(int(end) + label) == ((start, key), b""), f"range of {person}"
    assert key == end, "count"
    print(f"{record}: {key - 1} images of {label + 1} people are those of {folder}")


def pair_bin(folder, output, protocol, pairs):
    images, same = [], []
    for line in open(pairs, encoding="utf-8"):
        first, second, verdict = line.split()
        images += [open(f"{folder}/{name}", "rb").read() for name in (first, second)]
        same.append(verdict == "1")
    with open(output, "wb") as file:
        pickle.dump((images, same), file, protocol=int(protocol))


if __name__ == "__main__":
    command, arguments = sys.argv[1], sys.argv[2:]
    {"write": write, "verify": verify, "bin": pair_bin}[command](*[a for a in arguments if a != "--pairs"])

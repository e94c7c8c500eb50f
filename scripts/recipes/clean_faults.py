"""Plants faults in a set of faces, and counts what 'dataset clean' names of them: the Python part of clean.sh."""
import collections, csv, json, os, pathlib, random, sys


def people_of(folder):
    return {p.name: sorted(p.iterdir()) for p in sorted(pathlib.Path(folder).iterdir()) if p.is_dir()}


def plant(data, validation, output, seed):
    """Writes set/, validation/, again/ (images to encode again) and faults.json."""
    output, draw = pathlib.Path(output), random.Random(int(seed))
    people, others = people_of(data), people_of(validation)
    # Of each image the folder that it gets; and who is really on it.
    folder = {image: name for name, images in people.items() for image in images}
    truth = dict(folder)
    names = [name for name, images in people.items() if len(images) >= 4]
    if len(names) < 300:
        sys.exit(f"clean.sh: {data} has {len(names)} people with four images; 300 are needed")
    draw.shuffle(names)
    splits = [(name, name + "-b") for name in names[:100]]
    joins = list(zip(names[100:200], names[200:300]))
    used = set(names[:300])
    for name, second in splits:
        images = draw.sample(people[name], len(people[name]))
        for image in images[: len(images) // 2]:
            folder[image] = second
    joined = dict((b, a) for a, b in joins)
    for image, name in truth.items():
        folder[image] = joined.get(folder[image], folder[image])
    free = [image for image, name in truth.items() if name not in used]
    draw.shuffle(free)
    moved, rest = free[: len(truth) // 20], free[len(truth) // 20 :]
    for image in moved:
        target = truth[image]
        while target == truth[image]:
            target = joined.get(draw.choice(list(people)), target)
            target = draw.choice(names) if target == truth[image] else target
            target = joined.get(target, target)
        folder[image] = target
    placed, faults = {}, {"moved": [], "copied": [], "splits": splits, "joins": joins, "validation": []}

    def link(image, person, name, who):
        path = output / "set" / person / name
        path.parent.mkdir(parents=True, exist_ok=True)
        os.symlink(image.resolve(), path)
        placed[f"{person}/{name}"] = who
        return f"{person}/{name}"

    for image, person in folder.items():
        path = link(image, person, f"{truth[image]}-{image.name}", truth[image])
        if image in set_of(moved):
            faults["moved"].append(path)
    # Copies: in their own folder, or in another person's.
    for number, image in enumerate(rest[:300]):
        person = folder[image] if number % 3 else draw.choice(names[300:])
        original = f"{folder[image]}/{truth[image]}-{image.name}"
        if number % 2:
            again = output / "again" / person / f"copy-{number:03d}.jpg"
            again.parent.mkdir(parents=True, exist_ok=True)
            os.symlink(image.resolve(), again)
            faults["copied"].append([f"{person}/{again.name}", original])
            placed[f"{person}/{again.name}"] = truth[image]
        else:
            faults["copied"].append([link(image, person, f"copy-{number:03d}.jpg", truth[image]), original])
    chosen = draw.sample([name for name, images in others.items() if len(images) >= 4], 50)
    for name, images in others.items():
        images = draw.sample(images, len(images))
        half = len(images) // 2 if name in chosen else 0
        for image in images[:half]:
            link(image, f"new-{name}", image.name, f"validation {name}")
        for image in images[half:]:
            path = output / "validation" / name / image.name
            path.parent.mkdir(parents=True, exist_ok=True)
            os.symlink(image.resolve(), path)
        if half:
            faults["validation"].append(f"new-{name}")
    faults["placed"] = placed
    (output / "faults.json").write_text(json.dumps(faults))


_sets = {}


def set_of(images):
    return _sets.setdefault(id(images), set(images))


def copy(output):
    """Puts the images that were encoded again into the set."""
    output = pathlib.Path(output)
    for image in (output / "encoded").glob("*/*"):
        target = output / "set" / image.parent.name / image.name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(image, target)


def judge(output):
    output = pathlib.Path(output)
    faults = json.loads((output / "faults.json").read_text())
    placed = faults["placed"]
    lines = list(csv.DictReader(open(output / "table.csv")))
    images = {line["path"]: line for line in lines if line["path"]}
    whole = collections.defaultdict(set)
    for line in lines:
        if not line["path"]:
            whole[line["person"]].add((line["kind"], line["other"]))

    def pairs(kind=None):
        return {frozenset((line["person"], line["other"])) for line in lines if kind in (None, line["kind"])}

    moved = [path for path in faults["moved"] if path in images]
    copied = [c for c in faults["copied"] if any(p in images and images[p]["kind"] == "duplicate" for p in c)]
    both = pairs()
    split = [pair for pair in faults["splits"] if frozenset(pair) in both]
    split_whole = [pair for pair in faults["splits"] if frozenset(pair) in pairs("one-person")]
    two = {line["person"] for line in lines if line["kind"] == "two-people"}
    joined = [pair for pair in faults["joins"] if pair[0] in two]
    known = {line["person"] for line in lines if line["kind"] == "validation"}
    validated = [person for person in faults["validation"] if person in known]
    rows = [
        ("images under another person", moved, faults["moved"]),
        ("pictures twice", copied, faults["copied"]),
        ("people in two folders", split, faults["splits"]),
        ("  named as whole people", split_whole, faults["splits"]),
        ("two people in a folder", joined, faults["joins"]),
        ("people of the validation set", validated, faults["validation"]),
    ]
    print(f"\n{'planted':32s} {'found':>6s} {'of':>6s}   recall")
    for name, found, all_ in rows:
        print(f"{name:32s} {len(found):6d} {len(all_):6d}  {100 * len(found) / len(all_):6.1f} %")

    # What was not planted: images and people that have nothing to do with a fault.
    people = {path.split("/")[0] for path in placed}
    spoilt = {p for pair in faults["splits"] for p in pair} | {a for a, _ in faults["joins"]} | set(faults["validation"])
    planted = set(faults["moved"]) | {path for c in faults["copied"] for path in c}
    others = [path for path in placed if path not in planted and path.split("/")[0] not in spoilt]
    named = [path for path in others if path in images]
    kinds = collections.Counter(images[path]["kind"] for path in named)
    right = [p for p in people if p not in spoilt]
    named_people = [p for p in right if p in whole]
    people_kinds = collections.Counter(kind for p in named_people for kind in {k for k, _ in whole[p]})
    print(f"\n{'not planted':32s} {'named':>6s} {'of':>6s}    share")
    for name, found, all_, by in (("images", named, others, kinds), ("people", named_people, right, people_kinds)):
        detail = ", ".join(f"{kind} {count}" for kind, count in sorted(by.items()))
        print(f"{name:32s} {len(found):6d} {len(all_):6d}  {100 * len(found) / len(all_):6.2f} %  {detail}")

    # Right: the folder's name is the name that most images of the person have.
    def right_share(labels):
        homes = collections.defaultdict(collections.Counter)
        for path, label in labels.items():
            homes[placed[path]][label] += 1
        owners = collections.defaultdict(collections.Counter)
        for path, label in labels.items():
            owners[label][placed[path]] += 1
        good = sum(
            1
            for path, label in labels.items()
            if homes[placed[path]].most_common(1)[0][0] == label and owners[label].most_common(1)[0][0] == placed[path]
        )
        return good, len(labels)

    before = {path: path.split("/")[0] for path in placed}
    root = str((output / "set").resolve()) + "/"
    after = {}
    for line in csv.DictReader(open(output / "repaired.csv")):
        after[os.path.abspath(line["path"]).removeprefix(root)] = line["label"]
    print()
    for name, labels in (("before", before), ("after", after)):
        good, count = right_share(labels)
        print(f"images under the right person {name:7s} {good:6d} {count:6d}  {100 * good / count:6.2f} %")


if __name__ == "__main__":
    {"plant": plant, "copy": copy, "judge": judge}[sys.argv[1]](*sys.argv[2:])

"""IJB-B's and IJB-C's protocols as insightface computes them, in NumPy and float64, without a line of this project.

    python ijb.py lists FOLDER      writes made lists for FOLDER/loose_crop (10,000 images; 2,000 templates, 200,000 pairs)
    python ijb.py figures FOLDER x.npy [--norm] [--scores] [--split W]   figures of embeddings, a row an image of x.names.txt
    python ijb.py compare FIGURES.json REPORT.json                      the largest differences to `cosface evaluate --json`
    python ijb.py record > Tests/FaceRecognitionTests/Evaluation/RecordedTemplates.swift

eval_ijbc.py: an image's vector is the sum of its embedding and its mirror image's, made unit unless --norm, times the
detector's score with --scores; a medium is the mean of its images, a template the sum of its media, made unit.
"""
import json
import math
import sys

import numpy as np

FARS = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6]
FPIRS = [0.01, 0.1]


def pool(vectors, templates, media, scores, norm):
    v = np.asarray(vectors, np.float64)
    if not norm:
        v = v / np.sqrt((v ** 2).sum(1, keepdims=True))
    if scores is not None:
        v = v * np.asarray(scores, np.float32).astype(np.float64)[:, None]
    ids = np.unique(templates)
    out = np.zeros((len(ids), v.shape[1]))
    for k, t in enumerate(ids):
        rows = np.where(templates == t)[0]
        for m in np.unique(media[rows]):
            out[k] += v[rows[media[rows] == m]].mean(0)
    return ids, out / np.sqrt((out ** 2).sum(1, keepdims=True))


def tied(scores):
    """What differs by rounding alone is equal: multiples of 2^-44."""
    return np.clip(np.round(scores * 2.0 ** 44) / 2.0 ** 44, -1, 1)


def roc_curve(label, score):
    """sklearn.metrics.roc_curve, drop_intermediate=True."""
    order = np.argsort(score, kind="mergesort")[::-1]
    score, label = score[order], label[order]
    last = np.r_[np.where(np.diff(score))[0], len(score) - 1]
    tps = np.cumsum(label)[last].astype(float)
    fps = 1 + last - tps
    if len(fps) > 2:
        kept = np.where(np.r_[True, (np.diff(fps, 2) != 0) | (np.diff(tps, 2) != 0), True])[0]
        fps, tps = fps[kept], tps[kept]
    return np.r_[0, fps] / fps[-1], np.r_[0, tps] / tps[-1]


def auc(label, score):
    order = np.argsort(score, kind="mergesort")
    _, first, inverse, counts = np.unique(score[order], return_index=True, return_inverse=True, return_counts=True)
    ranks = np.empty(len(score))
    ranks[order] = (first + (counts + 1) / 2)[inverse]
    positives = label.sum()
    return (ranks[label == 1].sum() - positives * (positives + 1) / 2) / (positives * (len(label) - positives))


def verification(scores, label):
    fpr, tpr = roc_curve(label, scores)
    fpr, tpr = np.flipud(fpr), np.flipud(tpr)
    negatives = np.sort(scores[label == 0])[::-1]
    result = {"nearest": [], "strict": [], "auc": auc(label, scores)}
    for far in FARS:
        _, k = min(zip(abs(fpr - far), range(len(fpr))))
        result["nearest"].append([float(fpr[k]), float(tpr[k])])
        allowed = int(len(negatives) * far + 1e-9)
        above = scores > negatives[allowed] if allowed < len(negatives) else scores >= negatives[-1]
        result["strict"].append(float(above[label == 1].mean()) if len(negatives) * far >= 1 - 1e-9 else None)
    for kind, value in (("different", 0), ("same", 1)):
        result[kind] = [float(f(scores[label == value])) for f in (np.mean, np.std, np.min, np.max)]
    return result


def searches(probes, probe_subjects, gallery, gallery_subjects):
    """Similarities, each probe's mate or -1, and of mated searches the rank, equal scores against the mate."""
    similarity = tied(probes @ gallery.T)
    column = {s: i for i, s in enumerate(gallery_subjects)}
    mates = np.array([column.get(s, -1) for s in probe_subjects])
    rows = np.where(mates >= 0)[0]
    own = similarity[rows, mates[rows]]
    ranks = (similarity[rows] >= own[:, None]).sum(1)
    return similarity, mates, rows, own, ranks


def gallery_figures(probes, probe_subjects, gallery, gallery_subjects):
    similarity, mates, rows, own, ranks = searches(probes, probe_subjects, gallery, gallery_subjects)
    result = {"ranks": [float((ranks <= r).mean()) for r in (1, 5, 10)], "mated": len(rows)}
    strangers = np.sort(similarity[mates < 0].max(1))[::-1] if (mates < 0).any() else np.array([])
    result["strangers"] = len(strangers)
    result["openSet"], result["insightFace"] = [], []
    for share in FPIRS:
        n = round(1 / share)
        if len(strangers) < n:
            result["openSet"].append(None)
        else:
            # At most floor(S share) strangers above: those above the next one's score.
            found = (ranks == 1) & (own > strangers[len(strangers) // n])
            result["openSet"].append(float(found.mean()))
        if len(strangers):
            # ijb_evals.py, evaluation_1N
            threshold = strangers[max(int(len(strangers) * share) - 1, 0)]
            result["insightFace"].append([float(((ranks == 1) & (own > threshold)).mean()), float(threshold)])
    return result


def joined_figures(probes, probe_subjects, gallery, gallery_subjects):
    """ijb_1n.py, evaluation."""
    similarity, mates, rows, own, ranks = searches(probes, probe_subjects, gallery, gallery_subjects)
    if len(rows) < len(probes):
        return None
    others = similarity.copy()
    others[rows, mates] = -2
    negatives = np.sort(others[others > -2])[::-1]
    result = {"ranks": [float((ranks <= r).mean()) for r in (1, 5, 10)], "insightFace": []}
    for share in FPIRS:
        threshold = negatives[math.ceil(len(probes) * share) - 1]
        result["insightFace"].append([float((own > threshold).mean()), float(threshold)])
    return result


def identification(ids, vectors, galleries, probes):
    """Each set a list of (template, subject)."""
    place = {t: k for k, t in enumerate(ids)}

    def rows(pairs):
        return vectors[[place[t] for t, _ in pairs]], [s for _, s in pairs]

    own = [gallery_figures(*rows(probes), *rows(g)) for g in galleries]
    everybody = [s for g in galleries for _, s in g]
    joined = joined_figures(*rows(probes), *rows(sum(galleries, []))) if len(set(everybody)) == len(everybody) else None
    # As ijb_evals.py: found in both galleries over the number of probes.
    mean = [sum(g["ranks"][k] * g["mated"] for g in own) / len(probes) for k in range(3)]
    return {"galleries": own, "joined": joined, "insightFaceMean": mean}


# Lists in IJB's form


def write_lists(folder, images=10_000, subjects=1_000, pairs=200_000, seed=7):
    """Each subject has images / subjects images, in two templates of 1 or more; detector scores of three decimals."""
    r = np.random.default_rng(seed)
    each = images // subjects
    members, scores, template = [], [], 0
    owner = {}
    for s in range(subjects):
        names = r.permutation(np.arange(s * each, (s + 1) * each)) + 1
        cut = r.integers(1, each)
        for part in (names[:cut], names[cut:]):
            template += 1
            owner[template] = s + 1
            media = r.integers(1, len(part) + 1, len(part)) + 1000 * template
            members += [(f"{n}.jpg", template, m) for n, m in zip(part, media)]
    members.sort(key=lambda m: int(m[0][:-4]))
    with open(f"{folder}/face_tid_mid.txt", "w") as f:
        f.writelines(f"{n} {t} {m}\n" for n, t, m in members)
    with open(f"{folder}/name_5pts_score.txt", "w") as f:
        for n, _, _ in members:
            points = " ".join(f"{x:.3f}" for x in r.uniform(20, 90, 10))
            f.write(f"{n} {points} {r.uniform(0.1, 1):.3f}\n")
    chosen = {(2 * s + 1, 2 * s + 2) for s in range(subjects)}
    while len(chosen) < pairs:
        a, b = np.sort(r.integers(1, template + 1, 2))
        if owner[a] != owner[b]:
            chosen.add((int(a), int(b)))
    with open(f"{folder}/template_pair_label.txt", "w") as f:
        f.writelines(f"{a} {b} {int(owner[a] == owner[b])}\n" for a, b in sorted(chosen))
    half = subjects // 2
    for name, ids in [
        ("1N_gallery_G1.csv", range(1, 2 * half, 2)), ("1N_gallery_G2.csv", range(2 * half + 1, template, 2)),
        ("1N_probe_mixed.csv", range(2, template + 1, 2)),
    ]:
        with open(f"{folder}/{name}", "w") as f:
            f.write("TEMPLATE_ID,SUBJECT_ID,FILENAME\n")
            f.writelines(f"{t},{owner[t]},x.jpg\n" for t in ids)


def read_rows(path, separator=None, skip=0):
    with open(path) as f:
        return [line.strip().split(separator) for line in f][skip:]


def figures(folder, path, norm, with_scores, split):
    rows = np.load(path).astype(np.float64)
    if split:
        # The image's and its mirror image's; their sum in float32, as the embeddings are.
        rows = (rows[:, :split].astype(np.float32) + rows[:, split:].astype(np.float32)).astype(np.float64)
    row = {n: i for i, n in enumerate(l.strip().split("/")[-1] for l in open(path[:-4] + ".names.txt"))}
    members = read_rows(f"{folder}/face_tid_mid.txt")
    vectors = rows[[row[m[0]] for m in members]]
    templates, media = (np.array([int(m[k]) for m in members]) for k in (1, 2))
    scores = None
    if with_scores:
        by_name = {l[0]: np.float32(l[-1]) for l in read_rows(f"{folder}/name_5pts_score.txt")}
        scores = [by_name[m[0]] for m in members]
    ids, pooled = pool(vectors, templates, media, scores, norm)
    place = {t: k for k, t in enumerate(ids)}
    pairs = np.array([[int(x) for x in l] for l in read_rows(f"{folder}/template_pair_label.txt")])
    a, b = ([place[t] for t in pairs[:, k]] for k in (0, 1))
    values = tied((pooled[a] * pooled[b]).sum(1))

    def people(name):
        return [(int(l[0]), l[1]) for l in read_rows(f"{folder}/{name}", ",", 1)]

    return {
        "verification": verification(values, pairs[:, 2]),
        "identification": identification(
            ids, pooled, [people("1N_gallery_G1.csv"), people("1N_gallery_G2.csv")], people("1N_probe_mixed.csv")),
    }


def compare(ours, report):
    """Each figure's name and how far it is off."""
    off = {}

    def near(name, a, b):
        if (a is None) != (b is None):
            sys.exit(f"{name}: {a} and {b}")
        if a is not None:
            off[name] = max(off.get(name, 0), abs(a - b))

    if "verification" in report:
        v, o = report["verification"], ours["verification"]
        near("AUC", o["auc"], v["areaUnderCurve"])
        for k, rate in enumerate(v["acceptRates"]):
            near("strict TAR", o["strict"][k], rate.get("trueAcceptRate"))
            near("nearest FAR", o["nearest"][k][0], rate["nearestPoint"]["falseAcceptRate"])
            near("nearest TAR", o["nearest"][k][1], rate["nearestPoint"]["trueAcceptRate"])
        for kind in ("same", "different"):
            for k, name in enumerate(("mean", "standardDeviation", "minimum", "maximum")):
                near(f"score {name}", o[kind][k], v[f"{kind}Scores"][name])
    else:
        o = ours["identification"]
        for mine, theirs in zip(o["galleries"], report["galleries"]):
            for k in range(3):
                near("rank", mine["ranks"][k], theirs["rates"][k]["rate"])
            for k in range(2):
                near("strict TPIR", mine["openSet"][k], theirs["openSet"][k].get("truePositiveRate"))
                near("ijb_evals TPIR", mine["insightFace"][k][0], theirs["insightFace"][k]["truePositiveRate"])
                near("ijb_evals threshold", mine["insightFace"][k][1], theirs["insightFace"][k]["threshold"])
        for k in range(3):
            near("ijb_evals mean rank", o["insightFaceMean"][k], report["mean"]["insightFaceRates"][k])
            near("mean rank", np.mean([g["ranks"][k] for g in o["galleries"]]), report["mean"]["rates"][k])
            near("ijb_1n rank", o["joined"]["ranks"][k], report["joined"]["rates"][k]["rate"])
        for k in range(2):
            near("mean TPIR", np.mean([g["openSet"][k] for g in o["galleries"]]), report["mean"]["openSet"][k])
            near("ijb_1n TPIR", o["joined"]["insightFace"][k][0], report["joined"]["insightFace"][k]["truePositiveRate"])
            near("ijb_1n threshold", o["joined"]["insightFace"][k][1], report["joined"]["insightFace"][k]["threshold"])
    return off


# What the tests compare with


def made(count=180, width=12):
    """Vectors by a formula: 30 people, six images of each in two templates, media of one to three images."""
    i = np.arange(count * width, dtype=np.int64)
    noise = ((i * 2654435761 % 2 ** 32) >> 8) % 4001 / 2000 - 1
    image, column = i // width, i % width
    person = image // 6
    own = (((person * width + column + 1) * 2246822519 % 2 ** 32) >> 8) % 4001 / 2000 - 1
    length = 1 + image % 5
    vectors = ((1.25 * own + noise) * length).astype(np.float32).reshape(count, width)
    image = np.arange(count)
    # Four images and two, or two and four.
    template = image // 6 * 2 + (image % 6 >= np.where(image // 6 % 2 == 0, 4, 2))
    media = image // 2 % 3
    scores = (1 + image * 7 % 13) / 16
    return vectors, template, media, scores


def record():
    vectors, template, media, scores = made()
    first, second = np.triu_indices(60, 1)
    label = (first // 2 == second // 2).astype(int)
    galleries = [[(2 * p, p) for p in range(12)], [(2 * p, p) for p in range(12, 24)]]
    sets = [("open", [(2 * p + 1, p) for p in range(30)]), ("closed", [(2 * p + 1, p) for p in range(24)])]
    print("// Written by Tests/Recipes/ijb.py: insightface's protocols in NumPy, on vectors made by a formula.")
    print("\nextension TemplateFiguresTests {\n  static let recorded: [Recorded] = [")
    for norm in (False, True):
        for with_scores in (False, True):
            ids, pooled = pool(vectors, template, media, scores if with_scores else None, norm)
            v = verification(tied((pooled[first] * pooled[second]).sum(1)), label)
            print(f"    Recorded(\n      rule: .{'norm' if norm else 'unit'}, isWeighted: {str(with_scores).lower()},")
            print(f"      areaUnderCurve: {float(v['auc'])!r}, sameMean: {v['same'][0]!r}, differentMean: {v['different'][0]!r},")
            print(f"      strict: {[x for x in v['strict'] if x is not None]},")
            print(f"      nearest: {[[f, t] for f, t in v['nearest']]},")
            for k, (name, probes) in enumerate(sets):
                o = identification(ids, pooled, galleries, probes)
                print(f"      {name}: .init(")
                print(f"        ranks: {[g['ranks'] for g in o['galleries']]},")
                strict = [[x if x is not None else 'nil' for x in g['openSet']] for g in o["galleries"]]
                print(f"        openSet: {strict},".replace("'", ""))
                print(f"        insightFace: {[[x[0] for x in g['insightFace']] for g in o['galleries']]},")
                print(f"        thresholds: {[[x[1] for x in g['insightFace']] for g in o['galleries']]},")
                print(f"        insightFaceMean: {o['insightFaceMean']},")
                joined = o["joined"]
                rates = joined and joined["ranks"] + [x for pair in joined["insightFace"] for x in pair]
                print(f"        joined: {rates or 'nil'})" + (")," if k else ","))
    print("  ]\n}")


if __name__ == "__main__":
    command, arguments = sys.argv[1], sys.argv[2:]
    if command == "lists":
        write_lists(arguments[0])
    elif command == "figures":
        split = int(arguments[arguments.index("--split") + 1]) if "--split" in arguments else 0
        json.dump(
            figures(arguments[0], arguments[1], "--norm" in arguments, "--scores" in arguments, split), sys.stdout)
    elif command == "compare":
        text = open(arguments[1]).read()
        for name, value in compare(json.load(open(arguments[0])), json.loads(text[text.index("{"):])).items():
            print(f"{name:24} {value:.3g}")
    elif command == "record":
        record()
    else:
        sys.exit(__doc__)

"""Finds five landmarks of the face in each photograph, for `cosface dataset align --landmarks`; scripts/landmarks.sh runs it.

    landmarks.py PHOTOGRAPHS TABLE

A line 'path,x1,y1,...,x5,y5' for each photograph below PHOTOGRAPHS in which a face is found: left eye, right eye, nose, left and right
corner of the mouth as they stand in the picture, in pixels of the picture as it is shown. Of several faces the largest counts.
MediaPipe's full-range detector finds the face, its face mesh the points; both come with their weights (Apache License 2.0).
"""

import csv
import multiprocessing
import os
import sys

os.environ.setdefault("GLOG_minloglevel", "3")

ENDINGS = (".jpg", ".jpeg", ".png", ".pgm", ".ppm")
# Of the mesh's points: the irises' centres, the tip of the nose, the mouth's corners.
POINTS = (468, 473, 4, 61, 291)
models = None


def open_models():
    """Of this process: they are not shared."""
    global models
    import mediapipe

    solutions = mediapipe.solutions
    detector = solutions.face_detection.FaceDetection(model_selection=1, min_detection_confidence=0.4)
    mesh = solutions.face_mesh.FaceMesh(
        static_image_mode=True, max_num_faces=4, refine_landmarks=True, min_detection_confidence=0.3)
    models = detector, mesh


def mesh_points(picture, left, top):
    """Five points (x, y) of the largest face that the mesh finds in `picture`, which begins at (left, top); None without one."""
    height, width = picture.shape[:2]
    found = models[1].process(picture).multi_face_landmarks or []

    def extent(face):
        xs, ys = [point.x * width for point in face.landmark], [point.y * height for point in face.landmark]
        return (max(xs) - min(xs)) * (max(ys) - min(ys))

    faces = sorted(found, key=extent)
    if not faces:
        return None
    return [(left + faces[-1].landmark[k].x * width, top + faces[-1].landmark[k].y * height) for k in POINTS]


def landmarks(path):
    """Five points (x, y) and no problem, or None and why."""
    import numpy
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as file:
            picture = numpy.asarray(ImageOps.exif_transpose(file).convert("RGB"))
    except Exception as error:
        return None, f"cannot be read: {error}"
    height, width = picture.shape[:2]
    boxes = [one.location_data.relative_bounding_box for one in models[0].process(picture).detections or []]
    if boxes:
        box = max(boxes, key=lambda box: box.width * box.height)
        centre = ((box.xmin + box.width / 2) * width, (box.ymin + box.height / 2) * height)
        # The mesh needs the face to fill a part of its picture.
        half = max(box.width * width, box.height * height)
        left, top = (max(int(place - half), 0) for place in centre)
        right, bottom = (min(int(place + half) + 1, end) for place, end in zip(centre, (width, height)))
        points = mesh_points(numpy.ascontiguousarray(picture[top:bottom, left:right]), left, top)
        if points:
            return points, None
    points = mesh_points(picture, 0, 0)
    return points, None if points else "no face is found"


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__.split("\n\n")[1].strip())
    root, table = sys.argv[1:]
    names = sorted(
        os.path.relpath(os.path.join(folder, name), root)
        for folder, _, files in os.walk(root) for name in files if name.lower().endswith(ENDINGS))
    if not names:
        raise SystemExit(f"landmarks.py: {root}: no photograph ({', '.join(ENDINGS)}) is below it")
    missed = 0
    with open(table + ".part", "w", newline="") as file, multiprocessing.Pool(initializer=open_models) as pool:
        lines = csv.writer(file, lineterminator="\n")
        paths = [os.path.join(root, name) for name in names]
        for done, (name, (points, problem)) in enumerate(zip(names, pool.imap(landmarks, paths, chunksize=8)), 1):
            if points:
                lines.writerow([name] + [f"{value:.2f}" for point in points for value in point])
            else:
                missed += 1
                print(f"left out   {name}: {problem}", file=sys.stderr)
            if done % 1000 == 0:
                print(f"{done} of {len(names)} photographs", file=sys.stderr)
    os.replace(table + ".part", table)
    print(f"{table}: faces of {len(names) - missed} photographs; {missed} left out")
    if missed == len(names):
        raise SystemExit(1)


if __name__ == "__main__":
    main()

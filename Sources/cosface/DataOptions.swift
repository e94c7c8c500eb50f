import ArgumentParser
import Datasets
import Training

struct DataOptions: ParsableArguments {
  @Option(
    of: \.$data,
    help:
      "Faces to train on: folders (DIR/PERSON/IMAGE), .rec files (InsightFace, MXNet), lists of files; one or several.")
  var data: [String]

  @Flag(of: \.$joinPeople, help: "People of the same name in several sets are one person, not several.")
  var joinPeople: Bool

  @Option(of: \.$minImagesPerPerson, help: "Leave out people with fewer images.")
  var minImagesPerPerson: Int

  @Option(of: \.$maxImagesPerPerson, help: "Train on at most so many images of each person, drawn by the seed.")
  var maxImagesPerPerson: Int?

  @Option(
    of: \.$sampling,
    help: "Sampling: uniform (each image once an epoch), or balanced (each person equally often).")
  var sampling: Sampling

  @Option(of: \.$augment, help: "Augmentation: none, flip, or standard (flip, small shifts, brightness and contrast).")
  var augment: Augmentation

  @Option(
    of: \.$augmentStrength,
    help: """
      How much of the standard augmentation's shifts, brightness and contrast: 1 for up to 6 % of the side and a fifth of \
      the range; 0.5 unless given
      """)
  var augmentStrength: Double?

  @Option(
    of: \.$holdoutPeople,
    help: "People to hold out of training, drawn by the seed; train validates on them, evaluate evaluates on them.")
  var holdoutPeople: Int

  @Option(
    of: \.$maxBadImages,
    help:
      "Fraction of the images that may be unreadable; each is named, and another of the same person takes its place.")
  var maxBadImages: Double

  @Option(of: \.$workers, help: "Threads per rank that read, decode and augment images.")
  var workers: Int

  @Option(
    of: \.$validation,
    help:
      """
      Validate on these while training: sets of other people (folder, .rec, list), .bin files, or pair lists with \
      --validation-images; one or several.
      """)
  var validation: [String]

  @Option(of: \.$validationImages, help: "Root of the images that the pair lists of --validation name.")
  var validationImages: String?

  @Option(of: \.$validateEvery, help: "How often to validate, on --validation and on the people held out.")
  var validateEvery: TrainingLength

  @Option(
    of: \.$bestBy,
    help: """
      The validation set that chooses best.safetensors, by its file's name without ending, or heldOut; the first of \
      --validation unless given
      """)
  var bestBy: String?

  @Option(of: \.$patience, help: "End the run after so many validations in a row without a better model.")
  var patience: Int?
}

import ArgumentParser
import Datasets
import Training

struct DataOptions: ParsableArguments {
  @Option(
    parsing: .upToNextOption,
    help:
      "Faces to train on: folders (DIR/PERSON/IMAGE), .rec files (InsightFace, MXNet), lists of files; one or several.")
  var data: [String] = []

  @Flag(help: "Take people of the same name in several sets for the same person, not for others.")
  var joinPeople = false

  @Option(Limits.imagesOfPerson, help: "Leave out people with fewer images.")
  var minImagesPerPerson = 1

  @Option(Limits.imagesOfPerson, help: "Train on at most so many images of each person, drawn by the seed.")
  var maxPerPerson: Int?

  @Option(help: "Sampling: uniform (each image once an epoch), or balanced (each person equally often).")
  var sampling = Sampling.uniform

  @Option(help: "Augmentation: none, flip, or standard (flip, small shifts, brightness and contrast).")
  var augment = Augmentation.flip

  @Option(Limits.people, help: "People to hold out of training, drawn by the seed; evaluate judges by them.")
  var holdoutPeople = 0

  @Option(
    Limits.badImages,
    help:
      "Fraction of the images that may be unreadable; each is named, and another of the same person takes its place.")
  var maxBadImages = 0.001

  @Option(Limits.threads, help: "Threads per rank that read, decode and augment images.")
  var workers = 1

  func validate() throws {
    guard !joinPeople || data.count != 1 else {
      throw ValidationError("--join-people needs several sets: --data A B.")
    }
    guard validationImages == nil || validation != nil else {
      throw ValidationError("--validation-images needs the pair list: --validation.")
    }
  }

  @Option(
    help:
      "Judge by these while training: other people (folder, .rec, list), a .bin, or a pair list with --validation-images."
  )
  var validation: String?

  @Option(help: "Root of the images that the pair list of --validation names.")
  var validationImages: String?

  @Option(help: "How often to judge, by --validation or by the people held out.")
  var validateEvery = TrainingLength.epochs(1)

  func fill(_ options: inout TrainingOptions) {
    options.joinPeople = joinPeople
    options.minImagesPerPerson = minImagesPerPerson
    options.maxPerPerson = maxPerPerson
    options.sampling = sampling
    options.augment = augment
    options.holdoutPeople = holdoutPeople
    options.maxBadImages = maxBadImages
    options.workers = workers
    options.validation = validation
    options.validationImages = validationImages
    options.validateEvery = validateEvery
  }
}

extension Augmentation: ExpressibleByArgument {}
extension Sampling: ExpressibleByArgument {}

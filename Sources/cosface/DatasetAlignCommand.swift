import ArgumentParser
import Datasets
import Files
import Foundation
import Reports
import Training

struct DatasetAlignCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "align",
    abstract: "Cut faces out of photographs, turned and scaled as networks expect them.",
    discussion: """
      With --landmarks five points are brought onto ArcFace's template by the least-squares similarity transform and the \
      picture is sampled bilinearly, as OpenCV's warpAffine does. With --boxes a square around the box is cut out and \
      resized. Read are VGGFace2's and CelebA's files, VGGFace's lists, InsightFace's .lst, and rows 'path,x1,y1,...,x5,y5': points in the \
      order left eye, right eye, nose, left and right corner of the mouth, as they stand in the picture.

      OUTPUT has the photographs' own folders, and alignment.csv: every image with its transform and residual, or \
      the reason why there is no face of it. Faces that are too small, that only a mirrored picture would fit, whose \
      landmarks miss the template by far, or that lie outside their picture are refused. Started again, the command goes on where it was stopped.
      """)

  @Argument(help: "Folder of the photographs that the table names.")
  var images: String

  @Argument(help: "Folder to write the faces into, new or begun by the same command.")
  var output: String

  @Option(help: "Table of landmarks.")
  var landmarks: String?

  @Option(help: "Table of boxes, or a folder of VGGFace's lists.")
  var boxes: String?

  @Option(help: "List of lines 'IMAGE PERSON' where the photographs are in no people's folders: CelebA's identities.")
  var people: String?

  @Option(help: "Height x width of the faces: 112x112 or 112x96.")
  var size = AlignedSize.square

  @Option(help: "Format of the faces: jpeg or png.")
  var format = FileFormat.jpeg

  @Option(Limits.quality, help: "Quality of JPEG; 95 unless given.")
  var quality: Int?

  @Option(
    Limits.crop,
    help: "Side of the square that is cut out, as a multiple of the box's longer side; with --boxes, 1.3 unless given.")
  var margin: Double?

  @Option(
    Limits.leastFace, help: "Least height in pixels of what is cut out of a photograph; smaller faces are refused.")
  var minFace = 32.0

  @Option(
    Limits.residual,
    help:
      "Largest distance of the landmarks from the template, root mean square in pixels; other faces are refused; with --landmarks, 12 unless given."
  )
  var maxResidual: Double?

  @Option(
    Limits.badImages,
    help: "Fraction of the rows that may be of no use: images absent or unreadable, rows without coordinates.")
  var maxBadImages = 0.001

  @Option(Limits.threads, help: "Threads that read, cut out and write; one for each core unless given.")
  var workers: Int?

  @Flag(help: "Print one JSON object instead of a table.")
  var json = false

  enum FileFormat: String, CaseIterable, ExpressibleByArgument {
    case jpeg, png
  }

  func validate() throws {
    guard (landmarks == nil) != (boxes == nil) else { throw ValidationError("Give either --landmarks or --boxes.") }
    guard margin == nil || boxes != nil else {
      throw ValidationError("--margin goes with --boxes: landmarks say themselves what is cut out.")
    }
    guard maxResidual == nil || landmarks != nil else { throw ValidationError("--max-residual goes with --landmarks.") }
    guard quality == nil || format == .jpeg else { throw ValidationError("--quality goes with --format jpeg.") }
    try Requirement.oneProcess("dataset align", workers: true)
  }

  func run() throws {
    let alignment = try Alignment(options)
    let progress = WorkProgress("faces")
    let report = try alignment.run { progress.show($0, of: $1) }
    try json ? Terminal.print(json: report) : Terminal.print(report.description)
    try alignment.check(report)
  }

  private var options: FaceAlignmentOptions {
    var options = FaceAlignmentOptions(
      images: images, table: landmarks ?? boxes!, kind: landmarks == nil ? .boxes : .landmarks, output: output)
    options.people = people
    options.size = size
    options.format = format == .png ? .png : .jpeg(quality: quality ?? 95)
    options.margin = margin ?? options.margin
    options.minimumFace = minFace
    options.maximumResidual = maxResidual ?? options.maximumResidual
    options.maximumBadImages = maxBadImages
    options.workers = workers ?? ProcessInfo.processInfo.activeProcessorCount
    return options
  }
}

extension AlignedSize: ExpressibleByArgument {}

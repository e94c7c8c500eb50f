import ArgumentParser
import Files
import Inference

struct GalleryListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Name the people of a gallery, with the number of their rows.")

  @Option(help: "The gallery: a .safetensors that 'cosface embed' wrote.")
  var gallery: String

  @Flag(help: "Print one JSON object.")
  var json = false

  private struct Listing: Encodable {
    struct Person: Encodable {
      let name: Name
      let images: Int
    }
    let rows: Int
    let width: Int
    let flip: FlipTest
    let normalized: Bool
    /// Nil where a former version made the file.
    let weights: String?
    let people: [Person]
  }

  func run() throws {
    let file = try GalleryFile(path: gallery)
    let (origin, counts) = (file.rows.origin, file.imageCounts)
    if json {
      let people = zip(file.people, counts).map { Listing.Person(name: $0, images: $1) }
      return try Terminal.print(
        json: Listing(
          rows: file.labels.count, width: file.rows.rowWidth, flip: origin.flip, normalized: origin.isNormalized,
          weights: origin.weights, people: people))
    }
    Terminal.print(
      line: "\(gallery): \(file.labels.count.counted("row")) of \(file.people.count.grouped) people, "
        + "\(file.rows.rowWidth) wide, --flip \(origin.flip.rawValue), "
        + (origin.weights.map { "weights \($0)" } ?? "weights unknown"))
    let rows = zip(file.people, counts).map { [$0.text.printableName, "\($1)"] }
    for line in TextTable.lines(rows, right: 1..<2) { Terminal.print(line: line) }
  }
}

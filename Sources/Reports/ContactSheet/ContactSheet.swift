package import Cleaning
package import Datasets
package import Files
import Foundation

/// The findings of `dataset clean` as a page: who is said to be who, face beside face, the surest first.
///
/// Everything stands in the page itself, the pictures too; it loads nothing.
package struct ContactSheet {
  struct Section {
    let identifier: String
    let heading: String
    let paragraph: String
    let cases: [Case]
  }

  struct Case {
    let number: Int
    let groups: [Group]
    let action: String
    let score: String
    let remark: String
    let people: String
  }

  struct Group {
    let title: String
    let pictures: [Picture]
  }

  struct Picture {
    let name: String
    let address: String
  }

  let heading: String
  let subtitle: String
  let notes: [String]
  let sections: [Section]
  let program: String
  let date: String

  /// Pictures of a finding's group, at most: a folder's part may have hundreds of images.
  private static let shownPictures = 4

  /// - Parameters:
  ///   - limit: findings of each kind to show.
  ///   - progress: called as often as a finding's pictures have been read.
  /// - Throws: `DataError` where a picture cannot be read any more.
  package init(
    _ report: CleaningReport, _ findings: [Finding], of source: any ImageSource, validation: (any ImageSource)?,
    limit: Int, progress: () -> Void = {}
  ) throws {
    let own = ThumbnailReader(source)
    let others = validation.map(ThumbnailReader.init)
    var sections: [Section] = []
    for count in report.counts {
      let all = findings.filter { $0.kind == count.kind }
      let shown = all.prefix(limit)
      var cases: [Case] = []
      for (place, finding) in shown.enumerated() {
        let groups = try finding.pictures.map { group in
          let reader = group.isValidation ? others ?? own : own
          return Group(
            title: (group.isValidation ? "validation: " : "") + group.title,
            pictures: try group.samples.prefix(Self.shownPictures).map(reader.picture))
        }
        cases.append(
          Case(
            number: place + 1, groups: groups, action: finding.action.text,
            score: String(format: "%.3f", finding.score), remark: finding.remark,
            people: "\(finding.person.text), \(finding.other)"))
        progress()
      }
      let left = all.count - shown.count
      let words =
        all.isEmpty
        ? "None was found."
        : "\(all.count.counted("finding")), \(count.lines.counted("line")) of the table. "
          + "Score: \(count.kind.scoreMeaning)."
      sections.append(
        Section(
          identifier: count.kind.rawValue, heading: count.kind.heading,
          paragraph: words
            + (left > 0 ? " The \(shown.count.grouped) surest are shown, \(left.grouped) are left out." : ""),
          cases: cases))
    }
    self.sections = sections
    heading = "Contact sheet of \(FilePath.name(of: report.data))"
    subtitle = "\(report.images.counted("image")) of \(report.people.grouped) people, looked at by \(report.network)"
    notes = [
      "Nothing was changed. What is proposed stands in the table: edit its last column, then 'cosface dataset apply'."
    ]
    program = ProgramVersion.name
    date = Date().formatted(.iso8601)
  }

  /// The page as HTML.
  package var html: String { ContactSheetTemplate.render(self) }

  /// - Throws: `FileError`
  package func write(to path: String) throws(FileError) { try AtomicFile.write(Data(html.utf8), to: path) }
}

/// Images of a set as small JPEG files.
private final class ThumbnailReader {
  private static let side = 80

  private let source: any ImageSource
  private let decoder = ImageDecoder()
  private let resizer = ImageResizer(side: ThumbnailReader.side)
  private let encoder = ImageEncoder(.jpeg(quality: 75), width: ThumbnailReader.side, height: ThumbnailReader.side)
  private let scratch = ByteBuffer()

  init(_ source: any ImageSource) { self.source = source }

  func picture(_ sample: Int) throws -> ContactSheet.Picture {
    try source.withEncodedImage(of: sample, scratch: scratch) { bytes in
      let image = try decoder.decode(bytes, name: source.path(of: sample))
      let file = Data(encoder.encode(resizer.resize(image)))
      return .init(
        name: source.identifier(of: sample), address: "data:image/jpeg;base64," + file.base64EncodedString())
    }
  }
}

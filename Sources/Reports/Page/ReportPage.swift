import Files
import Foundation
import Training

/// A page about one run, or about several side by side: what the template takes.
///
/// Everything stands in the page itself; it loads nothing.
package struct ReportPage {
  struct Tile {
    let name: String
    let figure: String
    let remark: String
  }

  struct Section {
    let identifier: String
    let heading: String
    let paragraphs: [String]
    let charts: [Chart]
    let tables: [Table]
    let matrices: [PeopleMatrix]
    let bars: [Bars]
    let pairs: [Pair]
  }

  /// Parts of a whole.
  struct Bars {
    struct Part {
      let number: Int
      let x: String
      let width: String
      /// What the legend says of it.
      let name: String
      let share: String
    }

    let title: String
    let words: String
    let parts: [Part]
  }

  struct Pair {
    let caption: String
    let firstName: String
    let firstAddress: String
    let secondName: String
    let secondAddress: String
  }

  let heading: String
  let subtitle: String
  let notes: [String]
  let tiles: [Tile]
  let sections: [Section]
  /// What made the page, and evaluated the models: the program and its libraries.
  let program: String
  let date: String
  /// Of a page that renews itself: what its script must be marked with.
  let live: Live?

  package struct Live {
    /// Number used once, of the page's content security policy.
    let nonce: String
    let seconds: Int
    /// How training ended, once it has: the page is not renewed any more.
    var ending: String?
  }

  /// - Parameters:
  ///   - evaluations: one for each run, or nil.
  ///   - live: for a page that renews itself.
  package init(_ runs: [RunRecord], evaluations: [RunEvaluation?], notes: [String] = [], live: Live? = nil) {
    precondition(
      !runs.isEmpty && evaluations.count == runs.count, "\(evaluations.count) evaluations of \(runs.count) runs")
    heading = Self.list(runs.map(\.name))
    subtitle = runs.count > 1 ? "Runs compared" : Self.progress(runs[0])
    self.notes =
      notes + runs.flatMap { run in run.notes.map { runs.count > 1 ? "\(run.name): \($0)." : "\($0)." } }
    tiles = runs.flatMap { run in Self.tiles(run, prefix: runs.count > 1 ? run.name : nil) }
    let evaluated = zip(runs, evaluations).enumerated().compactMap { number, pair in
      pair.1.map { (number: number, name: pair.0.name, evaluation: $0) }
    }
    sections = [
      Self.curves(runs), evaluated.isEmpty ? nil : Self.verification(evaluated), Self.confusedPeople(evaluated),
      Self.hardPairs(evaluated), Self.timing(runs), Self.options(runs), Self.environment(runs),
    ].compactMap(\.self)
    program = ([ProgramVersion.name] + LibraryVersion.all.map { "\($0.name) \($0.loaded)" }).joined(separator: ", ")
    date = Date().formatted(.iso8601)
    self.live = live
  }

  /// The page as HTML.
  package var html: String { ReportTemplate.render(self) }

  /// "a, b and c"
  private static func list(_ names: [String]) -> String {
    let before = names.dropLast().joined(separator: ", ")
    return before.isEmpty ? names.joined() : before + " and " + names[names.count - 1]
  }

  private static func progress(_ run: RunRecord) -> String {
    let done = run.history.last.map { $0.step + 1 } ?? 0
    guard let start = run.starts.last else { return done.counted("step") }
    return
      "\(done.grouped) of \(start.totalSteps.counted("step")), \(start.images.counted("image"))"
      + (run.hasClassifier ? " of \(start.people.grouped) people" : "")
  }

  private static func tiles(_ run: RunRecord, prefix: String?) -> [Tile] {
    let history = run.history
    guard let last = history.last else { return [] }
    let before = prefix.map { "\($0): " } ?? ""
    var tiles = [Tile(name: before + "loss", figure: Figure.fixed(last.loss, 4), remark: "at step \(last.step)")]
    if run.hasClassifier {
      tiles.append(
        Tile(
          name: before + "scale of the logits", figure: Figure.fixed(last.scale, 2),
          remark: "norm of the class weight's rows \(Figure.fixed(last.classWeightNorm, 4))"))
    }
    if let cosine = last.teacherCosine {
      tiles.append(
        Tile(
          name: before + "cosine to the teacher", figure: Figure.fixed(cosine, 4), remark: "at step \(last.step)"))
    }
    tiles.append(
      Tile(
        name: before + "images/s", figure: Figure.fixed(Double(history.samples) / max(history.seconds, 1e-9), 1),
        remark: "over \(history.samples.grouped) images in \(Figure.duration(history.seconds))"))
    if let best = history.best {
      tiles.append(
        Tile(
          name: before + "accuracy", figure: Figure.percent(best.accuracy),
          remark: "the best while training, at step \(best.step)"))
    }
    if last.badImages > 0 {
      tiles.append(Tile(name: before + "unreadable images", figure: "\(last.badImages)", remark: "left out"))
    }
    return tiles
  }
}

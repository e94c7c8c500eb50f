import Evaluation
import Files
import Foundation
package import MPI
import Training

/// Makes the page of one run or several: reads what they wrote, evaluates their models, writes one HTML file.
package struct Report {
  private let options: ReportOptions
  private let communicator: Communicator

  package init(_ options: ReportOptions, _ communicator: Communicator) {
    self.options = options
    self.communicator = communicator
  }

  /// Every rank calls it; rank 0 reads and writes, all evaluate.
  ///
  /// - Returns: what is missing or damaged, sentences for people; on rank 0.
  /// - Throws: `ReportError` where a folder holds no run, and what is wrong with images or models.
  package func write() throws -> [String] {
    let isRoot = communicator.rank == 0
    let folders = options.runs.map(RunFolder.init)
    let runs = isRoot ? try folders.map(RunRecord.init) : []
    if isRoot { try OutputFiles.tryOut([options.output], inputs: [options.data, options.pairs]) }
    var (evaluations, notes) = ([RunEvaluation?](), [String]())
    for (index, folder) in folders.enumerated() {
      let agreed = try communicator.broadcast(encoding: isRoot ? plan(folder, runs[index]) : nil)
      if let note = agreed.note { notes.append("\(isRoot ? runs[index].name : folder.path): \(note)") }
      guard let options = agreed.evaluation else {
        evaluations.append(nil)
        continue
      }
      let (evaluation, more) = try evaluate(options)
      evaluations.append(evaluation)
      notes += more
    }
    guard isRoot else { return [] }
    let page = ReportPage(runs, evaluations: evaluations, notes: notes)
    try AtomicFile.write(Data(page.html.utf8), to: options.output)
    return runs.flatMap { run in run.notes.map { "\(run.path): \($0)." } } + notes
  }

  /// What the ranks do with a run's model.
  private struct Plan: Codable {
    var evaluation: EvaluationOptions?
    var note: String?
  }

  private func plan(_ folder: RunFolder, _ run: RunRecord) -> Plan {
    let own = FileManager.default.contents(atPath: folder.configuration)
      .flatMap { try? JSONDecoder().decode([String: JSONValue].self, from: $0) }
      .flatMap { try? TrainingOptions(configuration: $0) }
    guard let evaluation = options.evaluation(of: folder, options: own) else { return Plan() }
    guard run.hasModel else {
      return Plan(note: "it has no model.safetensors yet, so it is not evaluated.")
    }
    // What the run was validated by may lie elsewhere today; what the command line names must be there.
    if options.data == nil, !FileManager.default.fileExists(atPath: evaluation.data) {
      return Plan(note: "the images of its validation are not at \(evaluation.data), so it is not evaluated.")
    }
    return Plan(evaluation: evaluation)
  }

  private func evaluate(_ options: EvaluationOptions) throws -> (RunEvaluation?, notes: [String]) {
    let evaluation = try Evaluation(options, communicator)
    let report = try evaluation.run()
    guard let own = evaluation.result else { preconditionFailure("An evaluation that has not run") }
    let result = try own.joined(communicator)
    guard communicator.rank == 0 else { return (nil, []) }
    var notes: [String] = []
    let trained = evaluation.trainedPeople
    if trained > 0 {
      notes.append(
        "\(trained) of the people in \(options.data) bear names of people that the model was trained on: "
          + "its figures tell little of strangers.")
    }
    if self.options.confusedPeople > 0, !evaluation.verification.knowsPeople {
      notes.append(
        "\(options.model ?? options.data): \(report.selection) do not say who is on the images, so no confused people are shown."
      )
    }
    let run = try RunEvaluation(
      evaluation, result, report, pictures: self.options.pictures, confusedPeople: self.options.confusedPeople)
    return (run, notes)
  }
}

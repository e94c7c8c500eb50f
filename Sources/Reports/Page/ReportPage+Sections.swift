import Evaluation
import Files
import Inference
import Training

extension ReportPage {
  static func curves(_ runs: [RunRecord]) -> Section? {
    let charts: [Chart] =
      [
        Chart("Loss", "loss", of: runs),
        Chart("Cosine to the teacher's embeddings", "teacherCosine", of: runs),
        Chart("Scale of the logits", "scale", of: runs, where: \.hasClassifier),
        Chart("Learning rate", "learningRate", of: runs),
        Chart("Speed", "imagesPerSecond", unit: " images/s", of: runs),
        Chart("Waiting for images", "dataShare", unit: " % of the step", of: runs, scale: 100),
        Chart("Waiting for other ranks", "communicationShare", unit: " % of the step", of: runs, scale: 100) { run in
          // A rank alone waits for none.
          run.history.communicationSeconds > 0
        },
        Chart.accuracyOverMinutes(runs),
      ].compactMap(\.self) + validationCharts(runs)
    guard !charts.isEmpty else { return nil }
    return section(
      "curves", "Curves",
      ["Lines are means of neighbouring steps; the shade reaches from the smallest value to the largest."],
      charts: charts)
  }

  /// Of each set that a run was validated on.
  private static func validationCharts(_ runs: [RunRecord]) -> [Chart] {
    let sets = Set(runs.flatMap(\.history.validationSets).map { Name($0) }).map(\.text).sorted()
    return sets.flatMap { set in
      [
        Chart("Accuracy on \(set), at the best threshold", "accuracy/\(set)", unit: " %", of: runs, scale: 100),
        Chart("Cross-validated accuracy on \(set)", "crossValidatedAccuracy/\(set)", unit: " %", of: runs, scale: 100),
        Chart("Area under the ROC curve of \(set)", "areaUnderCurve/\(set)", of: runs),
      ].compactMap(\.self)
    }
  }

  static func verification(_ runs: [Chart.Evaluated]) -> Section {
    let reports = runs.map(\.evaluation.report)
    let verifications = reports.map(\.verification)
    var rows: [(title: String, cells: [String])] = [
      ("pairs", verifications.map { ($0.sameCount + $0.differentCount).grouped }),
      ("of the same person", verifications.map { $0.sameCount.grouped }),
      ("images", reports.map { $0.images.grouped }),
      ("accuracy, in-sample, at the best threshold", verifications.map { Figure.percent($0.best.accuracy) }),
      ("best threshold", verifications.map { Figure.fixed($0.best.threshold, 4) }),
      ("precision there", verifications.map { $0.best.precision.map(Figure.percent) ?? "-" }),
      ("recall there", verifications.map { Figure.percent($0.best.recall) }),
      ("accuracy, cross-validated", verifications.map { $0.crossValidation.map { Figure.percent($0.mean) } ?? "-" }),
      ("area under the ROC curve", verifications.map { Figure.fixed($0.areaUnderCurve, 4) }),
      ("equal error rate", verifications.map { Figure.percent($0.equalErrorRate) }),
    ]
    rows += verifications[0].acceptRates.indices.map { index in
      (
        "TAR at FAR \(Figure.short(verifications[0].acceptRates[index].falseAcceptRate))",
        verifications.map { $0.acceptRates[index].trueAcceptRate.map(Figure.percent) ?? "too few pairs" }
      )
    }
    rows.append(("mean norm of embeddings", reports.map { Figure.short($0.embeddingNorms.mean) }))
    let compares = runs.count > 1
    let curves = ErrorCurve.all(runs)
    return section(
      "verification", "Verification",
      runs.map { run in
        let report = run.evaluation.report
        return (compares ? "\(run.name): " : "")
          + "Evaluated on \(report.selection) in \(report.data)"
          + (report.trainedSteps.map { ", after \($0.counted("step"))." } ?? ".")
      },
      charts: [Chart.roc(curves), Chart.det(curves)] + runs.map { Chart.scores($0, compares: compares) }
        + [Chart.precisionRecall(runs)],
      tables: [
        Table(
          caption: "Figures", corner: "", columns: compares ? runs.map(\.name) : ["figure"], rows: rows)
      ])
  }

  /// The people who are most often taken for one another, where the pairs know people and their names are asked for.
  static func confusedPeople(_ runs: [Chart.Evaluated]) -> Section? {
    let counted = runs.compactMap { run in run.evaluation.confusedPeople.map { (run, $0) } }
    guard !counted.isEmpty else { return nil }
    let compares = runs.count > 1
    return section(
      "people", "The most confused people",
      counted.map { run, confused in
        (compares ? "\(run.name): " : "")
          + "\(confused.acceptedCount.grouped) of \(confused.comparedCount.counted("pair")) of different people are "
          + "accepted at the threshold \(Figure.fixed(confused.threshold, 4))."
      } + ["A cell counts the false accepts of two people; - where no images of theirs were compared."],
      matrices: counted.filter { !$0.1.people.isEmpty }.map { run, confused in
        PeopleMatrix(
          confused, names: run.evaluation.names,
          caption: "False accepts" + (compares ? ", \(run.name)" : ""))
      })
  }

  static func hardPairs(_ runs: [Chart.Evaluated]) -> Section? {
    let pairs = runs.flatMap { run in
      run.evaluation.hardPairs.map { pair in
        Pair(
          caption: (runs.count > 1 ? "\(run.name): " : "") + (pair.same ? "the same person" : "different people")
            + ", cosine \(Figure.fixed(pair.score, 4))",
          firstName: pair.first.name, firstAddress: pair.first.address, secondName: pair.second.name,
          secondAddress: pair.second.address)
      }
    }
    guard !pairs.isEmpty else { return nil }
    return section(
      "pairs", "The hardest pairs",
      [
        "Pairs of the same person with the lowest cosines, and of different people with the highest. "
          + "Mislabelled images turn up here first."
      ], pairs: pairs)
  }

  static func timing(_ runs: [RunRecord]) -> Section? {
    let timed = runs.filter { $0.history.seconds > 0 }
    guard !timed.isEmpty else { return nil }
    let names = timed[0].history.parts.map(\.name)
    let rows = names.indices.map { index in
      (
        title: names[index],
        cells: timed.flatMap { run in
          let history = run.history
          let seconds = history.parts[index].seconds
          return [Figure.fixed(1000 * seconds / Double(history.steps), 1), Figure.percent(seconds / history.seconds)]
        }
      )
    }
    let bars = timed.map { run in
      let history = run.history
      var start = 0.0
      let parts = history.parts.enumerated().map { number, part in
        defer { start += part.seconds / history.seconds * 400 }
        let share = part.seconds / history.seconds
        return Bars.Part(
          number: number, x: Chart.text(start), width: Chart.text(share * 400), name: part.name,
          share: Figure.percent(share))
      }
      let words = parts.map { "\($0.name) \($0.share)" }.joined(separator: ", ")
      return Bars(title: run.name, words: words, parts: parts)
    }
    let columns = timed.flatMap { run in
      (timed.count > 1 ? ["\(run.name): ms a step", "share"] : ["ms a step", "share"])
    }
    return section(
      "timing", "Time by part", ["As rank 0 measured it, over all steps; validation and checkpoints are not in it."],
      tables: [Table(caption: "Time of a step", corner: "part", columns: columns, rows: rows)], bars: bars)
  }

  static func options(_ runs: [RunRecord]) -> Section? {
    var seen: Set<String> = []
    let names = runs.flatMap { $0.options.map(\.name) }.filter { seen.insert($0).inserted }.sorted()
    guard !names.isEmpty else { return nil }
    let compares = runs.count > 1
    return section(
      "options", "What was run", compares ? ["Options in which the runs differ are marked."] : [],
      tables: [
        Table(
          caption: "Options", corner: "option", columns: compares ? runs.map(\.name) : ["value"],
          rows: names.map { name in (title: name, cells: runs.map { $0.option(name) ?? "-" }) }, compares: compares)
      ])
  }

  static func environment(_ runs: [RunRecord]) -> Section? {
    let compares = runs.count > 1
    let all = runs.flatMap { run in
      let starts = run.starts.enumerated().map { number, start in
        let name = run.starts.count > 1 ? "start \(number + 1)" : "start"
        return (name: compares ? (run.starts.count > 1 ? "\(run.name), \(name)" : run.name) : name, start: start)
      }
      // Of a run that was resumed often, the first start and the last ones say enough.
      return starts.count > 6 ? Array(starts.prefix(1) + starts.suffix(5)) : starts
    }
    guard !all.isEmpty else { return nil }
    func table(
      _ caption: String, _ rows: [(title: String, value: (RunStart) -> String)], compares: Bool = false
    ) -> Table {
      Table(
        caption: caption, corner: "", columns: all.map(\.name),
        rows: rows.map { row in (title: row.title, cells: all.map { row.value($0.start) }) }, compares: compares)
    }
    let libraries = Set(all.flatMap { $0.start.libraries?.keys.map(\.self) ?? [] }).sorted()
    return section(
      "environment", "Where it ran",
      all.count > 1 ? ["Versions and machines in which the starts differ are marked."] : [],
      tables: [
        table(
          "Starts",
          [
            ("started", { $0.date }), ("from step", { $0.firstStep.grouped }), ("ranks", { "\($0.ranks)" }),
            (
              "hosts", { $0.hosts.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value))" }.joined(separator: ", ") }
            ),
            ("threads per rank", { "\($0.threadsPerRank)" }), ("readers per rank", { "\($0.readersPerRank)" }),
            ("images in a step", { $0.globalBatchSize.grouped }), ("parameters", { $0.parameters.grouped }),
          ]),
        table(
          "Versions and machine of rank 0",
          [("program", { $0.program })] + libraries.map { name in (name, { $0.libraries?[name] ?? "-" }) } + [
            ("kernels", { $0.kernels ?? "-" }), ("processor", { $0.processor }), ("cores", { "\($0.cores)" }),
            ("memory", { Figure.fixed(Double($0.memoryBytes) / 1e9, 1) + " GB" }), ("system", { $0.system }),
          ], compares: true),
      ])
  }

  private static func section(
    _ identifier: String, _ heading: String, _ paragraphs: [String], charts: [Chart] = [], tables: [Table] = [],
    matrices: [PeopleMatrix] = [], bars: [Bars] = [], pairs: [Pair] = []
  ) -> Section {
    Section(
      identifier: identifier, heading: heading, paragraphs: paragraphs, charts: charts, tables: tables,
      matrices: matrices, bars: bars, pairs: pairs)
  }
}

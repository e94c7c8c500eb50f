import Files

/// A weight file that does not fit the network, or fits none.
package enum WeightError: Error, Equatable, CustomStringConvertible {
  case incomplete(path: String, WeightReport)
  /// Nothing in the file has a name of the network: another network's file, whatever is allowed.
  case nothingFits(path: String, network: String, found: [String])
  /// The file says that it is of another network than the one asked for.
  case otherNetwork(path: String, ModelDescription)

  package var description: String {
    switch self {
    case .incomplete(let path, let report):
      let problems = report.lines.dropFirst().joined(separator: "; ")
      return "The weights '\(path.printableName)' do not fit: \(problems)."
        + " `--allow-missing` starts with what fits and initializes the rest."
    case .nothingFits(let path, let network, let found):
      return "The weights '\(path.printableName)' have no tensor of \(network); they hold \(WeightReport.list(found))."
        + " Name the network that they are of."
    case .otherNetwork(let path, let theirs):
      return "The weights '\(path.printableName)' are of another network. Give --network \(theirs.network)"
        + " --embedding \(theirs.embeddingWidth) --input-size \(theirs.inputSide),"
        + " or take what fits of them with --allow-missing."
    }
  }
}

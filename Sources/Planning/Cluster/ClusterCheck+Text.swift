import Files

extension ClusterCheck.Report {
  /// For people: a row for each rank, a line for each link, and what is suspicious.
  package var text: String {
    var rows = [["rank", "host", "cores", "threads", "memory free", "program", "processor"]]
    for rank in ranks.prefix(Self.shown) {
      rows.append([
        "\(rank.rank)", rank.host,
        rank.isBound ? "\(RankReport.text(rank.cores)) of \(rank.hostCores)" : "all \(rank.hostCores)",
        "\(rank.threads)", "\((Double(rank.availableMemory) / 1e9).shown(1)) GB", "\(rank.program.digest.prefix(8))",
        rank.processor,
      ])
    }
    var lines = TextTable.lines(rows)
    if ranks.count > Self.shown { lines.append("and \(ranks.count - Self.shown) more; --json lists all") }
    lines.append("")
    lines.append("program    \(ranks[0].program.version), \(ranks[0].program.digest), the same on all ranks")
    let libraries = ranks[0].program.libraries.map(\.description).joined(separator: "; ")
    lines.append("libraries  \(libraries); the same on all ranks")
    lines.append("files      \(ranks[0].program.files.values.sorted().joined(separator: " ")), the same on all ranks")
    if Set(ranks.map(\.system)).count == 1 { lines.append("system     \(ranks[0].system), the same on all ranks") }
    if Set(ranks.map(\.kernels)).count == 1 { lines.append("kernels    \(ranks[0].kernels), the same on all ranks") }
    if let data { lines.append("data       \(data), the same on all ranks") }
    for link in links.prefix(Self.shown) {
      lines.append(
        "link       \(link.from) - \(link.to): \((link.latencySeconds * 1e6).shown(1)) us, "
          + "\((link.bytesPerSecond / 1e9).shown(3)) GB/s (\((link.bytesPerSecond * 8 / 1e9).shown(2)) Gbit/s)")
    }
    if links.count > Self.shown { lines.append("and \(links.count - Self.shown) more; --json lists all") }
    for (host, names) in carriers.sorted(by: { $0.key < $1.key }) {
      lines.append("carried    on \(host) by \(names.joined(separator: ", "))")
    }
    if carriers.isEmpty && !links.isEmpty { lines.append("carried    by shared memory") }
    lines += warnings.map { "warning    \($0)" }
    return lines.joined(separator: "\n") + "\n"
  }

  private static let shown = 64
}

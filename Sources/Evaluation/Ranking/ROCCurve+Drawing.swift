import MPI

extension ROCCurve {
  /// Points for a drawing, a few hundred of any curve: the ends, and each that lies 1/200 from the last one taken in
  /// either direction, or 5 % in the rate of false accepts or false rejects, so that logarithmic axes have their detail
  /// too. Those at which TAR at FAR 1e-1, 1e-2 ... 1e-6 is stated are among them.
  package var drawing: [Point] {
    get throws {
      // Each rank goes on from the last point of the ranks before: a search for each point, no walk.
      var last = try receiveLast()
      let own = takeOwn(from: &last)
      try sendLast(last)
      let counts = try scores.group.gather([own.count]).map { 3 * $0[0] }
      let numbers = own.flatMap { [$0.threshold, $0.falseAcceptRate, $0.trueAcceptRate] }
      let all = try scores.group?.allGather(numbers, counts: counts) ?? numbers
      return stride(from: 0, to: all.count, by: 3).map {
        Point(threshold: all[$0], falseAcceptRate: all[$0 + 1], trueAcceptRate: all[$0 + 2])
      }
    }
  }

  /// This rank's points, behind `last`, which becomes the last that was taken.
  private func takeOwn(from last: inout Point?) -> [Point] {
    guard !scores.pairs.isEmpty else { return [] }
    var taken: [Point] = []
    var next = 0
    func take(_ place: Int) {
      let point = point(scores.cut(at: place))
      taken.append(point)
      (last, next) = (point, place + 1)
    }
    let stated = [10, 100, 1000, 10_000, 100_000, 1_000_000].compactMap {
      scores.lastCut(acceptingAtMost: scores.differentCount / $0)
    }
    if last == nil { take(0) }
    while let before = last {
      let far = scores.firstCut(from: next) { isFar(rates($0), from: before) }
      let place = stated.reduce(far ?? Int.max) { $1 >= next ? min($0, $1) : $0 }
      guard place < scores.pairs.count else { break }
      take(place)
    }
    if scores.ownsEnd { take(scores.pairs.count) }
    return taken
  }

  private func isFar(_ next: (falseAccept: Double, trueAccept: Double), from last: Point) -> Bool {
    let across = next.falseAccept - last.falseAcceptRate
    let up = next.trueAccept - last.trueAcceptRate
    return across >= 0.005 || up >= 0.005 || across > 0.05 * last.falseAcceptRate
      || up > 0.05 * (1 - last.trueAcceptRate)
  }

  /// From the rank before.
  private func receiveLast() throws(MPIError) -> Point? {
    guard let group = scores.group, group.rank > 0 else { return nil }
    var numbers = [Double](repeating: 0, count: 4)
    try numbers.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in
      try group.receive(buffer, from: group.rank - 1)
    }
    guard numbers[0] > 0 else { return nil }
    return Point(threshold: numbers[1], falseAcceptRate: numbers[2], trueAcceptRate: numbers[3])
  }

  /// To the rank behind.
  private func sendLast(_ last: Point?) throws(MPIError) {
    guard let group = scores.group, group.rank + 1 < group.size else { return }
    let numbers: [Double] =
      last.map { [1, $0.threshold, $0.falseAcceptRate, $0.trueAcceptRate] } ?? [0, 0, 0, 0]
    try numbers.withUnsafeBufferPointer { (buffer) throws(MPIError) in
      try group.send(buffer, to: group.rank + 1)
    }
  }
}

package import Datasets
import Files
package import MPI

extension PairList {
  /// Reads a list, each rank a part of its pairs; images have the same numbers on all ranks, which all know them.
  ///
  /// - Parameter checksFiles: whether to look for the images.
  /// - Throws: `FileError` where the file cannot be read, `DataError` naming the line that is wrong.
  package static func read(
    path: String, root: String, checksFiles: Bool = true, _ communicator: Communicator
  ) throws -> PairList {
    let blocks = try TextBlocks(path: path)
    var list = try PairList(
      blocks, root: root, part: communicator.rank, of: communicator.size, checksFiles: checksFiles)
    guard try communicator.allReduce(list.pairs.count) > 0 else { throw list.emptiness }
    guard communicator.size > 1 else { return list }
    let absent = try communicator.allGather(encoding: list.absent.map { AbsentImage(line: $0.line, image: $0.image) })
    let (images, places) = try communicator.union(of: list.images)
    var missing: Set<Name> = []
    list.join(
      images: images,
      absent: absent.joined().filter { missing.insert(Name($0.image)).inserted }.map { ($0.line, $0.image) },
      places: places)
    return list
  }

  private struct AbsentImage: Codable {
    let line: Int
    let image: String
  }
}

extension [FacePair] {
  /// How many there are of each kind.
  var kinds: PairCount {
    let same = count { $0.same }
    return PairCount(same: same, different: count - same)
  }

  /// How many of each kind the ranks' parts have, by rank.
  func counts(_ communicator: Communicator) throws -> [PairCount] {
    let own = kinds
    return zip(try communicator.allGather(own.same), try communicator.allGather(own.different)).map {
      PairCount(same: $0, different: $1)
    }
  }
}

extension Communicator {
  /// The names that the ranks have, each once: in the order of ranks, and of each rank's own. `places[i]` is where this
  /// rank's i-th name stands. No name holds a line's end.
  fileprivate func union(of own: [String]) throws -> (names: [String], places: [Int32]) {
    var bytes: [UInt8] = []
    for name in own {
      bytes += name.utf8
      bytes.append(10)
    }
    var (known, places) = (NameIndex(), [Int32]())
    // One rank's names after the other's: all at once would be many times the list.
    for root in 0..<size {
      try broadcast(bytes: rank == root ? bytes : [], from: root).withUnsafeBytes { lines in
        var start = 0
        while let end = lines[start...].firstIndex(of: 10) {
          let place = known.number(of: .init(rebasing: lines[start..<end])).number
          if rank == root { places.append(Int32(place)) }
          start = end + 1
        }
      }
    }
    return ((0..<known.count).map { known[$0] }, places)
  }
}

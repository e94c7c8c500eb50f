import Datasets
import Distributed
import Files
import Foundation
import Inference
package import MPI
import NeuralNetwork
import VectorKernels

/// What the comparison of embeddings takes of each rank, told before the work begins.
///
/// W = `width`, values of a row
package struct ComparisonCost: Equatable, Sendable {
  /// A set of embeddings.
  package struct Rows: Equatable, Sendable {
    /// What it is for: "distractors".
    package let name: String
    package let count: Int
    /// Whether every rank has all rows; else they are divided.
    package let isOnEveryRank: Bool

    package init(_ name: String, _ count: Int, isOnEveryRank: Bool) {
      (self.name, self.count, self.isOnEveryRank) = (name, count, isOnEveryRank)
    }
  }

  package let rows: [Rows]
  package let width: Int
  package let ranks: Int
  /// Bytes of each rank beside embeddings and names: the network's.
  package let networkBytes: Int
  /// Pairs with their scores, which are divided; 0 where no list of pairs is compared.
  package let pairs: Int
  /// Cosines to compute, on all ranks together.
  package let products: Int
  /// Seconds that they take.
  package let seconds: Double

  /// Beside its W Floats a row has two norms in Double, and on every rank the number of its image.
  private var rowBytes: Int { width * MemoryLayout<Float>.size + 2 * MemoryLayout<Double>.size }

  /// The program with MPI, and what an image's name and person take on every rank while names are matched: measured with
  /// lists of 1,000,000 and of 100,000 images.
  private static let (programBytes, nameBytes) = (60_000_000, 75)

  /// The most rows of a set that a rank has.
  package func share(_ set: Rows) -> Int { set.isOnEveryRank ? set.count : share(set.count) }

  private func share(_ count: Int) -> Int { (count + ranks - 1) / ranks }

  /// Of a set's embeddings that a rank holds.
  private func bytes(_ set: Rows) -> Int { share(set) * rowBytes + set.count * MemoryLayout<Int>.size }

  /// Of a pair and its score, of which a rank holds its share.
  private var pairBytes: Int { (MemoryLayout<FacePair>.stride + MemoryLayout<ScoredPair>.stride) * share(pairs) }

  /// Of all that a rank holds.
  package var bytes: Int {
    rows.reduce(Self.programBytes + networkBytes + pairBytes) { $0 + bytes($1) + $1.count * Self.nameBytes }
  }

  /// - Parameter flops: operations a second of all ranks together.
  package init(rows: [Rows], width: Int, ranks: Int, networkBytes: Int = 0, products: Int, flops: Double) {
    (self.rows, self.width, self.ranks, self.networkBytes) = (rows, width, ranks, networkBytes)
    (self.products, pairs) = (products, 0)
    seconds = 2 * Double(products) * Double(width) / flops
  }

  /// Of pairs of `images`; `rate` are pairs a second of all ranks together.
  package init(images: Int, pairs: Int, width: Int, ranks: Int, networkBytes: Int = 0, rate: Double) {
    rows = [Rows("images", images, isOnEveryRank: false)]
    (self.width, self.ranks, self.networkBytes) = (width, ranks, networkBytes)
    (products, self.pairs) = (pairs, pairs)
    seconds = Double(pairs) / rate
  }

  /// Measures the ranks' speed for about 0.1 s; every rank calls it with the same values.
  package init(images: Int, pairs: Int, width: Int, networkBytes: Int, _ communicator: Communicator) throws {
    let rate = Double(communicator.size) * (try communicator.allReduce(Self.measuredRate(width: width), .min))
    self.init(
      images: images, pairs: pairs, width: width, ranks: communicator.size, networkBytes: networkBytes, rate: rate)
  }

  /// Cosines a second of rows that lie anywhere in memory, by this rank's threads.
  private static func measuredRate(width: Int) -> Double {
    // More than any cache holds.
    let count = max((64 << 20) / (width * MemoryLayout<Float>.size), 2)
    let table = EmbeddingTable(
      vectors: [Float](repeating: 0.5, count: count * width), inverseNorms: [Double](repeating: 1, count: count),
      width: width)
    var places = SplitMix64(state: 1)
    let pairs = (0..<20_000).map { _ in
      (Int.random(in: 0..<count, using: &places), Int.random(in: 0..<count, using: &places))
    }
    let start = ContinuousClock.now
    var done = 0
    repeat {
      Parallel.ranges(pairs.count) { range in
        for place in range { precondition(table.cosine(pairs[place].0, pairs[place].1) <= 1) }
      }
      done += pairs.count
    } while (ContinuousClock.now - start).seconds < 0.1
    return Double(done) / (ContinuousClock.now - start).seconds
  }

  /// Measures the ranks' speed for about 0.1 s; every rank calls it with the same values.
  package init(rows: [Rows], width: Int, networkBytes: Int, products: Int, _ communicator: Communicator) throws {
    let flops = Double(communicator.size) * (try communicator.allReduce(Self.measuredFlops(width: width), .min))
    self.init(
      rows: rows, width: width, ranks: communicator.size, networkBytes: networkBytes, products: products, flops: flops)
  }

  /// Operations a second of this rank's threads in products such as `TiledProducts` makes.
  private static func measuredFlops(width: Int) -> Double {
    let (probes, rows) = (256, 512)
    let rates = AlignedMemory(count: Parallel.threads)
    Parallel.run { part, _ in
      let memory = [probes * width, rows * width, probes * rows].map(AlignedMemory.init)
      let (a, b, c) = (memory[0].elements, memory[1].elements, memory[2].elements)
      for factor in [a, b] { factor.update(repeating: 0.5) }
      func multiply() {
        gemm(.none, .transpose, probes, rows, width, a.baseAddress!, b.baseAddress!, into: c.baseAddress!)
      }
      // The first time memory is made.
      multiply()
      let start = ContinuousClock.now
      var done = 0
      repeat {
        multiply()
        done += 1
      } while (ContinuousClock.now - start).seconds < 0.1
      rates.elements[part] = Float(2 * Double(done * probes * rows * width) / (ContinuousClock.now - start).seconds)
      withExtendedLifetime(memory) {}
    }
    return withExtendedLifetime(rates) { rates.elements.reduce(0) { $0 + Double($1) } }
  }

  /// Refuses what this host has not the memory for. Every rank calls it.
  ///
  /// - Throws: `MemoryNeed`
  package func check(_ communicator: Communicator) throws {
    try MemoryNeed.check(
      bytes, of: "Comparing \(rows.reduce(0) { $0 + $1.count }.counted("embedding")) of \(width)",
      remedy: "set, or more hosts", ranks: communicator.placement().localSize)
  }

  /// For people, a line each.
  package var lines: [String] {
    let sets = rows.map { set in
      let size = Self.size(bytes(set))
      let whole = "\(set.count.counted("embedding")) of \(width), "
      guard ranks > 1 else { return Self.line(set.name, whole + size) }
      let share = set.isOnEveryRank ? "all on every rank" : "\(share(set).grouped) a rank"
      return Self.line(set.name, "\(whole)\(share): \(size) a rank")
    }
    let size = Self.size(pairBytes)
    let part = ranks > 1 ? "\(share(pairs).grouped) a rank: \(size) a rank" : size
    let list = pairs == 0 ? [] : [Self.line("pairs", "\(pairs.grouped), \(part)")]
    return sets + list + [
      Self.line("memory", "about \(Self.size(bytes))" + (ranks > 1 ? " a rank" : "")),
      Self.line("comparisons", "\(products.grouped) of two embeddings, about \(Self.duration(seconds))"),
    ]
  }

  private static func line(_ name: String, _ text: String) -> String {
    name.padding(toLength: max(13, name.count + 1), withPad: " ", startingAt: 0) + text
  }

  private static func size(_ bytes: Int) -> String {
    bytes < 100_000_000
      ? String(format: "%.1f MB", Double(bytes) / 1e6) : String(format: "%.2f GB", Double(bytes) / 1e9)
  }

  private static func duration(_ seconds: Double) -> String {
    seconds < 120 ? "\(max(1, Int(seconds.rounded(.up)))) s" : "\(Int((seconds / 60).rounded(.up))) min"
  }
}

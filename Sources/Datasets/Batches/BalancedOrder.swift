import VectorKernels

/// An order of samples in which every person comes equally often: a function of (seed, epoch).
///
/// n = samples, C = people.  An epoch has n draws, in rounds of C: a round is a permutation of the people, the last one cut
/// off. Each draw takes its person's next image, in a permutation of the person's images that is new in every epoch; after
/// the last image it begins again.
package struct BalancedOrder: Sendable {
  /// A drawn image, and which of its draws in the epoch this is, from 0.
  package struct Draw: Equatable, Sendable {
    package let sample: Int32
    package let repetition: Int32
  }

  private let index: ClassIndex
  private let people: Int
  private let count: Int

  package init(_ source: any ImageSource) {
    index = ClassIndex(source)
    people = source.classNames.count
    count = source.count
  }

  package func draws(seed: UInt64, epoch: Int) -> [Draw] {
    let orders = (0..<people).map { person -> [Int32] in
      let images = index.samples(of: person)
      var generator = CounterGenerator(seed: seed, purpose: .personOrder, epoch, person)
      return generator.permutation(images.count).map { images[images.startIndex + Int($0)] }
    }
    var generator = CounterGenerator(seed: seed, purpose: .order, epoch)
    var draws: [Draw] = []
    draws.reserveCapacity(count)
    var round = 0
    while draws.count < count {
      for person in generator.permutation(people).prefix(count - draws.count) {
        let order = orders[Int(person)]
        draws.append(Draw(sample: order[round % order.count], repetition: Int32(round / order.count)))
      }
      round += 1
    }
    return draws
  }
}

/// How an epoch visits the images.
public enum Sampling: String, CaseIterable, Codable, Sendable {
  /// Each image once.
  case uniform
  /// Each person equally often, as many draws as there are images.
  case balanced
}

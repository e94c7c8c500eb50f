import Foundation
package import MPI

/// The messages of one training step: what travels when, in which way, and how many elements of how many bytes.
///
/// The one description of them. The step's parts take the sizes of what they send from here, `plan` prices it, `bench step`
/// lists it, and a test compares it with what the MPI library is really given.
///
/// P = ranks   M = samples of all ranks in a round   K = embedding width   N = classes
package struct StepMessages: Equatable, Sendable {
  package let classifier: ClassifierKind
  package let ranks: Int
  /// K
  package let width: Int
  /// N
  package let classes: Int
  /// Floats of the network's gradients, and of the running statistics that move: none of what is frozen.
  package let gradients: Int
  package let statistics: Int
  package let buckets: GradientBuckets
  /// The gradient is clipped, which needs its norm.
  package var clips = false
  /// Ranks divide the matrices of the network that are updated as wholes.
  package var sendsDirections = false
  /// A step may have several rounds of forward and backward.
  package var accumulates = false
  /// Floats of the linear map to a teacher's embeddings; 0 without one.
  package var teacherMap = 0

  package init(
    _ classifier: ClassifierKind, ranks: Int, width: Int, classes: Int, gradients: Int, statistics: Int,
    buckets: GradientBuckets
  ) {
    (self.classifier, self.ranks, self.width, self.classes) = (classifier, ranks, width, classes)
    (self.gradients, self.statistics, self.buckets) = (gradients, statistics, buckets)
  }

  package enum Name: String, CaseIterable, Sendable {
    case rounds = "number of rounds"
    case sampleCounts = "samples of each rank"
    case statistics = "running statistics"
    case embeddings = "embeddings to all ranks"
    case labels = "labels to all ranks"
    case logitMaxima = "maxima of the softmax"
    case softmaxSums = "sums and targets of the softmax"
    case classWeight = "class weight's gradient"
    case embeddingGradients = "embeddings' gradients to their ranks"
    case teacherMap = "gradient of the map to the teacher's embeddings"
    case network = "network's gradients"
    case directions = "matrices' directions to all ranks"
    case gradientNorm = "norm of the class weight's gradient"
    case rowNorms = "sum of the rows' norms"
    case scale = "norm of all rows"
    case rowFactors = "row factors, on rank 0"
    case agreement = "loss and wishes"
  }

  /// When a message is sent, in the order of the step.
  package enum Moment: CaseIterable, Sendable {
    case begin
    /// After the backbone's forward pass of the last round: the statistics travel while the rest is computed.
    case statistics
    /// Before the logits are computed, and after.
    case logits, softmax
    /// Pieces of the class weight's gradient as they arise; the embeddings' gradients once they are whole.
    case classifierBackward
    /// The map's gradient, and buckets of the network as they arise; in the last round.
    case backward
    /// All gradients are summed.
    case update
    case renormalize
    /// The step is done.
    case agreement
  }

  /// How a message travels. n = its bytes.
  package enum Way: Sendable {
    /// `SumExchange`, while the rank computes: 2 (P - 1) / P n from each rank.
    case sum
    /// `MPI_Allgatherv`; n of all ranks together.
    case gather
    /// `Communicator.orderedSum`, a gather of few numbers that each rank adds up; n of all ranks together.
    case gatheredSum
    /// `MPI_Allreduce`, where the order does not matter.
    case reduction
    /// `OrderedSums.sum`: twice a message to each other rank.
    case orderedSum
    /// `OrderedSums.scatter`: a message to each other rank.
    case orderedScatter
    /// `MPI_Bcast` from rank 0.
    case broadcast
  }

  package struct Message: Equatable, Sendable {
    package let name: Name
    package let way: Way
    /// Elements on each rank: before the message or, for gathers, after it.
    package let count: Int
    package let elementBytes: Int
    package var bytes: Int { count * elementBytes }

    /// `count` elements of it.
    package func part(of count: Int) -> Message {
      Message(name: name, way: way, count: count, elementBytes: elementBytes)
    }

    /// Bytes that a rank of P sends; for a broadcast, rank 0.
    package func bytesSent(ranks: Int) -> Double {
      let (n, p) = (Double(bytes), Double(ranks))
      guard ranks > 1 else { return 0 }
      return switch way {
      case .sum, .orderedSum: 2 * n * (p - 1) / p
      case .gather, .gatheredSum, .orderedScatter: n * (p - 1) / p
      case .reduction: n * log2(p).rounded(.up)
      case .broadcast: n
      }
    }
  }

  /// The messages of `moment`, in their order; `samples` = M. None where there is one rank.
  package func messages(at moment: Moment, samples: Int) -> [Message] {
    guard ranks > 1 else { return [] }
    let isSharded = classifier == .sharded
    let names: [Name] =
      switch moment {
      case .begin: isSharded ? (accumulates ? [.rounds] : []) + [.sampleCounts] : []
      case .statistics: sendsStatistics ? [.statistics] : []
      case .logits: isSharded ? [.embeddings, .labels] : []
      case .softmax: isSharded ? [.logitMaxima, .softmaxSums] : []
      case .classifierBackward: isSharded ? (trainsNetwork ? [.embeddingGradients] : []) : [.classWeight]
      case .backward: (teacherMap > 0 ? [.teacherMap] : []) + (trainsNetwork ? [.network] : [])
      case .update:
        (isSharded && clips ? [.gradientNorm] : []) + (sendsDirections && trainsNetwork ? [.directions] : [])
      case .renormalize: isSharded ? [.rowNorms] : [.scale, .rowFactors]
      case .agreement: [.agreement]
      }
    return names.map { message($0, samples: samples) }
  }

  /// Whether anything of the network is trained.
  private var trainsNetwork: Bool { gradients > 0 }

  /// Whether the running statistics travel. Every step asks it, so it allocates nothing.
  package var sendsStatistics: Bool { ranks > 1 && statistics > 0 }

  /// All messages of a step of one round.
  package func messages(samples: Int) -> [Message] {
    Moment.allCases.flatMap { messages(at: $0, samples: samples) }
  }

  /// `samples` = M, of a round.
  package func message(_ name: Name, samples: Int = 0) -> Message {
    let (way, count, bytes): (Way, Int, Int) =
      switch name {
      case .rounds: (.reduction, 1, 8)
      case .sampleCounts: (.gather, ranks, 8)
      case .statistics: (.sum, statistics, 4)
      case .embeddings: (.gather, samples * width, 4)
      case .labels: (.gather, samples, 4)
      case .logitMaxima: (.reduction, samples, 4)
      // A sum of exponentials and the label's logit.
      case .softmaxSums: (.orderedSum, 2 * samples, 8)
      case .classWeight: (.sum, classes * width, buckets.type.bytes)
      case .embeddingGradients: (.orderedScatter, samples * width, 4)
      case .teacherMap: (.sum, teacherMap, buckets.type.bytes)
      case .network: (.sum, gradients, buckets.type.bytes)
      case .directions: (.gather, gradients, 4)
      case .gradientNorm, .rowNorms: (.gatheredSum, ranks, 8)
      case .scale: (.broadcast, 1, 8)
      case .rowFactors: (.broadcast, classes, 4)
      case .agreement: (.gatheredSum, ranks * StepAgreement.count, 8)
      }
    return Message(name: name, way: way, count: count, elementBytes: bytes)
  }

  /// How many elements `name` has; `samples` = M.
  package func count(_ name: Name, samples: Int = 0) -> Int { message(name, samples: samples).count }

  /// The class weight's rows in the pieces whose gradients are summed together.
  package var rowsPerPiece: Int { max(buckets.bytes / (4 * width), 1) }
}

/// How gradients are divided into the ranges that travel one by one.
package struct GradientBuckets: Equatable, Sendable {
  /// Bytes of a bucket's Floats.
  package let bytes: Int
  /// Element type of gradients on the wire; running statistics always travel as Float.
  package let type: GradientType
  /// Floats of a bucket.
  package let count: Int

  package init(bytes: Int, type: GradientType, maximumCount: Int = .max) {
    precondition(bytes > 0, "Buckets of \(bytes) bytes")
    (self.bytes, self.type) = (bytes, type)
    count = min(max(bytes / MemoryLayout<Float>.stride, 1), maximumCount)
  }

  /// `count` Floats that are complete together, as buckets.
  package func pieces(of count: Int) -> Chunks { Chunks(of: count, limit: self.count) }

  /// Bytes that a rank sends to have `count` values summed over P ranks: 2 (P - 1) / P of them all.
  package static func bytesSent(_ count: Int, ranks: Int, _ type: GradientType) -> Int {
    2 * (ranks - 1) * count * type.bytes / ranks
  }
}

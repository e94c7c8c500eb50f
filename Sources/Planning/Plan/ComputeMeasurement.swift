package import Training

/// The time that one rank computes for the parts of a step, measured without communication.
package struct ComputeMeasurement: Codable, Equatable, Sendable {
  /// A chain of layers of the backward pass.
  package struct Chain: Codable, Equatable, Sendable {
    package var seconds: Double
    /// Floats of gradients that are complete after it.
    package var gradients: Int
  }

  /// Seconds that a row of the class weight takes: `row` for its memory, and `sample` more for each sample.
  package struct RowCost: Codable, Equatable, Sendable {
    package var row: Double
    package var sample: Double

    package func seconds(rows: Double, samples: Double) -> Double { rows * (row + sample * samples) }
  }

  package var network: String
  package var inputSide: Int
  package var embedding: Int
  package var batchSize: Int
  package var threads: Int
  /// What updated the weights; files of earlier versions, which know SGD alone, do not name it.
  package var optimizer: OptimizerKind?
  /// What was frozen; files of earlier versions, which know nothing of it, do not name it.
  package var freeze: [String]?
  /// Ranks that measured side by side.
  package var ranks: Int
  /// Backbone, with the images' copy and L2Normalize.
  package var forwardSeconds: Double
  /// In the order of the backward pass.
  package var backward: [Chain]
  /// Of the backbone.
  package var updateSeconds: Double
  /// More of the update, where the optimizer computes matrices as wholes: on one rank, which ranks divide.
  package var matrixSeconds: Double?
  package var classifierForward: RowCost
  /// Backward that leaves dW in memory.
  package var classifierBackward: RowCost
  /// Backward that updates the rows on the way.
  package var classifierFused: RowCost
  /// The update of rows whose gradient has been summed.
  package var classifierUpdate: RowCost
  /// A pass of the rows' norms and factors, per row.
  package var renormalizeSecondsPerRow: Double
  /// Bytes per second that one rank copies, read and written counted once.
  package var copyBytesPerSecond: Double
  /// Bytes of the process before any of this was made: program and libraries.
  package var programBytes: Int
}

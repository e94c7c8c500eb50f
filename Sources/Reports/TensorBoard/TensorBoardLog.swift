package import Datasets
import Foundation
package import Training

/// What TensorBoard shows of a run: the numbers of `metrics.jsonl` under the same names, and now and then histograms and a
/// picture of the batch. Rank 0 writes it, from what it has computed anyway.
///
/// Of a resumed run, TensorBoard itself drops the steps that are trained again.
package final class TensorBoardLog: RunObserver {
  private var file: EventFile?
  /// Histograms and images that go with the next line.
  private var pending: [Tensorboard_Summary.Value] = []

  /// Rows of the class weight, and cosines with other classes, that a histogram looks at, however many there are.
  private static let sampleLimit = 1 << 15
  private static let imageLimit = 16

  package init() {}

  package func open(_ folder: RunFolder, resumingAt index: Int?) throws {
    file = try EventFile(folder: folder.tensorboard, resumingAt: index)
  }

  /// Looks at a step that was just made; `takesImages` adds the batch as the network saw it.
  package func observe(_ step: TrainingStep, _ batch: Batch, takesImages: Bool, takesHistograms: Bool) throws {
    if takesHistograms { addHistograms(of: step) }
    if takesImages, let grid = ImageGrid(batch, limit: Self.imageLimit) {
      var value = Tensorboard_Summary.Value()
      value.tag = "batch"
      value.image.height = Int32(grid.height)
      value.image.width = Int32(grid.width)
      value.image.colorspace = 3
      value.image.encodedImageString = grid.png
      pending.append(value)
    }
  }

  package func write(_ line: MetricsFile.Line) throws {
    let scalars = line.scalars.map { name, number in
      var value = Tensorboard_Summary.Value()
      value.tag = name
      value.simpleValue = Float(number)
      return value
    }
    try file?.write(scalars + pending, step: line.step)
    pending.removeAll()
  }

  package func finish(_ ending: String) throws { try file?.finish() }

  private func addHistograms(of step: TrainingStep) {
    add("classWeightNorms", Self.sample(step.classWeight.rowNorms))
    add("embeddingNorms", Array(step.normalize.norms))
    let cosines = step.head.cosines(negativeLimit: Self.sampleLimit)
    add("cosines/sameClass", cosines.positive)
    add("cosines/otherClasses", cosines.negative)
  }

  private func add(_ tag: String, _ values: [Float]) {
    guard let histogram = Histogram(values) else { return }
    var value = Tensorboard_Summary.Value()
    value.tag = tag
    value.histo = histogram.message
    pending.append(value)
  }

  /// Every k-th, k such that few enough are left.
  private static func sample(_ values: UnsafeBufferPointer<Float>) -> [Float] {
    let stride = (values.count + sampleLimit - 1) / sampleLimit
    return Swift.stride(from: 0, to: values.count, by: max(stride, 1)).map { values[$0] }
  }
}

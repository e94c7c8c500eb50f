import NeuralNetwork
import VectorKernels

/// Images and labels of a fixed seed: the same in every run and for every number of threads.
struct BenchmarkData {
  let images: AlignedMemory
  let labels: [Int32]

  init(count: Int, shape: Shape, classCount: Int, rank: Int = 0) {
    images = AlignedMemory(count: count * shape.count)
    Initializer.uniformFanIn(1).fill(images.elements, seed: UInt64(rank), name: "images")
    labels = (0..<count).map { Int32((($0 + rank * count) * 7_919) % classCount) }
  }
}

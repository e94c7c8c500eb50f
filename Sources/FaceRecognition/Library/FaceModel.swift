import Datasets
import Files
import Foundation
public import NeuralNetwork
import Training
import Weights

/// A trained network that turns photographs of faces into embeddings.
///
/// ```swift
/// let model = try FaceModel(path: "runs/first")
/// let faces = try model.embed(files: ["a.jpg", "b.jpg"])
/// print(faces[0].cosine(with: faces[1]))
/// ```
/// Photographs should be aligned as the training images were; other sizes than ``inputSide`` are resized. A model is used by
/// one thread at a time; it computes with several, see ``threads``.
public final class FaceModel {
  /// Its kind, such as "mobilefacenet".
  public let network: String
  /// Values of an embedding.
  public let embeddingWidth: Int
  /// Side of the network's input in pixels.
  public let inputSide: Int

  let backbone: Network

  /// Images that go through the network at once, where there are several.
  private static let batchSize = 16

  /// Loads a run's folder, one of its checkpoints, or a file of weights: safetensors, a state dict of PyTorch under
  /// arcface_torch's names (.pt, .pth), or an ONNX model (.onnx).
  ///
  /// - Parameter network: which it is, where a file holds several; otherwise it is found in the file, and another is refused.
  /// - Throws: an error whose description says what is wrong with the file.
  public convenience init(path: String, network: NetworkKind? = nil) throws {
    let (_, description, network) = try ModelFile.open(path, assuming: AssumedModel(network: network))
    self.init(network, description.network)
  }

  private init(_ network: Network, _ name: String) {
    backbone = network
    self.network = name
    embeddingWidth = network.embeddingWidth
    inputSide = network.inputShape.height
  }

  /// Threads that compute, in the whole process: OMP_NUM_THREADS, or all cores, unless set. From 1 to 1024.
  public static var threads: Int {
    get { Parallel.threads }
    set {
      precondition(Limits.threads.contains(newValue), "FaceModel.threads is \(newValue), but \(Limits.threads.need).")
      Parallel.setThreads(newValue)
    }
  }

  /// The embeddings of image files (JPEG, PNG, PGM, PPM), in their order.
  ///
  /// - Parameter flip: the embedding is the sum of the image's and its mirror image's, as `cosface evaluate` compares them.
  /// - Throws: an error that names the file that cannot be read.
  public func embed(files: [String], flip: Bool = true) throws -> [FaceEmbedding] {
    let reader = SampleReader(ImageList(files, root: "."), side: inputSide)
    return try embed(count: files.count, flip: flip) { index, planes in
      try reader.read(index, PixelTransform(), to: planes)
    }
  }

  /// The embedding of an image in memory.
  ///
  /// - Parameters:
  ///   - pixels: red, green and blue of each pixel, row after row: 3 * width * height bytes.
  ///   - flip: as for files.
  public func embed(pixels: [UInt8], width: Int, height: Int, flip: Bool = true) -> FaceEmbedding {
    precondition(
      width > 0 && height > 0 && pixels.count == 3 * width * height,
      "\(pixels.count) bytes for \(width) x \(height) pixels")
    let resizer = ImageResizer(side: inputSide)
    return pixels.withUnsafeBufferPointer { pixels in
      let image = DecodedImage(pixels: pixels.baseAddress!, width: width, height: height)
      let resized = resizer.resize(image)
      return embed(count: 1, flip: flip) { _, planes in PixelTransform().render(resized, side: inputSide, to: planes) }[
        0]
    }
  }

  /// `read(index, planes)` writes (3, S, S) Floats.
  private func embed(
    count: Int, flip: Bool, _ read: (Int, UnsafeMutablePointer<Float>) throws -> Void
  ) rethrows -> [FaceEmbedding] {
    let (K, size) = (embeddingWidth, 3 * inputSide * inputSide)
    let batchSize = count == 1 ? 1 : Self.batchSize
    var embeddings: [FaceEmbedding] = []
    for start in stride(from: 0, to: count, by: batchSize) {
      let images = min(batchSize, count - start)
      let pass = backbone.pass(batch: batchSize, .evaluation)
      let planes = pass.input.buffer.baseAddress!
      // What evaluation overwrites: the images are written again for their mirror images.
      var rows = [Float](repeating: 0, count: images * K)
      for isMirrored in flip ? [false, true] : [false] {
        for image in 0..<images { try read(start + image, planes + image * size) }
        if isMirrored { PixelTransform.mirror(planes, count: images, side: inputSide) }
        (planes + images * size).update(repeating: 0, count: (batchSize - images) * size)
        pass.forward()
        for i in rows.indices { rows[i] += pass.output.buffer[i] }
      }
      embeddings += (0..<images).map { FaceEmbedding(values: Array(rows[($0 * K)..<(($0 + 1) * K)])) }
    }
    return embeddings
  }
}

import Datasets
import Foundation
import Inference
import NeuralNetwork
import TestSupport
import Testing
import Weights

/// A network that looks at what the student sees.
@Suite struct TeacherNetworkTests {
  private let faces: FaceFolder
  private let files: TemporaryFolder
  private let network: Network

  init() throws {
    faces = try FaceFolder(people: 3, images: 4)
    files = try TemporaryFolder()
    network = try RandomModel.write(.mobilefacenet, to: files["model.safetensors"], inputSide: 48)
  }

  /// At a side of its own: one pass per image over what `SampleReader` renders there.
  @Test(arguments: [1, 2, 32]) func vectorsAreThoseOfThePicturesAlone(pieceSize: Int) throws {
    let source = try ImageFolder(root: faces.path)
    let teacher = try TeacherNetwork(
      path: files["model.safetensors"], capacity: 5, source: source, pieceSize: pieceSize)
    #expect(teacher.imageSide == 48 && teacher.width == 32 && teacher.digest == network.weightsDigest)
    #expect(teacher.bytes > network.parameters.bytes)
    let order = DataOrder(sampleCount: 12, batchSize: 5, rankCount: 1, seed: 6)
    let answers = try TeacherAnswers(teacher, source, .standard, epochs: 1)
    let reader = SampleReader(source, side: 48)
    let pass = network.pass(batch: 1, .evaluation)
    for (place, sample) in answers.samples.enumerated() {
      #expect(order.samples(epoch: 0, step: place / 5)[place % 5] == sample)
      let transform = Augmentation.standard.transform(seed: 6, epoch: 0, sample: Int(sample), side: 32)
      try reader.read(Int(sample), transform.scaled(from: 32, to: 48), to: pass.input.buffer.baseAddress!)
      pass.forward()
      let norm = pass.output.buffer.reduce(0) { $0 + $1 * $1 }.squareRoot()
      #expect(zip(answers.vectors[place], pass.output.buffer).allSatisfy { abs($0 - $1 / norm) < 1e-5 })
      #expect(abs(answers.vectors[place].reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
    }
  }

  @Test func embeddingWithoutDirectionNamesTheImage() throws {
    // Weights of zeros.
    let network = NetworkKind.spherenet20.makeNetwork(embeddingWidth: 32, inputSide: 32)
    let description = ModelDescription(network: .spherenet20, embeddingWidth: 32, inputSide: 32)
    try ModelFile.write(network, classWeight: nil, description, to: files["zero.safetensors"])
    let source = try ImageFolder(root: faces.path)
    let teacher = try TeacherNetwork(path: files["zero.safetensors"], capacity: 5, source: source)
    let error = #expect(throws: EvaluationError.self) { try TeacherAnswers(teacher, source) }
    #expect(error?.reason.contains("\(faces.path)/p0") == true && error?.reason.contains("is all zeros") == true)
  }
}

import Files
import Foundation
import NeuralNetwork

/// A trained network as a file for other programs.
package struct ModelExport {
  package enum Format: String, CaseIterable, Sendable {
    /// For onnxruntime and whatever else reads ONNX.
    case onnx
    /// The state dict of arcface_torch's network of this kind, class weight left out: `load_state_dict` takes it strictly.
    case safetensors
    /// The same as `torch.save` writes it: arcface_torch's `backbone.pth`.
    case pytorch
  }

  /// A run, a checkpoint or a weight file (`WeightSource`).
  package var model: String
  /// What is said of it beside its file.
  package var assumedModel = AssumedModel()
  package var format: Format
  package var output: String
  package var onnx = OnnxOptions()

  package init(model: String, format: Format, output: String) {
    self.model = model
    self.format = format
    self.output = output
  }

  /// Writes the file, reads it again, and returns what there is to say about it, a line each.
  ///
  /// - Throws: what is wrong with the model, `FileError`, or `ExportError` where the file does not mean what the network
  ///   computes; then what was there before stays.
  package func run() throws -> [String] {
    try OutputFiles.tryOut([output])
    let (source, description, network) = try ModelFile.open(model, assuming: assumedModel)
    guard !Self.isSameFile(source.path, output) else {
      throw ExportError(output, "it is the model itself: give another --output")
    }
    let weights = network.parameters.parameters + network.statistics.parameters
    if let broken = weights.first(where: { $0.value.contains { !$0.isFinite } }) {
      throw ExportError(source.path, "\(broken.name) holds a value that is not finite")
    }
    let summary =
      "model     \(model): \(description.network), embedding \(description.embeddingWidth), "
      + "input \(description.inputSide), \(description.step) steps"
    switch format {
    case .onnx: return [summary] + (try writeONNX(network, description))
    case .safetensors, .pytorch: return [summary] + (try writeStateDict(network, description))
    }
  }

  private func writeONNX(_ network: Network, _ description: ModelDescription) throws -> [String] {
    let check = try replaceOutput { temporary in
      try AtomicFile.write(try OnnxModel.make(network, description, onnx).serializedData(), to: temporary)
      let check = try OnnxCheck(of: temporary, against: network, onnx)
      try check.requireAgreement()
      return check
    }
    let side = description.inputSide
    let input = onnx.embedsPreprocessing ? "uint8 RGB" : "float RGB, (pixel - 127.5) / 127.5"
    return [
      "written   \(output): ONNX, opset \(OnnxModel.operatorSet), batch normalization "
        + (onnx.folds ? "folded where it can be" : "kept"),
      "          \(OnnxModel.input) (N, 3, \(side), \(side)) \(input); "
        + "\(OnnxModel.output) (N, \(description.embeddingWidth))" + (onnx.normalizes ? " of length 1" : ""),
      "checked   \(check)",
      "To check it with onnxruntime on images of yours:",
      "  cosface embed --model \(model) --data DIR --output faces.npy" + (onnx.normalizes ? " --normalize" : ""),
      "  python3 scripts/check_onnx.py \(output) faces.npy --images DIR",
    ]
  }

  private func writeStateDict(_ network: Network, _ description: ModelDescription) throws -> [String] {
    let count = try replaceOutput { temporary in
      if format == .pytorch {
        let writer = ModelFile.torchWriter(network, description)
        guard writer.byteCount <= TorchWriter.limit else {
          throw ExportError(
            output, "its \(writer.byteCount.grouped) bytes are too many for PyTorch's format here: take safetensors")
        }
        try writer.write(to: temporary)
      } else {
        var alone = description
        alone.classNames = []
        try ModelFile.write(network, classWeight: nil, alone, to: temporary)
      }
      let written = try SafetensorsFile(path: temporary)
      for parameter in network.parameters.parameters + network.statistics.parameters {
        let bytes = UnsafeRawBufferPointer(parameter.value)
        guard try written.digest(of: parameter.name) == Digest(of: bytes) else {
          throw ExportError(temporary, "\(parameter.name) was read back with other values: is the disk sound?")
        }
      }
      return written.names.count
    }
    let load = format == .pytorch ? "torch.load(\"\(output)\")" : "safetensors.torch.load_file(\"\(output)\")"
    return [
      "written   \(output): \(count) tensors of the state dict, read back and the same",
      "To load it in PyTorch:",
      "  network.load_state_dict(\(load))",
    ]
  }

  /// As `AtomicFile.replace`, with errors by the name that the user knows.
  private func replaceOutput<Result>(_ write: (_ temporary: String) throws -> Result) throws -> Result {
    do {
      return try AtomicFile.replace(output) { temporary in
        do { return try write(temporary) } catch let error as ExportError where error.path == temporary {
          throw ExportError(output, error.reason)
        }
      }
    } catch let error as FileError {
      throw FileError(error.operation, output, code: error.code)
    }
  }

  private static func isSameFile(_ a: String, _ b: String) -> Bool {
    var (first, second) = (stat(), stat())
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_ino == second.st_ino
      && first.st_dev == second.st_dev
  }
}

/// A network that cannot be exported, or a file that is not what was written.
package struct ExportError: Error, Equatable, CustomStringConvertible {
  package let path: String
  package let reason: String

  package init(_ path: String, _ reason: String) {
    self.path = path
    self.reason = reason
  }

  package var description: String { "\(path.printableName): \(reason)." }
}

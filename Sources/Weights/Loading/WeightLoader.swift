package import Files
import Foundation
package import NeuralNetwork

/// A warm start: fills a network, and where the file has one the class weight, from any safetensors file or file of PyTorch by name.
///
/// The file may be a model or checkpoint of ours, or a state dict or checkpoint of PyTorch of the same network (F32, F64,
/// F16 or BF16), its names behind whatever prefix (`TensorNames`).
/// ```swift
/// let loader = WeightLoader(try SafetensorsFile(path: path))
/// let report = try loader.load(network, classWeight: head.classWeight.parameter, classNames: names, allowMissing: false)
/// // fill report.newRows, then head.classWeight.valueChanged() and synchronize
/// ```
package struct WeightLoader {
  package let file: SafetensorsFile

  package init(_ file: SafetensorsFile) { self.file = file }

  /// Where the rows of the file's class weight go.
  private struct Rows {
    /// Source row of each row here; nil for a new one.
    var sources: [Int?]
    var dropped: [Name] = []
  }

  /// Nothing is changed if this throws.
  ///
  /// Rows of the class weight go by class name where the file has names (one of ours), else by position if there are as
  /// many. A file without a class weight is a backbone: all rows are new. Counts of batches (`num_batches_tracked`) say
  /// nothing that we use.
  ///
  /// - Parameters:
  ///   - classWeight: not pending; nil to load the backbone alone.
  ///   - classNames: of the rows of `classWeight`.
  ///   - allowMissing: what is missing or misshapen keeps what the network has, instead of an error.
  /// - Throws: `WeightError`, `ModelFileError`, `SafetensorsError`
  @discardableResult package func load(
    _ network: Network, classWeight: Parameter?, classNames: [Name] = [], allowMissing: Bool = false
  ) throws -> WeightReport {
    precondition(
      classWeight == nil || classWeight!.shape[0] == classNames.count,
      "\(classNames.count) names for a class weight of shape \(classWeight?.shape ?? [])")
    var report = WeightReport()
    let backbone = ModelFile.entries(of: network, classWeight: nil).compactMap(\.parameter)
    let names = try TensorNames(file, of: backbone)
    report.notes = names.notes
    let fitting = try backbone.filter { try fits($0, as: names[$0.name], $0.shape, &report) }
    guard !fitting.isEmpty else {
      if !report.mismatched.isEmpty && !allowMissing { throw WeightError.incomplete(path: file.path, report) }
      throw WeightError.nothingFits(path: file.path, network: network.name, found: file.names)
    }
    let rows = try classWeight.map { try self.rows(of: $0, classNames, &report) }

    let known = Set(backbone.map { names[$0.name] } + (classWeight.map { [$0.name] } ?? [Self.classWeightName]))
    report.unexpected = file.names.filter { !known.contains($0) && !$0.hasSuffix("num_batches_tracked") }
    report.loaded = fitting.map(\.name)
    if let rows, let classWeight {
      report.newRows = rows.sources.indices.filter { rows.sources[$0] == nil }
      report.droppedClasses = rows.dropped
      if report.newRows.count < rows.sources.count { report.loaded.append(classWeight.name) }
    }
    guard report.isComplete || allowMissing else { throw WeightError.incomplete(path: file.path, report) }

    // A value that no Float holds is found only while copying: into a copy first, so that the network stays whole.
    let converted = try fitting.map { parameter -> [Float]? in
      try file.type(of: names[parameter.name]) == .float32 ? nil : try file.floats(of: names[parameter.name])
    }
    if let rows, let classWeight { try fill(classWeight, rows) }
    for (parameter, values) in zip(fitting, converted) {
      if let values {
        _ = parameter.value.update(fromContentsOf: values)
      } else {
        try file.copyFloats(of: names[parameter.name], shape: parameter.shape, into: parameter.value)
      }
    }
    network.weightsChanged()
    return report
  }

  private static let classWeightName = "classWeight"
  private static let usable: Set<TensorType> = [.float32, .float64, .float16, .bfloat16]

  /// - Parameter name: of the parameter in the file.
  private func fits(
    _ parameter: Parameter, as name: String, _ shape: [Int], _ report: inout WeightReport
  ) throws -> Bool {
    guard file.contains(name) else {
      report.missing.append(parameter.name)
      return false
    }
    let (type, found) = (try file.type(of: name), try file.shape(of: name))
    if found == shape && Self.usable.contains(type) { return true }
    let needed = "F32 \(shape)"
    report.mismatched.append(.init(name: parameter.name, found: "\(type.rawValue) \(found)", needed: needed))
    return false
  }

  private func rows(of classWeight: Parameter, _ names: [Name], _ report: inout WeightReport) throws -> Rows {
    let (count, width) = (classWeight.shape[0], classWeight.shape[1])
    let none = Rows(sources: Array(repeating: nil, count: count))
    guard file.contains(classWeight.name) else { return none }
    let shape = try file.shape(of: classWeight.name)
    let known = file.metadata[ModelFile.descriptionKey] == nil ? [] : try ModelFile.description(of: file).classNames
    // Without names only as many rows are known to be the same people.
    let needed = known.isEmpty || shape.isEmpty ? [count, width] : [shape[0], width]
    guard try fits(classWeight, as: classWeight.name, needed, &report) else { return none }
    guard !known.isEmpty else { return Rows(sources: (0..<count).map { $0 }) }
    guard known.count == shape[0] else {
      throw ModelFileError(
        path: file.path, reason: "names \(known.count) people for \(shape[0]) rows of the class weight")
    }
    let places = Dictionary(zip(known, known.indices)) { first, _ in first }
    guard places.count == known.count else {
      throw ModelFileError(path: file.path, reason: "names two people alike among its \(known.count)")
    }
    let present = Set(names)
    return Rows(sources: names.map { places[$0] }, dropped: known.filter { !present.contains($0) })
  }

  /// Copies old rows to the bit; F32 straight from the file, so that a million classes need no second copy.
  private func fill(_ classWeight: Parameter, _ rows: Rows) throws {
    guard rows.sources.contains(where: { $0 != nil }) else { return }
    let width = classWeight.shape[1]
    let rowBytes = width * MemoryLayout<Float>.size
    func copy(_ bytes: UnsafeRawBufferPointer) {
      for (row, source) in rows.sources.enumerated() {
        guard let source else { continue }
        let target = UnsafeMutableBufferPointer(rebasing: classWeight.value[(row * width)..<((row + 1) * width)])
        let start = source * rowBytes
        UnsafeMutableRawBufferPointer(target).copyMemory(from: .init(rebasing: bytes[start..<(start + rowBytes)]))
      }
    }
    if try file.type(of: classWeight.name) == .float32 {
      try file.withBytes(of: classWeight.name, copy)
    } else {
      try file.floats(of: classWeight.name).withUnsafeBytes(copy)
    }
  }
}

import Files
package import NeuralNetwork

/// The class weight of a checkpoint (N, K) and its optimizer's states, row by row, from one file or from many.
package struct ClassRows {
  private struct Part {
    let rows: Range<Int>
    /// The tensor of its values; those of its states are named after it.
    let name: String
    let values: SafetensorsFile
    let states: SafetensorsFile

    /// Refuses a tensor that is not (rows, width).
    func check(_ file: SafetensorsFile, _ name: String, width: Int) throws {
      let (type, shape) = (try file.type(of: name), try file.shape(of: name))
      guard type == .float32, shape == [rows.count, width] else {
        throw SafetensorsError(
          path: file.path, tensor: name,
          reason: "it is \(type.rawValue) \(shape), but F32 \([rows.count, width]) is needed")
      }
    }
  }

  package let count: Int
  package let width: Int
  private let parts: [Part]

  /// Of the `classWeight` in `model` and its states in `optimizer`.
  init(model: SafetensorsFile, optimizer: SafetensorsFile, name: String) throws {
    let shape = try model.shape(of: name)
    guard shape.count == 2 else {
      throw SafetensorsError(path: model.path, tensor: name, reason: "its shape is \(shape), not (classes, width)")
    }
    try self.init([Part(rows: 0..<shape[0], name: name, values: model, states: optimizer)], width: shape[1])
  }

  /// Of the files that `records` describe, in their order: that of the rows.
  init(_ records: [ClassRowsRecord], _ files: [SafetensorsFile]) throws {
    let parts = zip(records, files).map { record, file in
      Part(rows: record.rows, name: record.tensors[0].name, values: file, states: file)
    }
    try self.init(parts, width: records.first?.tensors.first?.shape.last ?? 0)
  }

  private init(_ parts: [Part], width: Int) throws {
    self.parts = parts
    self.width = width
    count = parts.last?.rows.upperBound ?? 0
    for part in parts { try part.check(part.values, part.name, width: width) }
  }

  /// Refuses a class weight that is not (`count`, `width`), or lacks one of an optimizer's `states`.
  package func expect(count: Int, width: Int, states: [String]) throws {
    guard (count, width) == (self.count, self.width) else {
      throw SafetensorsError(
        path: parts[0].values.path, tensor: parts[0].name,
        reason: "the class weight is \(self.count) x \(self.width), but \(count) x \(width) is needed")
    }
    for (part, state) in parts.flatMap({ part in states.map { (part, $0) } }) {
      try part.check(part.states, OptimizerState.tensorName(state, of: part.name), width: width)
    }
  }

  /// Copies `rows` to the bit: the memory of values and of each state is (rows.count, K).
  package func copy(
    _ rows: Range<Int>, values: UnsafeMutableBufferPointer<Float>, states: [OptimizerState]
  ) throws {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= count, "Rows \(rows) of \(count)")
    precondition(
      values.count == rows.count * width && states.allSatisfy { $0.values.count == values.count },
      "Memory of \(values.count) Floats for \(rows.count) rows of \(width)")
    for part in parts {
      let wanted = part.rows.clamped(to: rows)
      if wanted.isEmpty { continue }
      let states = states.map { (part.states, OptimizerState.tensorName($0.name, of: part.name), $0.values) }
      for (file, name, target) in [(part.values, part.name, values)] + states {
        try file.withBytes(of: name) { bytes in
          let rowBytes = width * MemoryLayout<Float>.size
          let start = (wanted.lowerBound - part.rows.lowerBound) * rowBytes
          let piece = UnsafeRawBufferPointer(rebasing: bytes[start..<(start + wanted.count * rowBytes)])
          let place = (wanted.lowerBound - rows.lowerBound) * width
          let memory = UnsafeMutableBufferPointer(rebasing: target[place..<(place + wanted.count * width)])
          UnsafeMutableRawBufferPointer(memory).copyMemory(from: piece)
        }
      }
    }
  }
}

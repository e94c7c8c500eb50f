import Files

/// The class weight of a checkpoint (N, K) and its momenta, row by row, from one file or from many.
package struct ClassRows {
  private struct Part {
    let rows: Range<Int>
    let values: (file: SafetensorsFile, name: String)
    let momenta: (file: SafetensorsFile, name: String)
  }

  package let count: Int
  package let width: Int
  private let parts: [Part]

  /// Of the `classWeight` in `model` and its momentum in `optimizer`.
  init(model: SafetensorsFile, optimizer: SafetensorsFile, name: String) throws {
    let shape = try model.shape(of: name)
    guard shape.count == 2 else {
      throw SafetensorsError(path: model.path, tensor: name, reason: "its shape is \(shape), not (classes, width)")
    }
    try self.init(
      [
        Part(
          rows: 0..<shape[0], values: (model, name), momenta: (optimizer, CheckpointSnapshot.momentumPrefix + name))
      ], width: shape[1])
  }

  /// Of the files that `records` describe, in their order: that of the rows.
  init(_ records: [ClassRowsRecord], _ files: [SafetensorsFile]) throws {
    let parts = zip(records, files).map { record, file in
      Part(
        rows: record.rows, values: (file, record.tensors[0].name), momenta: (file, record.tensors[1].name))
    }
    try self.init(parts, width: records.first?.tensors.first?.shape.last ?? 0)
  }

  private init(_ parts: [Part], width: Int) throws {
    self.parts = parts
    self.width = width
    count = parts.last?.rows.upperBound ?? 0
    for part in parts {
      for source in [part.values, part.momenta] {
        let (file, name) = (source.file, source.name)
        let (type, shape) = (try file.type(of: name), try file.shape(of: name))
        guard type == .float32, shape == [part.rows.count, width] else {
          throw SafetensorsError(
            path: file.path, tensor: name,
            reason: "it is \(type.rawValue) \(shape), but F32 \([part.rows.count, width]) is needed")
        }
      }
    }
  }

  /// Refuses a class weight that is not (`count`, `width`).
  package func expect(count: Int, width: Int) throws {
    guard (count, width) == (self.count, self.width) else {
      throw SafetensorsError(
        path: parts[0].values.file.path, tensor: parts[0].values.name,
        reason: "the class weight is \(self.count) x \(self.width), but \(count) x \(width) is needed")
    }
  }

  /// Copies `rows` to the bit: values and momenta are (rows.count, K).
  package func copy(
    _ rows: Range<Int>, values: UnsafeMutableBufferPointer<Float>, momenta: UnsafeMutableBufferPointer<Float>
  ) throws {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= count, "Rows \(rows) of \(count)")
    precondition(
      values.count == rows.count * width && momenta.count == values.count,
      "Memory of \(values.count) and \(momenta.count) Floats for \(rows.count) rows of \(width)")
    for part in parts {
      let wanted = part.rows.clamped(to: rows)
      if wanted.isEmpty { continue }
      for (source, target) in [(part.values, values), (part.momenta, momenta)] {
        try source.file.withBytes(of: source.name) { bytes in
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

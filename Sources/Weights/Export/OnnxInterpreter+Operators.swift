import NeuralNetwork

// The definitions are those of https://onnx.ai/onnx/operators, opset 13.
extension OnnxInterpreter {
  /// Element by element; `b` has one value, or one per row, per channel, or per element of `a`.
  static func broadcast(_ a: Value, _ b: Value, _ operation: (Float, Float) -> Float) -> Value? {
    var result = a
    if b.values.count == 1 {
      for i in result.values.indices { result.values[i] = operation(a.values[i], b.values[0]) }
      return result
    }
    // Aligned at the last dimensions; b's own run and the run that each of its values covers.
    let shape = [Int](repeating: 1, count: max(a.shape.count - b.shape.count, 0)) + b.shape
    guard shape.count == a.shape.count, zip(shape, a.shape).allSatisfy({ $0 == $1 || $0 == 1 }) else { return nil }
    let first = shape.firstIndex { $0 > 1 } ?? 0
    let end = (shape.lastIndex { $0 > 1 } ?? 0) + 1
    // A gap of ones between larger dimensions does not occur.
    guard shape[first..<end] == a.shape[first..<end] else { return nil }
    let (count, run) = (b.values.count, a.shape[end...].reduce(1, *))
    for i in result.values.indices { result.values[i] = operation(a.values[i], b.values[i / run % count]) }
    return result
  }

  static func batchNormalization(_ node: Onnx_NodeProto, _ inputs: [Value]) -> Value? {
    guard inputs.count == 5, let channels = inputs[0].shape.dropFirst().first,
      inputs[1...].allSatisfy({ $0.shape == [channels] }), let epsilon = node.float("epsilon")
    else { return nil }
    var result = inputs[0]
    let positions = result.shape[2...].reduce(1, *)
    for i in result.values.indices {
      let c = i / positions % channels
      let scaled = (result.values[i] - inputs[3].values[c]) / (inputs[4].values[c] + epsilon).squareRoot()
      result.values[i] = inputs[1].values[c] * scaled + inputs[2].values[c]
    }
    return result
  }

  /// Of each row.
  static func sumOfSquares(_ node: Onnx_NodeProto, _ inputs: [Value]) -> Value? {
    guard inputs.count == 1, inputs[0].shape.count == 2, node.ints("axes") == [1], node.int("keepdims") == 1 else {
      return nil
    }
    let (rows, width) = (inputs[0].shape[0], inputs[0].shape[1])
    var sums = [Float](repeating: 0, count: rows)
    for (i, value) in inputs[0].values.enumerated() { sums[i / width] += value * value }
    return Value(shape: [rows, 1], values: sums)
  }

  /// x (N, D)   w (K, D)   b (K)
  static func gemm(_ node: Onnx_NodeProto, _ inputs: [Value]) -> Value? {
    guard inputs.count == 2 || inputs.count == 3, node.int("transB") == 1, node.int("transA") ?? 0 == 0,
      inputs[0].shape.count == 2, inputs[1].shape.count == 2, inputs[0].shape[1] == inputs[1].shape[1],
      inputs.count == 2 || inputs[2].shape == [inputs[1].shape[0]]
    else { return nil }
    let (N, D, K) = (inputs[0].shape[0], inputs[0].shape[1], inputs[1].shape[0])
    var result = Value(shape: [N, K], values: [Float](repeating: 0, count: N * K))
    for n in 0..<N {
      for k in 0..<K {
        var sum = inputs.count == 3 ? Double(inputs[2].values[k]) : 0
        for d in 0..<D { sum += Double(inputs[0].values[n * D + d]) * Double(inputs[1].values[k * D + d]) }
        result.values[n * K + k] = Float(sum)
      }
    }
    return result
  }

  /// x (N, C, H, W)   w (O, C / G, k, k)   b (O)   y (N, O, H', W')
  ///
  /// A tap of the kernel adds a shifted copy of a padded plane, times its weight: one long loop, whose results between
  /// rows, and between the rows and columns that a stride passes over, are thrown away.
  static func convolution(_ node: Onnx_NodeProto, _ inputs: [Value]) -> Value? {
    guard inputs.count == 2 || inputs.count == 3, inputs[0].shape.count == 4, inputs[1].shape.count == 4,
      let strides = node.ints("strides"), let pads = node.ints("pads"), let groups = node.int("group").map({ Int($0) }),
      strides.count == 2, Set(strides).count == 1, pads.count == 4, Set(pads).count == 1,
      node.ints("dilations") ?? [1, 1] == [1, 1], node.ints("kernel_shape") == inputs[1].shape[2...].map(Int64.init),
      case let (stride, padding) = (Int(strides[0]), Int(pads[0])), stride > 0, (0..<1024).contains(padding)
    else { return nil }
    let (N, C, H, W) = (inputs[0].shape[0], inputs[0].shape[1], inputs[0].shape[2], inputs[0].shape[3])
    let (O, c, k) = (inputs[1].shape[0], inputs[1].shape[1], inputs[1].shape[2])
    let (height, width) = (H + 2 * padding, W + 2 * padding)
    guard groups > 0, c * groups == C, O % groups == 0, inputs[1].shape[3] == k, height >= k, width >= k,
      inputs.count == 2 || inputs[2].shape == [O]
    else { return nil }

    var padded = [Float](repeating: 0, count: N * C * height * width)
    for row in 0..<(N * C * H) {
      let start = (row / H * height + row % H + padding) * width + padding
      padded.replaceSubrange(start..<(start + W), with: inputs[0].values[(row * W)..<((row + 1) * W)])
    }
    let (rows, columns) = ((height - k) / stride + 1, (width - k) / stride + 1)
    let count = (height - k) * width + width - k + 1
    var result = Value(shape: [N, O, rows, columns], values: [Float](repeating: 0, count: N * O * rows * columns))
    result.values.withUnsafeMutableBufferPointer { output in
      Parallel.ranges(N * O) { planes in
        var sums = [Float](repeating: 0, count: count)
        for plane in planes {
          let (n, o) = (plane / O, plane % O)
          let bias = inputs.count == 3 ? inputs[2].values[o] : 0
          for i in 0..<count { sums[i] = bias }
          let firstChannel = o / (O / groups) * c
          for tap in 0..<(c * k * k) {
            let weight = inputs[1].values[o * c * k * k + tap]
            let (channel, y, x) = (firstChannel + tap / (k * k), tap / k % k, tap % k)
            add(padded, from: ((n * C + channel) * height + y) * width + x, times: weight, to: &sums)
          }
          for y in 0..<rows {
            let (line, from) = ((plane * rows + y) * columns, y * width)
            for x in 0..<columns { output[line + x] = sums[(from + x) * stride] }
          }
        }
      }
    }
    return result
  }

  /// sums[i] += weight * source[start + i]
  private static func add(_ source: [Float], from start: Int, times weight: Float, to sums: inout [Float]) {
    source.withUnsafeBufferPointer { source in
      sums.withUnsafeMutableBufferPointer { sums in
        let source = source.baseAddress! + start
        for i in 0..<sums.count { sums[i] += weight * source[i] }
      }
    }
  }
}

import COneDNN

/// Brings a weight into the layout that a primitive chose, in the shared scratch.
final class WeightReorder {
  /// What the primitive reads.
  let target: DNNMemory

  private let weight: ConvolutionWeight
  private let source: DNNMemory
  private let reorder: DNNReorder?
  private let scratch: Scratch

  init(_ weight: ConvolutionWeight, to layout: dnnl_memory_desc_t, scratch: Scratch) {
    self.weight = weight
    self.scratch = scratch
    source = DNNMemory(weight.plainDescription)
    target = DNNMemory(layout)
    var plain = source.description
    var chosen = layout
    if dnnl_memory_desc_equal(&plain, &chosen) != 0 {
      reorder = nil
    } else {
      reorder = DNNReorder(from: source, to: target, scratch: scratch)
      scratch.reserve(.blockedWeight, bytes: target.bytes)
    }
  }

  func execute() {
    guard let reorder else { return target.point(to: weight.expanded()) }
    source.point(to: weight.expanded())
    target.point(to: scratch[.blockedWeight])
    reorder.execute()
  }
}

extension ConvolutionWeight {
  var plainDescription: dnnl_memory_desc_t {
    DNNMemory.describe(dimensions, dimensions.count == 5 ? dnnl_abcde : dnnl_abcd)
  }
}

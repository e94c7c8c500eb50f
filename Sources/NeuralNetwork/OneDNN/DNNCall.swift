import COneDNN

/// A view of memory that belongs to somebody else, with the layout in which oneDNN shall read it.
final class DNNMemory {
  fileprivate let raw: dnnl_memory_t
  let layout: DNNLayout

  /// The corresponding C function is `dnnl_memory_create`.
  init(_ layout: DNNLayout, _ start: UnsafeMutableRawPointer? = nil) {
    var memory: dnnl_memory_t?
    // A null handle means "none yet" (DNNL_MEMORY_NONE); oneDNN must never allocate by itself.
    DNN.check("dnnl_memory_create", cosface_dnnl_memory_create(&memory, layout.description, DNN.engine, start))
    raw = memory!
    self.layout = layout
  }

  /// The corresponding C function is `dnnl_memory_set_data_handle`.
  func point(to start: UnsafeMutableRawPointer) {
    DNN.check("dnnl_memory_set_data_handle", dnnl_memory_set_data_handle(raw, start))
  }

  deinit { dnnl_memory_destroy(raw) }
}

/// A compiled oneDNN operation, made once; a `DNNCall` executes it.
final class DNNPrimitive {
  fileprivate let raw: dnnl_primitive_t
  /// What it needs of scratch memory for each call that runs at the same time.
  fileprivate let scratchpad: DNNLayout

  /// Takes over `description`, which is destroyed here.
  init(_ description: dnnl_primitive_desc_t) {
    var primitive: dnnl_primitive_t?
    DNN.check("dnnl_primitive_create", dnnl_primitive_create(&primitive, description))
    raw = primitive!
    scratchpad = DNNLayout(dnnl_query_scratchpad_md, of: description)
    dnnl_primitive_desc_destroy(description)
  }

  deinit { dnnl_primitive_destroy(raw) }
}

/// What a memory is to a primitive.
enum DNNArgument {
  case source, target, weight, bias, sourceGradient, targetGradient, weightGradient, biasGradient

  fileprivate var raw: CInt {
    switch self {
    case .source: DNNL_ARG_SRC
    case .target: DNNL_ARG_DST
    case .weight: DNNL_ARG_WEIGHTS
    case .bias: DNNL_ARG_BIAS
    case .sourceGradient: DNNL_ARG_DIFF_SRC
    case .targetGradient: DNNL_ARG_DIFF_DST
    case .weightGradient: DNNL_ARG_DIFF_WEIGHTS
    case .biasGradient: DNNL_ARG_DIFF_BIAS
    }
  }
}

/// A primitive with the memory that it works on. Each thread that executes it at the same time has its own.
final class DNNCall {
  private let primitive: DNNPrimitive
  private let arguments: UnsafeMutableBufferPointer<dnnl_exec_arg_t>
  /// Keeps the views alive as long as the arguments that point to them.
  private let memories: [DNNMemory]
  private let scratchpad: DNNMemory?
  /// Floats before this thread's scratchpad.
  private let offset: Int
  private let scratch: Scratch
  private let slot: Scratch.Slot

  /// Scratch is reserved in `slot` for threads 0 ... `thread`: primitives that run at the same time have their own slots.
  init(
    _ primitive: DNNPrimitive, _ memories: [(DNNArgument, DNNMemory)], scratch: Scratch,
    slot: Scratch.Slot = .primitive, thread: Int = 0
  ) {
    self.primitive = primitive
    self.scratch = scratch
    self.slot = slot
    var given = memories.map { (argument: $0.raw, memory: $1) }
    let page = 4096
    let padBytes = (primitive.scratchpad.bytes + page - 1) / page * page
    offset = thread * padBytes / MemoryLayout<Float>.stride
    scratchpad = padBytes > 0 ? DNNMemory(primitive.scratchpad) : nil
    if let scratchpad {
      given.append((DNNL_ARG_SCRATCHPAD, scratchpad))
      scratch.reserve(slot, bytes: padBytes * (thread + 1))
    }
    self.memories = given.map(\.memory)
    arguments = .allocate(capacity: given.count)
    for (index, pair) in given.enumerated() {
      arguments.initializeElement(at: index, to: dnnl_exec_arg_t(arg: pair.argument, memory: pair.memory.raw))
    }
  }

  /// Copies `source` to `target`, from layout to layout.
  convenience init(copying source: DNNMemory, to target: DNNMemory, scratch: Scratch) {
    self.init(
      DNNPrimitive(copying: source.layout, to: target.layout), [(.source, source), (.target, target)], scratch: scratch)
  }

  /// The corresponding C function is `dnnl_primitive_execute`.
  func execute() {
    if let scratchpad { scratchpad.point(to: scratch[slot] + offset) }
    DNN.check(
      "dnnl_primitive_execute",
      dnnl_primitive_execute(primitive.raw, DNN.stream, CInt(arguments.count), arguments.baseAddress))
  }

  deinit { arguments.deallocate() }
}

import COneDNN

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
    _ primitive: DNNPrimitive, _ memories: [(role: Int32, memory: DNNMemory)], scratch: Scratch,
    slot: Scratch.Slot = .primitive, thread: Int = 0
  ) {
    self.primitive = primitive
    self.scratch = scratch
    self.slot = slot
    let page = 4096
    let padBytes = (DNNMemory.bytes(primitive.scratchpad) + page - 1) / page * page
    offset = thread * padBytes / MemoryLayout<Float>.stride
    var given = memories
    if padBytes > 0 {
      let memory = DNNMemory(primitive.scratchpad)
      scratchpad = memory
      given.append((DNNL_ARG_SCRATCHPAD, memory))
      scratch.reserve(slot, bytes: padBytes * (thread + 1))
    } else {
      scratchpad = nil
    }
    self.memories = given.map(\.memory)
    arguments = .allocate(capacity: given.count)
    for (index, pair) in given.enumerated() {
      arguments.initializeElement(at: index, to: dnnl_exec_arg_t(arg: pair.role, memory: pair.memory.raw))
    }
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

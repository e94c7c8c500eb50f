/// What the threads call for pieces of a batch: one entry for each thread and each size of piece, since every thread has
/// its own views of memory and every size its own primitive.
struct PieceTable<Entry> {
  private let sizes: [Int]
  /// (threads, sizes)
  private let entries: [Entry]

  /// - Parameters:
  ///   - sizes: images of a piece, the order of `primitives`.
  ///   - make: the entry of a thread.
  init(
    threads: Int, sizes: [Int], _ primitives: [DNNPrimitive],
    _ make: (_ primitive: DNNPrimitive, _ images: Int, _ thread: Int) -> Entry
  ) {
    self.sizes = sizes
    entries = (0..<max(threads, 1)).flatMap { thread in
      zip(primitives, sizes).map { make($0, $1, thread) }
    }
  }

  /// The calling thread's for a piece of so many images.
  subscript(images: Int) -> Entry {
    guard let size = sizes.firstIndex(of: images) else {
      preconditionFailure("A piece of \(images) images among \(sizes)")
    }
    return entries[(Parallel.isInside ? Parallel.part : 0) * sizes.count + size]
  }
}

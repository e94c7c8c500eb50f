/// Gives values that do not live at the same time the same memory.
///
/// Each slot lives from its birth to its death, both included, on the time line of a pass; one that is filled again later
/// has a second life in the same place. Offsets are found largest
/// slot first, each at the lowest place that is free during its whole life.
struct MemoryPlan {
  struct Slot {
    let bytes: Int
    var lives: [ClosedRange<Int>]

    func meets(_ other: Slot) -> Bool { lives.contains { life in other.lives.contains { $0.overlaps(life) } } }
  }

  private(set) var slots: [Slot] = []

  /// Returns the slot's index.
  mutating func add(bytes: Int, birth: Int) -> Int {
    slots.append(Slot(bytes: bytes, lives: [birth...birth]))
    return slots.count - 1
  }

  mutating func extend(_ slot: Int, to time: Int) {
    let life = slots[slot].lives[0]
    slots[slot].lives[0] = life.lowerBound...max(life.upperBound, time)
  }

  mutating func revive(_ slot: Int, during times: ClosedRange<Int>) { slots[slot].lives.append(times) }

  /// Offsets in bytes, on cache lines, and the bytes needed in all.
  func place() -> (offsets: [Int], bytes: Int) {
    let line = 64
    var offsets = [Int](repeating: 0, count: slots.count)
    var placed: [Int] = []
    var total = 0
    for index in slots.indices.sorted(by: { (slots[$1].bytes, $0) < (slots[$0].bytes, $1) }) {
      let slot = slots[index]
      var offset = 0
      let neighbours = placed.filter { slots[$0].meets(slot) }
      for other in neighbours.sorted(by: { offsets[$0] < offsets[$1] }) {
        if offset + slot.bytes <= offsets[other] { break }
        offset = max(offset, (offsets[other] + slots[other].bytes + line - 1) / line * line)
      }
      offsets[index] = offset
      placed.append(index)
      total = max(total, offset + slot.bytes)
    }
    return (offsets, total)
  }
}

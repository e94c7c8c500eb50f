/// Gives values that do not live at the same time the same memory.
///
/// Each slot lives from its birth to its death, both included, on the time line of a pass; one that is filled again later
/// has a second life in the same place. Offsets are found largest
/// slot first, each at the lowest place that is free during its whole life.
struct MemoryPlan {
  struct Slot {
    let count: Int
    var lives: [ClosedRange<Int>]

    func meets(_ other: Slot) -> Bool { lives.contains { life in other.lives.contains { $0.overlaps(life) } } }
  }

  private(set) var slots: [Slot] = []

  /// Returns the slot's index. `count` in Floats.
  mutating func add(count: Int, birth: Int) -> Int {
    slots.append(Slot(count: count, lives: [birth...birth]))
    return slots.count - 1
  }

  mutating func extend(_ slot: Int, to time: Int) {
    let life = slots[slot].lives[0]
    slots[slot].lives[0] = life.lowerBound...max(life.upperBound, time)
  }

  mutating func revive(_ slot: Int, during times: ClosedRange<Int>) { slots[slot].lives.append(times) }

  /// Offsets in Floats, on cache lines, and the Floats needed in all.
  func place() -> (offsets: [Int], count: Int) {
    let line = 16
    var offsets = [Int](repeating: 0, count: slots.count)
    var placed: [Int] = []
    var total = 0
    for index in slots.indices.sorted(by: { (slots[$1].count, $0) < (slots[$0].count, $1) }) {
      let slot = slots[index]
      var offset = 0
      let neighbours = placed.filter { slots[$0].meets(slot) }
      for other in neighbours.sorted(by: { offsets[$0] < offsets[$1] }) {
        if offset + slot.count <= offsets[other] { break }
        offset = max(offset, (offsets[other] + slots[other].count + line - 1) / line * line)
      }
      offsets[index] = offset
      placed.append(index)
      total = max(total, offset + slot.count)
    }
    return (offsets, total)
  }
}

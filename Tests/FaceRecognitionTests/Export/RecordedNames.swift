// Written by Tests/Recipes/names.py.

/// State dicts of arcface_torch: how many tensors, and the CRC-32 of their names and shapes, sorted.
enum RecordedNames {
  struct Network: Sendable {
    let name: String
    let count: Int
    let checksum: UInt32
  }

  static let networks = [
    Network(name: "mobilefacenet", count: 333, checksum: 0xD1A2570C),
    Network(name: "mobilefacenet-x2", count: 333, checksum: 0x333BC876),
    Network(name: "iresnet18", count: 187, checksum: 0xCC8F3C1A),
    Network(name: "iresnet34", count: 331, checksum: 0x4D0F6255),
    Network(name: "iresnet50", count: 475, checksum: 0xF668B729),
    Network(name: "iresnet100", count: 925, checksum: 0xB2485841),
  ]
}

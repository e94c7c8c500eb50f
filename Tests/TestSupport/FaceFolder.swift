package import Foundation

/// A folder of made-up faces: PGM images of noise around a pattern per person, removed with the value.
package final class FaceFolder {
  package let path: String

  package init(people: Int, images: Int, side: Int = 48) throws {
    path = NSTemporaryDirectory() + "faces-\(UUID().uuidString)"
    for person in 0..<people {
      for image in 0..<images {
        try write(Self.pgm(person: person, image: image, side: side), to: Self.name(person, image))
      }
    }
  }

  /// "p03/07.pgm"
  package static func name(_ person: Int, _ image: Int) -> String { String(format: "p%02d/%02d.pgm", person, image) }

  package func write(_ data: Data, to name: String) throws {
    let url = URL(fileURLWithPath: path).appendingPathComponent(name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: url)
  }

  /// A grey image that a person's others resemble.
  package static func pgm(person: Int, image: Int, side: Int) -> Data {
    var state = UInt32(truncatingIfNeeded: person * 7919 + image * 104_729 + 1)
    var data = Data("P5\n\(side) \(side)\n255\n".utf8)
    for y in 0..<side {
      for x in 0..<side {
        state = state &* 1_664_525 &+ 1_013_904_223
        let stripes = ((x * (person + 2) + y * (2 * person + 1)) / 8) % 2 * 120
        data.append(UInt8(stripes + 40 + Int(state >> 26)))
      }
    }
    return data
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

import Foundation
import VectorKernels

/// A random accident to a file: the drill's and the tests'.
enum FileMutation: String, CaseIterable {
  case truncation, bitFlip, headerEdit, extraBytes, zeroedPiece, headerLength

  /// `data` after the accident, never equal to `data`.
  func applied(to data: Data, _ generator: inout CounterGenerator) -> Data {
    var changed = data
    var attempts = 0
    repeat {
      changed = data
      attempts += 1
      // Zeros over zeros change nothing, however often.
      guard attempts < 100 else { return data + [1] }
      switch self {
      case .truncation: changed = data.prefix(generator.below(data.count))
      case .bitFlip:
        for _ in 0...generator.below(3) { changed[generator.below(data.count)] ^= 1 << UInt8(generator.below(8)) }
      case .headerEdit: edit(&changed, &generator)
      case .extraBytes:
        let place = [0, data.count, generator.below(data.count)][generator.below(3)]
        let bytes = (0...generator.below(16)).map { _ in UInt8(generator.below(256)) }
        changed.insert(contentsOf: bytes, at: place)
      case .zeroedPiece:
        // As a page that never reached the disk.
        let start = generator.below(data.count)
        let end = min(data.count, start + 1 + generator.below(512))
        changed.replaceSubrange(start..<end, with: [UInt8](repeating: 0, count: end - start))
      case .headerLength:
        let value = UInt64.random(in: 0...(.max), using: &generator) >> UInt64(generator.below(64))
        changed.replaceSubrange(0..<8, with: withUnsafeBytes(of: value.littleEndian, Array.init))
      }
    } while changed == data
    return changed
  }

  /// What somebody with an editor may do to text: the JSON of a safetensors header, or of the state.
  private func edit(_ data: inout Data, _ generator: inout CounterGenerator) {
    let isSafetensors = data.first != UInt8(ascii: "{") && data[7] == 0
    let start = isSafetensors ? 8 : 0
    let length = isSafetensors ? data[..<8].reversed().reduce(0) { $0 << 8 | Int($1) } : data.count
    let place = start + generator.below(length)
    let letters = Array("0123456789\"{}[],: \n-.eabdfnrtF_\\/".utf8)
    let letter = letters[generator.below(letters.count)]
    switch generator.below(5) {
    case 0: data[place] = letter
    case 1: data.insert(letter, at: place)
    case 2: data.remove(at: place)
    case 3:
      // Another number where one stands.
      guard let digit = data[place..<(start + length)].firstIndex(where: { (48...57).contains($0) }) else { return }
      data[digit] = UInt8(48 + generator.below(10))
    default:
      // A piece of it somewhere else: names swapped, members given twice.
      let piece = Data(data[place..<min(start + length, place + 1 + generator.below(60))])
      data.replaceSubrange((start + generator.below(length))..<(start + length), with: piece)
    }
  }
}

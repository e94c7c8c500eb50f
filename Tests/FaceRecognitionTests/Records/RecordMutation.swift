import Foundation
import VectorKernels

/// Accidents, and what somebody with a hex editor may do, to files that are small words in a row.
enum RecordMutation {
  /// `data` after one or two accidents; never equal to it.
  static func random(of data: Data, _ generator: inout CounterGenerator) -> Data {
    var changed = data
    repeat {
      changed = once(data, &generator)
      if generator.below(8) == 0, changed.count > 8 { changed = once(changed, &generator) }
    } while changed == data
    return changed
  }

  private static func once(_ data: Data, _ generator: inout CounterGenerator) -> Data {
    switch generator.below(8) {
    case 0: return FileMutation.truncation.applied(to: data, &generator)
    case 1: return FileMutation.bitFlip.applied(to: data, &generator)
    case 2: return FileMutation.extraBytes.applied(to: data, &generator)
    case 3: return FileMutation.zeroedPiece.applied(to: data, &generator)
    case 4: return digit(data, &generator)
    case 5: return piece(data, &generator)
    default: return word(data, &generator)
    }
  }

  /// Another length, magic number, Float or offset where one may stand.
  private static func word(_ data: Data, _ generator: inout CounterGenerator) -> Data {
    let words: [UInt32] = [
      0, 1, 2, 3, 4, 8, 24, 0xCED7_230A, 0x1FFF_FFFF, 0x2000_0000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF,
      Float(0).bitPattern, Float(1).bitPattern, Float(2).bitPattern, Float(3).bitPattern, Float(16_777_216).bitPattern,
      Float.nan.bitPattern, Float(-1).bitPattern, Float(0.5).bitPattern, Float.infinity.bitPattern, UInt32(data.count),
    ]
    let value =
      generator.below(4) == 0 ? UInt32(truncatingIfNeeded: generator.next()) : words[generator.below(words.count)]
    let place = generator.below(max(data.count - 4, 1))
    var changed = data
    changed.replaceSubrange(
      (generator.below(4) == 0 ? place : place / 4 * 4)..<min(place / 4 * 4 + 4, data.count),
      with: withUnsafeBytes(of: value.littleEndian, Array.init))
    return changed
  }

  /// Another character where text stands.
  private static func digit(_ data: Data, _ generator: inout CounterGenerator) -> Data {
    let letters = Array("0123456789\t\n\r ,-.#/ax:[]{}&*!|>'\"%@`~?".utf8)
    var changed = data
    let place = generator.below(data.count)
    switch generator.below(3) {
    case 0: changed[changed.startIndex + place] = letters[generator.below(letters.count)]
    case 1: changed.insert(letters[generator.below(letters.count)], at: changed.startIndex + place)
    default: changed.remove(at: changed.startIndex + place)
    }
    return changed
  }

  /// A piece of it somewhere else, over what is there or between: records and lines that come twice, or swapped.
  private static func piece(_ data: Data, _ generator: inout CounterGenerator) -> Data {
    let step = generator.below(2) == 0 ? 1 : 4
    let start = generator.below(data.count) / step * step
    let length = min(data.count - start, step * (1 + generator.below(256)))
    let target = generator.below(data.count) / step * step
    let bytes = [UInt8](data.dropFirst(start).prefix(length))
    var changed = data
    let end = generator.below(2) == 0 ? target : min(target + length, data.count)
    changed.replaceSubrange((changed.startIndex + target)..<(changed.startIndex + end), with: bytes)
    return changed
  }
}

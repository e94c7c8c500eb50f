package import Files
import Glibc

/// A set whose images are files of their own.
package protocol ImageFiles: ImageSource {
  /// Calls `body` with the path of an image as a C string.
  func withPath<Result>(of sample: Int, _ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result
}

extension ImageFiles {
  package func withPath<Result>(of sample: Int, _ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
    try path(of: sample).withCString(body)
  }

  package func encodedSize(of sample: Int) throws -> Int {
    try withPath(of: sample) { try ImageFile(path: $0).size() }
  }

  package func withEncodedImage<Result>(
    of sample: Int, scratch: ByteBuffer, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    try withPath(of: sample) { try ImageFile(path: $0).withBytes(scratch: scratch, body) }
  }
}

extension ImageFolder {
  /// `root/person/image` as a C string on the stack: no allocation per image.
  package func withPath<Result>(of sample: Int, _ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
    try names.withUnsafeBufferPointer { names in
      let name = names.baseAddress! + nameStarts[sample]
      let nameLength = strlen(name)
      let person = classNames[label(of: sample)].text
      let capacity = location.utf8.count + person.utf8.count + nameLength + 3
      return try withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) { path in
        var end = 0
        for part in [location.utf8, person.utf8] {
          for byte in part {
            path[end] = CChar(bitPattern: byte)
            end += 1
          }
          path[end] = CChar(UInt8(ascii: "/"))
          end += 1
        }
        memcpy(path.baseAddress! + end, name, nameLength + 1)
        return try body(UnsafePointer(path.baseAddress!))
      }
    }
  }
}

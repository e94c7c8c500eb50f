import COpenMPI

/// An element type as the MPI library names it.
package struct Datatype: @unchecked Sendable {
  // Unchecked: the pointer names a constant of the library.
  let raw: MPI_Datatype

  static let float = Datatype(raw: MPI_FLOAT)
  static let double = Datatype(raw: MPI_DOUBLE)
  static let int32 = Datatype(raw: MPI_INT32_T)
  static let int64 = Datatype(raw: MPI_INT64_T)
  static let uint8 = Datatype(raw: MPI_UINT8_T)
  static let uint16 = Datatype(raw: MPI_UINT16_T)

  /// Bytes of one element, by the MPI library's account.
  ///
  /// The corresponding C function is `MPI_Type_size`.
  package func size() throws(MPIError) -> Int {
    var bytes: CInt = 0
    try check("MPI_Type_size", MPI_Type_size(raw, &bytes))
    return Int(bytes)
  }
}

/// A type whose arrays travel between ranks without conversion.
package protocol MPIScalar: Numeric, BitwiseCopyable, Sendable {
  static var datatype: Datatype { get }
}

extension Float: MPIScalar { package static var datatype: Datatype { .float } }
extension Double: MPIScalar { package static var datatype: Datatype { .double } }
extension Int32: MPIScalar { package static var datatype: Datatype { .int32 } }
extension Int64: MPIScalar { package static var datatype: Datatype { .int64 } }
extension UInt8: MPIScalar { package static var datatype: Datatype { .uint8 } }
extension UInt16: MPIScalar { package static var datatype: Datatype { .uint16 } }
/// `Int` has 64 bits on every processor that this program runs on.
extension Int: MPIScalar { package static var datatype: Datatype { .int64 } }

/// How the elements of different ranks become one.
package enum Reduction: Sendable, CaseIterable {
  case sum
  case max
  case min

  var raw: MPI_Op {
    switch self {
    case .sum: MPI_SUM
    case .max: MPI_MAX
    case .min: MPI_MIN
    }
  }
}

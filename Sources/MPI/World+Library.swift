import COpenMPI

extension World {
  /// The MPI library and its version, and the standard that it follows. MPI need not have been started.
  ///
  /// The corresponding C functions are `MPI_Get_library_version` and `MPI_Get_version`.
  package static var library: String {
    var text = [CChar](repeating: 0, count: Int(MPI_MAX_LIBRARY_VERSION_STRING))
    var length: CInt = 0
    var (version, subversion): (CInt, CInt) = (0, 0)
    guard MPI_Get_library_version(&text, &length) == MPI_SUCCESS, MPI_Get_version(&version, &subversion) == MPI_SUCCESS
    else { return "unknown" }
    // Open MPI goes on with the package's maintainer and date.
    let name = String(decoding: text.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
      .prefix { $0 != "," && $0 != "\0" && !$0.isNewline }
    return "\(name) (MPI \(version).\(subversion))"
  }
}

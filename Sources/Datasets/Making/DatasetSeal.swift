import Files

/// Digests beside a set that was made without.
package enum DatasetSeal {
  /// Writes the catalog of a .rec, or the digest of a .bin, and returns its path.
  ///
  /// - Throws: `DataError` where there are digests already: their loss would hide what has changed since.
  package static func write(for path: String) throws -> String {
    if FilePath.hasEnding(".bin", path) {
      let bin = try PairBin(path: path)
      guard !bin.hasDigest else { throw DataError(path, "it has a digest already, and its bytes are those") }
      try bin.writeDigest()
      return path + ".xxh128"
    }
    guard let set = try ImageSet.open(path) as? RecordSet else {
      throw DataError(path, "only a .rec and a .bin can be sealed")
    }
    guard set.warrant != .catalog else { throw DataError(path, "it has a catalog already, and its bytes are those") }
    try set.writeCatalog()
    return RecordCatalog.path(of: set.location)
  }
}

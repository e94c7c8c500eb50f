import Files

/// Digests beside a set that was made without.
package enum DatasetSeal {
  /// Fails where `write` would, whatever the images are: before all of them are decoded.
  ///
  /// - Throws: `DataError`, `FileError`
  package static func tryOut(for path: String) throws {
    if FilePath.hasEnding(".bin", path) {
      try refuseSealed(PairBin(path: path))
      return try AtomicFile.tryOut(PairBin.digestPath(path))
    }
    try AtomicFile.tryOut(RecordCatalog.path(of: bareSet(path).location))
  }

  /// Writes the catalog of a .rec, or the digest of a .bin, and returns its path.
  ///
  /// - Throws: `DataError` where there are digests already: their loss would hide what has changed since.
  package static func write(for path: String) throws -> String {
    if FilePath.hasEnding(".bin", path) {
      let bin = try PairBin(path: path)
      try refuseSealed(bin)
      try bin.writeDigest()
      return PairBin.digestPath(path)
    }
    let set = try bareSet(path)
    try set.writeCatalog()
    return RecordCatalog.path(of: set.location)
  }

  private static func refuseSealed(_ bin: PairBin) throws(DataError) {
    guard !bin.hasDigest else {
      throw DataError(bin.location, "it has a digest already, and its bytes are those")
    }
  }

  /// A .rec without a catalog.
  private static func bareSet(_ path: String) throws -> RecordSet {
    guard let set = try ImageSet.open(path) as? RecordSet else {
      throw DataError(path, "only a .rec and a .bin can be sealed")
    }
    guard set.warrant != .catalog else { throw DataError(path, "it has a catalog already, and its bytes are those") }
    return set
  }
}

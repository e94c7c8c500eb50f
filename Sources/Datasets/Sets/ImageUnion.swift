package import Files

/// Several sets of images as one.
package struct ImageUnion: ImageSource {
  package let location: String
  package let classNames: [Name]
  private let sets: [any ImageSource]
  /// The first sample of each set, and the count of all.
  private let starts: [Int]
  /// For each set, the label here of each of its own.
  private let labels: [[Int32]]

  /// - Parameter joinsPeople: take people of the same name in several sets for the same person, else for others.
  /// - Throws: `DataError` where there are more images than can be numbered, or people to be joined have no names.
  package init(_ sets: [any ImageSource], joinsPeople: Bool) throws(DataError) {
    precondition(!sets.isEmpty, "A union of no sets")
    if joinsPeople, let nameless = sets.first(where: { !$0.namesPeople }) {
      throw DataError(
        nameless.location,
        "its people have numbers and no names, and the number of one set is another person in the next",
        remedy: "Leave --join-people out, or give the set with its people's names: a folder PERSON/IMAGE, a list "
          + "'path person', or a .rec that 'cosface dataset pack' made of one, with its catalog.")
    }
    var names: [Name] = []
    var known: [Name: Int32] = [:]
    labels = sets.enumerated().map { number, set in
      set.classNames.map { name in
        if joinsPeople, let label = known[name] { return label }
        var unique = name
        // Told apart by the set's number; the first keeps the plain name. Someone may be called just that.
        while known[unique] != nil { unique = Name("\(unique) (set \(number + 1))") }
        let label = Int32(names.count)
        known[unique] = label
        names.append(unique)
        return label
      }
    }
    var starts = [0]
    for set in sets { starts.append(starts[starts.count - 1] + set.count) }
    location = sets.map(\.location).joined(separator: ", ")
    guard starts[sets.count] <= Int(Int32.max) else {
      throw DataError(location, "\(starts[sets.count]) images are more than \(Int32.max)")
    }
    classNames = names
    self.sets = sets
    self.starts = starts
  }

  package var count: Int { starts[sets.count] }
  package var namesPeople: Bool { sets.allSatisfy(\.namesPeople) }
  package var notes: [String] { sets.flatMap(\.notes) }

  package func label(of sample: Int) -> Int {
    let (set, own) = place(of: sample)
    return Int(labels[set][sets[set].label(of: own)])
  }

  /// With the set's number before it; its location may change while a run is stopped.
  package func identifier(of sample: Int) -> String {
    let (set, own) = place(of: sample)
    return "\(set + 1):\(sets[set].identifier(of: own))"
  }

  package func path(of sample: Int) -> String {
    let (set, own) = place(of: sample)
    return sets[set].path(of: own)
  }

  package func encodedSize(of sample: Int) throws -> Int {
    let (set, own) = place(of: sample)
    return try sets[set].encodedSize(of: own)
  }

  package func withEncodedImage<Result>(
    of sample: Int, scratch: ByteBuffer, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    let (set, own) = place(of: sample)
    return try sets[set].withEncodedImage(of: own, scratch: scratch, body)
  }

  private func place(of sample: Int) -> (set: Int, own: Int) {
    precondition(sample >= 0 && sample < count, "Sample \(sample) of \(count)")
    let set = starts.lastIndex { $0 <= sample }!
    return (set, sample - starts[set])
  }
}

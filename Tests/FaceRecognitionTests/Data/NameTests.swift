import FaceRecognition
import Testing

@Suite struct NameTests {
  // The same letter to String, two names to a disk.
  let composed = "Zo\u{EB}", decomposed = "Zoe\u{308}"

  @Test func namesAreEqualWhereTheirBytesAre() {
    #expect(composed == decomposed)
    #expect(Name(composed) != Name(decomposed))
    #expect(Name(composed) == Name(composed.dropLast(0)))
    #expect(Set([Name(composed), Name(decomposed), Name(composed)]).count == 2)
  }

  @Test func orderIsThatOfBytes() {
    let names = [Name(composed), Name(decomposed), "Zz", "", "Zo"]
    #expect(names.sorted() == ["", "Zo", Name(decomposed), Name(composed), "Zz"])
  }

  @Test func onesWithZeroBytesDiffer() {
    #expect(Name("a\0") != Name("a"))
    #expect(Set([Name("a\0"), Name("a")]).count == 2)
  }
}

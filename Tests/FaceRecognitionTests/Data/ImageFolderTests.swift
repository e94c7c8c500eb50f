import Datasets
import Files
import Foundation
import Testing

@Suite struct ImageFolderTests {
  private func reason(_ path: String) -> String {
    do {
      _ = try ImageFolder(root: path)
      return "read"
    } catch {
      let error = error as! DataError
      return error.path.replacingOccurrences(of: path, with: "ROOT") + ": " + error.reason
    }
  }

  @Test func sortedByBytesWithDenseLabels() throws {
    let folder = TestFolder()
    for name in ["b/2.jpg", "b/10.JPG", "é/x.Png", "B/1.jpeg", "a/z.ppm", "a/a.PGM", "a/notes.txt", "a/.hidden.jpg"] {
      folder.write([1, 2, 3], name)
    }
    folder.makeFolder(".cache")
    folder.write([0], "readme.txt")
    let source = try ImageFolder(root: folder.path + "/")
    #expect(source.classNames == ["B", "a", "b", "é"])
    #expect(
      (0..<source.count).map(source.identifier) == ["B/1.jpeg", "a/a.PGM", "a/z.ppm", "b/10.JPG", "b/2.jpg", "é/x.Png"])
    #expect((0..<source.count).map(source.label) == [0, 1, 1, 2, 2, 3])
    #expect(try source.encodedImage(of: 5) == [1, 2, 3])
    #expect(try source.encodedSize(of: 5) == 3)
  }

  @Test func badFolders() {
    let folder = TestFolder()
    #expect(reason(folder.path) == "ROOT: the folder is empty")
    #expect(reason(folder.path + "/none") == "ROOT: there is no such folder")
    folder.write([1], "file.txt")
    #expect(reason(folder.path + "/file.txt") == "ROOT: this is not a folder")
    #expect(reason(folder.path) == "ROOT: there is no folder in it")
    folder.write([1], "a/1.jpg")
    #expect(reason(folder.path) == "read")
    folder.makeFolder("b")
    #expect(
      reason(folder.path)
        == "ROOT/b: a person's folder without an image file (jpg, jpeg, png, pgm, ppm, jfif, jpe, jif, jfi, pnm, apng)")
    folder.write([1], "b/c/1.jpg")
    #expect(reason(folder.path) == "ROOT/b: a person's folder with folders in it and no image file")
    folder.write([1], "b/1.jpg")
    folder.write([1], "stray.jpg")
    #expect(reason(folder.path) == "ROOT/stray.jpg: this image lies beside the people's folders")
  }

  @Test(.timeLimit(.minutes(1))) func linksAndLoops() throws {
    let folder = TestFolder()
    folder.write([1], "store/a/1.jpg")
    folder.write([1], "store/b/1.jpg")
    folder.makeFolder("faces")
    folder.link("faces/a", to: "../store/a")
    folder.link("faces/b", to: "../store/b")
    folder.link("store/b/2.jpg", to: "../a/1.jpg")
    folder.link("store/b/3.jpg", to: "missing.jpg")
    folder.link("store/b/up", to: "..")
    let source = try ImageFolder(root: folder.path + "/faces")
    #expect((0..<source.count).map(source.identifier) == ["a/1.jpg", "b/1.jpg", "b/2.jpg", "b/3.jpg"])
    #expect(throws: DataError.self) { try source.encodedImage(of: 3) }
    folder.link("faces/loop", to: ".")
    #expect(reason(folder.path + "/faces") == "ROOT/loop: a person's folder with folders in it and no image file")
    try FileManager.default.removeItem(atPath: folder.path + "/faces/loop")
    folder.link("faces/loop", to: "loop")
    #expect(reason(folder.path + "/faces") == "ROOT/loop: this link leads nowhere, or in a loop")
  }

  /// Nothing with an image's name is passed over in silence, and one that is no file does not hide the others.
  @Test(.timeLimit(.minutes(1))) func whatIsNoFileIsNamed() throws {
    let folder = TestFolder.faces(people: 2, images: 2)
    folder.makeFolder("person-0/folder.jpg")
    #expect(mkfifo(folder.path + "/person-0/pipe.jpg", 0o600) == 0)
    folder.link("person-1/loop.jpg", to: "loop.jpg")
    folder.link("person-1/zero.jpg", to: "/dev/zero")
    let info = try DatasetInfo(path: folder.path)
    let names = ["person-0/folder.jpg", "person-0/pipe.jpg", "person-1/loop.jpg", "person-1/zero.jpg"]
    #expect(info.images == 8 && info.absent.map(\.identifier) == names)
    #expect(info.imageBytes.smallest > 100)
    let lines = info.lines.map { "\($0.name) \($0.value)" }
    #expect(lines.contains("no files 4 of the images"), "\(lines)")
    #expect(lines.contains(" person-0/pipe.jpg: the image cannot be read: it is not a file"), "\(lines)")
    #expect(try DatasetCheck(path: folder.path).unreadable.map(\.identifier) == names)
    #expect(try ImageList(at: folder.path).count == 7)
    let only = TestFolder()
    only.link("a/x.jpg".replacing("a/", with: ""), to: "nowhere")
    only.makeFolder("a")
    only.link("a/1.jpg", to: "nowhere")
    try FileManager.default.removeItem(atPath: only.path + "/x.jpg")
    let error = #expect(throws: DataError.self) { try DatasetInfo(path: only.path) }
    #expect(error?.reason.contains("none of its 1 images is there; a/1.jpg: ") == true)
  }

  @Test func unreadableFilesAreNamed() throws {
    let folder = TestFolder()
    folder.write([], "a/1.jpg")
    folder.write([1], "b/1.jpg")
    let source = try ImageFolder(root: folder.path)
    try FileManager.default.removeItem(atPath: folder.path + "/b/1.jpg")
    #expect(throws: DataError("\(folder.path)/a/1.jpg", "the image cannot be read: the file is empty (0 bytes)")) {
      try source.encodedImage(of: 0)
    }
    #expect(throws: DataError("\(folder.path)/b/1.jpg", "the image cannot be read: No such file or directory")) {
      try source.encodedImage(of: 1)
    }
    #expect(mkfifo(folder.path + "/b/1.jpg", 0o600) == 0)
    #expect(throws: DataError("\(folder.path)/b/1.jpg", "the image cannot be read: it is not a file")) {
      try source.encodedImage(of: 1)
    }
  }

  @Test func trainingNeedsTwoPeopleAndEnoughImages() throws {
    let one = TestFolder.faces(people: 1, images: 3)
    #expect(throws: DataError.self) { try ImageFolder(root: one.path).validateForTraining() }
    let two = TestFolder.faces(people: 2, images: 2)
    let source = try ImageFolder(root: two.path)
    try source.validateForTraining(rankCount: 4)
    #expect(throws: DataError.self) { try source.validateForTraining(rankCount: 5) }
  }

  @Test func splitHoldsOutPeople() throws {
    let folder = TestFolder.faces(people: 9, images: 2)
    let source = try ImageFolder(root: folder.path)
    let (training, heldOut) = try source.split(holdoutPeople: 4, seed: 5)
    #expect(training.classNames.count == 5 && heldOut.classNames.count == 4)
    #expect(Set(training.classNames + heldOut.classNames) == Set(source.classNames))
    #expect(training.classNames == training.classNames.sorted() && heldOut.classNames == heldOut.classNames.sorted())
    for part in [training, heldOut] {
      #expect(part.count == 2 * part.classNames.count)
      for sample in 0..<part.count {
        #expect(part.identifier(of: sample).hasPrefix("\(part.classNames[part.label(of: sample)])/"))
        #expect(try part.encodedImage(of: sample).count == part.encodedSize(of: sample))
      }
    }
    #expect(try source.split(holdoutPeople: 4, seed: 5).heldOut.classNames == heldOut.classNames)
    #expect(try source.split(holdoutPeople: 4, seed: 6).heldOut.classNames != heldOut.classNames)
    #expect(try source.split(holdoutPeople: 0, seed: 6).heldOut.count == 0)
    #expect(throws: DataError.self) { try source.split(holdoutPeople: 8, seed: 5) }
  }

  @Test func fingerprintFollowsNamesAndSizes() throws {
    let folder = TestFolder.faces(people: 3, images: 2)
    let copy = TestFolder.faces(people: 3, images: 2)
    func fingerprint(_ folder: TestFolder) throws -> String { try ImageFolder(root: folder.path).fingerprint() }
    let before = try fingerprint(folder)
    #expect(before.count == 32 && before.allSatisfy(\.isHexDigit))
    #expect(try fingerprint(copy) == before)
    copy.write([1, 2], "person-0/0.jpg")
    let changed = try fingerprint(copy)
    #expect(changed != before)
    copy.write([3, 4], "person-0/00.jpg")
    #expect(try fingerprint(copy) != changed)
  }
}

/// Weight files of formats that are not read, told apart by their first bytes.
package enum ForeignFile {
  /// What the file is, and how to save its weights anew; nil where it is none of these.
  ///
  /// A safetensors file is none: the fifth to eighth byte of its length are 0, and '{' follows.
  package static func kind(of file: UnsafeRawBufferPointer) -> String? {
    if file.count > 8, file[8] == UInt8(ascii: "{"), file[4..<8].allSatisfy({ $0 == 0 }) { return nil }
    for (start, bytes, kind) in signs where file.dropFirst(start).starts(with: bytes) { return kind }
    // A pickle of protocol 2 to 5 that is not behind PyTorch's magic number.
    if file.count > 2, file[0] == 0x80, (2...5).contains(file[1]) {
      return "a plain Python pickle, which is not read. " + saveAnew
    }
    return nil
  }

  /// A protocol buffer's first field, a number: in ONNX's files the version.
  package static let onnxStart: UInt8 = 0x08

  private static let saveAnew =
    "Load it with the program that made it, and save the state dict with torch.save or safetensors.torch.save_file"

  private static let signs: [(start: Int, bytes: [UInt8], kind: String)] = [
    (
      257, Array("ustar".utf8),
      "a tar archive, as PyTorch before 0.2 wrote it, or several files in one. "
        + "Unpack it, or load it with torch.load and save the state dict with torch.save"
    ),
    (0, [0x89] + Array("HDF\r\n".utf8), "an HDF5 file, as Keras writes it, which is not read. " + saveAnew),
    (0, [0x93] + Array("NUMPY".utf8), "NumPy's .npy, one array without a name, which is not read. " + saveAnew),
    (
      0, [0x12, 1, 0, 0, 0, 0, 0, 0],
      "MXNet's .params, which is not read. "
        + "Convert it to a state dict of PyTorch under arcface_torch's names, and save that with torch.save"
    ),
    (0, [0x1F, 0x8B], "packed with gzip. Unpack it first: gunzip"),
    (0, [0x28, 0xB5, 0x2F, 0xFD], "packed with zstd. Unpack it first: unzstd"),
    (0, [0xFD] + Array("7zXZ".utf8), "packed with xz. Unpack it first: unxz"),
    (0, Array("BZh".utf8), "packed with bzip2. Unpack it first: bunzip2"),
    (0, [0x37, 0x7A, 0xBC, 0xAF], "a 7z archive. Unpack it first"),
    (
      0, [onnxStart],
      "no weight file of this name's ending; it may be a network of ONNX. Then name it so that it ends in .onnx"
    ),
    (
      0, Array("version https://git-lfs".utf8),
      "the pointer of Git LFS to a file that was not fetched. Type: git lfs pull"
    ),
    (0, Array("<".utf8), "a web page or XML and no weights: the download gave something else. Fetch the file again"),
    (0, Array("{".utf8), "text (JSON) and no weights. Give the file that holds the tensors"),
  ]
}

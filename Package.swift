// swift-tools-version: 6.1
import PackageDescription

/// The lowest processor that the binary runs on: every node of a cluster must have it.
/// `COSFACE_CPU=x86-64-v4 swift build` compiles for newer ones.
let processor = Context.environment["COSFACE_CPU"] ?? "x86-64-v3"

let package = Package(
  name: "cosface",
  products: [
    .library(name: "FaceRecognition", targets: ["FaceRecognition"]),
    .executable(name: "cosface", targets: ["cosface"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    .systemLibrary(name: "COpenMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-openmp-dev"])]),
    .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
    .systemLibrary(name: "COpenMP"),
    .systemLibrary(
      name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
    .systemLibrary(name: "CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg62-turbo-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CSPNG", pkgConfig: "spng", providers: [.apt(["libspng-dev"])]),
    .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
    .target(name: "MPI", dependencies: ["Files", "COpenMPI"]),
    .target(name: "VectorKernels"),
    .target(name: "WideKernels", dependencies: ["VectorKernels"]),
    .target(
      name: "NeuralNetwork", dependencies: ["VectorKernels", "WideKernels", "COneDNN", "COpenBLAS", "COpenMP"]),
    // Atomic writes, locks, names, text, JSON, digests, safetensors: knows no face.
    .target(name: "Files", dependencies: ["CXXHash", "CZlib"]),
    // Images, sets, lists, records, batches; making and aligning sets: knows no network.
    .target(
      name: "Datasets", dependencies: ["VectorKernels", "Files", "CTurboJPEG", "CJPEG", "CSPNG", "CZlib", "CXXHash"]),
    // Models in files: our own, PyTorch's, ONNX.
    .target(
      name: "Weights",
      dependencies: ["Files", "NeuralNetwork", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
      // The source of the generated code beside it.
      exclude: ["Onnx/onnx.proto"]),
    // Embeddings of images, and what two or a gallery of them say.
    .target(name: "Inference", dependencies: ["Weights", "Datasets"]),
    // Verification and identification.
    .target(name: "Evaluation", dependencies: ["Inference", "Distributed"]),
    // Work divided among ranks: exchange of gradients, classifiers, agreement, trace.
    .target(name: "Distributed", dependencies: ["Inference", "NeuralNetwork", "MPI"]),
    // Step, run, resume, checkpoints.
    .target(name: "Training", dependencies: ["Distributed", "Evaluation"]),
    // What a run writes, for people: the page, the live page, TensorBoard.
    .target(
      name: "Reports",
      dependencies: [
        "Training", .product(name: "Mustache", package: "swift-mustache"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      exclude: ["TensorBoard/tensorboard.proto"]),
    // Memory and time before a run: plan, bench, check.
    .target(name: "Planning", dependencies: ["Training"]),
    // The library product: puts the parts together.
    .target(
      name: "FaceRecognition",
      dependencies: ["Planning", "Reports", .product(name: "Yams", package: "Yams")]),
    .executableTarget(
      name: "cosface",
      dependencies: [
        "FaceRecognition",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    // What a user sees when ranks fail: MPITests runs it under mpirun and reads its output.
    .executableTarget(name: "failing-program", dependencies: ["FaceRecognition", "MPI"], path: "Tests/FailingProgram"),
    .target(name: "TestSupport", path: "Tests/TestSupport"),
    .testTarget(name: "MPITests", dependencies: ["MPI", "TestSupport", "failing-program"]),
    .testTarget(name: "NeuralNetworkTests", dependencies: ["NeuralNetwork"]),
    // The command tests run the program itself.
    .testTarget(name: "FaceRecognitionTests", dependencies: ["FaceRecognition", "TestSupport", "cosface"]),
    .testTarget(name: "RankTests", dependencies: ["FaceRecognition", "MPI", "NeuralNetwork", "TestSupport"]),
  ]
)

for target in package.targets where target.type != .system {
  // Called only where the processor has AVX-512.
  let processor = target.name == "WideKernels" ? "x86-64-v4" : processor
  target.swiftSettings = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .unsafeFlags(["-Xcc", "-march=\(processor)"]),
  ]
}

// swift-tools-version: 6.2
import PackageDescription

/// The lowest processor that the binary runs on: every node of a cluster must have it.
/// `COSFACE_CPU=x86-64-v4 swift build` compiles for newer ones.
let processor = Context.environment["COSFACE_CPU"] ?? "x86-64-v3"
/// `COSFACE_OPTIMIZED_KERNELS=1`: the innermost loops are optimized in debug builds too, as scripts/test.sh sanitize does.
let optimizesKernels = Context.environment["COSFACE_OPTIMIZED_KERNELS"] == "1"

let package = Package(
  name: "cosface",
  products: [
    .library(name: "FaceRecognition", targets: ["FaceRecognition"]),
    .executable(name: "cosface", targets: ["cosface"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
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
    // Each module imports those above it in this list alone, and only the ones that it names.
    .target(name: "VectorKernels"),
    .target(name: "WideKernels", dependencies: ["VectorKernels"]),
    .target(name: "Files", dependencies: ["CXXHash", "CZlib"]),
    .target(name: "MPI", dependencies: ["Files", "COpenMPI"]),
    .target(
      name: "NeuralNetwork", dependencies: ["VectorKernels", "WideKernels", "COneDNN", "COpenBLAS", "COpenMP"]),
    .target(
      name: "Datasets",
      dependencies: ["VectorKernels", "Files", "CTurboJPEG", "CJPEG", "CSPNG", "CZlib", "CXXHash"]),
    .target(
      name: "Weights",
      dependencies: [
        "Files", "NeuralNetwork", "VectorKernels", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      // The source of the generated code beside it.
      exclude: ["Onnx/onnx.proto"]),
    .target(name: "Inference", dependencies: ["Files", "VectorKernels", "NeuralNetwork", "Datasets", "Weights"]),
    .target(
      name: "Distributed",
      dependencies: ["Files", "VectorKernels", "MPI", "NeuralNetwork", "Datasets", "Weights", "Inference"]),
    .target(
      name: "Evaluation",
      dependencies: [
        "Files", "VectorKernels", "MPI", "NeuralNetwork", "Datasets", "Weights", "Inference", "Distributed",
      ]),
    .target(
      name: "Cleaning",
      dependencies: [
        "Files", "VectorKernels", "MPI", "NeuralNetwork", "Datasets", "Weights", "Inference", "Distributed",
      ]),
    .target(
      name: "Training",
      dependencies: [
        "Files", "VectorKernels", "MPI", "NeuralNetwork", "Datasets", "Weights", "Inference", "Distributed",
        "Evaluation",
      ]),
    .target(
      name: "Reports",
      dependencies: [
        "Files", "VectorKernels", "MPI", "Datasets", "Inference", "Evaluation", "Cleaning", "Training",
        .product(name: "Mustache", package: "swift-mustache"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      exclude: ["TensorBoard/tensorboard.proto"]),
    .target(
      name: "Planning",
      dependencies: ["Files", "VectorKernels", "MPI", "NeuralNetwork", "Datasets", "Distributed", "Training"]),
    .target(
      name: "FaceRecognition",
      dependencies: [
        "Files", "MPI", "NeuralNetwork", "Datasets", "Weights", "Inference", "Training", "Reports",
        .product(name: "Yams", package: "Yams"),
      ]),
    .executableTarget(
      name: "cosface",
      dependencies: [
        "Files", "MPI", "NeuralNetwork", "Datasets", "Weights", "Inference", "Distributed", "Evaluation", "Cleaning",
        "Training", "Reports", "Planning", "FaceRecognition",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    // What a user sees when ranks fail: MPITests runs it under mpirun and reads its output.
    .executableTarget(
      name: "failing-program", dependencies: ["Files", "FaceRecognition", "MPI"], path: "Tests/FailingProgram"),
    .target(name: "TestSupport", path: "Tests/TestSupport"),
    .testTarget(name: "MPITests", dependencies: ["MPI", "TestSupport", "failing-program"]),
    .testTarget(name: "NeuralNetworkTests", dependencies: ["NeuralNetwork", "VectorKernels"]),
    // The command tests run the program itself.
    .testTarget(
      name: "FaceRecognitionTests",
      dependencies: [
        "Files", "VectorKernels", "MPI", "NeuralNetwork", "Datasets", "Weights", "Inference", "Distributed",
        "Evaluation", "Cleaning",
        "Training", "Reports", "Planning", "FaceRecognition", "TestSupport", "cosface", "CSPNG", "CTurboJPEG", "CZlib",
      ]),
    .testTarget(
      name: "RankTests",
      dependencies: [
        "VectorKernels", "MPI", "NeuralNetwork", "Datasets", "Weights", "Inference", "Distributed", "Evaluation",
        "Training", "Planning", "FaceRecognition", "TestSupport",
      ]),
  ]
)

for target in package.targets where target.type != .system {
  // Called only where the processor has AVX-512.
  let processor = target.name == "WideKernels" ? "x86-64-v4" : processor
  target.swiftSettings = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .unsafeFlags(["-Xcc", "-march=\(processor)"]),
  ]
  // Tests of a debug build that computes with unoptimized loops take hours. The index needs a thread per file.
  if optimizesKernels && target.name.hasSuffix("Kernels") {
    target.swiftSettings! += [.unsafeFlags(["-O", "-wmo", "-num-threads", "2"], .when(configuration: .debug))]
  }
}

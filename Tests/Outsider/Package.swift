// swift-tools-version: 6.1
import PackageDescription

// A package of somebody else, which depends on this one: what it cannot see is not public.
let package = Package(
  name: "outsider",
  dependencies: [.package(name: "cosface", path: "../..")],
  targets: [
    .executableTarget(
      name: "face-program", dependencies: [.product(name: "FaceRecognition", package: "cosface")])
  ]
)

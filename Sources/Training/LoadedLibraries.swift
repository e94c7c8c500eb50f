import Files
import Foundation

/// The shared libraries that this process computes and communicates with, by the files that the system loaded.
package struct LoadedLibraries: Equatable, Sendable {
  /// Whole paths, sorted.
  private let paths: [String]

  /// `maps`: the text of /proc/self/maps.
  package init(maps: String) {
    let files = maps.split(separator: "\n").compactMap { line -> String? in
      guard let slash = line.firstIndex(of: "/") else { return nil }
      return String(line[slash...])
    }
    paths = Set(files).sorted().filter { path in Self.watched.contains { Self.name(path).hasPrefix($0) } }
  }

  /// This process's.
  package static func current() -> LoadedLibraries {
    // By a handle: the system gives no size for this file, and it is longer than what Foundation then reads at once.
    let data = try? FileHandle(forReadingAtPath: "/proc/self/maps")?.readToEnd()
    return LoadedLibraries(maps: String(decoding: data ?? Data(), as: UTF8.self))
  }

  private static let watched = [
    "libmpi.so", "libopenblas", "libdnnl", "libgomp", "libomp.so", "libomp5", "libiomp5", "libjpeg.so", "libturbojpeg",
  ]

  /// File names, such as libmpi.so.40.30.4, by what they begin with: they must be the same on all hosts.
  package var names: [String: String] {
    var names: [String: String] = [:]
    for prefix in Self.watched {
      let found = Set(paths.map(Self.name).filter { $0.hasPrefix(prefix) })
      if !found.isEmpty { names[prefix] = found.sorted().joined(separator: " ") }
    }
    return names
  }

  /// "62.3.0": libjpeg tells no version but that of its file.
  var libjpegVersion: String { names["libjpeg.so"].map { String($0.dropFirst("libjpeg.so.".count)) } ?? "unknown" }

  /// Why threads of one library would take cores from those of another; nil where they share one pool.
  package var secondPool: String? {
    // Debian's variants differ in their folders only.
    if let path = paths.first(where: { $0.contains("openblas-pthread") }) {
      return "\(path) has threads of its own beside OpenMP's: install libopenblas-openmp-dev, or choose it with "
        + "update-alternatives --config libopenblas.so.0-x86_64-linux-gnu"
    }
    let pools = paths.map(Self.name).filter {
      $0.hasPrefix("libgomp") || $0.hasPrefix("libomp") || $0.hasPrefix("libiomp5")
    }
    return pools.count > 1 ? "\(pools.joined(separator: " and ")) are loaded, two pools of OpenMP threads" : nil
  }

  private static func name(_ path: String) -> String { FilePath.name(of: path) }
}

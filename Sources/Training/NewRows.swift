/// How the class weight's rows of new people begin.
package enum NewRows: String, Codable, CaseIterable, Sendable {
  /// With the direction in which the loaded network puts their images.
  case mean
  /// As in a run from nothing, by the seed.
  case random
}

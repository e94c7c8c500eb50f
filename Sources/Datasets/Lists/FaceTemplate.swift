/// A set of images of one person that is compared as a whole: photographs, and frames of videos.
///
/// As IARPA's Janus benchmarks use them (Klare et al., CVPR 2015; Maze et al., ICB 2018): frames of one video, or
/// photographs of one press report, are one medium and count together as one.
package struct FaceTemplate: Equatable, Sendable {
  package let id: String
  /// Nil where the list does not say who it is.
  package let subject: String?
  /// The images of each medium, as numbers of the list's `images`; media in the order in which the list names them.
  package internal(set) var media: [[Int]]

  package init(id: String, subject: String?, media: [[Int]]) {
    (self.id, self.subject, self.media) = (id, subject, media)
  }
}

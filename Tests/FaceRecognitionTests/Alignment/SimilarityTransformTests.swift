import Datasets
import Testing

@Suite struct SimilarityTransformTests {
  typealias Point = SimilarityTransform.Point

  private let points = [
    Point(120.5, 90.25), Point(182, 101.5), Point(146.75, 137), Point(113.25, 160.5), Point(166.5, 170),
  ]

  /// NumPy 2.4.6: `np.linalg.lstsq` over the rows x, -y, 1, 0 and y, x, 0, 1; Umeyama's by `np.linalg.svd` is the same.
  @Test func equalsNumPysLeastSquares() throws {
    let template = AlignedSize.square.template
    let transform = try #require(SimilarityTransform(leastSquares: points, to: template))
    #expect(abs(transform.a - 0.5572597691768268) < 1e-12 && abs(transform.b - -0.09838191717174283) < 1e-12)
    #expect(abs(transform.tx - -38.1939701250906) < 1e-10 && abs(transform.ty - 12.770162957661858) < 1e-10)
    #expect(abs(transform.residual(points, to: template) - 1.6841658344355939) < 1e-10)
    #expect(abs(transform.scale - 0.5658775945108606) < 1e-12)
    #expect(!SimilarityTransform.isMirrored(points, to: template))
  }

  @Test func portraitIsTheSquareWithoutEightColumns() throws {
    let square = try #require(SimilarityTransform(leastSquares: points, to: AlignedSize.square.template))
    let portrait = try #require(SimilarityTransform(leastSquares: points, to: AlignedSize.portrait.template))
    #expect(abs(square.tx - portrait.tx - 8) < 1e-10 && abs(square.ty - portrait.ty) < 1e-10)
    #expect(abs(square.a - portrait.a) < 1e-12 && AlignedSize.portrait.width == 96)
  }

  /// `np.linalg.det` of the covariance: -216220 with the eyes and the corners of the mouth exchanged.
  @Test func exchangedSidesAreAMirror() {
    let exchanged = [1, 0, 2, 4, 3].map { points[$0] }
    #expect(SimilarityTransform.isMirrored(exchanged, to: AlignedSize.square.template))
  }

  @Test func exactWhereTheShapesAreSimilar() throws {
    let known = SimilarityTransform(a: -0.3, b: 1.7, tx: 12, ty: -4.5)
    let found = try #require(SimilarityTransform(leastSquares: points, to: points.map { known($0) }))
    for point in points {
      let (there, back) = (found(point) - known(point), found.inverse(found(point)) - point)
      #expect(abs(there.x) + abs(there.y) < 1e-9 && abs(back.x) + abs(back.y) < 1e-9)
    }
  }

  @Test func pointsWithoutAShape() {
    let one = [Point](repeating: Point(3, 4), count: 5)
    #expect(SimilarityTransform(leastSquares: one, to: AlignedSize.square.template) == nil)
    #expect(SimilarityTransform(leastSquares: AlignedSize.square.template, to: one) == nil)
  }
}

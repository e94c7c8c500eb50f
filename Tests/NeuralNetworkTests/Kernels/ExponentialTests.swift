import NeuralNetwork
import Foundation
import Testing

@Suite struct ExponentialTests {
  @Test func relativeError() {
    var worst = 0.0
    var x: Float = -87.3
    while x < 88 {
      let steps = SIMD8<Float>(0, 1, 2, 3, 4, 5, 6, 7) * 0.000_13
      let argument = SIMD8(repeating: x) + steps
      let result = exponential(argument)
      for lane in 0..<8 {
        let expected = exp(Double(argument[lane]))
        worst = max(worst, abs(Double(result[lane]) - expected) / expected)
      }
      x += 0.001_04
    }
    #expect(worst < 1.3e-7, "\(worst)")
  }

  @Test func specialValues() {
    let result = exponential(SIMD8<Float>(0, -0.0, -87.4, -1e30, -.infinity, .nan, 1, -87.2))
    #expect(result[0] == 1 && result[1] == 1)
    #expect(result[2] == 0 && result[3] == 0 && result[4] == 0)
    #expect(result[5].isNaN)
    #expect(abs(result[6] - 2.718_281_8) < 3e-7 && result[7] > 0)
  }
}

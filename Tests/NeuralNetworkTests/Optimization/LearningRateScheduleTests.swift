import Foundation
import NeuralNetwork
import Testing

@Suite struct LearningRateScheduleTests {
  func rates(_ shape: LearningRateSchedule.Shape, warmup: Int = 0, total: Int = 10) -> [Double] {
    let schedule = LearningRateSchedule(base: 0.5, shape: shape, warmupSteps: warmup)
    return (0..<total).map { schedule.rate(step: $0, totalSteps: total) }
  }

  @Test func constant() { #expect(rates(.constant, total: 4) == [0.5, 0.5, 0.5, 0.5]) }

  @Test func milestones() {
    let expected = [0.5, 0.5, 0.05, 0.05, 0.005, 0.005]
    #expect(difference(rates(.milestones([2, 4]), total: 6), expected) < 1e-15)
  }

  /// 0.5 * (1 - step / 10)^2, as arcface_torch's PolyScheduler after its warm-up.
  @Test func polynomial() {
    let expected = [0.5, 0.405, 0.32, 0.245, 0.18, 0.125, 0.08, 0.045, 0.02, 0.005]
    #expect(difference(rates(.polynomial()), expected) < 1e-14)
    #expect(difference(rates(.polynomial(power: 1), total: 2), [0.5, 0.25]) < 1e-15)
  }

  @Test func cosine() {
    let half = 0.25 * 0.5.squareRoot()
    let expected = [0.5, 0.25 + half, 0.25, 0.25 - half]
    #expect(difference(rates(.cosine, total: 4), expected) < 1e-15)
  }

  @Test func warmUp() {
    let expected = [0.125, 0.25, 0.375, 0.5, 0.5 * 16 / 25, 0.5 * 9 / 25, 0.5 * 4 / 25, 0.5 / 25]
    #expect(difference(rates(.polynomial(), warmup: 3, total: 8), expected) < 1e-15)
    #expect(difference(rates(.milestones([2]), warmup: 1, total: 3), [0.25, 0.5, 0.05]) < 1e-15)
    // A run shorter than its warm-up, and steps past the end.
    #expect(rates(.cosine, warmup: 9, total: 2) == [0.05, 0.1])
    #expect(LearningRateSchedule(base: 1, shape: .polynomial()).rate(step: 12, totalSteps: 10) == 0)
  }
}

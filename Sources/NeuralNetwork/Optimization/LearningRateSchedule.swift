#if canImport(Glibc)
  import Glibc
#endif

/// The learning rate as a function of the step, and of nothing else: a resumed run needs no schedule's state.
///
/// step counts from 0, T = total steps, w = warm-up steps.  The first w steps climb in a straight line, base (step + 1) /
/// (w + 1), so that no step is lost to a rate of 0 (arcface_torch's first is) and step w has the whole base.
package struct LearningRateSchedule: Sendable, Equatable {
  package enum Shape: Sendable, Equatable {
    /// base
    case constant
    /// base * factor^(milestones passed); at step s a milestone s counts as passed. Steps count from the run's start.
    case milestones([Int], factor: Double = 0.1)
    /// base * (1 - (step - w) / (T - w))^power; power 2 is arcface_torch's PolyScheduler.
    case polynomial(power: Double = 2)
    /// base * (1 + cos(pi (step - w) / (T - w))) / 2
    case cosine
  }

  package var base: Double
  package var shape: Shape
  package var warmupSteps: Int

  package init(base: Double, shape: Shape = .polynomial(), warmupSteps: Int = 0) {
    precondition(warmupSteps >= 0, "A warm-up of \(warmupSteps) steps")
    self.base = base
    self.shape = shape
    self.warmupSteps = warmupSteps
  }

  /// The rate of `step`, in 0..<totalSteps; later ones keep the rate of the end.
  package func rate(step: Int, totalSteps: Int) -> Double {
    precondition(step >= 0, "The learning rate of step \(step)")
    if step < warmupSteps { return base * Double(step + 1) / Double(warmupSteps + 1) }
    let rest = max(totalSteps - warmupSteps, 1)
    let progress = min(Double(step - warmupSteps) / Double(rest), 1)
    switch shape {
    case .constant: return base
    case .milestones(let steps, let factor): return base * pow(factor, Double(steps.count { $0 <= step }))
    case .polynomial(let power): return base * pow(1 - progress, power)
    case .cosine: return base * (1 + cos(Double.pi * progress)) / 2
    }
  }
}

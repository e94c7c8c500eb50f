import ArgumentParser
import Training

/// The update of the weights, as every command that trains takes it.
struct OptimizerOptions: ParsableArguments {
  @Option(
    of: \.$optimizer,
    help: """
      What turns gradients into new weights: sgd (with momentum), adamw (Adam with decoupled weight decay), or muon (of \
      matrices the momentum made orthogonal, of all else as adamw); muon unless given, in replay and bench sgd.
      """)
  var optimizer: OptimizerKind?

  @Option(of: \.$momentum, help: "Momentum of SGD.")
  var momentum: Double

  @Flag(of: \.$nesterov, help: "Nesterov's momentum, of SGD.")
  var nesterov: Bool

  @Option(
    of: \.$beta1, help: "Of AdamW and Muon: what stays of the gradients' average in a step; of Muon's matrices 0.95.")
  var beta1: Double

  @Option(of: \.$beta2, help: "Of AdamW and Muon: what stays of the squared gradients' average in a step.")
  var beta2: Double

  @Option(of: \.$epsilon, help: "Of AdamW and Muon: what is added to the root of the squared gradients' average.")
  var epsilon: Double

  @Option(
    of: \.$matrixRateFactor,
    help: "Of Muon: how much larger a matrix's steps are than AdamW's of the same rate.")
  var matrixRateFactor: Double

  @Option(
    of: \.$weightDecay, help: "Weight decay of the network; 0.0005 with SGD and 0.05 with the others unless given")
  var weightDecay: Double?

  @Option(of: \.$classWeightDecay, help: "Weight decay of the class weight; it pulls on the scale.")
  var classWeightDecay: Double

  func validate() throws { try refuseConflicts() }
}

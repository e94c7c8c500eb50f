/// The two ways through a network.
package enum PassStage: Sendable { case forward, backward }

/// Hears when a pass works on which chain of layers: for traces, and to measure layers one by one.
///
/// Called on the thread that runs the pass, outside of any parallel region. `chain` counts from 0 in the order in which
/// the chains of a stage run; see `Pass.chainNames`.
package protocol PassObserver: AnyObject {
  func begins(chain: Int, _ stage: PassStage)
  func ends(chain: Int, _ stage: PassStage)
}

import Files
import Foundation
import Reports
package import Training

/// Who hears of a run: what its options ask for, and the record of the options themselves.
package enum Observers {
  package static func make(_ folder: RunFolder, _ options: TrainingOptions) throws -> [any RunObserver] {
    var observers: [any RunObserver] = [OptionFile(options)]
    if let text = options.dashboard {
      guard let address = DashboardAddress(text) else {
        throw SettingError("dashboard", text, "HOST:PORT is needed, such as 127.0.0.1:8080")
      }
      observers.append(try Dashboard(address, folder, options))
    }
    if options.tensorboard { observers.append(TensorBoardLog()) }
    return observers
  }
}

/// All options as YAML, for `train --config`.
private final class OptionFile: RunObserver {
  private let options: TrainingOptions

  init(_ options: TrainingOptions) { self.options = options }

  func open(_ folder: RunFolder, resumingAt index: Int?) throws {
    try AtomicFile.write(Data(options.yaml().utf8), to: folder.optionFile)
  }
}

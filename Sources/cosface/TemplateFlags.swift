import ArgumentParser
import Evaluation

struct TemplateFlags: ParsableArguments {
  @Option(
    help: """
      List of templates, lines 'TEMPLATE SUBJECT MEDIA PATH' (or 'PATH TEMPLATE MEDIA'); --pairs then has lines \
      'TEMPLATE TEMPLATE 0|1', or without the last field where subjects are known.
      """)
  var templates: String?

  @Option(
    help: """
      How a template's images become one vector: means of unit vectors (unit), or of embeddings as long as they are \
      (norm, insightface's norm score); unit unless given.
      """)
  var pooling: TemplatePooling.Rule?

  @Option(
    help: """
      List of the detector's scores, weights of the templates' images: lines 'PATH X1 Y1 ... X5 Y5 SCORE' (IJB's \
      name_5pts_score.txt), or 'PATH SCORE'.
      """)
  var detectorScores: String?

  @Option(
    parsing: .upToNextOption,
    help: "Galleries to search, each a list 'TEMPLATE,SUBJECT' (IJB's 1N_gallery_G1.csv and G2), in place of --pairs.")
  var galleryTemplates: [String] = []

  @Option(help: "Templates to search for in each of --gallery-templates, in the same form (IJB's 1N_probe_mixed.csv).")
  var probeTemplates: String?

  func validate() throws {
    guard templates != nil else {
      let others: [(String, Bool)] = [
        ("--pooling", pooling != nil), ("--detector-scores", detectorScores != nil),
        ("--gallery-templates", !galleryTemplates.isEmpty), ("--probe-templates", probeTemplates != nil),
      ]
      if let (name, _) = others.first(where: \.1) { throw ValidationError("\(name) goes with --templates.") }
      return
    }
    guard galleryTemplates.isEmpty == (probeTemplates == nil) else {
      throw ValidationError("--gallery-templates and --probe-templates belong together.")
    }
  }

  var isSearch: Bool { probeTemplates != nil }
  var inputs: [String?] { [templates, detectorScores, probeTemplates] + galleryTemplates }

  func fill(_ options: inout EvaluationOptions) {
    options.templates = templates
    options.pooling = pooling ?? .unit
    options.detectorScores = detectorScores
  }
}

extension TemplatePooling.Rule: ExpressibleByArgument {}

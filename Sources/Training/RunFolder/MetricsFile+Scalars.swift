extension MetricsFile.Line {
  /// The numbers that are worth a curve, under their names in the file.
  package var scalars: [(name: String, value: Double)] {
    var scalars = [
      ("loss", loss), ("scale", scale), ("classWeightNorm", classWeightNorm), ("learningRate", learningRate),
      ("imagesPerSecond", imagesPerSecond), ("dataShare", dataShare),
      ("communicationShare", communicationShare),
    ]
    if let accuracy { scalars.append(("accuracy", accuracy)) }
    if let areaUnderCurve { scalars.append(("areaUnderCurve", areaUnderCurve)) }
    return scalars
  }

  /// The part of the step's time that rank 0 waited for images: `dataSeconds` of `seconds`.
  var dataShare: Double { seconds > 0 ? dataSeconds / seconds : 0 }
}

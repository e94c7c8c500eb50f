/// One process as a group: it does everything.
struct SingleProcess: EmbeddingGroup {
  var rank: Int { 0 }
  var size: Int { 1 }

  func gather(_ values: [Float], counts: [Int]) -> [Float] { values }
  func gather(_ values: [Double], counts: [Int]) -> [Double] { values }
  func gather<Value: Codable>(encoding own: Value) -> [Value] { [own] }
}

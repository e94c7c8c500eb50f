import Files
import Inference

/// The findings of a search, each image in one of them at most, so that what is proposed does not contradict itself.
struct FindingList {
  private let search: FaultSearch
  private(set) var findings: [Finding] = []
  /// Rows that have a finding of their own.
  private var taken: Set<Int> = []
  /// Rows that show what another one shows.
  private var copies: Set<Int> = []
  /// People who are proposed to be left out.
  private var validated: Set<Int> = []
  /// People who are one.
  private var groups: JoinedNumbers
  /// To whom rows are proposed to be moved.
  private var targets: [Int: Int] = [:]
  /// Names that exist or are proposed.
  private var names: Set<Name>

  /// Images of one person that a finding shows.
  private static let shown = 4

  /// - Parameter pairs: two rows each, and the correlation of their pictures.
  init(_ search: FaultSearch, pairs: [(rows: (Int, Int), correlation: Double)]) {
    self.search = search
    groups = JoinedNumbers(search.set.people)
    names = Set(search.set.source.classNames)
    addValidation()
    addDuplicates(pairs.filter { $0.correlation >= search.bounds.pictureCorrelation })
    addOnePerson()
    addWrongLabels()
    addTwoPeople()
    let order = Dictionary(uniqueKeysWithValues: zip(FindingKind.allCases, 0...))
    // Equal scores keep the order of the set.
    findings = findings.enumerated().sorted { a, b in
      (order[a.element.kind]!, -a.element.score, a.offset) < (order[b.element.kind]!, -b.element.score, b.offset)
    }.map(\.element)
  }

  private var set: EmbeddedSet { search.set }
  private func name(_ person: Int) -> Name { set.source.classNames[person] }

  private mutating func addValidation() {
    guard let bound = search.bounds.validationScore, let validation = search.validation,
      let templates = search.validationTemplates
    else { return }
    func add(_ person: Int, _ rows: [Int], _ twin: NearestPeople.Candidate, _ score: Double) {
      let other = templates.people[twin.template]
      let name = validation.source.classNames[other].text
      let samples = rows.map { set.samples[$0] }
      let known = validation.rows[other].prefix(Self.shown).map { validation.samples[$0] }
      findings.append(
        Finding(
          kind: .validation, score: score, samples: samples, person: self.name(person), other: name, action: .remove,
          pictures: [
            samples.isEmpty ? pictures(of: person) : .init(title: self.name(person).text, samples: samples),
            .init(title: name, samples: known, isValidation: true),
          ], remark: "cosine \(Figures.fixed(twin.cosine))"))
    }
    for (row, twin) in search.validationTwins.enumerated() {
      guard let twin else { continue }
      let score = search.validationScore(twin, of: row)
      guard score >= bound else { continue }
      validated.insert(search.templates.people[row])
      add(search.templates.people[row], [], twin, score)
    }
    for (row, twin) in search.rivalTwins.enumerated() {
      let (person, rows) = search.rivals[row]
      guard let twin, !validated.contains(person) else { continue }
      let score = search.rivalScore(twin, of: row)
      guard score >= bound else { continue }
      taken.formUnion(rows)
      add(person, rows, twin, score)
    }
  }

  /// Of each group of equal pictures the one stays that fits its person best.
  private mutating func addDuplicates(_ pairs: [(rows: (Int, Int), correlation: Double)]) {
    var places: [Int: Int] = [:]
    var rows: [Int] = []
    for row in pairs.flatMap({ [$0.rows.0, $0.rows.1] }) where places[row] == nil && !taken.contains(row) {
      places[row] = rows.count
      rows.append(row)
    }
    var joined = JoinedNumbers(rows.count)
    var most = [Double](repeating: -1, count: rows.count)
    for pair in pairs {
      guard let a = places[pair.rows.0], let b = places[pair.rows.1] else { continue }
      joined.join(a, to: b)
      for place in [a, b] { most[place] = max(most[place], pair.correlation) }
    }
    let members = Dictionary(grouping: rows.indices) { joined.root(of: $0) }.values.map { $0.map { rows[$0] }.sorted() }
    func fit(_ row: Int) -> (Int, Double) {
      (validated.contains(set.labels[row]) ? 0 : 1, search.ownCosines[row] ?? -1)
    }
    for group in members.sorted(by: { $0[0] < $1[0] }) {
      // The first of the best.
      let kept = group.max { fit($0) < fit($1) }!
      for row in group where row != kept {
        taken.insert(row)
        copies.insert(row)
        let person = set.labels[row]
        findings.append(
          Finding(
            kind: .duplicate, score: most[places[row]!], samples: [set.samples[row]], person: name(person),
            other: set.source.identifier(of: set.samples[kept]), action: .remove,
            pictures: [
              .init(title: name(person).text, samples: [set.samples[row]]),
              .init(title: name(set.labels[kept]).text, samples: [set.samples[kept]]),
            ], remark: "cosine \(Figures.fixed(set.table.cosine(row, kept)))"))
      }
    }
  }

  private mutating func addOnePerson() {
    let found = search.twins.enumerated().compactMap {
      row, twin -> (row: Int, twin: NearestPeople.Candidate, Double)? in
      guard let twin else { return nil }
      let score = search.twinScore(twin, of: row)
      return score >= search.bounds.personScore ? (row, twin, score) : nil
    }
    for (row, twin, score) in found.sorted(by: { ($1.2, $0.row) < ($0.2, $1.row) }) {
      let pair = [row, twin.template].map { search.templates.people[$0] }
      guard !pair.contains(where: validated.contains) else { continue }
      let roots = pair.map { groups.root(of: $0) }
      guard roots[0] != roots[1] else { continue }
      // The smaller folder joins the larger one.
      let ordered = roots.sorted { (set.rows[$1].count, $0) < (set.rows[$0].count, $1) }
      groups.join(ordered[1], to: ordered[0])
      findings.append(
        Finding(
          kind: .onePerson, score: score, samples: [], person: name(ordered[1]), other: name(ordered[0]).text,
          action: .join(name(ordered[0])), pictures: pair.map { pictures(of: $0) },
          remark: "cosine \(Figures.fixed(twin.cosine))"))
    }
  }

  private mutating func addWrongLabels() {
    for (row, nearest) in search.far where !taken.contains(row) {
      guard let nearest else { continue }
      let score = search.labelScore(nearest, of: row)
      let (person, other) = (set.labels[row], search.templates.people[nearest.template])
      guard score >= search.bounds.labelScore, groups.root(of: person) != groups.root(of: other) else { continue }
      taken.insert(row)
      targets[row] = other
      let isValidated = validated.contains(other)
      let own = search.ownCosines[row].map { "cosine \(Figures.fixed($0)) with the own person, " } ?? ""
      findings.append(
        Finding(
          kind: isValidated ? .validation : .wrongLabel, score: score, samples: [set.samples[row]],
          person: name(person), other: name(other).text, action: isValidated ? .remove : .move(name(other)),
          pictures: [
            .init(title: "this image", samples: [set.samples[row]]), pictures(of: person, without: [row]),
            pictures(of: other),
          ], remark: own + "\(Figures.fixed(nearest.cosine)) with the other"))
    }
  }

  /// A second part of a folder whose images look like each other and not like the first.
  private mutating func addTwoPeople() {
    for (person, parts) in search.parts.parts.enumerated() where parts.count > 1 && !validated.contains(person) {
      for all in parts.dropFirst() {
        // A picture and its copy are no second person.
        let part = all.filter { !copies.contains($0) }
        let within = mean(part.enumerated().flatMap { place, row in part[..<place].map { (row, $0) } })
        guard part.count > 2 || (part.count == 2 && within >= search.bounds.pairCosine) else { continue }
        let rest = part.filter { !taken.contains($0) }
        guard !rest.isEmpty else { continue }
        let across = mean(part.flatMap { row in parts[0].map { (row, $0) } })
        let target = target(of: part) ?? newName(for: person)
        taken.formUnion(rest)
        findings.append(
          Finding(
            kind: .twoPeople, score: within - across, samples: rest.map { set.samples[$0] }, person: name(person),
            other: target.text, action: .move(target),
            pictures: [
              .init(title: "these images", samples: rest.prefix(Self.shown).map { set.samples[$0] }),
              pictures(of: person, without: part),
            ],
            remark: "mean cosine \(Figures.fixed(within)) among them, \(Figures.fixed(across)) with the others"))
      }
    }
  }

  /// Whom at least half of a part's images were proposed to be moved to.
  private func target(of part: [Int]) -> Name? {
    let counts = Dictionary(grouping: part.compactMap { targets[$0] }) { $0 }.mapValues(\.count)
    guard let most = counts.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }), 2 * most.value >= part.count,
      !validated.contains(most.key)
    else { return nil }
    return name(most.key)
  }

  private mutating func newName(for person: Int) -> Name {
    var number = 2
    while !names.insert(Name("\(name(person))-\(number)")).inserted { number += 1 }
    return Name("\(name(person))-\(number)")
  }

  private func mean(_ pairs: [(Int, Int)]) -> Double {
    pairs.reduce(0) { $0 + set.table.cosine($1.0, $1.1) } / Double(max(pairs.count, 1))
  }

  /// The first images of the part that stands for a person.
  private func pictures(of person: Int, without left: [Int] = []) -> Finding.Pictures {
    let rows = (search.parts.parts[person].first ?? []).filter { !left.contains($0) }
    return .init(title: name(person).text, samples: rows.prefix(Self.shown).map { set.samples[$0] })
  }
}

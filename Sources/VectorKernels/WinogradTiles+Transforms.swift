/// The transforms of Winograd's tiles (see `WinogradTiles`), for images in blocks of L channels: L = lanes of a vector.
///
/// An image is (groups, height, width, L), and its groups are those of `groups` channels; x, y and dy are those of the
/// whole batch, ranges count its tiles. Of the 36 vectors of a transformed tile each lies in a plane of its own, `plane`
/// Floats after the one before, at the slot that `WinogradPlace` says.
extension KernelSet {
  /// V = B' d B of the tiles of `range` and of `groups` among `count`, V's rows (tiles) `rowStride` apart. d is x, or what
  /// `map` makes of it, value by value.
  @inlinable @inline(__always)
  package static func transformInputs(
    _ tiles: WinogradTiles, _ range: Range<Int>, _ groups: Range<Int>, of count: Int, _ x: UnsafePointer<Float>,
    map: ChannelMap?, into v: UnsafeMutablePointer<Float>, rowStride: Int, plane: Int
  ) {
    switch (map != nil, map?.slope != nil) {
    case (false, _):
      transformInputs(tiles, range, groups, count, x, map, v, rowStride, plane, maps: false, prelu: false)
    case (true, false):
      transformInputs(tiles, range, groups, count, x, map, v, rowStride, plane, maps: true, prelu: false)
    case (true, true):
      transformInputs(tiles, range, groups, count, x, map, v, rowStride, plane, maps: true, prelu: true)
    }
  }

  @inlinable @inline(__always)
  static func transformInputs(
    _ tiles: WinogradTiles, _ range: Range<Int>, _ groups: Range<Int>, _ count: Int, _ x: UnsafePointer<Float>,
    _ map: ChannelMap?, _ v: UnsafeMutablePointer<Float>, _ rowStride: Int, _ plane: Int, maps: Bool, prelu: Bool
  ) {
    let area = tiles.height &* tiles.width &* Vector.lanes
    withTileBuffer { buffer in
      var group = groups.lowerBound
      while group < groups.upperBound {
        let target = v + group &* Vector.lanes
        let channel = group &* Vector.lanes
        let a = maps ? Vector(from: map!.a + channel) : Vector.zero
        let b = maps ? Vector(from: map!.b + channel) : Vector.zero
        let slope = prelu ? Vector(from: map!.slope! + channel) : Vector.zero
        @inline(__always) func read(_ source: UnsafePointer<Float>) -> Vector {
          let value = Vector(from: source)
          if !maps { return value }
          let z = b.addingProduct(value, a)
          return prelu ? z.wherePositive(z, otherwise: z * slope) : z
        }
        var place = WinogradPlace(range.lowerBound, in: tiles)
        var index = 0
        while index < range.count {
          tiles.transformInput(
            read, x + (place.image &* count &+ group) &* area, place, buffer, into: target,
            WinogradSlots(place, stride: rowStride), plane: plane)
          place.advance(in: tiles)
          index &+= 1
        }
        group &+= 1
      }
    }
  }

  /// Z = A dy A' likewise, in panels of two groups, `panel` Floats from one to the next.
  @inlinable @inline(__always)
  package static func transformGradients(
    _ tiles: WinogradTiles, _ range: Range<Int>, _ groups: Range<Int>, of count: Int, _ dy: UnsafePointer<Float>,
    into z: UnsafeMutablePointer<Float>, panel: Int, plane: Int
  ) {
    let area = tiles.height &* tiles.width &* Vector.lanes
    withTileBuffer { buffer in
      var group = groups.lowerBound
      while group < groups.upperBound {
        let target = z + ((group >> 1) &* panel &+ (group & 1) &* Vector.lanes)
        var place = WinogradPlace(range.lowerBound, in: tiles)
        var index = 0
        while index < range.count {
          tiles.transformGradient(
            Vector.self, dy + (place.image &* count &+ group) &* area, place, buffer, into: target,
            WinogradSlots(place, stride: 2 &* Vector.lanes), plane: plane)
          place.advance(in: tiles)
          index &+= 1
        }
        group &+= 1
      }
    }
  }

  /// y = A' m A + bias of the tiles of `range` and of `groups` among `count`, m's rows (tiles) `rowStride` apart.
  ///
  /// m holds these groups alone, y and bias all.
  @inlinable @inline(__always)
  package static func transformOutputs(
    _ tiles: WinogradTiles, _ range: Range<Int>, _ groups: Range<Int>, of count: Int, _ m: UnsafePointer<Float>,
    rowStride: Int, plane: Int, bias: UnsafePointer<Float>?, into y: UnsafeMutablePointer<Float>
  ) {
    let area = tiles.height &* tiles.width &* Vector.lanes
    withTileBuffer { buffer in
      var group = groups.lowerBound
      while group < groups.upperBound {
        let source = m + (group &- groups.lowerBound) &* Vector.lanes
        var shift = Vector.zero
        if let bias { shift = Vector(from: bias + group &* Vector.lanes) }
        var place = WinogradPlace(range.lowerBound, in: tiles)
        var index = 0
        while index < range.count {
          tiles.transformOutput(
            source, WinogradSlots(place, stride: rowStride), plane: plane, bias: shift, buffer,
            into: y + (place.image &* count &+ group) &* area, place)
          place.advance(in: tiles)
          index &+= 1
        }
        group &+= 1
      }
    }
  }

  /// A tile between its two passes.
  @inlinable @inline(__always)
  static func withTileBuffer(_ body: (UnsafeMutablePointer<Float>) -> Void) {
    withUnsafeTemporaryAllocation(
      byteCount: WinogradTiles.positions &* MemoryLayout<Vector>.size, alignment: MemoryLayout<Vector>.alignment
    ) { buffer in
      body(buffer.baseAddress!.assumingMemoryBound(to: Float.self))
    }
  }
}

extension WinogradTiles {
  /// B' d B of the tile at `place`. `x0`: one group of one image, of which `read` gives vectors.
  @inlinable @inline(__always)
  func transformInput<Vector: FloatVector>(
    _ read: (UnsafePointer<Float>) -> Vector, _ x0: UnsafePointer<Float>, _ place: WinogradPlace,
    _ buffer: UnsafeMutablePointer<Float>,
    into target: UnsafeMutablePointer<Float>, _ slots: WinogradSlots, plane: Int
  ) {
    let lanes = Vector.lanes
    let (isTall, isWide) = (place.row < shortRow, place.column < shortColumn)
    let (rowCount, columnCount) = (isTall ? 6 : 4, isWide ? 6 : 4)
    let isInside = place.x > 0 && place.x &+ columnCount &- 1 <= width
    var row = 0
    while row < rowCount {
      let y = place.y &+ row &- 1
      let line = buffer + 6 &* row &* lanes
      let source = x0 + (y &* width &+ place.x) &* lanes
      @inline(__always) func load(_ column: Int) -> Vector { read(source + column &* lanes) }
      @inline(__always) func loadIfThere(_ column: Int) -> Vector {
        place.x &+ column >= 0 && place.x &+ column < width ? load(column) : Vector.zero
      }
      if y < 0 || y >= height {
        Self.clear(Vector.self, line, columnCount)
      } else if isInside && isWide {
        WinogradLine<Vector>.writeInputs(
          load(-1), load(0), load(1), load(2), load(3), load(4), line, line + 4 &* lanes, lanes)
      } else if isWide {
        WinogradLine<Vector>.writeInputs(
          loadIfThere(-1), load(0), loadIfThere(1), loadIfThere(2), loadIfThere(3), loadIfThere(4), line,
          line + 4 &* lanes, lanes)
      } else {
        WinogradLine<Vector>.writeShortInputs(
          loadIfThere(-1), load(0), loadIfThere(1), loadIfThere(2), line, lanes)
      }
      row &+= 1
    }
    var column = 0
    while column < columnCount {
      let source = buffer + column &* lanes
      let (low, high) = slots.offsets(column)
      let lowTarget = target + (low &+ column &* plane)
      @inline(__always) func value(_ row: Int) -> Vector { Vector(from: source + 6 &* row &* lanes) }
      if isTall {
        WinogradLine<Vector>.writeInputs(
          value(0), value(1), value(2), value(3), value(4), value(5), lowTarget,
          target + (high &+ (24 &+ column) &* plane), 6 &* plane)
      } else {
        WinogradLine<Vector>.writeShortInputs(value(0), value(1), value(2), value(3), lowTarget, 6 &* plane)
      }
      column &+= 1
    }
  }

  /// A line of a tile that lies beyond the image.
  @inlinable @inline(__always)
  static func clear<Vector: FloatVector>(_: Vector.Type, _ line: UnsafeMutablePointer<Float>, _ columnCount: Int) {
    var column = 0
    while column < columnCount {
      Vector.zero.store(to: line + column &* Vector.lanes)
      column &+= 1
    }
  }

  /// A dy A' of the tile at `place`.
  @inlinable @inline(__always)
  func transformGradient<Vector: FloatVector>(
    _: Vector.Type, _ dy: UnsafePointer<Float>, _ place: WinogradPlace, _ buffer: UnsafeMutablePointer<Float>,
    into target: UnsafeMutablePointer<Float>, _ slots: WinogradSlots, plane: Int
  ) {
    let lanes = Vector.lanes
    let (isTall, isWide) = (place.row < shortRow, place.column < shortColumn)
    let (rowCount, columnCount) = (isTall ? 4 : 2, isWide ? 6 : 4)
    var row = 0
    while row < rowCount {
      let y = place.y &+ row
      let line = buffer + 6 &* row &* lanes
      let source = dy + (y &* width &+ place.x) &* lanes
      @inline(__always) func load(_ column: Int) -> Vector {
        place.x &+ column < width ? Vector(from: source + column &* lanes) : Vector.zero
      }
      if y >= height {
        Self.clear(Vector.self, line, columnCount)
      } else if isWide {
        WinogradLine<Vector>.writeGradients(
          Vector(from: source), load(1), load(2), load(3), line, line + 4 &* lanes, lanes)
      } else {
        WinogradLine<Vector>.writeShortGradients(Vector(from: source), load(1), line, lanes)
      }
      row &+= 1
    }
    var column = 0
    while column < columnCount {
      let source = buffer + column &* lanes
      let (low, high) = slots.offsets(column)
      let lowTarget = target + (low &+ column &* plane)
      @inline(__always) func value(_ row: Int) -> Vector { Vector(from: source + 6 &* row &* lanes) }
      if isTall {
        WinogradLine<Vector>.writeGradients(
          value(0), value(1), value(2), value(3), lowTarget, target + (high &+ (24 &+ column) &* plane), 6 &* plane)
      } else {
        WinogradLine<Vector>.writeShortGradients(value(0), value(1), lowTarget, 6 &* plane)
      }
      column &+= 1
    }
  }

  /// y = A' m A + bias of the tile at `place`.
  @inlinable @inline(__always)
  func transformOutput<Vector: FloatVector>(
    _ source: UnsafePointer<Float>, _ slots: WinogradSlots, plane: Int, bias: Vector,
    _ buffer: UnsafeMutablePointer<Float>, into result: UnsafeMutablePointer<Float>, _ place: WinogradPlace
  ) {
    let lanes = Vector.lanes
    let (isTall, isWide) = (place.row < shortRow, place.column < shortColumn)
    let columnCount = isWide ? 6 : 4
    var column = 0
    while column < columnCount {
      let (low, high) = slots.offsets(column)
      let lowSource = source + (low &+ column &* plane)
      let target = buffer + column &* lanes
      if isTall {
        let y = WinogradLine<Vector>.outputs(lowSource, source + (high &+ (24 &+ column) &* plane), 6 &* plane)
        y.0.store(to: target)
        y.1.store(to: target + 6 &* lanes)
        y.2.store(to: target + 12 &* lanes)
        y.3.store(to: target + 18 &* lanes)
      } else {
        let y = WinogradLine<Vector>.shortOutputs(lowSource, 6 &* plane)
        y.0.store(to: target)
        y.1.store(to: target + 6 &* lanes)
      }
      column &+= 1
    }
    let rowCount = min(4, height &- place.y)
    let there = width &- place.x
    var row = 0
    while row < rowCount {
      let line = UnsafePointer(buffer + 6 &* row &* lanes)
      let target = result + ((place.y &+ row) &* width &+ place.x) &* lanes
      if isWide {
        let y = WinogradLine<Vector>.outputs(line, line + 4 &* lanes, lanes)
        (y.0 + bias).store(to: target)
        if there > 1 { (y.1 + bias).store(to: target + lanes) }
        if there > 2 { (y.2 + bias).store(to: target + 2 &* lanes) }
        if there > 3 { (y.3 + bias).store(to: target + 3 &* lanes) }
      } else {
        let y = WinogradLine<Vector>.shortOutputs(line, lanes)
        (y.0 + bias).store(to: target)
        if there > 1 { (y.1 + bias).store(to: target + lanes) }
      }
      row &+= 1
    }
  }
}

// Restores a JPEG with a TFLite model, tile by tile.
//
// The counterpart of restorer.py, function by function. It was neither compiled nor run, for want
// of a Swift compiler and a device.

import CoreGraphics
import Foundation
import ImageIO
import TensorFlowLite

// Tiles begin and end on multiples of this.
let GRID = 16

// Philox-4x32-10 (Salmon et al., 2011).
let MULTIPLIERS: [UInt64] = [0xD251_1F53, 0xCD9E_8D57]
let KEY_STEPS: [UInt64] = [0x9E37_79B9, 0xBB67_AE85]
let ROUNDS = 10
let LOW: UInt64 = 0xFFFF_FFFF

/// The caller has cancelled the restoration.
struct CancelledError: Error {}

/// What NAME.tflite.json says about a network: the side of its tiles, the halo of pixels around
/// them that affects their results, and the pixels per position of each noise field, along a side.
struct Card {
    let tile: Int
    let halo: Int
    let noiseStrides: [Int]
}

/// A tile along one axis: the network sees [start, stop), of which [first, last) is kept.
struct Span {
    let start: Int
    let stop: Int
    let first: Int
    let last: Int
}

/// Rows of pixels, three bytes each: red, green, blue.
struct Picture {
    let width: Int
    let height: Int
    var bytes: [UInt8]
}

/// Read the card of a network for fixed tiles.
func readCard(_ text: String) throws -> Card {
    let values = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
    guard let tile = values["tile"] as? Int, let halo = values["halo"] as? Int,
        let strides = values["noise_strides"] as? [Int]
    else {
        throw RestoreError(message: "a network of any size: export one with --tile=256")
    }
    let card = Card(tile: tile, halo: halo, noiseStrides: strides)
    if card.tile <= 2 * card.halo {
        throw RestoreError(
            message: "tiles of \(card.tile) are too small for a halo of \(card.halo)")
    }
    return card
}

/// Tiles of one length that together keep every position of an axis once.
///
/// The first tile begins and the last one ends with the axis, since networks notice its ends. What
/// is kept lies at least `halo` from every other end of a tile. An axis shorter than a tile has two
/// tiles, one aligned with each end, which reach beyond the other end; each keeps its own half.
///
/// - Parameter size: length of the axis; it is rounded up to `GRID`.
func spans(_ size: Int, _ tile: Int, _ halo: Int) -> [Span] {
    let rounded = (size + GRID - 1) / GRID * GRID
    if rounded < tile {
        let middle = (size + 1) / 2
        return [
            Span(start: 0, stop: tile, first: 0, last: middle),
            Span(start: rounded - tile, stop: rounded, first: middle, last: size),
        ]
    }
    var found: [Span] = []
    var first = 0
    while first < size {
        let start = min(max(first - halo, 0), rounded - tile)
        let stop = start + tile
        let last = min(stop == rounded ? stop : stop - halo, size)
        found.append(Span(start: start, stop: stop, first: first, last: last))
        first = last
    }
    return found
}

/// A tile of a picture, T * T * 3; beyond the picture its edge is repeated.
func cut(_ picture: Picture, _ rows: Span, _ columns: Span) -> [Float] {
    let size = (rows.stop - rows.start) * (columns.stop - columns.start) * 3
    var tile = [Float](repeating: 0, count: size)
    var i = 0
    for row in rows.start..<rows.stop {
        let y = min(max(row, 0), picture.height - 1)
        for column in columns.start..<columns.stop {
            let x = min(max(column, 0), picture.width - 1)
            for channel in 0..<3 {
                tile[i] = Float(picture.bytes[(y * picture.width + x) * 3 + channel])
                i += 1
            }
        }
    }
    return tile
}

/// Copy the kept part of a tile into a picture, rounded and clipped.
func paste(_ tile: [Float], _ rows: Span, _ columns: Span, _ picture: inout Picture) throws {
    let side = columns.stop - columns.start
    for y in rows.first..<rows.last {
        for x in columns.first..<columns.last {
            for channel in 0..<3 {
                let kept = tile[((y - rows.start) * side + x - columns.start) * 3 + channel]
                if !kept.isFinite {
                    throw RestoreError(
                        message: "the network's output is not finite: run it without the delegate")
                }
                let rounded = min(max(kept.rounded(.toNearestOrEven), 0), 255)
                picture.bytes[(y * picture.width + x) * 3 + channel] = UInt8(rounded)
            }
        }
    }
}

/// Cells that are set, or touch one that is.
func grown(_ cells: [[Bool]]) -> [[Bool]] {
    return cells.indices.map { y in
        cells[y].indices.map { x in
            let around = max(x - 1, 0)...min(x + 1, cells[y].count - 1)
            return (max(y - 1, 0)...min(y + 1, cells.count - 1)).contains { row in
                around.contains { column in cells[row][column] }
            }
        }
    }
}

/// How much of the network's colour to keep in each cell of 16 x 16 pixels: 0, 1/2 or 1.
///
/// A cell has colour if R, G and B differ in one of its pixels. The weight is the mean of two
/// indicators: whether there is colour in the cell or in one that touches it, and whether there is
/// any up to two cells away. So a gray picture stays gray.
func keptColour(_ picture: Picture) -> [[Float]] {
    let width = (picture.width + GRID - 1) / GRID
    let height = (picture.height + GRID - 1) / GRID
    var cells = [[Bool]](repeating: [Bool](repeating: false, count: width), count: height)
    var i = 0
    for y in 0..<picture.height {
        for x in 0..<picture.width {
            let red = picture.bytes[i]
            if red != picture.bytes[i + 1] || red != picture.bytes[i + 2] {
                cells[y / GRID][x / GRID] = true
            }
            i += 3
        }
    }
    let near = grown(cells)
    let far = grown(near)
    return near.indices.map { y in
        near[y].indices.map { x -> Float in near[y][x] ? 1 : far[y][x] ? 0.5 : 0 }
    }
}

/// Draw the pixels of a tile towards their channels' mean, as far as their colour is not kept.
func damp(_ tile: [Float], _ rows: Span, _ columns: Span, _ kept: [[Float]]) -> [Float] {
    let side = columns.stop - columns.start
    return tile.indices.map { (i: Int) -> Float in
        let pixel = i / 3
        let line = kept[min(max((rows.start + pixel / side) / GRID, 0), kept.count - 1)]
        let weight = line[min(max((columns.start + pixel % side) / GRID, 0), line.count - 1)]
        let mean = (tile[3 * pixel] + tile[3 * pixel + 1] + tile[3 * pixel + 2]) / 3
        return mean + weight * (tile[i] - mean)
    }
}

/// Four random words from four counter words and two key words: 32 bits each, held in 64.
func philox(_ counter: [UInt64], _ key: [UInt64]) -> [UInt64] {
    var (c0, c1, c2, c3) = (counter[0], counter[1], counter[2], counter[3])
    var (k0, k1) = (key[0], key[1])
    for _ in 0..<ROUNDS {
        let first = c0 * MULTIPLIERS[0]
        let second = c2 * MULTIPLIERS[1]
        (c0, c1, c2, c3) = (
            (second >> 32) ^ c1 ^ k0,
            second & LOW,
            (first >> 32) ^ c3 ^ k1,
            first & LOW
        )
        k0 = (k0 + KEY_STEPS[0]) & LOW
        k1 = (k1 + KEY_STEPS[1]) & LOW
    }
    return [c0, c1, c2, c3]
}

/// Standard normals, side * side, of a noise field, starting at row `top` and column `left`.
///
/// Those at row i, columns 4 m to 4 m + 3 come from the counter (m, i, field, 0) under the low and
/// the high half of the seed, by the Box-Muller transform in double precision. Rows and
/// columns may be negative.
func noise(_ seed: UInt64, _ field: Int, _ top: Int, _ left: Int, _ side: Int) -> [Float] {
    let begin = left >> 2
    let end = (left + side + 3) >> 2
    let key = [seed & LOW, (seed >> 32) & LOW]
    var normals = [Float](repeating: 0, count: side * side)
    var four = [Double](repeating: 0, count: 4)
    for row in top..<(top + side) {
        for group in begin..<end {
            let m = UInt64(truncatingIfNeeded: group) & LOW
            let i = UInt64(truncatingIfNeeded: row) & LOW
            let words = philox([m, i, UInt64(field), 0], key)
            for pair in [0, 2] {
                let radius = (-2 * log((Double(words[pair]) + 0.5) / 4294967296.0)).squareRoot()
                let angle = 2 * Double.pi * ((Double(words[pair + 1]) + 0.5) / 4294967296.0)
                four[pair] = radius * cos(angle)
                four[pair + 1] = radius * sin(angle)
            }
            for i in 0..<4 {
                let column = 4 * group + i - left
                if column >= 0 && column < side {
                    normals[(row - top) * side + column] = Float(four[i])
                }
            }
        }
    }
    return normals
}

/// The platform's decode of a file, without rotation or colour conversion.
func decode(_ data: [UInt8]) throws -> Picture {
    let plain = Data(try withoutMetadata(data)) as CFData
    guard let source = CGImageSourceCreateWithData(plain, nil),
        let image = CGImageSourceCreateImageAtIndex(source, 0, nil),
        let colors = image.colorSpace
    else {
        throw RestoreError(message: "a broken JPEG: the platform cannot decode it")
    }
    let (width, height) = (image.width, image.height)
    // Drawn into its own colour space, the values stay unchanged.
    let channels = colors.model == .monochrome ? 1 : 4
    let info = channels == 1 ? CGImageAlphaInfo.none : CGImageAlphaInfo.noneSkipLast
    var drawn = [UInt8](repeating: 0, count: width * height * channels)
    let done = drawn.withUnsafeMutableBytes { memory -> Bool in
        guard
            let context = CGContext(
                data: memory.baseAddress, width: width, height: height, bitsPerComponent: 8,
                bytesPerRow: width * channels, space: colors, bitmapInfo: info.rawValue)
        else { return false }
        context.interpolationQuality = .none
        context.draw(image, in: CGRect(x: 0, y: 0, width: width, height: height))
        return true
    }
    if !done {
        throw RestoreError(message: "a JPEG in colours that the platform cannot draw")
    }
    var bytes = [UInt8](repeating: 0, count: width * height * 3)
    for pixel in 0..<(width * height) {
        for channel in 0..<3 {
            bytes[3 * pixel + channel] = drawn[channels * pixel + (channels == 1 ? 0 : channel)]
        }
    }
    return Picture(width: width, height: height, bytes: bytes)
}

/// The picture as an image of the platform.
func toImage(_ picture: Picture) -> CGImage? {
    guard let colors = CGColorSpace(name: CGColorSpace.sRGB),
        let provider = CGDataProvider(data: Data(picture.bytes) as CFData)
    else { return nil }
    return CGImage(
        width: picture.width, height: picture.height, bitsPerComponent: 8, bitsPerPixel: 24,
        bytesPerRow: 3 * picture.width, space: colors,
        bitmapInfo: CGBitmapInfo(rawValue: CGImageAlphaInfo.none.rawValue), provider: provider,
        decode: nil, shouldInterpolate: false, intent: .defaultIntent)
}

/// A network, and optionally the float projection, ready to restore one picture at a time.
///
/// Use it on one thread at a time, other than the main one.
final class Restorer {
    private let card: Card
    private let network: Interpreter
    private let projection: Interpreter?

    /// - Parameters:
    ///   - network: path of a TFLite model for fixed tiles with float pixels.
    ///   - card: its card.
    ///   - projection: path of projection_TILE.tflite for the same tiles, or none; it runs on the
    ///     processor.
    ///   - threads: processor threads, for both.
    ///   - delegates: to run the network with.
    init(
        network: String, card: Card, projection: String? = nil, threads: Int = 4,
        delegates: [Delegate]? = nil
    ) throws {
        var options = Interpreter.Options()
        options.threadCount = threads
        options.isXNNPackEnabled = delegates == nil
        self.card = card
        self.network = try Interpreter(modelPath: network, options: options, delegates: delegates)
        options.isXNNPackEnabled = true
        self.projection = try projection.map { try Interpreter(modelPath: $0, options: options) }
    }

    /// Restore a picture.
    ///
    /// - Parameters:
    ///   - header: the file's header.
    ///   - decoded: the file's `decode`.
    ///   - seed: the sample to draw.
    ///   - cancelled: called before each tile; true stops the restoration.
    ///   - progress: called after each tile with the share that is done.
    func restore(
        _ header: Header, _ decoded: Picture, seed: UInt64 = 0,
        cancelled: () -> Bool = { false }, progress: (Double) -> Void = { _ in }
    ) throws -> Picture {
        if decoded.width != header.width || decoded.height != header.height {
            throw RestoreError(message: "the decoder gives another size than the header")
        }
        var restored = decoded
        let rowsOfTiles = spans(header.height, card.tile, card.halo)
        let columnsOfTiles = spans(header.width, card.tile, card.halo)
        let kept = keptColour(decoded)
        var done = 0
        for rows in rowsOfTiles {
            for columns in columnsOfTiles {
                if cancelled() {
                    throw CancelledError()
                }
                let pixels = cut(decoded, rows, columns)
                var tile = try runNetwork(pixels, header, rows, columns, seed)
                tile = damp(tile, rows, columns, kept)
                if let projection = projection {
                    tile = try project(projection, tile, pixels, header)
                }
                try paste(tile, rows, columns, &restored)
                done += 1
                progress(Double(done) / Double(rowsOfTiles.count * columnsOfTiles.count))
            }
        }
        return restored
    }

    /// The network's output for a tile, with the noise of the tile's position.
    private func runNetwork(
        _ pixels: [Float], _ header: Header, _ rows: Span, _ columns: Span, _ seed: UInt64
    ) throws -> [Float] {
        var inputs = ["pixels": pixels, "tables": networkTables(header)]
        for (field, stride) in card.noiseStrides.enumerated() {
            let top = rows.start / stride
            let left = columns.start / stride
            let normals = noise(seed, field, top, left, card.tile / stride)
            inputs["noise_\(field)"] = normals
        }
        return try run(network, "restore", inputs, "restored")
    }

    /// The nearest tile, in real arithmetic, that has the levels of the decoded one.
    private func project(
        _ projection: Interpreter, _ tile: [Float], _ pixels: [Float], _ header: Header
    ) throws -> [Float] {
        let inputs = [
            "pixels": tile,
            "decoded": pixels,
            "tables": projectionTables(header),
        ]
        return try run(projection, projectionName(header), inputs, "projected")
    }
}

/// The output of a signature.
func run(
    _ interpreter: Interpreter, _ name: String, _ inputs: [String: [Float]], _ output: String
) throws -> [Float] {
    let given = inputs.mapValues { values in values.withUnsafeBufferPointer { Data(buffer: $0) } }
    let runner = try interpreter.signatureRunner(with: name)
    try runner.invoke(with: given)
    let found = try runner.output(named: output).data
    return found.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
}

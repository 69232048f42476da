// What a restoration needs from a JPEG file's header: size, sampling, tables.
//
// The counterpart of jpeg_header.py, function by function, in plain Swift.

import Foundation

// Natural index of each zigzag position (ITU-T T.81, figure A.6).
let ZIGZAG = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
]

// Codes of JPEG's markers (T.81, table B.1).
let SOF0 = 0xC0
let SOF2 = 0xC2
let DHT = 0xC4
let JPG = 0xC8
let DAC = 0xCC
let SOF15 = 0xCF
let RST0 = 0xD0
let SOI = 0xD8
let EOI = 0xD9
let SOS = 0xDA
let DQT = 0xDB
let APP0 = 0xE0
let APP14 = 0xEE
let APP15 = 0xEF
let COM = 0xFE

/// The reason why a file is not restored, on one line.
struct RestoreError: LocalizedError {
    let message: String
    var errorDescription: String? { message }
}

/// A marker segment: its code, and where its content starts and stops.
struct Segment {
    let code: Int
    let start: Int
    let stop: Int
}

/// A component of the frame: its id, its sampling factors and the number of its table.
struct Component {
    let identifier: Int
    let across: Int
    let down: Int
    let table: Int
}

/// The contents of a JPEG file's header; tables has 64 steps in natural order per component.
struct Header {
    let width: Int
    let height: Int
    let components: [Component]
    let tables: [[Int]]
}

/// A byte, 0 to 255.
private func at(_ data: [UInt8], _ position: Int) -> Int {
    return Int(data[position])
}

/// A big-endian 16-bit number.
func wordAt(_ data: [UInt8], _ position: Int) -> Int {
    return at(data, position) << 8 | at(data, position + 1)
}

/// Whether a segment's content begins with a text, followed by at least one byte.
func begins(_ data: [UInt8], _ segment: Segment, _ text: String) -> Bool {
    return segment.stop - segment.start > text.utf8.count
        && data[segment.start..<segment.stop].starts(with: text.utf8)
}

/// The marker segments, up to the end of the image or as far as the file goes.
///
/// Stuffing, restart markers and fill bytes are skipped, like entropy-coded data.
func segments(_ data: [UInt8]) throws -> [Segment] {
    if data.count < 4 || wordAt(data, 0) != (0xFF00 | SOI) {
        throw RestoreError(message: "not a JPEG file")
    }
    var found: [Segment] = []
    var position = 2
    while position + 4 <= data.count {
        let code = at(data, position + 1)
        if data[position] != 0xFF || code < SOF0 || code == 0xFF || (RST0...SOI).contains(code) {
            position += 1
            continue
        }
        let start = position + 4
        let stop = position + 2 + wordAt(data, position + 2)
        if code == EOI || stop < start || stop > data.count {
            break
        }
        found.append(Segment(code: code, start: start, stop: stop))
        position = stop
    }
    return found
}

/// Size, sampling and tables of a file: for each component, the table defined at its first scan.
func readHeader(_ data: [UInt8]) throws -> Header {
    var defined: [Int: [Int]] = [:]
    var tables: [Int: [Int]] = [:]
    var width = 0
    var height = 0
    var components: [Component] = []
    var jfif = false
    var adobe = -1
    for segment in try segments(data) {
        let code = segment.code
        let start = segment.start
        let stop = segment.stop
        if code == APP0 && begins(data, segment, "JFIF") {
            jfif = true
        } else if code == APP14 && begins(data, segment, "Adobe") && stop - start >= 12 {
            adobe = at(data, start + 11)
        } else if code == DQT {
            try readTables(data, segment, &defined)
        } else if (SOF0...SOF2).contains(code) && components.isEmpty {
            components = try readComponents(data, segment)
            height = wordAt(data, start + 1)
            width = wordAt(data, start + 3)
        } else if (SOF0...SOF15).contains(code) && ![DHT, JPG, DAC].contains(code) {
            throw RestoreError(message: "neither a baseline nor a progressive JPEG")
        } else if code == SOS {
            let scanned = try readScan(data, segment)
            for i in components.indices where scanned.contains(components[i].identifier) {
                if let steps = defined[components[i].table], tables[i] == nil {
                    tables[i] = steps
                }
            }
            if !components.isEmpty && tables.count == components.count {
                break
            }
        }
    }
    if width == 0 || height == 0 || tables.count < components.count {
        throw RestoreError(message: "a broken JPEG: its header is not complete")
    }
    if tables.values.contains(where: { $0.contains(0) }) {
        throw RestoreError(message: "a broken JPEG: a quantization table has a step of 0")
    }
    let named = components.map { $0.identifier } == "RGB".utf8.map { Int($0) }
    if components.count == 3 && !jfif && (adobe == 0 || (adobe < 0 && named)) {
        throw RestoreError(message: "an RGB-coded JPEG: only grayscale and YCbCr are restored")
    }
    return Header(
        width: width, height: height, components: components,
        tables: components.indices.map { tables[$0]! })
}

/// Add the quantization tables of a segment, with 8 or 16 bits per step, to `defined`.
func readTables(_ data: [UInt8], _ segment: Segment, _ defined: inout [Int: [Int]]) throws {
    var position = segment.start
    while position < segment.stop {
        let size = 1 + (at(data, position) >> 4)
        if size > 2 || position + 1 + 64 * size > segment.stop {
            throw RestoreError(message: "a broken JPEG: malformed quantization tables")
        }
        var steps = [Int](repeating: 0, count: 64)
        for i in 0..<64 {
            let place = position + 1 + size * i
            steps[ZIGZAG[i]] = size == 1 ? at(data, place) : wordAt(data, place)
        }
        defined[at(data, position) & 15] = steps
        position += 1 + 64 * size
    }
}

/// The components of a frame header.
func readComponents(_ data: [UInt8], _ segment: Segment) throws -> [Component] {
    let length = segment.stop - segment.start
    let count = length > 5 ? at(data, segment.start + 5) : 0
    if ![1, 3].contains(count) || length != 6 + 3 * count || data[segment.start] != 8 {
        throw RestoreError(message: "only 8-bit grayscale and YCbCr are restored")
    }
    var found: [Component] = []
    for i in 0..<count {
        let place = segment.start + 6 + 3 * i
        let factors = at(data, place + 1)
        found.append(
            Component(
                identifier: at(data, place), across: factors >> 4, down: factors & 15,
                table: at(data, place + 2)))
    }
    return found
}

/// The component ids of a scan.
func readScan(_ data: [UInt8], _ segment: Segment) throws -> [Int] {
    let count = segment.stop > segment.start ? at(data, segment.start) : 0
    if count == 0 || segment.stop - segment.start < 1 + 2 * count {
        throw RestoreError(message: "a broken JPEG: a malformed scan")
    }
    return (0..<count).map { at(data, segment.start + 1 + 2 * $0) }
}

/// The file without EXIF, profiles and comments, but with JFIF's and Adobe's segments.
///
/// A decoder then neither rotates the picture nor converts its colours.
func withoutMetadata(_ data: [UInt8]) throws -> [UInt8] {
    var kept: [UInt8] = []
    var position = 0
    for segment in try segments(data) {
        let code = segment.code
        if code == COM || (code > APP0 && code <= APP15 && code != APP14) {
            kept += data[position..<(segment.start - 4)]
            position = segment.stop
        }
    }
    kept += data[position...]
    return kept
}

/// The steps of Y, Cb and Cr, 3 * 64; a grayscale file's are used for all.
func projectionTables(_ header: Header) -> [Float] {
    let luma = header.tables[0]
    let blue = header.tables.count == 3 ? header.tables[1] : luma
    let red = header.tables.count == 3 ? header.tables[2] : luma
    return (luma + blue + red).map { Float($0) }
}

/// The steps of luma, and the geometric mean of Cb's and Cr's, 2 * 64.
func networkTables(_ header: Header) -> [Float] {
    let tables = projectionTables(header)
    let chroma = (0..<64).map { (Double(tables[64 + $0]) * Double(tables[128 + $0])).squareRoot() }
    return Array(tables[0..<64]) + chroma.map { Float($0) }
}

/// The signature of the float projection for the file's sampling.
func projectionName(_ header: Header) throws -> String {
    let luma = header.components[0]
    let chroma = header.components.dropFirst()
    for (name, across, down) in [("project_444", 1, 1), ("project_422", 2, 1), ("project_420", 2, 2)] {
        if chroma.allSatisfy({ luma.across == across * $0.across && luma.down == down * $0.down }) {
            return name  // grayscale takes the first
        }
    }
    throw RestoreError(message: "no projection for the file's sampling: restore it without")
}

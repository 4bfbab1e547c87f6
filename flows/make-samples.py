#!/usr/bin/env python3
"""Makes the sample media under flows/samples/: real files of several kinds that open, small, free of anybody's rights.

The standard library is all it needs, and it writes the same bytes every time, so the samples in the tree can be
checked against it: `make-samples.py --check`. Each writer is the smallest that its format allows to be honest:
PNG and GIF are complete, JPEG is baseline with the specification's example tables, the video is H.264 with
uncompressed (I_PCM) pictures in MP4, MP3 is silence with an ID3 tag.
"""

import argparse
import json
import math
import struct
import sys
import wave
import zlib
from io import BytesIO
from pathlib import Path


# ---- pictures: functions of x and y in 0..1 that give (r, g, b) ---------------------------------

def sunset(x, y):
    """A sun over water."""
    sun = math.hypot(x - 0.5, (y - 0.55) * 0.8) < 0.13
    if y > 0.6:
        glitter = 40 * math.sin(90 * y + 6 * math.sin(14 * x)) if abs(x - 0.5) < 0.2 else 0
        return (int(40 + glitter), int(50 + glitter), 90)
    if sun:
        return (255, 236, 170)
    return (int(250 - 90 * y), int(120 + 90 * y), int(120 - 40 * y))


def rings(x, y, phase=0.0):
    level = 0.5 + 0.5 * math.sin(40 * math.hypot(x - 0.5, y - 0.5) - phase)
    return (int(30 + 200 * level), int(60 + 120 * x), int(220 - 160 * level))


def raster(picture, width, height):
    return [[picture((i + 0.5) / width, (j + 0.5) / height) for i in range(width)] for j in range(height)]


def clamp(value):
    return max(0, min(255, int(round(value))))


# ---- PNG ---------------------------------------------------------------------------------------

def png(rows, text):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    lines = b"".join(b"\0" + bytes(clamp(c) for pixel in row for c in pixel) for row in rows)
    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"tEXt", b"Title\0" + text.encode("latin-1"))
            + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b""))


# ---- GIF, animated -----------------------------------------------------------------------------

def lzw(indices, depth):
    """GIF's LZW: codes grow from depth + 1 to 12 bits, then the table is cleared."""
    clear, end = 1 << depth, (1 << depth) + 1
    out, bits, held = bytearray(), 0, 0

    def put(code, size):
        nonlocal bits, held
        held |= code << bits
        bits += size
        while bits >= 8:
            out.append(held & 255)
            held >>= 8
            bits -= 8

    def fresh():
        return {(i,): i for i in range(clear)}, end + 1, depth + 1

    table, following, size = fresh()
    put(clear, size)
    word = ()
    for index in indices:
        if word + (index,) in table:
            word += (index,)
            continue
        put(table[word], size)
        table[word + (index,)] = following
        if following == 1 << size:
            size += 1
        following += 1
        if following == 4095:
            put(clear, size)
            table, following, size = fresh()
        word = (index,)
    put(table[word], size)
    put(end, size)
    if bits:
        out.append(held & 255)
    return bytes(out)


def gif(frames, delay):
    """Frames of rows of (r, g, b) in a palette of 216 colours."""
    palette = bytes(v for r in range(6) for g in range(6) for b in range(6) for v in (r * 51, g * 51, b * 51))
    width, height = len(frames[0][0]), len(frames[0])
    out = b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7, 0, 0) + palette + bytes(3 * 40)
    out += b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
    for rows in frames:
        indices = [sum(clamp(c) * 5 // 255 * w for c, w in zip(pixel, (36, 6, 1))) for row in rows for pixel in row]
        data = lzw(indices, 8)
        out += struct.pack("<BBBBHBB", 0x21, 0xF9, 4, 4, delay, 0, 0)
        out += struct.pack("<BHHHHBB", 0x2C, 0, 0, width, height, 0, 8)
        out += b"".join(bytes([len(data[i:i + 255])]) + data[i:i + 255] for i in range(0, len(data), 255)) + b"\0"
    return out + b";"


# ---- JPEG, baseline, 4:4:4, with the tables of ITU-T T.81, annex K ----------------------------------

ZIGZAG = sorted(range(64), key=lambda n: (n // 8 + n % 8, (n // 8 if (n // 8 + n % 8) % 2 else n % 8)))
LUMINANCE = [16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
             14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
             49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99]
DC_COUNTS = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
AC_COUNTS = [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125]
AC_VALUES = bytes.fromhex(
    "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738393a"
    "434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9"
    "aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa")


def huffman(counts, values):
    codes, code, at = {}, 0, 0
    for length, count in enumerate(counts, 1):
        for _ in range(count):
            codes[values[at]] = (code, length)
            code, at = code + 1, at + 1
        code <<= 1
    return codes


COSINES = [[math.cos((2 * x + 1) * u * math.pi / 16) * (math.sqrt(0.125) if u == 0 else 0.5) for x in range(8)]
           for u in range(8)]


def transform(block):
    rows = [[sum(row[x] * COSINES[u][x] for x in range(8)) for u in range(8)] for row in block]
    return [[sum(rows[y][u] * COSINES[v][y] for y in range(8)) for u in range(8)] for v in range(8)]


def jpeg(rows):
    """Width and height are multiples of 8."""
    dc, ac = huffman(DC_COUNTS, range(12)), huffman(AC_COUNTS, AC_VALUES)
    out, held, bits = bytearray(), 0, 0

    def put(code, size):
        nonlocal held, bits
        held, bits = held << size | code, bits + size
        while bits >= 8:
            byte = held >> (bits - 8) & 255
            out.append(byte)
            if byte == 255:
                out.append(0)
            bits -= 8
        held &= (1 << bits) - 1

    def put_value(table, run, value):
        size = abs(value).bit_length()
        put(*table[run << 4 | size])
        put(value if value >= 0 else value + (1 << size) - 1, size)

    def put_block(block, before):
        quantized = [round(c / q) for c, q in zip((v for row in transform(block) for v in row), LUMINANCE)]
        order = [quantized[n] for n in ZIGZAG]
        put_value(dc, 0, order[0] - before)
        run = 0
        last = max((i for i, v in enumerate(order) if v), default=0)
        for value in order[1:last + 1]:
            if value == 0:
                run += 1
                continue
            while run > 15:
                put(*ac[0xF0])
                run -= 16
            put_value(ac, run, value)
            run = 0
        if last < 63:
            put(*ac[0])
        return order[0]

    def component(pixel, which):
        r, g, b = pixel
        return (0.299 * r + 0.587 * g + 0.114 * b - 128, -0.1687 * r - 0.3313 * g + 0.5 * b,
                0.5 * r - 0.4187 * g - 0.0813 * b)[which]

    before = [0, 0, 0]
    for y in range(0, len(rows), 8):
        for x in range(0, len(rows[0]), 8):
            for which in range(3):
                block = [[component(rows[y + j][x + i], which) for i in range(8)] for j in range(8)]
                before[which] = put_block(block, before[which])
    put((1 << (-bits % 8)) - 1, -bits % 8)

    def segment(marker, data):
        return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data

    return (b"\xff\xd8" + segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0")
            + segment(0xDB, b"\0" + bytes(LUMINANCE[n] for n in ZIGZAG))
            + segment(0xC0, struct.pack(">BHHB", 8, len(rows), len(rows[0]), 3) + b"".join(bytes([c, 0x11, 0]) for c in (1, 2, 3)))
            + segment(0xC4, b"\0" + bytes(DC_COUNTS) + bytes(range(12))) + segment(0xC4, b"\x10" + bytes(AC_COUNTS) + AC_VALUES)
            + segment(0xDA, b"\x03\x01\0\x02\0\x03\0\0\x3f\0") + bytes(out) + b"\xff\xd9")


# ---- sound ------------------------------------------------------------------------------------------

def chord(seconds, rate):
    """Three notes, one after the other, each fading."""
    out = []
    for n in range(int(seconds * rate)):
        t = n / rate
        note = int(3 * t / seconds)
        since = t - note * seconds / 3
        out.append(int(12000 * math.exp(-5 * since) * math.sin(2 * math.pi * (262, 330, 392)[note] * t)))
    return out


def wav(samples, rate):
    out = BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return out.getvalue()


def mp3(seconds, title):
    """Silence: MPEG-1 layer III frames of 32 kbit/s, 32 kHz, mono, whose side information is all zero."""
    frame = b"\xff\xfb\x18\xc0" + bytes(144 - 4)
    text = b"TIT2" + struct.pack(">IH", len(title) + 1, 0) + b"\0" + title.encode("latin-1")
    size = len(text)
    return (b"ID3\x03\0\0" + bytes([size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127]) + text
            + frame * math.ceil(seconds * 32000 / 1152))


# ---- video: H.264 baseline, every macroblock I_PCM, in MP4 --------------------------------------------

class Bits:
    def __init__(self):
        self.text = []

    def u(self, size, value):
        self.text.append(format(value, f"0{size}b"))

    def ue(self, value):
        self.text.append("0" * ((value + 1).bit_length() - 1) + format(value + 1, "b"))

    def se(self, value):
        self.ue(2 * value - 1 if value > 0 else -2 * value)

    def align(self):
        self.text = ["".join(self.text)]
        self.text.append("0" * (-len(self.text[0]) % 8))

    def nal(self, head):
        """With the stop bit, and an 03 wherever two zero bytes would be taken for a start code."""
        self.u(1, 1)
        self.align()
        text = "".join(self.text)
        out, zeros = bytearray([head]), 0
        for at in range(0, len(text), 8):
            byte = int(text[at:at + 8], 2)
            if zeros >= 2 and byte <= 3:
                out.append(3)
                zeros = 0
            out.append(byte)
            zeros = zeros + 1 if byte == 0 else 0
        return bytes(out)


def sequence_parameters(width, height):
    b = Bits()
    for value in (66, 0xC0, 10):  # baseline, level 1
        b.u(8, value)
    for value in (0, 0, 2, 1):  # id, frame numbers of 4 bits, order of output is order of decoding, one reference
        b.ue(value)
    b.u(1, 0)
    b.ue(width // 16 - 1)
    b.ue(height // 16 - 1)
    for value in (1, 1, 0, 0):  # frames only, direct 8x8, no cropping, no VUI
        b.u(1, value)
    return b.nal(0x67)


def picture_parameters():
    b = Bits()
    b.ue(0), b.ue(0), b.u(1, 0), b.u(1, 0), b.ue(0), b.ue(0), b.ue(0), b.u(1, 0), b.u(2, 0)
    b.se(0), b.se(0), b.se(0), b.u(1, 1), b.u(1, 0), b.u(1, 0)
    return b.nal(0x68)


def coded_picture(rows, number):
    b = Bits()
    b.ue(0), b.ue(7), b.ue(0), b.u(4, 0), b.ue(number & 1)  # first macroblock, I slice, an IDR picture of its own id
    b.u(1, 0), b.u(1, 0)  # reference marking
    b.se(0), b.ue(1)  # no deblocking
    for y in range(0, len(rows), 16):
        for x in range(0, len(rows[0]), 16):
            b.ue(25)
            b.align()
            block = [row[x:x + 16] for row in rows[y:y + 16]]
            luma = [clamp(16 + 0.257 * r + 0.504 * g + 0.098 * bl) for line in block for r, g, bl in line]
            blue = [clamp(128 - 0.148 * r - 0.291 * g + 0.439 * bl) for line in block[::2] for r, g, bl in line[::2]]
            red = [clamp(128 + 0.439 * r - 0.368 * g - 0.071 * bl) for line in block[::2] for r, g, bl in line[::2]]
            b.text.append("".join(format(v, "08b") for v in luma + blue + red))
    return b.nal(0x65)


def box(kind, *parts):
    data = b"".join(parts)
    return struct.pack(">I", len(data) + 8) + kind + data


def full(kind, flags, *parts):
    return box(kind, struct.pack(">I", flags), *parts)


def sample_entry(width, height):
    first, second = sequence_parameters(width, height), picture_parameters()
    settings = (b"\x01" + first[1:4] + b"\xff\xe1" + struct.pack(">H", len(first)) + first + b"\x01"
                + struct.pack(">H", len(second)) + second)
    return box(b"avc1", bytes(6), struct.pack(">H", 1), bytes(16), struct.pack(">HHIIIH", width, height, 0x480000, 0x480000, 0, 1),
               bytes(32), struct.pack(">Hh", 24, -1), box(b"avcC", settings))


def mp4(frames, rate):
    width, height = len(frames[0][0]), len(frames[0])
    samples = [struct.pack(">I", len(n)) + n for n in (coded_picture(rows, i) for i, rows in enumerate(frames))]
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    kind = box(b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41")
    count = len(samples)

    def movie(offset):
        table = box(b"stbl", full(b"stsd", 0, struct.pack(">I", 1), sample_entry(width, height)),
                    full(b"stts", 0, struct.pack(">III", 1, count, 1)),
                    full(b"stsc", 0, struct.pack(">IIII", 1, 1, count, 1)),
                    full(b"stsz", 0, struct.pack(">II", 0, count), b"".join(struct.pack(">I", len(s)) for s in samples)),
                    full(b"stco", 0, struct.pack(">II", 1, offset)))
        media = box(b"mdia", full(b"mdhd", 0, struct.pack(">IIIIHH", 0, 0, rate, count, 0x55C4, 0)),
                    full(b"hdlr", 0, bytes(4), b"vide", bytes(12), b"video\0"),
                    box(b"minf", full(b"vmhd", 1, bytes(8)),
                        box(b"dinf", full(b"dref", 0, struct.pack(">I", 1), full(b"url ", 1))), table))
        track = box(b"trak", full(b"tkhd", 3, struct.pack(">IIIII", 0, 0, 1, 0, count), bytes(16), matrix,
                                  struct.pack(">II", width << 16, height << 16)), media)
        return box(b"moov", full(b"mvhd", 0, struct.pack(">IIIIIH", 0, 0, rate, count, 0x10000, 0x100), bytes(10), matrix,
                                 bytes(24), struct.pack(">I", 2)), track)

    at = len(kind) + len(movie(0)) + 8
    return kind + movie(at) + box(b"mdat", b"".join(samples))


# ---- documents -------------------------------------------------------------------------------------

def pdf(lines):
    text = "BT /F1 18 Tf 60 760 Td 28 TL " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
               "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
               f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
               "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    out, places = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    return out + (f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\n"
                  f"startxref\n{len(out)}\n%%EOF\n").encode("latin-1")


SVG = """<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 80" width="120" height="80">
  <rect width="120" height="80" fill="#1c2733"/>
  <path d="M10 60 C30 10 50 10 60 40 S90 70 110 20" fill="none" stroke="#f4a259" stroke-width="5" stroke-linecap="round"/>
  <circle cx="110" cy="20" r="6" fill="#5b8e7d"/>
</svg>
"""


def annotations(image, labels):
    text = {"image": image, "width": 160, "height": 120, "annotator": "samples",
            "labels": [{"name": name, "box": box_, "score": score} for name, box_, score in labels]}
    return (json.dumps(text, indent=2) + "\n").encode()


def samples():
    circles = [raster(lambda x, y, p=phase: rings(x, y, p), 96, 64) for phase in (0, 1, 2, 3, 4, 5)]
    return {
        "photos/sunset.jpg": jpeg(raster(sunset, 160, 120)),
        "photos/sunset.json": annotations("sunset.jpg", [("sun", [59, 50, 42, 31], 0.98), ("sea", [0, 72, 160, 48], 0.95)]),
        "photos/rings.png": png(raster(rings, 160, 120), "Rings"),
        "photos/rings.json": annotations("rings.png", [("ring", [10, 5, 140, 110], 0.91)]),
        "drawings/rings.gif": gif(circles, 10),
        "drawings/curve.svg": SVG.encode(),
        "sound/three-notes.wav": wav(chord(1.5, 16000), 16000),
        "sound/silence.mp3": mp3(2, "Two seconds of silence"),
        "video/rings.mp4": mp4(circles, 6),
        "papers/delivery note.pdf": pdf(["Delivery note", "", "Eleven sample files, made by make-samples.py.",
                                         "Whoever finds this page in a bucket:", "it arrived."]),
        "papers/Größe.txt": "A name that is not ASCII.\n".encode(),
    }


def main():
    parser = argparse.ArgumentParser(description="Makes the sample media.")
    parser.add_argument("--check", action="store_true", help="compare what is there instead of writing")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent / "samples")
    arguments = parser.parse_args()
    wrong = []
    for name, data in samples().items():
        path = arguments.folder / name
        if arguments.check:
            if not path.is_file() or path.read_bytes() != data:
                wrong.append(name)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for name in wrong:
        print(f"make-samples: {name} is not what this script makes; run it without --check", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

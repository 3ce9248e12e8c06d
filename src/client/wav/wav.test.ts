import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AudioFormat } from '../audio-format.ts';
import { audioFormat, frameBytes, sameFormat } from '../audio-format.ts';
import { MemoryPcmReader, SinePcmReader } from '../pcm.ts';
import type { ByteSink, ByteSource } from './index.ts';
import { MemoryByteSink, MemoryByteSource, WavError, WavReader, WavWriter } from './index.ts';

/** What a test writes into a file: numbers are 32-bit, `u16(n)` 16-bit, texts identifiers. */
type Piece = string | number | Uint8Array | { readonly u16: number };
const u16 = (value: number): Piece => ({ u16: value });

function bytesOf(...pieces: Piece[]): Uint8Array {
  const bytes: number[] = [];
  for (const piece of pieces) {
    if (typeof piece === 'string') for (const letter of piece) bytes.push(letter.charCodeAt(0));
    else if (piece instanceof Uint8Array) bytes.push(...piece);
    else if (typeof piece === 'number')
      for (let i = 0; i < 4; i++) bytes.push(Math.floor(piece / 256 ** i) % 256);
    else bytes.push(piece.u16 & 0xff, piece.u16 >> 8);
  }
  return Uint8Array.from(bytes);
}

const chunk = (id: string, content: Uint8Array): Uint8Array =>
  bytesOf(id, content.length, content, new Uint8Array(content.length % 2));

const fmt = (
  fields: { tag?: number; channels?: number; rate?: number; align?: number; bits?: number } = {},
): Uint8Array => {
  const { tag = 1, channels = 2, rate = 44100, align = 4, bits = 16 } = fields;
  return chunk('fmt ', bytesOf(u16(tag), u16(channels), rate, rate * align, u16(align), u16(bits)));
};

const riff = (...chunks: Uint8Array[]): Uint8Array => {
  const content = bytesOf('WAVE', ...chunks);
  return bytesOf('RIFF', content.length, content);
};

const sound = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 37 + 11) & 0xff);
const open = (bytes: Uint8Array) => new WavReader(new MemoryByteSource(bytes));

/** The same bytes from a pipe: no length, no way back. */
function pipe(bytes: Uint8Array): ByteSource {
  const memory = new MemoryByteSource(bytes);
  let reached = 0;
  return {
    byteLength: null,
    read(position, into, byteOffset, byteLength) {
      if (position < reached) throw new Error(`went back from ${reached} to ${position}`);
      const count = memory.read(position, into, byteOffset, Math.min(byteLength, 7));
      reached = position + count;
      return count;
    },
  };
}

function readAll(reader: WavReader, step = 1024): Uint8Array {
  const bytes: number[] = [];
  const block = new Uint8Array(step);
  for (let got = -1; got !== 0; ) {
    got = reader.read(block, 0, step);
    bytes.push(...block.subarray(0, got));
  }
  return Uint8Array.from(bytes);
}

const anyFormat: fc.Arbitrary<AudioFormat> = fc
  .record({
    encoding: fc.constantFrom('integer' as const, 'float' as const),
    size: fc.integer({ min: 0, max: 3 }),
    unused: fc.integer({ min: 0, max: 7 }),
    channels: fc.integer({ min: 1, max: 8 }),
    sampleRate: fc.integer({ min: 1, max: 768_000 }),
    masked: fc.boolean(),
  })
  .map(({ encoding, size, unused, channels, sampleRate, masked }) => {
    const containerBits = encoding === 'float' ? (size < 2 ? 32 : 64) : (size + 1) * 8;
    return audioFormat({
      encoding,
      containerBits,
      validBits: encoding === 'float' ? containerBits : containerBits - unused,
      channels,
      sampleRate,
      ...(masked ? { channelMask: 2 ** channels - 1 } : {}),
    });
  });

describe('WAV files', () => {
  it('come back as they were written, for every format, header and length', () => {
    fc.assert(
      fc.property(
        anyFormat,
        fc.integer({ min: 0, max: 300 }),
        fc.constantFrom('auto' as const, 'extensible' as const),
        fc.constantFrom('auto' as const, 'always' as const),
        fc.integer({ min: 64, max: 999 }),
        (format, frames, header, rf64, step) => {
          const sink = new MemoryByteSink();
          const pcm = sound(frames * frameBytes(format));
          const writer = new WavWriter(sink, format, { header, rf64 });
          const half = Math.floor(frames / 2) * frameBytes(format);
          writer.write(pcm, 0, half);
          writer.write(pcm, half, pcm.length - half);
          writer.end();
          const reader = open(sink.bytes);
          expect(sameFormat(reader.format, format)).toBe(true);
          expect(reader.container).toBe(rf64 === 'always' ? 'RF64' : 'RIFF');
          expect(reader.frameCount).toBe(frames);
          expect(reader.warnings).toEqual([]);
          expect(readAll(reader, step)).toEqual(pcm);
        },
      ),
    );
  });

  it('are readable even when the writer never got to end them, and from and into a pipe', () => {
    fc.assert(
      fc.property(anyFormat, fc.integer({ min: 0, max: 100 }), fc.boolean(), (format, frames, ended) => {
        const sink = new MemoryByteSink({ seekable: !ended });
        const pcm = sound(frames * frameBytes(format));
        const writer = new WavWriter(sink, format);
        writer.write(pcm, 0, pcm.length);
        if (ended) writer.end();
        const bytes = sink.bytes.slice(0, sink.bytes.length - (ended ? pcm.length % 2 : 0));
        expect(readAll(open(bytes))).toEqual(pcm);
        const piped = new WavReader(pipe(bytes));
        expect(piped.frameCount).toBe(null);
        expect(readAll(piped)).toEqual(pcm);
      }),
    );
  });

  it('hold the sizes so far after a flush', () => {
    const sink = new MemoryByteSink();
    const writer = new WavWriter(sink, audioFormat());
    writer.write(sound(40), 0, 40);
    writer.flush();
    writer.write(sound(8), 0, 8);
    expect(open(sink.bytes).frameCount).toBe(10);
  });

  it('never make the reader throw anything but a WavError, however they are damaged', () => {
    const good = [
      riff(fmt(), chunk('LIST', bytesOf('INFOabc')), chunk('data', sound(64)), chunk('id3 ', sound(5))),
      (() => {
        const sink = new MemoryByteSink();
        const writer = new WavWriter(sink, audioFormat({ channels: 6, containerBits: 24 }), {
          rf64: 'always',
        });
        writer.write(sound(180), 0, 180);
        writer.end();
        return sink.bytes.slice();
      })(),
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...good),
        fc.array(fc.tuple(fc.nat(120), fc.oneof(fc.nat(255), fc.constantFrom(0, 0xff))), { maxLength: 12 }),
        fc.option(fc.nat(250)),
        fc.boolean(),
        (original, edits, cut, piped) => {
          const bytes = original.slice(0, cut ?? original.length);
          for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
          try {
            const reader = piped ? new WavReader(pipe(bytes)) : open(bytes);
            expect(readAll(reader).length).toBeLessThanOrEqual(bytes.length);
          } catch (error) {
            expect(error).toBeInstanceOf(WavError);
            expect((error as WavError).message).toMatch(/^[A-Z].*\.$/s);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('never make the reader throw anything but a WavError when they are noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (noise, framed) => {
        const bytes = framed ? bytesOf('RIFF', 0xffffffff, 'WAVE', noise) : noise;
        expect(() => {
          try {
            readAll(open(bytes));
          } catch (error) {
            if (!(error instanceof WavError)) throw error;
          }
        }).not.toThrow();
      }),
      { numRuns: 1000 },
    );
  });
});

describe('what other programs write', () => {
  it('is read in its plainest form', () => {
    const reader = open(riff(fmt(), chunk('data', sound(40))));
    expect(reader.format).toEqual({
      encoding: 'integer',
      sampleRate: 44100,
      channels: 2,
      containerBits: 16,
      validBits: 16,
      channelMask: 0,
    });
    expect(reader.frameCount).toBe(10);
    expect(readAll(reader)).toEqual(sound(40));
  });

  it('may have unknown and odd chunks before and after the data, padded or not', () => {
    const odd = (pad: boolean) => bytesOf('abcd', 3, 'xyz', new Uint8Array(pad ? 1 : 0));
    for (const pad of [true, false]) {
      const reader = open(
        riff(odd(pad), fmt(), odd(pad), chunk('data', sound(40)), odd(pad), chunk('id3 ', sound(2))),
      );
      expect(reader.chunks.map(({ id }) => id)).toEqual(['abcd', 'fmt ', 'abcd', 'data', 'abcd', 'id3 ']);
      expect(readAll(reader)).toEqual(sound(40));
    }
  });

  it('may state sizes of 0 or FFFFFFFFh when it was streamed', () => {
    for (const [riffSize, dataSize] of [
      [0, 0],
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0],
      [36, 0],
      [0x7ffff024, 0x7ffff000],
    ] as const) {
      const bytes = bytesOf('RIFF', riffSize, 'WAVE', fmt(), 'data', dataSize, sound(44));
      expect(readAll(open(bytes)), `${riffSize} ${dataSize}`).toEqual(sound(44));
    }
  });

  it('may really hold no sound', () => {
    const reader = open(riff(fmt(), chunk('data', sound(0)), chunk('LIST', bytesOf('INFO'))));
    expect(reader.frameCount).toBe(0);
    expect(readAll(reader)).toEqual(sound(0));
  });

  it('may be cut off: the whole frames that are there are read, with a warning', () => {
    const reader = open(bytesOf('RIFF', 1036, 'WAVE', fmt(), 'data', 1000, sound(43)));
    expect(reader.frameCount).toBe(10);
    expect(reader.warnings).toEqual([
      'The header states 1000 bytes of sound (0.0 s), but the file ends after 43 (0.0 s).',
      'The data ends with 3 bytes of an unfinished frame of 4; they are left out.',
    ]);
    expect(readAll(reader)).toEqual(sound(40));
  });

  it('may be RF64 with other large chunks in its table, or BW64', () => {
    for (const id of ['RF64', 'BW64']) {
      const ds64 = chunk('ds64', bytesOf(0, 0, 40, 0, 10, 0, 1, 'big ', 6, 0));
      const bytes = bytesOf(
        id,
        0xffffffff,
        'WAVE',
        ds64,
        'big ',
        0xffffffff,
        sound(6),
        fmt(),
        'data',
        0xffffffff,
      );
      const reader = open(bytesOf(bytes, sound(40), chunk('LIST', bytesOf('INFO'))));
      expect(reader.container).toBe(id);
      expect(reader.chunks.map((part) => part.id)).toEqual(['ds64', 'big ', 'fmt ', 'data', 'LIST']);
      expect(readAll(reader)).toEqual(sound(40));
    }
  });

  it('can be read again from any frame', () => {
    const reader = open(riff(fmt(), chunk('data', sound(40))));
    reader.seekFrame(7);
    expect(reader.framePosition).toBe(7);
    expect(readAll(reader)).toEqual(sound(40).subarray(28));
    reader.seekFrame(99);
    expect(readAll(reader).length).toBe(0);
    expect(() => reader.seekFrame(-1)).toThrow(WavError);
  });
});

describe('a file that is no usable WAV file', () => {
  const data = chunk('data', sound(40));
  const extensible = (size: number, tail: number) =>
    chunk(
      'fmt ',
      bytesOf(
        u16(0xfffe),
        u16(2),
        44100,
        176400,
        u16(4),
        u16(16),
        u16(size),
        u16(16),
        3,
        u16(1),
        u16(0),
        0x100000,
        0xaa000080,
        tail,
      ),
    );
  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['empty', sound(0), /holds 0 bytes; a WAV file has at least 44/],
    ['text', bytesOf('Hello, world. This is a letter.'), /begins with 'Hell' instead of 'RIFF'/],
    ['FLAC', bytesOf('fLaC', sound(100)), /This is a FLAC file, not a WAV file\. Convert/],
    ['big-endian', bytesOf('RIFX', 36, 'WAVE'), /big-endian RIFX/],
    ['video', bytesOf('RIFF', 100, 'AVI ', sound(90)), /of type 'AVI ', not 'WAVE'/],
    ['without fmt', riff(data), /before any 'fmt ' chunk/],
    ['fmt after data', riff(data, fmt()), /before any 'fmt ' chunk/],
    ['without data', riff(fmt()), /ends at byte 36 before its 'data' chunk/],
    ['short fmt', riff(chunk('fmt ', sound(14)), data), /'fmt ' chunk holds 14 bytes; PCM needs at least 16/],
    ['no channels', riff(fmt({ channels: 0 }), data), /states 0 channels; 1 to 8/],
    ['many channels', riff(fmt({ channels: 65535 }), data), /states 65535 channels; 1 to 8/],
    ['no rate', riff(fmt({ rate: 0 }), data), /sample rate of 0 Hz/],
    ['huge rate', riff(fmt({ rate: 0xffffffff }), data), /sample rate of 4294967295 Hz; 1 to 768000/],
    ['no block', riff(fmt({ align: 0 }), data), /block alignment is 0 bytes for 2 channels/],
    ['odd block', riff(fmt({ align: 3 }), data), /block alignment is 3 bytes for 2 channels/],
    ['no bits', riff(fmt({ bits: 0 }), data), /Samples of 0 bits do not fit their 16-bit containers/],
    ['many bits', riff(fmt({ bits: 32 }), data), /Samples of 32 bits do not fit/],
    [
      'wide',
      riff(fmt({ align: 16, bits: 64 }), data),
      /A sample takes 64 bits; integer samples must take 8, 16, 24, 32/,
    ],
    ['narrow float', riff(fmt({ tag: 3 }), data), /float samples must take 32, 64/],
    ['A-law', riff(fmt({ tag: 6, align: 2, bits: 8 }), data), /format tag is 0006h \(A-law\); only PCM/],
    ['unknown tag', riff(fmt({ tag: 0x1234 }), data), /format tag is 1234h; only PCM/],
    ['short extensible', riff(extensible(0, 0x719b38), data), /cbSize 0/],
    [
      'other sub-format',
      riff(extensible(22, 0x12345678), data),
      /sub-format of the file is neither PCM nor IEEE float/,
    ],
    [
      'RF64 without ds64',
      bytesOf('RF64', 0xffffffff, 'WAVE', fmt(), data),
      /first chunk is 'fmt ' instead of 'ds64'/,
    ],
    [
      'RF64 with a large table',
      bytesOf('RF64', 0xffffffff, 'WAVE', chunk('ds64', bytesOf(0, 0, 0, 0, 0, 0, 0xffffffff))),
      /4294967295 table entries/,
    ],
    ['wave list', riff(fmt(), chunk('LIST', bytesOf('wavl', 'data', 4, 1))), /'LIST wavl'/],
    ['nested', riff(riff(riff(fmt(), data))), /before its 'fmt ' chunk/],
    ['endless chunks', bytesOf('RIFF', 0, 'WAVE', new Uint8Array(8 * 5000)), /More than 4096 chunks/],
    ['huge chunk', bytesOf('RIFF', 0, 'WAVE', fmt(), 'junk', 0xfffffffe, data), /before its 'data' chunk/],
  ];
  it.each(cases)('is refused with a sentence: %s', (_name, bytes, message) => {
    expect(() => open(bytes)).toThrow(WavError);
    expect(() => open(bytes)).toThrow(message);
  });
});

describe('files above 4 GiB', () => {
  /** Keeps the first block and counts the rest. */
  class SparseSink implements ByteSink, ByteSource {
    readonly seekable = true;
    readonly head = new Uint8Array(1024);
    byteLength = 0;
    write(position: number, from: Uint8Array, byteOffset: number, byteLength: number): void {
      if (position < this.head.length) {
        const piece = from.subarray(
          byteOffset,
          byteOffset + Math.min(byteLength, this.head.length - position),
        );
        this.head.set(piece, position);
      }
      this.byteLength = Math.max(this.byteLength, position + byteLength);
    }
    read(position: number, into: Uint8Array, byteOffset: number, byteLength: number): number {
      const count = Math.max(0, Math.min(byteLength, this.byteLength - position));
      for (let i = 0; i < count; i++) into[byteOffset + i] = this.head[position + i] ?? (position + i) & 0xff;
      return count;
    }
  }
  const block = new Uint8Array(64 << 20);
  const write = (blocks: number, rf64: 'auto' | 'never') => {
    const sink = new SparseSink();
    const writer = new WavWriter(sink, audioFormat({ channels: 4 }), { rf64 });
    for (let i = 0; i < blocks; i++) writer.write(block, 0, block.length);
    writer.end();
    return sink;
  };

  it('become RF64 and are read to the last frame', () => {
    const reader = new WavReader(write(65, 'auto'));
    expect(reader.container).toBe('RF64');
    expect(reader.frameCount).toBe((65 * block.length) / 8);
    expect(reader.warnings).toEqual([]);
    reader.seekFrame((65 * block.length) / 8 - 2);
    expect(reader.read(block, 0, 1000)).toBe(16);
  });

  it('stay RIFF below', () => {
    expect(new WavReader(write(63, 'auto')).container).toBe('RIFF');
  });

  it('are refused when RF64 is not wanted', () => {
    expect(() => write(64, 'never')).toThrow(/reached 4 GiB/);
  });
});

describe('the writer', () => {
  it('writes the extensible header where the plain one would leave something open', () => {
    const tag = (format: Partial<AudioFormat>) => {
      const sink = new MemoryByteSink();
      new WavWriter(sink, audioFormat(format));
      return sink.bytes[56]! | (sink.bytes[57]! << 8);
    };
    expect(tag({})).toBe(1);
    expect(tag({ containerBits: 8 })).toBe(1);
    expect(tag({ encoding: 'float' })).toBe(3);
    expect(tag({ channels: 6 })).toBe(0xfffe);
    expect(tag({ containerBits: 24 })).toBe(0xfffe);
    expect(tag({ containerBits: 16, validBits: 12 })).toBe(0xfffe);
    expect(tag({ channelMask: 0x600 })).toBe(0xfffe);
  });

  it('refuses what cannot be right', () => {
    const writer = new WavWriter(new MemoryByteSink(), audioFormat());
    expect(() => writer.write(sound(5), 0, 5)).toThrow(/5 bytes are no whole number of frames of 4 bytes/);
    writer.end();
    writer.end();
    expect(() => writer.write(sound(4), 0, 4)).toThrow(/has been ended/);
    const odd = audioFormat({ containerBits: 32, validBits: 20 });
    expect(() => new WavWriter(new MemoryByteSink(), odd, { header: 'plain' })).toThrow(/20 bits lie in 32/);
    expect(() => new WavWriter(new MemoryByteSink(), { ...odd, channels: 9 })).toThrow(/channels is 9/);
  });
});

describe('PCM in memory', () => {
  it('gives whole frames up to the end', () => {
    const reader = new MemoryPcmReader(audioFormat(), sound(43));
    const into = new Uint8Array(50);
    expect(reader.read(into, 2, 10)).toBe(8);
    expect(reader.read(into, 10, 40)).toBe(32);
    expect(reader.read(into, 0, 40)).toBe(0);
    expect(into.subarray(2, 42)).toEqual(sound(40));
  });

  it('makes sines in every sample format', () => {
    for (const fields of [
      { containerBits: 8 },
      {},
      { containerBits: 24 },
      { containerBits: 32, validBits: 24 },
      { encoding: 'float' as const },
      { encoding: 'float' as const, containerBits: 64 },
    ]) {
      const format = audioFormat({ ...fields, channels: 1 });
      const bytes = new Uint8Array(48 * frameBytes(format));
      expect(new SinePcmReader(format, 40, 1000, 1).read(bytes, 0, bytes.length)).toBe(
        40 * frameBytes(format),
      );
      const view = new DataView(bytes.buffer);
      // A quarter period of 1 kHz at 48 kHz is 12 frames.
      const peak =
        format.encoding === 'float'
          ? format.containerBits === 32
            ? view.getFloat32(48, true)
            : view.getFloat64(96, true)
          : {
              8: () => (view.getUint8(12) - 128) / 127,
              16: () => view.getInt16(24, true) / 32767,
              24: () => view.getInt8(38) / 127,
              32: () => view.getInt32(48, true) / 0x7fffff00,
            }[format.containerBits as 8 | 16 | 24 | 32]();
      expect(peak).toBe(1);
    }
  });
});

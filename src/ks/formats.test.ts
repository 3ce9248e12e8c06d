import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GUID } from '../com/index.ts';
import {
  NtError,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_INVALID_BUFFER_SIZE,
  STATUS_INVALID_PARAMETER,
} from '../kernel/index.ts';
import * as ks from './index.ts';
import { viewOf } from './layout.ts';

// ---- generators ----

const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffff_ffff);
const anyGuid = fc.tuple(u32, u32, u32, u32).map(([a, b, c, d]) => new GUID(a, b, c, d));
const someBytes = fc.uint8Array({ minLength: 1, maxLength: 40 });

const waveHeader = fc.record({
  wFormatTag: u16.filter((tag) => tag !== ks.WAVE_FORMAT_EXTENSIBLE),
  nChannels: u16,
  nSamplesPerSec: u32,
  nAvgBytesPerSec: u32,
  nBlockAlign: u16,
  wBitsPerSample: u16,
});

const waveFormat: fc.Arbitrary<ks.WAVEFORMATEX | ks.WAVEFORMATEXTENSIBLE> = fc
  .tuple(
    waveHeader,
    fc.option(fc.record({ wValidBitsPerSample: u16, dwChannelMask: u32, subFormat: anyGuid }), { nil: null }),
    fc.option(someBytes, { nil: null }),
  )
  .map(([header, extension, extra]) => {
    const tail = extra === null ? {} : { extra };
    const extraSize = extra?.byteLength ?? 0;
    return extension === null
      ? { ...header, cbSize: extraSize, ...tail }
      : { ...header, wFormatTag: ks.WAVE_FORMAT_EXTENSIBLE, cbSize: 22 + extraSize, ...extension, ...tail };
  });

const attributes = fc.array(
  fc
    .tuple(fc.nat(1), anyGuid, fc.option(someBytes, { nil: null }))
    .map(([flags, attribute, data]) => (data === null ? { flags, attribute } : { flags, attribute, data })),
  { maxLength: 3 },
);

const formatHead = fc.record({ sampleSize: u32, majorFormat: anyGuid, subFormat: anyGuid });

/** Formats as a decoder gives them: sizes and the attribute flag agree with the contents. */
const dataFormat: fc.Arbitrary<ks.KSDATAFORMAT> = fc
  .tuple(
    formatHead,
    fc.nat(1),
    fc.option(attributes, { nil: null }),
    fc.nat(2),
    waveFormat,
    anyGuid,
    fc.option(someBytes, { nil: null }),
    u32,
    u32,
  )
  .map(([head, temporal, list, kind, wave, specifier, data, flags, control]) => {
    const base = {
      ...head,
      flags: temporal | (list === null ? 0 : ks.KSDATAFORMAT_ATTRIBUTES),
      ...(list === null ? {} : { attributes: list }),
    };
    const waveSize = ks.waveFormatSize(wave);
    if (kind === 0) {
      const format: ks.KSDATAFORMAT_WAVEFORMATEX = {
        ...base,
        formatSize: 64 + waveSize,
        specifier: ks.KSDATAFORMAT_SPECIFIER_WAVEFORMATEX,
        waveFormatEx: wave,
      };
      return format;
    }
    if (kind === 1) {
      const format: ks.KSDATAFORMAT_DSOUND = {
        ...base,
        formatSize: 72 + waveSize,
        specifier: ks.KSDATAFORMAT_SPECIFIER_DSOUND,
        bufferDesc: { flags, control, waveFormatEx: wave },
      };
      return format;
    }
    return {
      ...base,
      formatSize: 64 + (data?.byteLength ?? 0),
      specifier,
      ...(data === null ? {} : { data }),
    };
  });

const dataRange: fc.Arbitrary<ks.KSDATARANGE> = fc
  .tuple(
    fc.record({ sampleSize: u32, subFormat: anyGuid, specifier: anyGuid }),
    fc.constantFrom(0, ks.KSDATARANGE_REQUIRED_ATTRIBUTES),
    fc.option(attributes, { nil: null }),
    fc.nat(2),
    fc.tuple(u32, u32, u32, u32, u32),
    anyGuid,
    fc.option(someBytes, { nil: null }),
  )
  .map(([head, required, list, kind, [a, b, c, d, e], technology, data]) => {
    const base = {
      ...head,
      flags: required | (list === null ? 0 : ks.KSDATARANGE_ATTRIBUTES),
      ...(list === null ? {} : { attributes: list }),
    };
    if (kind === 0) {
      const range: ks.KSDATARANGE_AUDIO = {
        ...base,
        majorFormat: ks.KSDATAFORMAT_TYPE_AUDIO,
        maximumChannels: a,
        minimumBitsPerSample: b,
        maximumBitsPerSample: c,
        minimumSampleFrequency: d,
        maximumSampleFrequency: e,
      };
      return range;
    }
    if (kind === 1) {
      const range: ks.KSDATARANGE_MUSIC = {
        ...base,
        majorFormat: ks.KSDATAFORMAT_TYPE_MUSIC,
        technology,
        channels: a,
        notes: b,
        channelMask: c,
      };
      return range;
    }
    return { ...base, majorFormat: ks.KSDATAFORMAT_TYPE_STREAM, ...(data === null ? {} : { data }) };
  });

function ntStatusOf(fn: () => unknown): number | null {
  try {
    fn();
    return null;
  } catch (error) {
    if (error instanceof NtError) return error.status;
    throw error;
  }
}

// ---- tests ----

describe('encoding and decoding', () => {
  it('data formats come back as they were', () => {
    fc.assert(
      fc.property(dataFormat, fc.nat(8), (format, offset) => {
        const bytes = new Uint8Array(offset * 8 + ks.encodedDataFormatSize(format));
        ks.writeDataFormat(bytes, offset * 8, format);
        expect(ks.decodeDataFormat(bytes, offset * 8)).toEqual(format);
        expect(ks.encodeDataFormat(format)).toEqual(bytes.subarray(offset * 8));
      }),
    );
  });

  it('data ranges come back as they were, alone and in lists', () => {
    fc.assert(
      fc.property(fc.array(dataRange, { maxLength: 5 }), (ranges) => {
        for (const range of ranges) expect(ks.decodeDataRange(ks.encodeDataRange(range))).toEqual(range);
        const list = ks.encodeDataRanges(ranges);
        expect(ks.decodeDataRanges(list)).toEqual(ranges);
        expect(viewOf(list).getUint32(0, true)).toBe(list.byteLength);
        expect(list.byteLength % 8).toBe(0);
      }),
    );
  });

  it('pin connect requests come back through the file name', () => {
    fc.assert(
      fc.property(dataFormat, u32, u32, anyGuid, (dataFormat, pinId, prioritySubClass, set) => {
        const connect: ks.KSPIN_CONNECT = {
          interface: { set, id: pinId, flags: 0 },
          medium: ks.STANDARD_DEVIO_MEDIUM,
          pinId,
          pinToHandle: 0x1_2345_6780,
          priority: { priorityClass: ks.KSPRIORITY_NORMAL, prioritySubClass },
          dataFormat,
        };
        const name = ks.pinCreateName(connect);
        const decoded = ks.decodeCreateName(name);
        expect(decoded?.objectClass.equals(ks.KSNAME_Pin)).toBe(true);
        expect(ks.decodePinConnect(decoded?.parameters ?? new Uint8Array(0))).toEqual(connect);
      }),
    );
  });

  it('attribute lists, names, physical connections, mode formats come back', () => {
    fc.assert(
      fc.property(attributes, fc.string(), fc.array(dataFormat, { maxLength: 3 }), (list, text, formats) => {
        expect(ks.decodeAttributes(ks.encodeAttributes(list)).attributes).toEqual(list);
        const name = text.replaceAll('\0', '');
        expect(ks.decodeWideString(ks.encodeWideString(name))).toBe(name);
        const connection = { pin: 7, symbolicLinkName: name };
        expect(ks.decodePhysicalConnection(ks.encodePhysicalConnection(connection))).toEqual(connection);
        expect(ks.decodeModeDataFormats(ks.encodeModeDataFormats(formats))).toEqual(formats);
      }),
    );
  });

  it('stream headers come back', () => {
    const header = fc
      .record({
        frameExtent: u32,
        dataUsed: u32,
        data: fc.maxSafeInteger().map(Math.abs),
        duration: fc.maxSafeInteger(),
      })
      .map((fields) =>
        ks.streamHeader({ ...fields, dataUsed: Math.min(fields.dataUsed, fields.frameExtent) }),
      );
    fc.assert(
      fc.property(fc.array(header, { minLength: 1, maxLength: 4 }), (headers) => {
        expect(ks.decodeStreamHeaders(ks.encodeStreamHeaders(headers), { write: true })).toEqual(headers);
      }),
    );
  });
});

describe('bytes from strangers', () => {
  const decoders: readonly (readonly [string, (bytes: Uint8Array) => unknown])[] = [
    ['decodeDataFormat', ks.decodeDataFormat],
    ['decodeDataRange', ks.decodeDataRange],
    ['decodeDataRanges', ks.decodeDataRanges],
    ['decodeAttributes', ks.decodeAttributes],
    ['decodePinConnect', ks.decodePinConnect],
    ['decodeWaveFormat', ks.decodeWaveFormat],
    ['decodeGuids', ks.decodeGuids],
    ['decodeIdentifiers', ks.decodeIdentifiers],
    ['decodeTopologyConnections', ks.decodeTopologyConnections],
    ['decodeJackDescriptions', ks.decodeJackDescriptions],
    ['decodePropertyDescription', ks.decodePropertyDescription],
    ['decodePhysicalConnection', ks.decodePhysicalConnection],
    ['decodeModeDataFormats', ks.decodeModeDataFormats],
    ['decodeStreamHeaders (read)', (bytes) => ks.decodeStreamHeaders(bytes, { write: false })],
    ['decodeStreamHeaders (write)', (bytes) => ks.decodeStreamHeaders(bytes, { write: true })],
  ];
  // Small numbers in the size fields lead deeper into a decoder than noise does.
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc
      .array(fc.constantFrom(0, 1, 2, 3, 8, 24, 40, 64, 82, 88, 90, 0xfe, 0xff), { maxLength: 300 })
      .map((b) => Uint8Array.from(b)),
    fc.tuple(dataFormat, fc.nat(200), fc.nat(255)).map(([format, at, value]) => {
      const bytes = ks.encodeDataFormat(format);
      if (at < bytes.byteLength) bytes[at] = value;
      return bytes;
    }),
    fc.tuple(fc.array(dataRange, { maxLength: 3 }), fc.nat(300), fc.nat(255)).map(([ranges, at, value]) => {
      const bytes = ks.encodeDataRanges(ranges);
      if (at < bytes.byteLength) bytes[at] = value;
      return bytes;
    }),
  );

  it.each(decoders)('%s gives a value or an NtError', (_name, decode) => {
    fc.assert(
      fc.property(noise, (bytes) => {
        const before = bytes.slice();
        const status = ntStatusOf(() => decode(bytes));
        expect([
          null,
          STATUS_BUFFER_TOO_SMALL,
          STATUS_INVALID_PARAMETER,
          STATUS_INVALID_BUFFER_SIZE,
        ]).toContain(status);
        expect(bytes).toEqual(before);
      }),
      { numRuns: 400 },
    );
  });

  it('what decodes once decodes to the same after encoding', () => {
    fc.assert(
      fc.property(noise, (bytes) => {
        if (ntStatusOf(() => ks.decodeDataFormat(bytes)) !== null) return;
        const format = ks.decodeDataFormat(bytes);
        const again = ks.decodeDataFormat(ks.encodeDataFormat(format));
        // Bytes between the wave format and FormatSize are dropped.
        expect({ ...again, formatSize: 0 }).toEqual({ ...format, formatSize: 0 });
      }),
      { numRuns: 1000 },
    );
  });

  it('a list that claims more items than bytes ends at once', () => {
    const bytes = new Uint8Array(16);
    viewOf(bytes).setUint32(0, 16, true);
    viewOf(bytes).setUint32(4, 0xffff_ffff, true);
    expect(ntStatusOf(() => ks.decodeGuids(bytes))).toBe(STATUS_INVALID_PARAMETER);
    expect(ntStatusOf(() => ks.decodeDataRanges(bytes))).toBe(STATUS_BUFFER_TOO_SMALL);
    expect(ntStatusOf(() => ks.decodeAttributes(bytes))).toBe(STATUS_INVALID_PARAMETER);
  });
});

describe('documented sizes and places', () => {
  it('KSDATAFORMAT_WAVEFORMATEX is packed: 82 bytes, and 104 with an extensible format', () => {
    const plain = ks.encodeDataFormat(ks.pcmFormat(44100, 2, 16));
    expect(plain.byteLength).toBe(82);
    const view = viewOf(plain);
    expect(view.getUint32(0, true)).toBe(82);
    expect(view.getUint16(64, true)).toBe(ks.WAVE_FORMAT_PCM);
    expect(view.getUint32(68, true)).toBe(44100);
    expect(view.getUint16(80, true)).toBe(0);
    expect(ks.encodeDataFormat(ks.pcmFormat(44100, 2, 16, { extensible: true })).byteLength).toBe(104);
  });

  it('KSDATAFORMAT_DSOUND is packed: 90 bytes, the wave format at 72', () => {
    const bytes = ks.encodeDataFormat(ks.dsoundFormatOfWave(ks.waveFormatEx(1, 22050, 1, 8)));
    expect(bytes.byteLength).toBe(90);
    expect(viewOf(bytes).getUint32(76, true)).toBe(22050);
  });

  it('audio ranges take 88 bytes and music ranges 96, padding included', () => {
    expect(ks.encodeDataRange(range48).byteLength).toBe(88);
    expect(viewOf(ks.encodeDataRange(range48)).getUint32(0, true)).toBe(88);
    expect(
      ks.encodeDataRange({
        flags: 0,
        sampleSize: 0,
        majorFormat: ks.KSDATAFORMAT_TYPE_MUSIC,
        subFormat: ks.KSDATAFORMAT_SUBTYPE_MIDI,
        specifier: ks.KSDATAFORMAT_SPECIFIER_NONE,
        technology: ks.KSMUSIC_TECHNOLOGY_PORT,
        channels: 0,
        notes: 0,
        channelMask: 0xffff,
      } as ks.KSDATARANGE_MUSIC).byteLength,
    ).toBe(96);
  });

  it('attributes follow on the next multiple of 8, and FormatSize leaves them out', () => {
    const format = ks.pcmFormat(48000, 2, 16, { mode: ks.AUDIO_SIGNALPROCESSINGMODE_RAW });
    const bytes = ks.encodeDataFormat(format);
    const view = viewOf(bytes);
    expect(view.getUint32(0, true)).toBe(82);
    expect(view.getUint32(4, true)).toBe(ks.KSDATAFORMAT_ATTRIBUTES);
    // 82 → 88: KSMULTIPLE_ITEM of 8 + 40 bytes with one attribute.
    expect([view.getUint32(88, true), view.getUint32(92, true), view.getUint32(96, true)]).toEqual([
      48, 1, 40,
    ]);
    expect(bytes.byteLength).toBe(136);
    expect(ks.signalProcessingMode(ks.decodeDataFormat(bytes).attributes)).toEqual(
      ks.AUDIO_SIGNALPROCESSINGMODE_RAW,
    );
  });

  it('an attribute list counts as an item of a range list', () => {
    const list = ks.encodeDataRanges([
      { ...range48, attributes: [{ flags: 0, attribute: ks.KSATTRIBUTEID_AUDIOSIGNALPROCESSING_MODE }] },
      range48,
    ]);
    expect(viewOf(list).getUint32(4, true)).toBe(3);
    expect(ks.decodeDataRanges(list)).toHaveLength(2);
  });

  it('refuses contradictions with STATUS_INVALID_PARAMETER and missing bytes with STATUS_BUFFER_TOO_SMALL', () => {
    const change = (at: number, value: number) => {
      const bytes = ks.encodeDataFormat(ks.pcmFormat(44100, 2, 16));
      viewOf(bytes).setUint16(at, value, true);
      return () => ks.decodeDataFormat(bytes);
    };
    expect(ntStatusOf(change(0, 63))).toBe(STATUS_INVALID_PARAMETER);
    expect(ntStatusOf(change(0, 64))).toBe(STATUS_INVALID_PARAMETER); // no room for the WAVEFORMATEX that the specifier promises
    expect(ntStatusOf(change(0, 83))).toBe(STATUS_BUFFER_TOO_SMALL);
    expect(ntStatusOf(change(80, 1))).toBe(STATUS_INVALID_PARAMETER); // cbSize past FormatSize
    expect(ntStatusOf(change(64, ks.WAVE_FORMAT_EXTENSIBLE))).toBe(STATUS_INVALID_PARAMETER); // extensible without its members
    expect(ntStatusOf(() => ks.decodeDataFormat(new Uint8Array(63)))).toBe(STATUS_BUFFER_TOO_SMALL);
  });
});

const range48 = ks.audioDataRange({
  maximumChannels: 2,
  minimumBitsPerSample: 8,
  maximumBitsPerSample: 16,
  minimumSampleFrequency: 8000,
  maximumSampleFrequency: 48000,
});

describe('wave formats', () => {
  it('are extensible where a plain one says too little', () => {
    expect(ks.pcmFormat(48000, 2, 16).waveFormatEx.wFormatTag).toBe(ks.WAVE_FORMAT_PCM);
    expect(ks.pcmFormat(48000, 6, 16).waveFormatEx).toMatchObject({
      wFormatTag: ks.WAVE_FORMAT_EXTENSIBLE,
      cbSize: 22,
      dwChannelMask: ks.KSAUDIO_SPEAKER_5POINT1_SURROUND,
      nBlockAlign: 12,
      nAvgBytesPerSec: 576000,
    });
    expect(ks.pcmFormat(96000, 2, 32, { validBits: 24 }).waveFormatEx).toMatchObject({
      wValidBitsPerSample: 24,
    });
    expect(ks.floatFormat(48000, 2).waveFormatEx.wFormatTag).toBe(ks.WAVE_FORMAT_IEEE_FLOAT);
    expect(ks.floatFormat(48000, 2).subFormat).toEqual(ks.KSDATAFORMAT_SUBTYPE_IEEE_FLOAT);
  });

  it('are equal when both forms say the same', () => {
    const plain = ks.waveFormatEx(ks.WAVE_FORMAT_PCM, 44100, 2, 16);
    const extensible = ks.waveFormatExtensible(44100, 2, 16);
    expect(ks.waveFormatEquals(plain, extensible)).toBe(true);
    expect(ks.waveFormatEquals(plain, { ...plain, nSamplesPerSec: 48000 })).toBe(false);
    expect(
      ks.waveFormatEquals(extensible, { ...extensible, dwChannelMask: 0 } as ks.WAVEFORMATEXTENSIBLE),
    ).toBe(false);
    expect(ks.waveFormatEquals(plain, ks.waveFormatExtensible(44100, 2, 16, 12))).toBe(false);
    expect(ks.dataFormatEquals(ks.dataFormatOfWave(plain), ks.dsoundFormatOfWave(extensible))).toBe(true);
  });

  it('equality is reflexive and symmetric', () => {
    fc.assert(
      fc.property(waveFormat, waveFormat, (a, b) => {
        expect(ks.waveFormatEquals(a, a)).toBe(true);
        expect(ks.waveFormatEquals(a, b)).toBe(ks.waveFormatEquals(b, a));
      }),
    );
  });

  it('are consistent or not', () => {
    const good = ks.waveFormatEx(1, 44100, 2, 16);
    expect(ks.isConsistentWaveFormat(good)).toBe(true);
    for (const bad of [
      { nChannels: 0 },
      { nBlockAlign: 3 },
      { nAvgBytesPerSec: 1 },
      { wBitsPerSample: 12 },
    ]) {
      expect(ks.isConsistentWaveFormat({ ...good, ...bad })).toBe(false);
    }
    expect(ks.isConsistentDataFormat(ks.pcmFormat(44100, 2, 16))).toBe(true);
    expect(
      ks.isConsistentDataFormat({
        ...ks.pcmFormat(44100, 2, 16),
        subFormat: ks.KSDATAFORMAT_SUBTYPE_IEEE_FLOAT,
      }),
    ).toBe(false);
  });

  it.each([
    [ks.pcmFormat(48000, 2, 16), '48000 Hz, 2 channels, 16 bits'],
    [ks.pcmFormat(8000, 1, 8), '8000 Hz, 1 channel, 8 bits'],
    [ks.pcmFormat(96000, 2, 32, { validBits: 24 }), '96000 Hz, 2 channels, 24 of 32 bits'],
    [ks.pcmFormat(48000, 6, 16, { channelMask: 0x3f }), '48000 Hz, 6 channels (mask 0x3f), 16 bits'],
    [ks.floatFormat(44100, 2), '44100 Hz, 2 channels, 32 bits float'],
    [
      { ...ks.pcmFormat(44100, 2, 16), subFormat: ks.KSDATAFORMAT_SUBTYPE_MPEG },
      '44100 Hz, 2 channels, 16 bits (as KSDATAFORMAT_SUBTYPE_MPEG)',
    ],
  ])('%#: are described in words', (format, text) => {
    expect(ks.describeFormat(format)).toBe(text);
  });

  it('tags and subtypes translate both ways', () => {
    fc.assert(
      fc.property(u16, (tag) => {
        expect(ks.tagOfSubFormat(ks.subFormatOfTag(tag))).toBe(tag);
      }),
    );
    expect(ks.subFormatOfTag(ks.WAVE_FORMAT_PCM)).toEqual(ks.KSDATAFORMAT_SUBTYPE_PCM);
    expect(ks.subFormatOfTag(ks.WAVE_FORMAT_DOLBY_AC3_SPDIF)).toEqual(
      ks.KSDATAFORMAT_SUBTYPE_DOLBY_AC3_SPDIF,
    );
    expect(ks.tagOfSubFormat(ks.KSDATAFORMAT_SUBTYPE_IEC61937_DTS)).toBe(8);
    expect(ks.tagOfSubFormat(ks.KSDATAFORMAT_SUBTYPE_ANALOG)).toBeNull();
  });
});

describe('matching ranges', () => {
  const wild: ks.KSDATARANGE = {
    flags: 0,
    sampleSize: 0,
    majorFormat: ks.KSDATAFORMAT_TYPE_WILDCARD,
    subFormat: ks.KSDATAFORMAT_SUBTYPE_WILDCARD,
    specifier: ks.KSDATAFORMAT_SPECIFIER_WILDCARD,
  };

  it('a client’s wildcards match anything (audio docs, "Wild Cards")', () => {
    fc.assert(
      fc.property(dataRange, (mine) => {
        const plain = { ...mine, attributes: [] };
        expect(ks.dataRangesMatch(wild, plain)).toBe(true);
        expect(ks.dataRangesMatch({ ...plain, specifier: wild.specifier }, plain)).toBe(true);
      }),
    );
    expect(ks.dataRangesMatch({ ...wild, majorFormat: ks.KSDATAFORMAT_TYPE_MUSIC }, range48)).toBe(false);
  });

  it('a required attribute has to be on the other side', () => {
    const attribute = ks.KSATTRIBUTEID_AUDIOSIGNALPROCESSING_MODE;
    const required = { ...range48, attributes: [{ flags: ks.KSATTRIBUTE_REQUIRED, attribute }] };
    expect(ks.dataRangesMatch(required, range48)).toBe(false);
    expect(ks.dataRangesMatch(range48, required)).toBe(false);
    expect(ks.dataRangesMatch(required, { ...range48, attributes: [{ flags: 0, attribute }] })).toBe(true);
  });

  it('a format suits a range by wildcard major type, wildcard subtype, or all three (KsValidateConnectRequest)', () => {
    const format = ks.pcmFormat(48000, 2, 16);
    const { majorFormat, specifier } = range48;
    expect(ks.dataFormatMatchesRange(format, wild)).toBe(true);
    expect(ks.dataFormatMatchesRange(format, { ...wild, majorFormat })).toBe(true);
    expect(ks.dataFormatMatchesRange(format, range48)).toBe(true);
    expect(
      ks.dataFormatMatchesRange(format, { ...range48, specifier: ks.KSDATAFORMAT_SPECIFIER_DSOUND }),
    ).toBe(false);
    expect(ks.dataFormatMatchesRange(format, { ...range48, subFormat: ks.KSDATAFORMAT_SUBTYPE_MPEG })).toBe(
      false,
    );
    expect(
      ks.dataFormatMatchesRange(format, { ...wild, majorFormat: ks.KSDATAFORMAT_TYPE_MUSIC, specifier }),
    ).toBe(false);
    expect(ks.dataFormatMatchesRange(format, { ...range48, flags: ks.KSDATARANGE_REQUIRED_ATTRIBUTES })).toBe(
      false,
    );
  });

  it('bounds count where they are asked for', () => {
    expect(ks.dataFormatWithinRange(ks.pcmFormat(48000, 2, 16), range48)).toBe(true);
    expect(ks.dataFormatWithinRange(ks.pcmFormat(96000, 2, 16), range48)).toBe(false);
    expect(ks.dataFormatWithinRange(ks.pcmFormat(48000, 1, 24, { extensible: false }), range48)).toBe(false);
    expect(ks.dataFormatWithinRange(ks.pcmFormat(4000, 1, 8), range48)).toBe(false);
  });

  it('the best intersection has the highest rate and bits, stereo where both allow it', () => {
    const client = ks.audioDataRange({
      maximumChannels: 6,
      minimumBitsPerSample: 16,
      maximumBitsPerSample: 32,
      minimumSampleFrequency: 22050,
      maximumSampleFrequency: 192000,
    });
    expect(ks.describeFormat(ks.bestAudioIntersection(client, range48) as ks.KSDATAFORMAT)).toBe(
      '48000 Hz, 2 channels, 16 bits',
    );
    expect(
      ks.bestAudioIntersection({ ...client, minimumSampleFrequency: 50000 } as ks.KSDATARANGE, range48),
    ).toBeNull();
    expect(
      ks.bestAudioIntersection(client, { ...range48, subFormat: ks.KSDATAFORMAT_SUBTYPE_MPEG }),
    ).toBeNull();
    const dsound = { ...range48, specifier: ks.KSDATAFORMAT_SPECIFIER_DSOUND };
    expect(
      ks.bestAudioIntersection(
        { ...client, specifier: ks.KSDATAFORMAT_SPECIFIER_WILDCARD } as ks.KSDATARANGE,
        dsound,
      ),
    ).toMatchObject({
      specifier: ks.KSDATAFORMAT_SPECIFIER_DSOUND,
    });
  });

  it('an intersection lies within both ranges', () => {
    const audio = fc
      .tuple(fc.nat(8), fc.nat(32), fc.nat(32), fc.nat(200_000), fc.nat(200_000))
      .map(([channels, a, b, c, d]) =>
        ks.audioDataRange({
          maximumChannels: channels,
          minimumBitsPerSample: Math.min(a, b),
          maximumBitsPerSample: Math.max(a, b),
          minimumSampleFrequency: Math.min(c, d),
          maximumSampleFrequency: Math.max(c, d),
        }),
      );
    fc.assert(
      fc.property(audio, audio, (client, mine) => {
        const format = ks.bestAudioIntersection(client, mine);
        if (format === null) return;
        expect(ks.dataFormatWithinRange(format, client)).toBe(true);
        expect(ks.dataFormatWithinRange(format, mine)).toBe(true);
      }),
    );
  });

  it('ranges are described in words', () => {
    expect(ks.describeDataRange(range48)).toBe('8000–48000 Hz, up to 2 channels, 8–16 bits');
    expect(
      ks.describeDataRange({
        ...wild,
        majorFormat: ks.KSDATAFORMAT_TYPE_AUDIO,
        subFormat: ks.KSDATAFORMAT_SUBTYPE_ANALOG,
        specifier: ks.KSDATAFORMAT_SPECIFIER_NONE,
      }),
    ).toBe('KSDATAFORMAT_TYPE_AUDIO / KSDATAFORMAT_SUBTYPE_ANALOG / KSDATAFORMAT_SPECIFIER_NONE');
  });
});

describe('names and numbers', () => {
  it('GUID constants are what the headers say', () => {
    expect(ks.KSPROPSETID_Audio.toString()).toBe('{45FFAAA0-6E1B-11D0-BCF2-444553540000}');
    expect(ks.KSCATEGORY_AUDIO.toString()).toBe('{6994AD04-93EF-11D0-A3CC-00A0C9223196}');
    expect(ks.KSNAME_Pin.toString()).toBe(ks.KSSTRING_Pin);
    expect(ks.KSNAME_Clock.toString()).toBe(ks.KSSTRING_Clock);
    expect(ks.KSNAME_Allocator.toString()).toBe(ks.KSSTRING_Allocator);
    expect(ks.KSNAME_TopologyNode.toString()).toBe(ks.KSSTRING_TopologyNode);
    expect(ks.KSNAME_Filter.toString()).toBe(ks.KSSTRING_Filter);
  });

  it('items and GUIDs have names', () => {
    expect(ks.ksGuidName(ks.KSNODETYPE_VOLUME)).toBe('KSNODETYPE_VOLUME');
    expect(ks.ksGuidName(new GUID(1, 2, 3, 4))).toBeNull();
    expect(ks.ksPropertyName(ks.KSPROPSETID_Audio, 4)).toBe('KSPROPERTY_AUDIO_VOLUMELEVEL');
    expect(ks.ksPropertyName(ks.KSPROPSETID_Audio, 999)).toBe('KSPROPSETID_Audio[999]');
    expect(ks.ksEventName(ks.KSEVENTSETID_AudioControlChange, 0)).toBe('KSEVENT_CONTROL_CHANGE');
    expect(ks.ksMethodName(ks.KSMETHODSETID_StreamIo, 1)).toBe('KSMETHOD_STREAMIO_WRITE');
  });

  it('no set has two items with one id', () => {
    for (const table of [ks.KS_PROPERTY_SETS, ks.KS_EVENT_SETS, ks.KS_METHOD_SETS]) {
      for (const { ids } of table) expect(new Set(Object.values(ids)).size).toBe(Object.keys(ids).length);
    }
  });

  it('control codes are METHOD_NEITHER codes of FILE_DEVICE_KS', () => {
    const code = (functionCode: number, access: number) =>
      ((0x2f << 16) | (access << 14) | (functionCode << 2) | 3) >>> 0;
    expect(ks.IOCTL_KS_PROPERTY).toBe(code(0, 0));
    expect(ks.IOCTL_KS_ENABLE_EVENT).toBe(code(1, 0));
    expect(ks.IOCTL_KS_DISABLE_EVENT).toBe(code(2, 0));
    expect(ks.IOCTL_KS_METHOD).toBe(code(3, 0));
    expect(ks.IOCTL_KS_WRITE_STREAM).toBe(code(4, 2));
    expect(ks.IOCTL_KS_READ_STREAM).toBe(code(5, 1));
    expect(ks.IOCTL_KS_RESET_STATE).toBe(code(6, 0));
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeEld } from '../../../hardware/hda/eld.ts';
import { parseEld } from './index.ts';

const TELEVISION = { monitorName: 'Miniport TV', channels: 8, rates: [32_000, 48_000], bits: [16, 20] };

/** An ELD with some bytes changed. */
function changed(bytes: Readonly<Record<number, number>>): Uint8Array {
  const eld = makeEld(TELEVISION);
  for (const [offset, value] of Object.entries(bytes)) eld[Number(offset)] = value;
  return eld;
}

describe('ELD', () => {
  test('every field is where the layout has it', () => {
    const eld = changed({
      5: 0x10 | (1 << 2) | 0x02 | 0x01,
      6: 50,
      8: 0x11,
      12: 0x22,
      16: 0x34,
      17: 0x12,
      18: 0x78,
      19: 0x56,
    });
    expect(parseEld(eld)).toEqual({
      bytes: eld,
      monitorName: 'Miniport TV',
      manufacturerId: 0x1234,
      productId: 0x5678,
      portIdLow: 0x11,
      portIdHigh: 0x22,
      connection: 'displayport',
      hdcp: true,
      ai: true,
      audioLatencyMs: 100,
      speakers: 0x4f,
      pcm: [{ channels: 8, rates: [32_000, 48_000], bits: [16, 20] }],
      encodings: [],
    });
  });

  test('a format that is no PCM is an encoding', () => {
    const sad = 20 + TELEVISION.monitorName.length;
    expect(parseEld(changed({ [sad]: (2 << 3) | 5 }))).toMatchObject({ pcm: [], encodings: [2] });
  });

  test('a delay beyond the scale is unknown', () => {
    expect(parseEld(changed({ 6: 0xff }))?.audioLatencyMs).toBe(0);
  });

  test.each([
    ['an unknown version', { 0: 3 << 3 }],
    ['more bytes than there are', { 2: 60 }],
    ['a name that is too long', { 4: 0x1f }],
    ['descriptors beyond the end', { 5: 0xf0 }],
  ])('%s is no ELD', (_what, bytes) => {
    expect(parseEld(changed(bytes))).toBeNull();
  });

  test('what a display says comes back', () => {
    fc.assert(
      fc.property(
        fc.record({
          monitorName: fc.stringMatching(/^[!-~]{0,16}$/),
          channels: fc.integer({ min: 1, max: 8 }),
          rates: fc.subarray([32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000]),
          bits: fc.subarray([16, 20, 24]),
        }),
        ({ monitorName, channels, rates, bits }) => {
          expect(parseEld(makeEld({ monitorName, channels, rates, bits }))).toMatchObject({
            monitorName,
            pcm: [{ channels, rates, bits }],
          });
        },
      ),
    );
  });

  test('any bytes are an ELD or null', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 256 }), fc.constantFrom(0x10, 0xf8, 0), (bytes, version) => {
        if (bytes.length > 0) bytes[0] = version;
        parseEld(bytes);
      }),
    );
  });
});

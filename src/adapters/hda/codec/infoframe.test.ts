import { describe, expect, test } from 'vitest';
import { audioInfoframe, channelAllocation, EMPTY_SLOT } from './infoframe.ts';

describe('audio infoframe', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    '%i channels: HDMI’s bytes add up to 0, DisplayPort’s carry no checksum',
    (channels) => {
      const hdmi = audioInfoframe(channels, 'hdmi');
      expect(hdmi).toHaveLength(14);
      expect(hdmi.reduce((sum, value) => sum + value, 0) & 0xff).toBe(0);
      const displayPort = audioInfoframe(channels, 'displayport');
      expect([...displayPort.subarray(0, 3)]).toEqual([0x84, 0x1b, 0x44]);
      expect(displayPort.subarray(3)).toEqual(hdmi.subarray(4));
      expect(displayPort[3]).toBe(channels - 1);
    },
  );

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('%i channels: each has one slot', (channels) => {
    const { slots } = channelAllocation(channels);
    const used = slots.filter((slot) => slot !== EMPTY_SLOT);
    expect([...new Set(used)].sort()).toEqual(Array.from({ length: channels }, (_, channel) => channel));
  });

  test('allocations of CEA-861-D, Table 20', () => {
    expect([2, 3, 4, 6, 8].map((channels) => channelAllocation(channels).code)).toEqual([
      0x00, 0x01, 0x08, 0x0b, 0x13,
    ]);
  });
});

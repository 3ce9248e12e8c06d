import { describe, expect, it } from 'vitest';
import { firstChannels } from './function.ts';

/** Front, centre and subwoofer, back, side: a 7.1 set as the pairs of its jacks. */
const PAIRS = [0, 2, 4, 6].map((firstChannel, index) => ({ nid: 2 + index, firstChannel, channels: 2 }));
const SET_71 = { converters: PAIRS, channelMask: 0x63f };
const SET_51_BACK = { converters: PAIRS.slice(0, 3), channelMask: 0x3f };
const SET_51_SIDE = { converters: PAIRS.slice(0, 3), channelMask: 0x60f };

describe('the channels of a stream', () => {
  it.each([
    ['stereo', 2, 0x3, [0, null, null, null]],
    ['mono', 1, 0x4, [0, null, null, null]],
    ['quadraphony', 4, 0x33, [0, null, 2, null]],
    ['5.1 with back speakers', 6, 0x3f, [0, 2, 4, null]],
    ['5.1 with side speakers', 6, 0x60f, [0, 2, null, 4]],
    ['7.1', 8, 0x63f, [0, 2, 4, 6]],
    ['eight channels of no place', 8, 0, [0, 2, 4, 6]],
    ['four channels of no place', 4, 0, [0, 2, null, null]],
    ['5.1 of wide front speakers', 6, 0xff & ~0x30, [0, 2, null, null]],
  ] as const)('%s go to the speakers of a 7.1 set', (_name, channels, channelMask, expected) => {
    expect(firstChannels(SET_71, { channels, channelMask })).toEqual(expected);
  });

  it('go to the side where there is no back, and the other way round', () => {
    expect(firstChannels(SET_51_BACK, { channels: 6, channelMask: 0x60f })).toEqual([0, 2, 4]);
    expect(firstChannels(SET_51_SIDE, { channels: 6, channelMask: 0x3f })).toEqual([0, 2, 4]);
    expect(firstChannels(SET_51_SIDE, { channels: 6, channelMask: 0x60f })).toEqual([0, 2, 4]);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  codeToLevel,
  DB,
  gain,
  levelToCode,
  PC_SPEAKER,
  stageRange,
  tone,
  volume,
} from './mixer-controls.ts';

describe('CT1745 gain stages', () => {
  it('gives the ranges of the programming guide', () => {
    expect(stageRange(volume(0x30, 2))).toEqual({ minimum: -62 * DB, maximum: 0, steppingDelta: 2 * DB });
    expect(stageRange(PC_SPEAKER)).toEqual({ minimum: -18 * DB, maximum: 0, steppingDelta: 6 * DB });
    expect(stageRange(gain(0x41))).toEqual({ minimum: 0, maximum: 18 * DB, steppingDelta: 6 * DB });
    expect(stageRange(tone(0x44))).toEqual({ minimum: -14 * DB, maximum: 14 * DB, steppingDelta: 2 * DB });
  });

  it('turns every code into a level and back, the two flat codes of a tone control into one', () => {
    for (const stage of [volume(0x30, 2), PC_SPEAKER, gain(0x3f)]) {
      for (let code = 0; code < stage.codes; code++)
        expect(levelToCode(stage, codeToLevel(stage, code))).toBe(code);
    }
    for (let code = 0; code < 16; code++) {
      expect(levelToCode(tone(0x46), codeToLevel(tone(0x46), code))).toBe(code === 7 ? 8 : code);
    }
  });

  it('clamps any level and takes the nearest code', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(volume(0x30, 2), PC_SPEAKER, gain(0x41), tone(0x44)),
        fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
        (stage, level) => {
          const { minimum, maximum, steppingDelta } = stageRange(stage);
          const answered = codeToLevel(stage, levelToCode(stage, level));
          expect(Math.abs(answered - Math.min(Math.max(level, minimum), maximum))).toBeLessThanOrEqual(
            steppingDelta / 2,
          );
        },
      ),
    );
  });
});

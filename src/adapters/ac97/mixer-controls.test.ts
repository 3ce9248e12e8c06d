import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  codeToLevel,
  DB,
  inputStage,
  levelToCode,
  masterStage,
  recordStage,
  stageRange,
  toneCodeToLevel,
  toneLevelToCode,
} from './mixer-controls.ts';
import * as R from './registers.ts';

describe("AC'97 gain stages", () => {
  it('gives the ranges of the component specification, table by table', () => {
    // 5.7.2: 00h = 0 dB, 1Fh = -46.5 dB, 3Fh = -94.5 dB
    expect(stageRange(masterStage(R.NAM_MASTER_VOLUME, 2, 0x1f))).toEqual({
      minimum: -46.5 * DB,
      maximum: 0,
      steppingDelta: 1.5 * DB,
    });
    expect(stageRange(masterStage(R.NAM_MASTER_VOLUME, 2, 0x3f)).minimum).toBe(-94.5 * DB);
    // 5.7.4: 00h = +12 dB, 08h = 0 dB, 1Fh = -34.5 dB
    expect(stageRange(inputStage(R.NAM_PCM_OUT_VOLUME, 2))).toEqual({
      minimum: -34.5 * DB,
      maximum: 12 * DB,
      steppingDelta: 1.5 * DB,
    });
    // 5.7.7: 0h = 0 dB, Fh = +22.5 dB
    expect(stageRange(recordStage(R.NAM_RECORD_GAIN, 2))).toEqual({
      minimum: 0,
      maximum: 22.5 * DB,
      steppingDelta: 1.5 * DB,
    });
  });

  it('turns every code into a level and back', () => {
    for (const stage of [masterStage(2, 2, 0x3f), inputStage(0x18, 2), recordStage(0x1c, 2)]) {
      for (let code = 0; code <= stage.codeMask; code++)
        expect(levelToCode(stage, codeToLevel(stage, code))).toBe(code);
    }
  });

  it('clamps any level and takes the nearest code', () => {
    fc.assert(
      fc.property(fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }), (level) => {
        const stage = inputStage(0x18, 2);
        const { minimum, maximum } = stageRange(stage);
        const answered = codeToLevel(stage, levelToCode(stage, level));
        const clamped = Math.min(Math.max(level, minimum), maximum);
        expect(Math.abs(answered - clamped)).toBeLessThanOrEqual(0.75 * DB);
      }),
    );
  });

  it('sends flat tone as bypass, and every other step as its code', () => {
    expect(toneLevelToCode(0)).toBe(15);
    expect(toneCodeToLevel(15)).toBe(0);
    expect(toneCodeToLevel(7)).toBe(0);
    expect(toneLevelToCode(10.5 * DB)).toBe(0);
    expect(toneLevelToCode(-10.5 * DB)).toBe(14);
    expect(toneLevelToCode(0x7fff_ffff)).toBe(0);
    for (let code = 0; code < 15; code++)
      if (code !== 7) expect(toneLevelToCode(toneCodeToLevel(code))).toBe(code);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Ac97Codec } from './ac97-codec.ts';
import { describeAc97Value } from './ac97-describe.ts';
import {
  AC97_EXTENDED_AUDIO_CONTROL,
  AC97_EXTENDED_AUDIO_ID,
  AC97_MASTER_VOLUME,
  AC97_MIC_ADC_RATE,
  AC97_MIC_VOLUME,
  AC97_PCM_FRONT_DAC_RATE,
  AC97_PCM_LR_ADC_RATE,
  AC97_POWERDOWN,
  AC97_RECORD_SELECT,
  AC97_REGISTERS,
  AC97_RESET,
  EA_MADC,
  EA_PRL,
  EA_VRA,
  EA_VRM,
  PD_PR0,
  PD_PR1,
  PD_PR2,
  PD_PR3,
} from './ac97-registers.ts';

const SETTLED = 1_000_000;

function codec(): Ac97Codec {
  return new Ac97Codec(5000);
}

describe('register set (AC’97 2.3, §5.7, §5.8, Appendix A)', () => {
  test('defaults are the specification’s', () => {
    const chip = codec();
    const defaults: Readonly<Record<number, number>> = {
      2: 0x8000,
      4: 0x8000,
      6: 0x8000,
      8: 0x0f0f,
      10: 0x0000,
      12: 0x8008,
      14: 0x8008,
      16: 0x8808,
      18: 0x8808,
      20: 0x8808,
      22: 0x8808,
      24: 0x8808,
      26: 0x0000,
      28: 0x8000,
      30: 0x8000,
      32: 0x0000,
      34: 0x0000,
      38: 0x000f,
      42: EA_MADC,
      44: 0xbb80,
      50: 0xbb80,
      52: 0xbb80,
      124: 0x8384,
      126: 0x7600,
    };
    for (const [offset, value] of Object.entries(defaults))
      expect([offset, chip.read(Number(offset), SETTLED)]).toEqual([offset, value]);
    // Technique 26 (SigmaTel, table 18); mic ADC, tone, headphone; 16-bit converters.
    expect(chip.read(AC97_RESET, 0)).toBe(0x6815);
    // Primary codec, revision 2.3, VRM, VRA.
    expect(chip.read(AC97_EXTENDED_AUDIO_ID, 0)).toBe(0x0809);
  });

  test('odd and reserved registers read 0, whatever was written', () => {
    const chip = codec();
    const known = new Set(AC97_REGISTERS.map((register) => register.offset));
    for (let offset = 0; offset < 128; offset++) {
      if (known.has(offset)) continue;
      chip.write(offset, 0xffff, 0);
      expect(chip.read(offset, SETTLED)).toBe(0);
    }
    expect(chip.read(AC97_MASTER_VOLUME, 0)).toBe(0x8000);
  });

  test.each([
    [0x3f3f, 0x1f1f],
    [0x2000, 0x1f00],
    [0x0020, 0x001f],
    [0xa020, 0x9f1f],
    [0x1f00, 0x1f00],
    [0xc0c0, 0x8000],
  ])('a sixth volume bit is answered with five ones: %i reads %i (§5.7.2)', (written, read) => {
    const chip = codec();
    chip.write(AC97_MASTER_VOLUME, written, 0);
    expect(chip.read(AC97_MASTER_VOLUME, 0)).toBe(read);
  });

  test('mic volume has its boost bit, record select three bits a side', () => {
    const chip = codec();
    chip.write(AC97_MIC_VOLUME, 0xffff, 0);
    chip.write(AC97_RECORD_SELECT, 0xffff, 0);
    expect([chip.read(AC97_MIC_VOLUME, 0), chip.read(AC97_RECORD_SELECT, 0)]).toEqual([0x805f, 0x0707]);
  });

  test('any write reads back within the mask, and constants never change (property)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ offset: fc.nat(127), value: fc.nat(0xffff) }), { maxLength: 60 }),
        (writes) => {
          const chip = codec();
          for (const { offset, value } of writes) chip.write(offset, value, 0);
          for (const register of AC97_REGISTERS) {
            const stored = chip.stored(register.offset);
            expect(stored & ~register.writeMask).toBe(register.resetValue & ~register.writeMask);
            if (register.kind === 'rate') {
              expect(stored).toBeGreaterThanOrEqual(8000);
              expect(stored).toBeLessThanOrEqual(48000);
            }
          }
          chip.write(AC97_RESET, 0, 0);
          for (const register of AC97_REGISTERS)
            expect(chip.stored(register.offset)).toBe(register.resetValue);
        },
      ),
    );
  });
});

describe('sample rates (§5.8.3)', () => {
  test('without VRA and VRM the registers stand at 48 kHz', () => {
    const chip = codec();
    for (const register of [AC97_PCM_FRONT_DAC_RATE, AC97_PCM_LR_ADC_RATE, AC97_MIC_ADC_RATE]) {
      chip.write(register, 44100, 0);
      expect(chip.read(register, 0)).toBe(48000);
    }
  });

  test.each([
    [0, 8000],
    [1, 8000],
    [7999, 8000],
    [8000, 8000],
    [22051, 22051],
    [44100, 44100],
    [48000, 48000],
    [48001, 48000],
    [65535, 48000],
  ])('with VRA %i is answered with the nearest supported rate, %i', (written, read) => {
    const chip = codec();
    chip.write(AC97_EXTENDED_AUDIO_CONTROL, EA_VRA, 0);
    chip.write(AC97_PCM_FRONT_DAC_RATE, written, 0);
    expect(chip.read(AC97_PCM_FRONT_DAC_RATE, 0)).toBe(read);
    expect(chip.dacRate).toBe(read);
  });

  test('taking VRA away forces DAC and ADC to 48 kHz, taking VRM away the mic', () => {
    const chip = codec();
    chip.write(AC97_EXTENDED_AUDIO_CONTROL, EA_VRA | EA_VRM, 0);
    for (const register of [AC97_PCM_FRONT_DAC_RATE, AC97_PCM_LR_ADC_RATE, AC97_MIC_ADC_RATE])
      chip.write(register, 16000, 0);
    chip.write(AC97_EXTENDED_AUDIO_CONTROL, EA_VRM, 0);
    expect([chip.dacRate, chip.adcRate, chip.micAdcRate]).toEqual([48000, 48000, 16000]);
    chip.write(AC97_EXTENDED_AUDIO_CONTROL, EA_VRA, 0);
    expect([chip.dacRate, chip.adcRate, chip.micAdcRate]).toEqual([48000, 48000, 48000]);
  });
});

describe('powerdown (§5.7.11)', () => {
  test.each([
    ['PR0', PD_PR0, 0x0e],
    ['PR1', PD_PR1, 0x0d],
    ['PR2', PD_PR2, 0x0b],
    ['PR3', PD_PR3, 0x00],
  ])(
    '%s takes its ready bits away at once, and they come back after the section’s time',
    (_name, bit, ready) => {
      const chip = codec();
      expect(chip.read(AC97_POWERDOWN, SETTLED)).toBe(0x000f);
      chip.write(AC97_POWERDOWN, bit | 0x00ff, SETTLED);
      expect(chip.read(AC97_POWERDOWN, SETTLED)).toBe(bit | ready);
      chip.write(AC97_POWERDOWN, 0, SETTLED + 10);
      expect(chip.read(AC97_POWERDOWN, SETTLED + 5009)).toBe(ready);
      expect(chip.read(AC97_POWERDOWN, SETTLED + 5010)).toBe(0x000f);
    },
  );

  test('PRL powers the mic ADC down; MADC tells when it is ready', () => {
    const chip = codec();
    expect(chip.read(AC97_EXTENDED_AUDIO_CONTROL, 4999)).toBe(0);
    expect(chip.read(AC97_EXTENDED_AUDIO_CONTROL, 5000)).toBe(EA_MADC);
    chip.write(AC97_EXTENDED_AUDIO_CONTROL, EA_PRL | EA_VRA, SETTLED);
    expect(chip.read(AC97_EXTENDED_AUDIO_CONTROL, SETTLED * 2)).toBe(EA_PRL | EA_VRA);
    expect(chip.micAdcPowered).toBe(false);
  });

  test('a powered-down DAC asks for data in every frame, as at 48 kHz (§4.2.1.2)', () => {
    const chip = codec();
    chip.write(AC97_EXTENDED_AUDIO_CONTROL, EA_VRA, 0);
    chip.write(AC97_PCM_FRONT_DAC_RATE, 8000, 0);
    chip.write(AC97_POWERDOWN, PD_PR1, 0);
    expect([chip.dacPowered, chip.dacRate]).toEqual([false, 48000]);
  });
});

test('values have a meaning in words', () => {
  expect(describeAc97Value(0x18, 0x0808)).toBe('left 0 dB, right 0 dB');
  expect(describeAc97Value(0x18, 0x9f00)).toBe('muted, left -34.5 dB, right 12 dB');
  expect(describeAc97Value(0x0e, 0x0048)).toBe('0 dB, +20 dB boost');
  expect(describeAc97Value(0x1c, 0x0f01)).toBe('left 22.5 dB, right 1.5 dB');
  expect(describeAc97Value(0x1a, 0x0405)).toBe('left line, right stereo mix');
  expect(describeAc97Value(0x08, 0x000f)).toBe('bass 10.5 dB, treble bypassed');
  expect(describeAc97Value(0x2c, 44100)).toBe('44100 Hz');
  expect(describeAc97Value(0x5a, 1)).toBe(undefined);
});

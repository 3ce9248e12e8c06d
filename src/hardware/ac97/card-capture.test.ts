import { describe, expect, test } from 'vitest';
import { mulDivCeil, type PcmFormat, type PcmSource } from '../../hal/bus.ts';
import { ArraySource, MemorySink } from '../analog.ts';
import {
  AC97_EXTENDED_AUDIO_CONTROL,
  AC97_GENERAL_PURPOSE,
  AC97_MIC_ADC_RATE,
  AC97_MIC_BOOST,
  AC97_MIC_VOLUME,
  AC97_PCM_FRONT_DAC_RATE,
  AC97_PCM_LR_ADC_RATE,
  AC97_POWERDOWN,
  AC97_RECORD_GAIN,
  AC97_RECORD_GAIN_MIC,
  AC97_RECORD_SELECT,
  EA_PRL,
  EA_VRA,
  EA_VRM,
  GP_LPBK,
  GP_MS,
  PD_PR0,
} from '../codecs/ac97-registers.ts';
import {
  BD_IOC,
  CR_FEIE,
  CR_IOCE,
  CR_RPBM,
  SR_BCIS,
  SR_CELV,
  SR_DCH,
  SR_FIFOE,
  SR_LVBCI,
} from './registers.ts';
import { Ac97Rig, DATA_ADDRESS } from './test-rig.ts';

const PI_CIV = 0x04;
const PI_LVI = 0x05;
const PI_SR = 0x06;
const PI_PICB = 0x08;
const PI_CR = 0x0b;
const MC_SR = 0x26;

function ramp(count: number, from = 1): Int16Array {
  return Int16Array.from({ length: count }, (_, index) => from + index);
}

const STEREO: PcmFormat = { sampleRate: 48000, channels: 2 };
const MONO: PcmFormat = { sampleRate: 48000, channels: 1 };

/** A source that counts frames from `first` on every channel, by time: tells exactly which samples were taken. */
function stamps(): PcmSource & { calls: number } {
  return {
    calls: 0,
    read(into, frames, format, startTick) {
      this.calls++;
      const first = Math.round((startTick * format.sampleRate) / 1e7);
      for (let frame = 0; frame < frames; frame++) {
        into.fill((first + frame) % 30000, frame * format.channels, (frame + 1) * format.channels);
      }
    },
  };
}

describe('PCM in', () => {
  test('line in at 0 dB arrives in memory bit by bit; the engine halts at LVI', () => {
    const samples = ramp(960);
    const rig = new Ac97Rig({ lineIn: new ArraySource(samples, STEREO) }).bringUp();
    rig.nam.write16(AC97_RECORD_SELECT, 0x0404);
    rig.nam.write16(AC97_RECORD_GAIN, 0x0000);
    rig.describe('PI', [
      { address: DATA_ADDRESS, samples: 480, flags: BD_IOC },
      { address: DATA_ADDRESS + 960, samples: 480, flags: BD_IOC },
    ]);
    const start = rig.now;
    rig.start('PI', 1, CR_IOCE);
    rig.advance(200_000);
    expect(rig.slot.samplesAt(DATA_ADDRESS, 960)).toEqual(samples);
    expect(rig.slot.lineChanges[0]).toEqual({
      tick: start + mulDivCeil(240, 10_000_000, 48000),
      asserted: true,
    });
    expect(rig.nabm.read16(PI_SR)).toBe(SR_BCIS | SR_LVBCI | SR_CELV | SR_DCH);
  });

  test('a frame is there at the end of its period; memory gets whole bursts, and the rest at the end of the buffer', () => {
    const rig = new Ac97Rig({ lineIn: stamps() }).bringUp();
    rig.nam.write16(AC97_RECORD_SELECT, 0x0404);
    rig.nam.write16(AC97_RECORD_GAIN, 0x0000);
    rig.describe('PI', [{ address: DATA_ADDRESS, samples: 200 }]);
    const start = rig.now;
    rig.start('PI', 0);
    for (const frames of [0, 1, 7, 8, 15, 16, 97, 99, 100]) {
      rig.slot.clock.advanceTo(start + mulDivCeil(frames, 10_000_000, 48000));
      const written = frames === 100 ? 200 : 16 * Math.floor((2 * frames) / 16);
      expect(rig.nabm.read16(PI_PICB)).toBe(200 - written === 0 ? 0 : 200 - written);
      expect(rig.card.position('PI').converterFrames).toBe(frames);
    }
  });

  test.each([
    ['mic', 0, 'micIn', true],
    ['CD', 1, 'cdIn', false],
    ['video', 2, 'videoIn', false],
    ['aux', 3, 'auxIn', false],
    ['line', 4, 'lineIn', false],
    ['phone', 7, 'phoneIn', true],
  ] as const)('the multiplexer takes %s with code %i (table 23)', (_name, code, jack, mono) => {
    const source = new ArraySource(ramp(mono ? 100 : 200, 1000), mono ? MONO : STEREO);
    const rig = new Ac97Rig({ [jack]: source }).bringUp();
    rig.nam.write16(AC97_RECORD_SELECT, code * 0x0101);
    rig.nam.write16(AC97_RECORD_GAIN, 0x0000);
    rig.describe('PI', [{ address: DATA_ADDRESS, samples: 200 }]);
    rig.start('PI', 0);
    rig.advance(100_000);
    rig.card.catchUp();
    const expected = mono
      ? Int16Array.from({ length: 200 }, (_, index) => 1000 + (index >> 1))
      : ramp(200, 1000);
    expect(rig.slot.samplesAt(DATA_ADDRESS, 200)).toEqual(expected);
  });

  test('the sides are selected apart', () => {
    const rig = new Ac97Rig({
      lineIn: new ArraySource(ramp(200), STEREO),
      micIn: new ArraySource(ramp(100, 5000), MONO),
    }).bringUp();
    rig.nam.write16(AC97_RECORD_SELECT, 0x0004);
    rig.nam.write16(AC97_RECORD_GAIN, 0x0000);
    rig.describe('PI', [{ address: DATA_ADDRESS, samples: 200 }]);
    rig.start('PI', 0);
    rig.advance(100_000);
    rig.card.catchUp();
    const got = rig.slot.samplesAt(DATA_ADDRESS, 4);
    expect(Array.from(got)).toEqual([5000, 2, 5001, 4]);
  });

  test('record gain is 1.5 dB a step, 22.5 dB at most, saturating; the mute bit silences (§5.7.7)', () => {
    const source = new ArraySource(Int16Array.from([100, 100, 3000, 3000]), STEREO, { loop: true });
    const rig = new Ac97Rig({ lineIn: source }).bringUp();
    rig.nam.write16(AC97_RECORD_SELECT, 0x0404);
    rig.nam.write16(AC97_RECORD_GAIN, 0x0f04);
    rig.describe('PI', [
      { address: DATA_ADDRESS, samples: 96 },
      { address: DATA_ADDRESS + 192, samples: 96 },
    ]);
    rig.start('PI', 1);
    rig.slot.clock.advance(10_000);
    rig.nam.write16(AC97_RECORD_GAIN, 0x8f0f);
    rig.advance(100_000);
    rig.card.catchUp();
    const got = rig.slot.samplesAt(DATA_ADDRESS, 192);
    const gain = (steps: number): number => 10 ** ((1.5 * steps) / 20);
    expect(Array.from(got.subarray(0, 4))).toEqual([
      Math.floor(100 * gain(15) + 0.5),
      Math.floor(100 * gain(4) + 0.5),
      32767,
      Math.floor(3000 * gain(4) + 0.5),
    ]);
    expect(new Set(got.subarray(96))).toEqual(new Set([0]));
  });

  test('with the ring exhausted the FIFO keeps 24 frames and loses the rest without an error; LVI goes on from there', () => {
    const rig = new Ac97Rig({ lineIn: stamps() }).bringUp();
    rig.nam.write16(AC97_RECORD_SELECT, 0x0404);
    rig.nam.write16(AC97_RECORD_GAIN, 0x0000);
    rig.describe('PI', [
      { address: DATA_ADDRESS, samples: 200 },
      { address: DATA_ADDRESS + 400, samples: 200 },
    ]);
    const start = rig.now;
    const first = Math.round((start * 48000) / 1e7);
    rig.start('PI', 0);
    rig.slot.clock.advanceTo(start + 1_000_000);
    expect(rig.nabm.read16(PI_SR) & (SR_FIFOE | SR_CELV)).toBe(SR_CELV);
    rig.nabm.write8(PI_LVI, 1);
    rig.advance(1_000_000);
    rig.card.catchUp();
    const got = rig.slot.samplesAt(DATA_ADDRESS, 400);
    expect(got[198]).toBe(first + 99);
    expect(got[200]).toBe(first + 100);
    expect(got[200 + 46]).toBe(first + 123);
    expect(got[200 + 48]).toBe(first + 4800);
  });

  test('a refused write runs the FIFO over: FIFOE, and with FEIE the interrupt (§12.2.4)', () => {
    const rig = new Ac97Rig({ lineIn: stamps() }).bringUp();
    rig.describe('PI', [{ address: 0x10, samples: 200 }]);
    const start = rig.now;
    rig.start('PI', 0, CR_FEIE);
    rig.advance(100_000);
    expect(rig.nabm.read16(PI_SR)).toBe(SR_FIFOE);
    expect(rig.nabm.read16(PI_PICB)).toBe(200);
    expect(rig.slot.asserted).toBe(true);
    // The 25th frame finds the FIFO full. A refusal shows when the card looks, at the latest where the buffer would have ended.
    const tick = rig.slot.lineChanges[0]!.tick;
    expect(tick).toBeGreaterThanOrEqual(start + mulDivCeil(25, 10_000_000, 48000));
    expect(tick).toBeLessThanOrEqual(start + mulDivCeil(100, 10_000_000, 48000));
  });

  test('pausing keeps the position and what is in the FIFO', () => {
    const rig = new Ac97Rig({ lineIn: stamps() }).bringUp();
    rig.nam.write16(AC97_RECORD_SELECT, 0x0404);
    rig.nam.write16(AC97_RECORD_GAIN, 0x0000);
    rig.describe('PI', [{ address: DATA_ADDRESS, samples: 200 }]);
    const start = rig.now;
    rig.start('PI', 0);
    rig.slot.clock.advanceTo(start + mulDivCeil(20, 10_000_000, 48000));
    rig.nabm.write8(PI_CR, 0);
    expect(rig.nabm.read16(PI_PICB)).toBe(200 - 32);
    rig.advance(1_000_000);
    const resumed = rig.now;
    rig.nabm.write8(PI_CR, CR_RPBM);
    rig.slot.clock.advanceTo(resumed + mulDivCeil(4, 10_000_000, 48000));
    expect(rig.nabm.read16(PI_PICB)).toBe(200 - 48);
    const got = rig.slot.samplesAt(DATA_ADDRESS, 48);
    expect(got[38]! - got[0]!).toBe(19);
    expect(got[40]).toBe(Math.round((resumed * 48000) / 1e7) % 30000);
  });

  test('with PR0 the ADC tags no slot as valid: the engine waits', () => {
    const rig = new Ac97Rig({ lineIn: stamps() }).bringUp();
    rig.describe('PI', [{ address: DATA_ADDRESS, samples: 200 }]);
    rig.nam.write16(AC97_POWERDOWN, PD_PR0);
    rig.start('PI', 0);
    rig.advance(1_000_000);
    expect(rig.nabm.read8(PI_CIV)).toBe(0);
    expect(rig.card.position('PI')).toMatchObject({ converterFrames: 0, running: false });
    rig.nam.write16(AC97_POWERDOWN, 0);
    rig.advance(10_000);
    expect(rig.card.position('PI').converterFrames).toBe(48);
  });

  test('with VRA the ADC has a rate of its own', () => {
    const rig = new Ac97Rig({ lineIn: stamps() }).bringUp();
    rig.nam.write16(AC97_EXTENDED_AUDIO_CONTROL, EA_VRA);
    rig.nam.write16(AC97_PCM_LR_ADC_RATE, 11025);
    rig.describe('PI', [{ address: DATA_ADDRESS, samples: 60000 }]);
    rig.start('PI', 0);
    rig.advance(10_000_000);
    expect(rig.card.position('PI').converterFrames).toBe(11025);
  });
});

describe('mic in', () => {
  test('slot 6 is mono: one sample a frame, with the gain of 1Eh', () => {
    const rig = new Ac97Rig({ micIn: new ArraySource(ramp(100, -50), MONO) }).bringUp();
    rig.nam.write16(AC97_RECORD_GAIN_MIC, 0x0000);
    rig.describe('MC', [{ address: DATA_ADDRESS, samples: 100, flags: BD_IOC }]);
    const start = rig.now;
    rig.start('MC', 0, CR_IOCE);
    rig.advance(100_000);
    expect(rig.slot.samplesAt(DATA_ADDRESS, 100)).toEqual(ramp(100, -50));
    expect(rig.slot.lineChanges[0]!.tick).toBe(start + mulDivCeil(100, 10_000_000, 48000));
    expect(rig.nabm.read16(MC_SR) & SR_BCIS).toBe(SR_BCIS);
  });

  test('boost is 20 dB before everything, MS selects the second microphone', () => {
    const rig = new Ac97Rig({
      micIn: new ArraySource(new Int16Array(1000).fill(11), MONO),
      mic2In: new ArraySource(new Int16Array(1000).fill(22), MONO),
    }).bringUp();
    rig.nam.write16(AC97_RECORD_GAIN_MIC, 0x0004);
    rig.nam.write16(AC97_MIC_VOLUME, 0x8008 | AC97_MIC_BOOST);
    rig.nam.write16(AC97_GENERAL_PURPOSE, GP_MS);
    rig.describe('MC', [{ address: DATA_ADDRESS, samples: 48 }]);
    rig.start('MC', 0);
    rig.advance(100_000);
    rig.card.catchUp();
    expect(rig.slot.samplesAt(DATA_ADDRESS, 1)[0]).toBe(Math.floor(220 * 10 ** (6 / 20) + 0.5));
  });

  test('VRM gives the rate, PRL switches the converter off', () => {
    const rig = new Ac97Rig({ micIn: stamps() }).bringUp();
    rig.nam.write16(AC97_EXTENDED_AUDIO_CONTROL, EA_VRM);
    rig.nam.write16(AC97_MIC_ADC_RATE, 8000);
    rig.describe('MC', [{ address: DATA_ADDRESS, samples: 60000 }]);
    rig.start('MC', 0);
    rig.advance(1_000_000);
    expect(rig.card.position('MC').converterFrames).toBe(800);
    rig.nam.write16(AC97_EXTENDED_AUDIO_CONTROL, EA_VRM | EA_PRL);
    rig.advance(1_000_000);
    expect(rig.card.position('MC').converterFrames).toBe(800);
  });
});

describe('recording what is played', () => {
  function play(rig: Ac97Rig, samples: Int16Array): void {
    rig.slot.samplesAt(0x10_8000, samples.length).set(samples);
    rig.describe('PO', [{ address: 0x10_8000, samples: samples.length, flags: 0x4000_0000 }]);
    rig.start('PO', 0);
  }

  test('stereo mix at equal rates gives the very samples, though the master is muted', () => {
    const rig = new Ac97Rig({ lineOut: new MemorySink() }).bringUp().unmute();
    rig.nam.write16(0x02, 0x8000);
    rig.nam.write16(AC97_RECORD_SELECT, 0x0505);
    rig.nam.write16(AC97_RECORD_GAIN, 0x0000);
    rig.describe('PI', [{ address: DATA_ADDRESS, samples: 1200 }]);
    rig.start('PI', 0);
    rig.advance(12_345);
    play(rig, ramp(800));
    rig.advance(1_000_000);
    rig.card.catchUp();
    const got = rig.slot.samplesAt(DATA_ADDRESS, 1200);
    const at = got.findIndex((sample) => sample !== 0);
    expect(at % 2).toBe(0);
    expect(Math.abs(at / 2 - (12_345 * 48000) / 1e7)).toBeLessThan(1.5);
    expect(got.subarray(at, at + 800)).toEqual(ramp(800));
    expect(new Set(got.subarray(at + 800))).toEqual(new Set([0]));
  });

  test('mono mix is the mean of the sides, on both', () => {
    const rig = new Ac97Rig().bringUp().unmute();
    rig.nam.write16(AC97_RECORD_SELECT, 0x0606);
    rig.nam.write16(AC97_RECORD_GAIN, 0x0000);
    rig.describe('PI', [{ address: DATA_ADDRESS, samples: 200 }]);
    rig.start('PI', 0);
    play(
      rig,
      Int16Array.from({ length: 400 }, (_, index) => (index % 2 === 0 ? 1000 : -400)),
    );
    rig.advance(100_000);
    rig.card.catchUp();
    expect(new Set(rig.slot.samplesAt(DATA_ADDRESS, 200).subarray(4))).toEqual(new Set([300]));
  });

  test('at another rate the ADC sees what the DAC holds', () => {
    const rig = new Ac97Rig().bringUp().unmute();
    rig.nam.write16(AC97_EXTENDED_AUDIO_CONTROL, EA_VRA);
    rig.nam.write16(AC97_PCM_FRONT_DAC_RATE, 8000);
    rig.nam.write16(AC97_RECORD_SELECT, 0x0505);
    rig.nam.write16(AC97_RECORD_GAIN, 0x0000);
    rig.describe('PI', [{ address: DATA_ADDRESS, samples: 1200 }]);
    rig.start('PI', 0);
    play(
      rig,
      Int16Array.from({ length: 200 }, (_, index) => 1 + (index >> 1)),
    );
    rig.advance(1_000_000);
    rig.card.catchUp();
    const got = rig.slot.samplesAt(DATA_ADDRESS, 1200);
    for (let frame = 0; frame < 600; frame++) expect(got[frame * 2]).toBe(1 + Math.floor(frame / 6));
  });

  test('LPBK puts the ADC’s samples on the DAC', () => {
    const sink = new MemorySink();
    const rig = new Ac97Rig({ lineOut: sink, lineIn: new ArraySource(ramp(9600), STEREO) })
      .bringUp()
      .unmute();
    rig.nam.write16(AC97_RECORD_SELECT, 0x0404);
    rig.nam.write16(AC97_RECORD_GAIN, 0x0000);
    rig.nam.write16(AC97_GENERAL_PURPOSE, GP_LPBK);
    rig.advance(500_000);
    rig.nam.write16(AC97_GENERAL_PURPOSE, 0);
    expect(sink.samples).toEqual(ramp(2 * 2401));
  });
});

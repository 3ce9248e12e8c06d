import { describe, expect, test } from 'vitest';
import { mulDivCeil } from '../../hal/bus.ts';
import { MemorySink } from '../analog.ts';
import {
  BD_BUP,
  BD_IOC,
  CR_FEIE,
  CR_IOCE,
  CR_LVBIE,
  CR_RPBM,
  CR_RR,
  GLOB_STA,
  SR_BCIS,
  SR_CELV,
  SR_DCH,
  SR_FIFOE,
  SR_LVBCI,
  STA_POINT,
} from './registers.ts';
import { Ac97Rig, DATA_ADDRESS } from './test-rig.ts';

/** Offsets of PCM out. */
const PO_CIV = 0x14;
const PO_LVI = 0x15;
const PO_SR = 0x16;
const PO_PICB = 0x18;
const PO_PIV = 0x1a;
const PO_CR = 0x1b;
/** Frames in the FIFO: 96 bytes of stereo 16 bits. */
const FIFO_FRAMES = 24;

function noise(count: number, seed = 1): Int16Array {
  const samples = new Int16Array(count);
  let state = seed;
  for (let index = 0; index < count; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    samples[index] = state >> 16;
  }
  return samples;
}

function rigWith(samples: Int16Array, options = {}): { rig: Ac97Rig; sink: MemorySink } {
  const sink = new MemorySink();
  const rig = new Ac97Rig({ lineOut: sink, ...options }).bringUp().unmute();
  rig.slot.samplesAt(DATA_ADDRESS, samples.length).set(samples);
  return { rig, sink };
}

describe('PCM out', () => {
  test('with the path at 0 dB the jack gets the samples bit by bit, and then nothing', () => {
    const samples = noise(9600);
    const { rig, sink } = rigWith(samples);
    rig.describe('PO', [{ address: DATA_ADDRESS, samples: 9600, flags: BD_BUP }]);
    const start = rig.now;
    rig.start('PO', 0);
    rig.advance(2_000_000);
    rig.card.catchUp();
    expect(sink.samples).toEqual(samples);
    expect(sink.takes[0]!.format).toEqual({ sampleRate: 48000, channels: 2 });
    expect(sink.takes[0]!.runs).toEqual([{ startTick: start, firstFrame: 0, frames: 4800 }]);
  });

  test('frame n leaves at ceil(n × 10^7 ÷ rate) after the start', () => {
    const samples = noise(2000);
    const { rig, sink } = rigWith(samples);
    rig.describe('PO', [{ address: DATA_ADDRESS, samples: 2000 }]);
    const start = rig.now;
    rig.start('PO', 0);
    for (const frame of [1, 2, 3, 500, 999]) {
      const due = start + mulDivCeil(frame, 10_000_000, 48000);
      rig.slot.clock.advanceTo(due - 1);
      expect(rig.card.position('PO').converterFrames).toBe(frame);
      rig.slot.clock.advanceTo(due);
      expect(rig.card.position('PO').converterFrames).toBe(frame + 1);
    }
    expect(sink.samples).toEqual(samples);
  });

  test('PICB counts what is not yet read from memory, in bursts of 32 bytes (§12.2.5)', () => {
    const { rig } = rigWith(noise(960));
    rig.describe('PO', [{ address: DATA_ADDRESS, samples: 960 }]);
    const start = rig.now;
    rig.start('PO', 0);
    // One frame left at once, so there is room for 47 samples more than it: two bursts of the three stay, 16 × 3 were fetched.
    expect(rig.nabm.read16(PO_PICB)).toBe(960 - 2 * FIFO_FRAMES);
    for (const frames of [7, 8, 9, 100, 400]) {
      rig.slot.clock.advanceTo(start + mulDivCeil(frames - 1, 10_000_000, 48000));
      const fetched = 16 * Math.floor((2 * frames + 2 * FIFO_FRAMES) / 16);
      expect(rig.nabm.read16(PO_PICB)).toBe(960 - fetched);
      expect(rig.card.position('PO').dmaSamples).toBe(fetched);
    }
  });

  test('a dword at x4h shows CIV, LVI and SR, one at x8h PICB, PIV and CR (§12.2.2–12.2.7)', () => {
    const { rig } = rigWith(noise(960));
    rig.describe('PO', [
      { address: DATA_ADDRESS, samples: 960 },
      { address: DATA_ADDRESS, samples: 960 },
    ]);
    rig.start('PO', 1, CR_IOCE);
    expect(rig.nabm.read32(PO_CIV)).toBe(0x0000_0100);
    expect(rig.nabm.read32(PO_PICB)).toBe(((CR_IOCE | CR_RPBM) << 24) | (1 << 16) | (960 - 48));
    expect(rig.nabm.read8(PO_PIV)).toBe(1);
    expect(rig.nabm.read8(PO_CR)).toBe(CR_IOCE | CR_RPBM);
  });

  test('a buffer with IOC interrupts when its last sample is fetched, a FIFO before it is heard', () => {
    const { rig } = rigWith(noise(1920));
    rig.describe('PO', [
      { address: DATA_ADDRESS, samples: 960, flags: BD_IOC },
      { address: DATA_ADDRESS + 1920, samples: 960, flags: BD_IOC },
    ]);
    const start = rig.now;
    rig.start('PO', 1, CR_IOCE);
    rig.advance(100_000);
    // 480 frames less the FIFO must have left: frame number 455 is the last of them.
    const due = start + mulDivCeil(480 - FIFO_FRAMES - 1, 10_000_000, 48000);
    expect(rig.slot.lineChanges).toEqual([{ tick: due, asserted: true }]);
    expect(rig.nabm.read16(PO_SR)).toBe(SR_BCIS);
    expect(rig.nabm.read32(GLOB_STA) & STA_POINT).toBe(STA_POINT);
    expect(rig.nabm.read8(PO_CIV)).toBe(1);
    rig.nabm.write16(PO_SR, SR_BCIS);
    expect(rig.slot.asserted).toBe(false);
    expect(rig.nabm.read32(GLOB_STA) & STA_POINT).toBe(0);
  });

  test('at the last valid buffer the engine halts with LVBCI, CELV and DCH; LVBIE interrupts', () => {
    const { rig } = rigWith(noise(960));
    rig.describe('PO', [{ address: DATA_ADDRESS, samples: 960, flags: BD_IOC }]);
    rig.start('PO', 0, CR_LVBIE);
    rig.advance(100_000);
    expect(rig.nabm.read16(PO_SR)).toBe(SR_BCIS | SR_LVBCI | SR_CELV | SR_DCH);
    expect(rig.slot.asserted).toBe(true);
    rig.nabm.write16(PO_SR, SR_LVBCI);
    expect(rig.slot.asserted).toBe(false);
    rig.nabm.write16(PO_SR, 0x1f);
    expect(rig.nabm.read16(PO_SR)).toBe(SR_CELV | SR_DCH);
    expect(rig.nabm.read16(PO_PICB)).toBe(0);
    expect(rig.nabm.read8(PO_PIV)).toBe(1);
  });

  test('enabling an interrupt whose status is already there raises the line: it is a level', () => {
    const { rig } = rigWith(noise(960));
    rig.describe('PO', [{ address: DATA_ADDRESS, samples: 960, flags: BD_IOC }]);
    rig.start('PO', 0);
    rig.advance(100_000);
    expect(rig.slot.asserted).toBe(false);
    rig.nabm.write8(PO_CR, CR_RPBM | CR_IOCE);
    expect(rig.slot.asserted).toBe(true);
    rig.nabm.write8(PO_CR, CR_RPBM);
    expect(rig.slot.asserted).toBe(false);
  });

  test('moving LVI in time keeps the stream whole; a ring runs on for ever', () => {
    const samples = noise(960 * 4);
    const { rig, sink } = rigWith(samples);
    const ring = Array.from({ length: 32 }, (_, index) => ({
      address: DATA_ADDRESS + (index % 4) * 1920,
      samples: 960,
      flags: BD_IOC,
    }));
    rig.describe('PO', ring);
    rig.slot.onInterrupt = () => {
      rig.nabm.write16(PO_SR, SR_BCIS);
      rig.nabm.write8(PO_LVI, (rig.nabm.read8(PO_CIV) - 1) & 31);
    };
    rig.start('PO', 31, CR_IOCE);
    rig.advance(10_000_000);
    rig.card.catchUp();
    const heard = sink.samples;
    expect(heard.length).toBe(2 * 48001);
    for (let index = 0; index < heard.length; index++) {
      if (heard[index] !== samples[index % samples.length]) expect.fail(`sample ${index} differs`);
    }
    expect(sink.takes[0]!.runs.length).toBe(1);
    expect(rig.slot.lineChanges.filter((change) => change.asserted).length).toBe(100);
  });

  test('an LVI moved while the FIFO still plays loses nothing; moved later, the slots in between repeat the last frame', () => {
    const samples = noise(1920);
    const { rig, sink } = rigWith(samples);
    rig.describe('PO', [
      { address: DATA_ADDRESS, samples: 960 },
      { address: DATA_ADDRESS + 1920, samples: 480 },
      { address: DATA_ADDRESS + 2880, samples: 480 },
    ]);
    const start = rig.now;
    rig.start('PO', 0);
    // 470 frames have left: the first buffer is fetched whole, ten of its frames are in the FIFO.
    rig.slot.clock.advanceTo(start + mulDivCeil(469, 10_000_000, 48000));
    expect(rig.nabm.read16(PO_SR) & SR_CELV).toBe(SR_CELV);
    rig.nabm.write8(PO_LVI, 1);
    expect(rig.nabm.read16(PO_SR) & (SR_CELV | SR_DCH)).toBe(0);
    expect(rig.nabm.read8(PO_CIV)).toBe(1);
    // 720 frames are there; ten slots more find the FIFO empty.
    rig.slot.clock.advanceTo(start + mulDivCeil(729, 10_000_000, 48000));
    rig.nabm.write8(PO_LVI, 2);
    rig.slot.clock.advanceTo(start + mulDivCeil(969, 10_000_000, 48000));
    rig.card.catchUp();
    const heard = sink.samples;
    expect(heard.subarray(0, 1440)).toEqual(samples.subarray(0, 1440));
    for (let frame = 720; frame < 730; frame++) {
      expect([heard[frame * 2], heard[frame * 2 + 1]]).toEqual([samples[1438], samples[1439]]);
    }
    expect(heard.subarray(1460, 1460 + 480)).toEqual(samples.subarray(1440, 1920));
    expect(heard.length).toBe(1460 + 480);
    expect(rig.nabm.read16(PO_SR) & SR_FIFOE).toBe(0);
  });

  test('with BUP the slots after the last buffer carry zeros', () => {
    const samples = noise(960).fill(1000);
    const { rig, sink } = rigWith(samples);
    rig.describe('PO', [{ address: DATA_ADDRESS, samples: 960, flags: BD_BUP }]);
    rig.start('PO', 0);
    rig.advance(500_000);
    rig.card.catchUp();
    expect(sink.frames).toBe(480);
    expect(rig.nabm.read16(PO_SR) & SR_FIFOE).toBe(0);
  });

  test('without BUP the last frame repeats, and fades behind the coupling capacitor after 100 ms', () => {
    const samples = noise(960);
    samples[958] = 123;
    samples[959] = -456;
    const { rig, sink } = rigWith(samples);
    rig.describe('PO', [{ address: DATA_ADDRESS, samples: 960 }]);
    rig.start('PO', 0);
    rig.advance(36_000_000_000);
    rig.card.catchUp();
    expect(sink.frames).toBe(480 + 4800);
    expect(Array.from(sink.samples.subarray(-4))).toEqual([123, -456, 123, -456]);
  });

  test('pausing plays the FIFO out and keeps the position; running again goes on with the next sample', () => {
    const samples = noise(2000);
    const { rig, sink } = rigWith(samples);
    rig.describe('PO', [{ address: DATA_ADDRESS, samples: 2000, flags: BD_BUP }]);
    const start = rig.now;
    rig.start('PO', 0);
    rig.slot.clock.advanceTo(start + mulDivCeil(99, 10_000_000, 48000));
    rig.nabm.write8(PO_CR, 0);
    const picb = rig.nabm.read16(PO_PICB);
    expect(rig.nabm.read16(PO_SR)).toBe(SR_DCH);
    rig.advance(1_000_000);
    expect(rig.nabm.read16(PO_PICB)).toBe(picb);
    const fetchedFrames = (2000 - picb) / 2;
    expect(rig.card.position('PO')).toMatchObject({ converterFrames: fetchedFrames, running: false });
    const resumed = rig.now;
    rig.nabm.write8(PO_CR, CR_RPBM);
    rig.advance(1_000_000);
    rig.card.catchUp();
    expect(sink.takes[0]!.runs).toEqual([
      { startTick: start, firstFrame: 0, frames: fetchedFrames },
      {
        startTick: resumed,
        firstFrame: Math.round(((resumed - start) * 48000) / 1e7),
        frames: 1000 - fetchedFrames,
      },
    ]);
    const played = sink.samples;
    expect(played.subarray(0, fetchedFrames * 2)).toEqual(samples.subarray(0, fetchedFrames * 2));
    expect(played.subarray(-(2000 - fetchedFrames * 2))).toEqual(samples.subarray(fetchedFrames * 2));
  });

  test('pausing and running again within the FIFO leaves no gap', () => {
    const samples = noise(2000);
    const { rig, sink } = rigWith(samples);
    rig.describe('PO', [{ address: DATA_ADDRESS, samples: 2000, flags: BD_BUP }]);
    rig.start('PO', 0);
    rig.advance(20_000);
    rig.nabm.write8(PO_CR, 0);
    rig.advance(2_000);
    rig.nabm.write8(PO_CR, CR_RPBM);
    rig.advance(1_000_000);
    rig.card.catchUp();
    expect(sink.samples).toEqual(samples);
    expect(sink.takes[0]!.runs.length).toBe(1);
  });

  test('writing CR again while running changes the enables and nothing else', () => {
    const samples = noise(1920);
    const { rig, sink } = rigWith(samples);
    rig.describe('PO', [
      { address: DATA_ADDRESS, samples: 960 },
      { address: DATA_ADDRESS + 1920, samples: 960, flags: BD_BUP },
    ]);
    rig.start('PO', 1);
    rig.advance(30_000);
    const before = rig.nabm.read32(PO_CIV);
    rig.nabm.write8(PO_CR, CR_RPBM | CR_IOCE | CR_LVBIE | CR_FEIE);
    expect(rig.nabm.read32(PO_CIV)).toBe(before);
    rig.advance(1_000_000);
    rig.card.catchUp();
    expect(sink.samples).toEqual(samples);
  });

  test('setting RPBM at the halt does not leave it; writing LVI does', () => {
    const { rig } = rigWith(noise(1920));
    rig.describe('PO', [
      { address: DATA_ADDRESS, samples: 960 },
      { address: DATA_ADDRESS + 1920, samples: 960 },
    ]);
    rig.start('PO', 0);
    rig.advance(200_000);
    rig.nabm.write8(PO_CR, 0);
    rig.nabm.write8(PO_CR, CR_RPBM);
    expect(rig.nabm.read16(PO_SR)).toBe(SR_LVBCI | SR_CELV | SR_DCH);
    rig.nabm.write8(PO_LVI, 1);
    expect(rig.nabm.read16(PO_SR)).toBe(SR_LVBCI);
    expect(rig.nabm.read8(PO_CIV)).toBe(1);
  });

  test('LVI written while paused at the halt takes effect with RPBM', () => {
    const { rig } = rigWith(noise(1920));
    rig.describe('PO', [
      { address: DATA_ADDRESS, samples: 960 },
      { address: DATA_ADDRESS + 1920, samples: 960 },
    ]);
    rig.start('PO', 0);
    rig.advance(200_000);
    rig.nabm.write8(PO_CR, 0);
    rig.nabm.write8(PO_LVI, 1);
    expect(rig.nabm.read16(PO_SR)).toBe(SR_LVBCI | SR_DCH);
    expect(rig.nabm.read8(PO_CIV)).toBe(0);
    rig.nabm.write8(PO_CR, CR_RPBM);
    expect(rig.nabm.read8(PO_CIV)).toBe(1);
    expect(rig.nabm.read16(PO_SR)).toBe(SR_LVBCI);
  });

  test('RR clears everything but the interrupt enables, and itself', () => {
    const { rig } = rigWith(noise(960));
    rig.describe('PO', [{ address: DATA_ADDRESS, samples: 960, flags: BD_IOC }]);
    rig.start('PO', 0, CR_IOCE | CR_LVBIE | CR_FEIE);
    rig.advance(200_000);
    rig.nabm.write8(PO_CR, CR_IOCE | CR_LVBIE | CR_FEIE);
    rig.nabm.write8(PO_CR, CR_RR);
    expect(rig.nabm.read8(PO_CR)).toBe(CR_IOCE | CR_LVBIE | CR_FEIE);
    expect(rig.nabm.read32(0x10)).toBe(0);
    expect(rig.nabm.read32(PO_CIV)).toBe(SR_DCH << 16);
    expect(rig.nabm.read32(PO_PICB) & 0x00ff_ffff).toBe(0);
    expect(rig.slot.asserted).toBe(false);
  });

  test('empty buffers are skipped, their IOC counts, and an empty last one halts', () => {
    const samples = noise(960);
    const { rig, sink } = rigWith(samples);
    rig.describe('PO', [
      { address: DATA_ADDRESS, samples: 0, flags: BD_IOC },
      { address: DATA_ADDRESS, samples: 960 },
      { address: DATA_ADDRESS, samples: 0 },
      { address: DATA_ADDRESS, samples: 0, flags: BD_BUP },
    ]);
    rig.start('PO', 3, CR_IOCE);
    expect(rig.slot.asserted).toBe(true);
    expect(rig.nabm.read8(PO_CIV)).toBe(1);
    rig.advance(200_000);
    expect(rig.nabm.read8(PO_CIV)).toBe(3);
    expect(rig.nabm.read16(PO_SR) & SR_CELV).toBe(SR_CELV);
    expect(sink.samples).toEqual(samples);
  });

  test('a frame across two descriptors plays as if they were one, and is a finding', () => {
    const samples = noise(960);
    const { rig, sink } = rigWith(samples);
    rig.describe('PO', [
      { address: DATA_ADDRESS, samples: 461 },
      { address: DATA_ADDRESS + 922, samples: 499, flags: BD_BUP },
    ]);
    rig.start('PO', 1);
    rig.advance(200_000);
    rig.card.catchUp();
    expect(sink.samples).toEqual(samples);
    expect(rig.slot.findings.map((finding) => finding.what)).toContain(
      'PO descriptor 0: a frame spans two descriptors',
    );
  });

  test('a refused transfer stops the DMA where it is; with the FIFO dry FIFOE comes, and with FEIE the interrupt', () => {
    const { rig, sink } = rigWith(noise(100));
    // Twenty frames of the buffer are in RAM, the rest lies behind its end.
    const end = rig.slot.ramStart + rig.slot.ram.length;
    rig.slot.samplesAt(end - 80, 40).fill(77);
    rig.describe('PO', [{ address: end - 80, samples: 960 }]);
    const start = rig.now;
    rig.start('PO', 0, CR_FEIE);
    rig.advance(100_000);
    // Two bursts of eight frames came whole; slot 16 is the first that found nothing.
    expect(rig.slot.lineChanges).toEqual([
      { tick: start + mulDivCeil(16, 10_000_000, 48000), asserted: true },
    ]);
    expect(rig.nabm.read16(PO_SR)).toBe(SR_FIFOE);
    expect(rig.nabm.read16(PO_PICB)).toBe(960 - 32);
    expect(new Set(sink.samples)).toEqual(new Set([77]));
    rig.nabm.write16(PO_SR, SR_FIFOE);
    expect(rig.slot.asserted).toBe(false);
  });

  test('a refusal in the middle of a buffer shows at its end at the latest', () => {
    const { rig } = rigWith(noise(100));
    const end = rig.slot.ramStart + rig.slot.ram.length;
    rig.describe('PO', [{ address: end - 1600, samples: 9600 }]);
    const start = rig.now;
    rig.start('PO', 0, CR_FEIE);
    rig.advance(10_000_000);
    expect(rig.slot.asserted).toBe(true);
    const tick = rig.slot.lineChanges[0]!.tick;
    expect(tick).toBeGreaterThanOrEqual(start + mulDivCeil(400, 10_000_000, 48000));
    expect(tick).toBeLessThanOrEqual(start + mulDivCeil(4800, 10_000_000, 48000));
    expect(rig.card.position('PO')).toMatchObject({ dmaSamples: 800, converterFrames: 400 });
  });

  test('transfers are reported with address and length when they are wanted', () => {
    const rig = new Ac97Rig({}, { wantsDma: true }).bringUp();
    rig.describe('PO', [{ address: DATA_ADDRESS, samples: 960 }]);
    rig.start('PO', 0);
    rig.advance(1_000_000);
    rig.card.catchUp();
    expect(rig.slot.transfers).toEqual([
      { name: 'PO', direction: 'read', busAddress: DATA_ADDRESS, length: 96 },
      { name: 'PO', direction: 'read', busAddress: DATA_ADDRESS + 96, length: 1920 - 96 },
    ]);
  });

  test('with bus mastering off nothing is fetched; switched on, the stream begins', () => {
    const samples = noise(960);
    const { rig, sink } = rigWith(samples);
    rig.describe('PO', [{ address: DATA_ADDRESS, samples: 960, flags: BD_BUP }]);
    rig.slot.busMasterEnable = false;
    rig.start('PO', 0);
    rig.advance(100_000);
    expect(rig.nabm.read16(PO_SR) & SR_FIFOE).toBe(SR_FIFOE);
    expect(rig.card.position('PO').dmaSamples).toBe(0);
    rig.slot.busMasterEnable = true;
    rig.card.onConfigWrite(4);
    rig.advance(200_000);
    rig.card.catchUp();
    expect(sink.samples).toEqual(samples);
  });

  test('a long buffer costs an alarm at its halt and one when the FIFO is played out, and no access is needed', () => {
    const samples = noise(65534);
    const { rig, sink } = rigWith(samples);
    rig.describe('PO', [{ address: DATA_ADDRESS, samples: 65534, flags: BD_BUP }]);
    const fired = rig.slot.clock.fired;
    rig.start('PO', 0);
    rig.advance(100_000_000);
    expect(rig.slot.clock.fired).toBe(fired + 2);
    expect(sink.samples).toEqual(samples);
  });
});

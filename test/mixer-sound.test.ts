import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Control, Controls } from '../src/client/index.ts';
import type { RtPin } from '../src/client/streams/rt-pin.ts';
import type { Ac97CardOptions } from '../src/hardware/ac97/index.ts';
import { ArraySource, MemorySink, ToneSource } from '../src/hardware/analog.ts';
import {
  IRP_MN_SET_POWER,
  ioGetAttachedDevice,
  PowerDeviceD0,
  PowerDeviceD1,
  PowerDeviceD2,
  PowerDeviceD3,
  PowerSystemSleeping3,
  PowerSystemWorking,
  poRequestPowerIrp,
} from '../src/kernel/index.ts';
import { KSSTATE_RUN, pcmFormat } from '../src/ks/index.ts';
import { Ac97Bench, CAPTURE_PIN, MIC_PIN, RENDER_PIN, setState } from './support/ac97-bench.ts';

/** Tones are whole periods of this many frames, so that measuring needs no window. */
const PERIOD_FRAMES = 1920;
const RATE = 48_000;

/** Amplitude of a tone in interleaved samples, one channel, over whole periods; and the phase does not matter. */
function amplitudeOf(samples: Int16Array, channels: number, channel: number, hertz: number): number {
  let [real, imaginary] = [0, 0];
  for (let frame = 0; frame < PERIOD_FRAMES; frame++) {
    const angle = (2 * Math.PI * hertz * frame) / RATE;
    const value = samples[frame * channels + channel] ?? 0;
    real += value * Math.cos(angle);
    imaginary += value * Math.sin(angle);
  }
  return (2 * Math.hypot(real, imaginary)) / PERIOD_FRAMES;
}

const decibels = (ratio: number): number => 20 * Math.log10(ratio);

/** The card with tones at its jacks and a tone playing, and everything that comes out of it. */
class Desk implements Disposable {
  readonly headphone = new MemorySink();
  readonly mono = new MemorySink();
  readonly bench: Ac97Bench;
  readonly controls: Controls;
  #address = 0;
  #bytes = 0;
  #capture: { readonly pin: RtPin; readonly address: number; readonly bytes: number } | null = null;

  constructor(card: Ac97CardOptions = {}) {
    this.bench = new Ac97Bench({ card: { headphoneOut: this.headphone, monoOut: this.mono, ...card } });
    this.controls = this.bench.audio.controls();
    // Nothing but the wave output is heard unless a test says so.
    for (const name of ['Mic', 'CD', 'Video', 'Aux', 'Line', 'Phone', 'PC Speaker'])
      this.set(`${name} Mute`, 1);
  }

  set(name: string, value: number | readonly number[]): void {
    this.controls.set(this.controls.find(name), value);
  }

  get(name: string): number[] {
    return this.controls.get(this.controls.find(name));
  }

  control(name: string): Control {
    return this.controls.find(name);
  }

  /** Plays a tone for ever. */
  play(hertz: number, left: number, right: number): void {
    if (this.#address === 0) {
      const filter = this.bench.openFilter('Wave');
      const pin = this.bench.openPin(filter, RENDER_PIN);
      const buffer = pin.allocateBuffer(PERIOD_FRAMES * 4, 0);
      this.#address = buffer.bufferAddress;
      this.#bytes = buffer.actualBufferSize;
      this.#fill(hertz, left, right);
      setState(pin, KSSTATE_RUN);
    } else this.#fill(hertz, left, right);
    this.bench.pass(100);
  }

  #fill(hertz: number, left: number, right: number): void {
    const samples = new Int16Array(this.#bytes / 2);
    for (let frame = 0; frame < samples.length / 2; frame++) {
      const value = Math.sin((2 * Math.PI * hertz * frame) / RATE);
      samples[frame * 2] = Math.round(left * value);
      samples[frame * 2 + 1] = Math.round(right * value);
    }
    this.bench.process.writeMemory(this.#address, new Uint8Array(samples.buffer));
  }

  /** What leaves a jack from now on, one period of it. */
  #hear(sink: MemorySink): { samples: Int16Array; channels: number } {
    sink.clear();
    // One period and what the FIFO holds.
    this.bench.pass(42);
    this.bench.card.catchUp();
    const take = sink.takes.at(-1);
    const channels = take?.format.channels ?? 2;
    const samples = (take?.samples ?? new Int16Array(0)) as Int16Array;
    return { samples: samples.slice(0, PERIOD_FRAMES * channels), channels };
  }

  /** Amplitude of a tone at a jack, per channel. */
  level(hertz: number, sink: MemorySink = this.bench.lineOut): number[] {
    const { samples, channels } = this.#hear(sink);
    return Array.from({ length: channels }, (_, channel) => amplitudeOf(samples, channels, channel, hertz));
  }

  /** Nothing but zeros, or nothing at all, leaves the jack. */
  isSilent(sink: MemorySink = this.bench.lineOut): boolean {
    return this.#hear(sink).samples.every((sample) => sample === 0);
  }

  /** Starts recording into a cyclic buffer. */
  record(pin: typeof CAPTURE_PIN | typeof MIC_PIN): void {
    const filter = this.bench.openFilter('Wave');
    const channels = pin === MIC_PIN ? 1 : 2;
    const stream = this.bench.openPin(filter, pin, pcmFormat(RATE, channels, 16));
    const buffer = stream.allocateBuffer(PERIOD_FRAMES * 2 * channels, 0);
    setState(stream, KSSTATE_RUN);
    this.#capture = { pin: stream, address: buffer.bufferAddress, bytes: buffer.actualBufferSize };
  }

  /** One period of what is recorded from now on, not in phase. */
  get recorded(): Int16Array {
    if (this.#capture === null) throw new Error('nothing is recorded');
    this.bench.pass(90);
    const bytes = new Uint8Array(this.#capture.bytes);
    this.bench.card.catchUp();
    this.bench.process.readMemory(this.#capture.address, bytes);
    return new Int16Array(bytes.buffer);
  }

  /** Amplitude of a tone in the recording, per channel. */
  recordedLevel(hertz: number, channels = 2): number[] {
    const samples = this.recorded;
    return Array.from({ length: channels }, (_, channel) => amplitudeOf(samples, channels, channel, hertz));
  }

  [Symbol.dispose](): void {
    this.bench[Symbol.dispose]();
  }
}

/** Every level that a control can take. */
function steps(control: Control): number[] {
  const range = control.ranges[0];
  if (range === undefined) throw new Error(`${control.name} has no range`);
  const count = Math.round((range.maximum - range.minimum) / range.step);
  return Array.from({ length: count + 1 }, (_, index) => range.minimum + index * range.step);
}

/** The datasheet's steps are exact; what is left is the rounding of 16-bit samples. */
const EXACT_DB = 0.05;

describe("the AC'97 mixer, by its sound", () => {
  it('Master, Headphone and Mono Out attenuate by 1.5 dB a step to −46.5 dB, each side by itself (5.7.2)', () => {
    using desk = new Desk();
    desk.play(1000, 30_000, 30_000);
    for (const [name, sink] of [
      ['Master Volume', desk.bench.lineOut],
      ['Headphone Volume', desk.headphone],
      ['Mono Out Volume', desk.mono],
    ] as const) {
      const control = desk.control(name);
      expect(control.ranges[0]).toEqual({ minimum: -46.5, maximum: 0, step: 1.5 });
      const levels = steps(control);
      for (const [index, level] of levels.entries()) {
        // The other side gets another level, from the other end.
        const other = levels[levels.length - 1 - index] as number;
        const wanted = control.channels === 2 ? [level, other] : [level];
        desk.set(name, wanted);
        expect(desk.get(name)).toEqual(wanted);
        const measured = desk.level(1000, sink).map((amplitude) => decibels(amplitude / 30_000));
        for (const [channel, value] of measured.entries())
          expect(Math.abs(value - (wanted[channel] as number))).toBeLessThan(EXACT_DB);
      }
    }
  });

  it('Wave Volume goes from −34.5 to +12 dB (5.7.5)', () => {
    using desk = new Desk();
    desk.play(1000, 8000, 8000);
    const control = desk.control('Wave Volume');
    const levels = steps(control);
    expect([levels[0], levels.at(-1), levels.length]).toEqual([-34.5, 12, 32]);
    for (const [index, level] of levels.entries()) {
      const wanted = [level, levels[levels.length - 1 - index] as number];
      desk.set('Wave Volume', wanted);
      const measured = desk.level(1000).map((amplitude) => decibels(amplitude / 8000));
      for (const [channel, value] of measured.entries())
        expect(Math.abs(value - (wanted[channel] as number))).toBeLessThan(EXACT_DB);
    }
  });

  it('a level between two steps takes the nearer one, one beyond the range its end', () => {
    using desk = new Desk();
    desk.play(1000, 30_000, 30_000);
    fc.assert(
      fc.property(fc.double({ min: -200, max: 200, noNaN: true }), (level) => {
        desk.set('Master Volume', level);
        const [taken] = desk.get('Master Volume') as [number];
        const limited = Math.min(Math.max(level, -46.5), 0);
        expect(Math.abs(taken - limited)).toBeLessThanOrEqual(0.75 + 1e-4);
        const [left] = desk.level(1000) as [number];
        expect(Math.abs(decibels(left / 30_000) - taken)).toBeLessThan(EXACT_DB);
      }),
      { numRuns: 25 },
    );
    desk.set('Master Volume', Number.NEGATIVE_INFINITY);
    expect(desk.get('Master Volume')).toEqual([-46.5, -46.5]);
  });

  it('a mute is silence, and nothing else changes', () => {
    using desk = new Desk();
    desk.play(1000, 30_000, 15_000);
    for (const [name, sinks] of [
      ['Master Mute', [desk.bench.lineOut]],
      ['Headphone Mute', [desk.headphone]],
      ['Mono Out Mute', [desk.mono]],
      ['Wave Mute', [desk.bench.lineOut, desk.headphone, desk.mono]],
    ] as const) {
      const all = [desk.bench.lineOut, desk.headphone, desk.mono];
      desk.set(name, 1);
      for (const sink of all) expect(desk.isSilent(sink)).toBe(sinks.includes(sink));
      desk.set(name, 0);
      for (const sink of all) expect(desk.isSilent(sink)).toBe(false);
      const [left, right] = desk.level(1000) as [number, number];
      expect(left).toBeCloseTo(30_000, 0);
      expect(right).toBeCloseTo(15_000, 0);
    }
  });

  it('mono out is the mean of both sides', () => {
    using desk = new Desk();
    desk.play(1000, 20_000, 10_000);
    expect(desk.level(1000, desk.mono)[0]).toBeCloseTo(15_000, 0);
  });

  it('Bass lifts and lowers the low end, Treble the high end, 1.5 dB a step (5.7.3)', () => {
    using desk = new Desk();
    const measure = (hertz: number): number => {
      desk.play(hertz, 8000, 8000);
      const [left, right] = desk.level(hertz) as [number, number];
      // One setting for both sides.
      expect(Math.abs(decibels(left / right))).toBeLessThan(0.01);
      return decibels(left / 8000);
    };
    for (const [name, there, elsewhere] of [
      ['Bass', 25, 10_000],
      ['Treble', 20_000, 200],
    ] as const) {
      let last = Number.NEGATIVE_INFINITY;
      for (const level of steps(desk.control(name))) {
        desk.set(name, level);
        expect(desk.get(name)).toEqual([level, level]);
        const gain = measure(there);
        // A shelf comes near its full gain an octave or two beyond its corner.
        expect(Math.abs(gain - level)).toBeLessThan(1);
        expect(gain).toBeGreaterThan(last + 1);
        last = gain;
      }
      expect(Math.abs(measure(elsewhere))).toBeLessThan(0.3);
      desk.set(name, 0);
    }
    // Flat is a bypass: bit by bit what was played.
    desk.play(1000, 12_345, 12_345);
    expect(desk.level(1000)[0]).toBeCloseTo(12_345, 0);
  });

  it('the record source is the one that is selected, whatever else sounds (5.7.6)', () => {
    const hertz = { mic: 500, cd: 700, video: 1100, aux: 1300, line: 1700, phone: 1900, wave: 2300 } as const;
    using desk = new Desk({
      micIn: new ToneSource(hertz.mic, 0.25),
      cdIn: new ToneSource(hertz.cd, 0.25),
      videoIn: new ToneSource(hertz.video, 0.25),
      auxIn: new ToneSource(hertz.aux, 0.25),
      lineIn: new ToneSource(hertz.line, 0.25),
      phoneIn: new ToneSource(hertz.phone, 0.25),
    });
    desk.play(hertz.wave, 8000, 4000);
    desk.record(CAPTURE_PIN);
    const { choices } = desk.control('Recording Source');
    const heard = (name: string): readonly (keyof typeof hertz)[] => {
      const choice = choices.find((one) => one.name === name);
      if (choice === undefined) throw new Error(`no source ${name}: ${choices.map((one) => one.name)}`);
      desk.set('Recording Source', choice.value);
      expect(desk.get('Recording Source')).toEqual([choice.value]);
      const samples = desk.recorded;
      return (Object.keys(hertz) as (keyof typeof hertz)[]).filter(
        (source) => amplitudeOf(samples, 2, 0, hertz[source]) > 100,
      );
    };
    expect(heard('Microphone')).toEqual(['mic']);
    expect(heard('CD Audio')).toEqual(['cd']);
    expect(heard('Video')).toEqual(['video']);
    expect(heard('Aux')).toEqual(['aux']);
    expect(heard('Line In')).toEqual(['line']);
    expect(heard('Phone Line')).toEqual(['phone']);
    expect(heard('Stereo Mix')).toEqual(['wave']);
    let [left, right] = desk.recordedLevel(hertz.wave) as [number, number];
    expect([left, right].map(Math.round)).toEqual([8000, 4000]);
    expect(heard('Mono Mix')).toEqual(['wave']);
    [left, right] = desk.recordedLevel(hertz.wave) as [number, number];
    expect([left, right].map(Math.round)).toEqual([6000, 6000]);
    // What is mixed in is in the mix.
    desk.set('CD Mute', 0);
    expect(heard('Stereo Mix')).toEqual(['cd', 'wave']);
  });

  it('record gain goes from 0 to +22.5 dB, each side by itself, and mutes (5.7.7)', () => {
    using desk = new Desk({ lineIn: new ToneSource(1000, 1000 / 32_767) });
    desk.record(CAPTURE_PIN);
    const levels = steps(desk.control('Wave In Volume'));
    expect([levels[0], levels.at(-1), levels.length]).toEqual([0, 22.5, 16]);
    for (const [index, level] of levels.entries()) {
      const wanted = [level, levels[levels.length - 1 - index] as number];
      desk.set('Wave In Volume', wanted);
      const measured = desk.recordedLevel(1000).map((amplitude) => decibels(amplitude / 1000));
      for (const [channel, value] of measured.entries())
        expect(Math.abs(value - (wanted[channel] as number))).toBeLessThan(EXACT_DB);
    }
    desk.set('Wave In Volume', 1000);
    expect(desk.get('Wave In Volume')).toEqual([22.5, 22.5]);
    desk.set('Wave In Mute', 1);
    expect(desk.recorded.every((sample) => sample === 0)).toBe(true);
  });

  it('the microphone’s own ADC has its own gain; the boost is 20 dB (5.7.5)', () => {
    using desk = new Desk({ micIn: new ToneSource(1000, 200 / 32_767) });
    desk.record(MIC_PIN);
    for (const level of steps(desk.control('Mic In Volume'))) {
      desk.set('Mic In Volume', level);
      const [measured] = desk.recordedLevel(1000, 1) as [number];
      expect(Math.abs(decibels(measured / 200) - level)).toBeLessThan(0.1);
    }
    desk.set('Mic In Volume', 0);
    const [plain] = desk.recordedLevel(1000, 1) as [number];
    desk.set('Microphone Boost', 1);
    const [boosted] = desk.recordedLevel(1000, 1) as [number];
    expect(Math.abs(decibels(boosted / plain) - 20)).toBeLessThan(0.1);
    desk.set('Mic In Mute', 1);
    expect(desk.recorded.every((sample) => sample === 0)).toBe(true);
  });

  it('an input that is not muted is heard, with its level, without any stream', () => {
    const wave = (left: number, right: number) =>
      new ArraySource(
        Int16Array.from({ length: PERIOD_FRAMES * 2 }, (_, index) => {
          const value = Math.sin((2 * Math.PI * 1000 * (index >> 1)) / RATE);
          return Math.round((index % 2 === 0 ? left : right) * value);
        }),
        { sampleRate: RATE, channels: 2 },
        { loop: true, startTick: 0 },
      );
    for (const [name, jack] of [
      ['Line In', 'lineIn'],
      ['CD', 'cdIn'],
      ['Video', 'videoIn'],
      ['Aux', 'auxIn'],
    ] as const) {
      using desk = new Desk({ [jack]: wave(8000, 4000) });
      expect(desk.isSilent()).toBe(true);
      desk.set(name === 'Line In' ? 'Line Mute' : `${name} Mute`, 0);
      for (const [left, right] of [
        [0, 0],
        [12, -34.5],
        [-6, 6],
      ] as const) {
        desk.set(`${name} Volume`, [left, right]);
        const measured = desk.level(1000) as [number, number];
        expect(Math.abs(decibels(measured[0] / 8000) - left)).toBeLessThan(EXACT_DB);
        expect(Math.abs(decibels(measured[1] / 4000) - right)).toBeLessThan(EXACT_DB);
      }
    }
  });
});

describe("an AC'97 codec in its power states (5.7.11)", () => {
  const POWERDOWN = 0x26;
  /** Asks for a device power state, as the power manager does. */
  function setDevicePower(desk: Desk, state: number): void {
    const { kernel, slot } = desk.bench;
    kernel.enter(() => {
      const device = kernel.pnp.findDevice(slot);
      if (device === null) throw new Error('no device');
      const top = ioGetAttachedDevice(device.physicalDeviceObject);
      poRequestPowerIrp(top, IRP_MN_SET_POWER, state, null, null);
    });
    desk.bench.pass(2);
  }

  it('D1 stops the converters and keeps the mixer, D2 the mixer too, D3 the reference; D0 brings all back', () => {
    using desk = new Desk({ lineIn: new ToneSource(1000, 0.25) });
    desk.set('Line Mute', 0);
    desk.set('Line In Volume', -6);
    desk.set('Bass', 4.5);
    desk.play(3000, 8000, 8000);
    const before = new Map(desk.controls.list.map((control) => [control.id, desk.controls.get(control)]));
    expect(desk.level(3000)[0]).toBeGreaterThan(1000);
    for (const [state, bits, lineIsHeard] of [
      [PowerDeviceD1, 0x0300, true],
      [PowerDeviceD2, 0x0700, false],
      [PowerDeviceD3, 0x0f00, false],
    ] as const) {
      setDevicePower(desk, state);
      expect(desk.bench.register(POWERDOWN) & 0xff00).toBe(bits);
      expect(desk.level(3000)[0] ?? 0).toBeLessThan(1);
      expect((desk.level(1000)[0] ?? 0) > 1000).toBe(lineIsHeard);
      setDevicePower(desk, PowerDeviceD0);
      expect(desk.bench.register(POWERDOWN)).toBe(0x000f);
      for (const control of desk.controls.list)
        expect(desk.controls.get(control)).toEqual(before.get(control.id));
      expect(desk.level(3000)[0]).toBeGreaterThan(1000);
      const [line] = desk.level(1000) as [number];
      expect(Math.abs(decibels(line / (0.25 * 32_767)) + 6)).toBeLessThan(0.3);
    }
  });

  it('controls keep their settings over a sleep', () => {
    using desk = new Desk();
    desk.play(1000, 30_000, 30_000);
    const power = (state: typeof PowerSystemSleeping3 | typeof PowerSystemWorking) =>
      desk.bench.kernel.enter(() => desk.bench.kernel.pnp.setSystemPowerState(state));
    power(PowerSystemSleeping3);
    expect(desk.isSilent()).toBe(true);
    power(PowerSystemWorking);
    desk.set('Master Volume', -12);
    power(PowerSystemSleeping3);
    power(PowerSystemWorking);
    desk.bench.pass(50);
    expect(desk.get('Master Volume')).toEqual([-12, -12]);
    expect(Math.abs(decibels((desk.level(1000)[0] as number) / 30_000) + 12)).toBeLessThan(EXACT_DB);
  });
});

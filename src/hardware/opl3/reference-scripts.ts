/**
 * Register scripts for comparing {@link FmSynth} with a reference implementation, sample by sample. What the reference made of them is in
 * `reference-vectors.ts`. Scripts are made from seeds by integer arithmetic, so that they are the same everywhere.
 */
import type { FmSynth } from './synth.ts';

/** A register write, or samples that pass. */
export type ScriptStep = { readonly register: number; readonly value: number } | { readonly frames: number };

export interface ReferenceScript {
  readonly name: string;
  readonly steps: readonly ScriptStep[];
}

/** What is kept of a script's samples: their number, a hash of all of them, and some, evenly spaced. */
export interface ReferenceVector {
  readonly name: string;
  readonly frames: number;
  /** FNV-1a, 32 bits, over the 16-bit samples, left then right, lower byte first. */
  readonly hash: number;
  /** Left and right of {@link EXCERPT_FRAMES} frames, at frame floor(k × frames ÷ EXCERPT_FRAMES). */
  readonly excerpt: readonly number[];
}

export const EXCERPT_FRAMES = 8;

/** Uniform integers below a limit. */
type Random = (limit: number) => number;

/** A generator by linear congruence; the upper bits are used. */
function random(seed: number): Random {
  let state = (Math.imul(seed, 0x9e37_79b1) + 0x7f4a_7c15) >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(((state >>> 8) * limit) / 2 ** 24);
  };
}

class ScriptWriter {
  readonly steps: ScriptStep[] = [];

  write(register: number, value: number): this {
    this.steps.push({ register, value });
    return this;
  }

  wait(frames: number): this {
    this.steps.push({ frames });
    return this;
  }

  /** OPL3 mode with all channels heard on both sides. */
  opl3(): this {
    this.write(0x105, 1);
    for (let channel = 0; channel < 18; channel++) this.channel(0xc0, channel, 0x30);
    return this;
  }

  channel(group: number, channel: number, value: number): this {
    return this.write((channel >= 9 ? 0x100 : 0) + group + (channel % 9), value);
  }

  /** Operator 0 or 1 of a channel. */
  operator(group: number, channel: number, which: number, value: number): this {
    const place = channel % 9;
    const offset = Math.floor(place / 3) * 8 + (place % 3) + 3 * which;
    return this.write((channel >= 9 ? 0x100 : 0) + group + offset, value);
  }

  /** Both operators of a channel: [20h, 40h, 60h, 80h, E0h] each. */
  instrument(channel: number, modulator: readonly number[], carrier: readonly number[]): this {
    for (const [index, group] of [0x20, 0x40, 0x60, 0x80, 0xe0].entries()) {
      this.operator(group, channel, 0, modulator[index]!);
      this.operator(group, channel, 1, carrier[index]!);
    }
    return this;
  }

  key(channel: number, fNumber: number, block: number, down: boolean): this {
    this.channel(0xa0, channel, fNumber & 0xff);
    return this.channel(0xb0, channel, (down ? 0x20 : 0) | (block << 2) | (fNumber >> 8));
  }
}

function waveforms(): ScriptWriter {
  const script = new ScriptWriter().opl3();
  for (let wave = 0; wave < 8; wave++) {
    for (const feedback of [0, 3, 7]) {
      script.channel(0xc0, wave, 0x30 | (feedback << 1));
      script.instrument(wave, [0x21, 0x10, 0xf0, 0x04, wave], [0x22, 0x02, 0xf0, 0x06, (wave + 3) & 7]);
      script
        .key(wave, 0x200 + 17 * wave, 4, true)
        .wait(700)
        .key(wave, 0x200 + 17 * wave, 4, false)
        .wait(150);
    }
  }
  return script;
}

function envelopeRates(compatible: boolean): ScriptWriter {
  const script = new ScriptWriter();
  if (!compatible) script.opl3();
  for (let rate = 1; rate < 16; rate++) {
    const channel = rate % 9;
    const keyScaleRate = rate % 3 === 0 ? 0x10 : 0;
    script.channel(0xc0, channel, 0x31);
    script.instrument(
      channel,
      [0x01 | keyScaleRate, 0x00, (rate << 4) | (16 - rate), (rate << 4) | rate, 0],
      [0x21 | keyScaleRate, 0x04, (rate << 4) | 0x0c, 0x38 | (rate & 7), 1],
    );
    script
      .key(channel, 0x244, rate >> 1, true)
      .wait(1500)
      .key(channel, 0x244, rate >> 1, false)
      .wait(700);
  }
  // A rate that is changed under way, and a key that is struck again before the release has ended.
  script.instrument(0, [0x21, 0, 0x74, 0x25, 0], [0x21, 0, 0x64, 0x35, 0]).key(0, 0x2ae, 3, true).wait(333);
  script.operator(0x60, 0, 1, 0xf6).wait(400).operator(0x80, 0, 1, 0x81).key(0, 0x2ae, 3, false).wait(99);
  script.key(0, 0x2ae, 5, true).wait(1001).operator(0x20, 0, 1, 0x01).wait(777);
  return script;
}

function fourOperators(): ScriptWriter {
  const script = new ScriptWriter().opl3();
  for (let algorithm = 0; algorithm < 4; algorithm++) {
    for (const [bit, lower] of [0, 1, 2, 9, 10, 11].entries()) {
      const upper = lower + 3;
      script.write(0x104, 1 << bit);
      script.channel(0xc0, lower, 0x30 | ((bit + 1) << 1) | (algorithm >> 1));
      script.channel(0xc0, upper, (bit % 3 === 2 ? 0x10 : 0x30) | (algorithm & 1));
      script.instrument(lower, [0x23, 0x14, 0xf2, 0x15, bit], [0x21, 0x0a, 0xe3, 0x26, 0]);
      script.instrument(upper, [0x62, 0x0c, 0xd4, 0x37, algorithm], [0xa1, 0x00, 0xc5, 0x48, 0]);
      script
        .key(lower, 0x181 + 40 * bit, 4, true)
        .wait(500)
        .key(lower, 0x181 + 40 * bit, 4, false)
        .wait(200);
    }
  }
  return script.write(0x104, 0x3f).wait(300).write(0x104, 0).wait(300);
}

function percussion(opl3: boolean): ScriptWriter {
  const script = new ScriptWriter();
  if (opl3) script.opl3();
  script.instrument(6, [0x01, 0x0b, 0xa8, 0x4c, 0], [0x01, 0x00, 0xd6, 0x4f, 0]);
  script.instrument(7, [0x01, 0x00, 0xf8, 0x07, 2], [0x01, 0x02, 0xf7, 0x06, 0]);
  script.instrument(8, [0x05, 0x01, 0xf6, 0x15, 0], [0x01, 0x00, 0xf5, 0x25, 3]);
  script.key(6, 0x157, 2, false).key(7, 0x202, 2, false).key(8, 0x1c1, 3, false);
  const hits = [0x10, 0x08, 0x04, 0x02, 0x01, 0x1f, 0x11, 0x0a];
  for (const [index, hit] of hits.entries()) {
    script.channel(0xc0, 6, 0x30 | (index & 1) | ((index & 7) << 1));
    script
      .write(0xbd, 0x20 | hit)
      .wait(900)
      .write(0xbd, 0x20)
      .wait(100);
  }
  // The channels' own keys beside the drums', then without the rhythm section.
  script.key(7, 0x202, 4, true).wait(500).write(0xbd, 0x3f).wait(250).write(0xbd, 0).wait(400);
  return script.key(7, 0x202, 4, false).wait(300);
}

function modulationDepths(): ScriptWriter {
  const script = new ScriptWriter().opl3();
  for (let depth = 0; depth < 4; depth++) {
    script.write(0xbd, depth << 6);
    for (let channel = 0; channel < 9; channel++) {
      script.channel(0xc0, channel, 0x30 | (channel & 1));
      script.instrument(channel, [0x21 | ((channel & 3) << 6), 0x1c, 0xf0, 0, 0], [0xe1, 0x12, 0xf0, 0, 0]);
      script.key(channel, 0x3ff - 113 * channel, channel % 8, true);
    }
    script.wait(9000);
  }
  return script.write(0xbd, 0xc0).wait(3).write(0xbd, 0).wait(500);
}

function levelsAndScaling(): ScriptWriter {
  const script = new ScriptWriter().opl3();
  for (let split = 0; split < 2; split++) {
    // The reference takes a new split with the next frequency only: all frequencies are written at once.
    script.write(0x08, split << 6);
    for (let index = 0; index < 16; index++) script.key(index, 64 * index + 37, index & 7, false);
    for (let index = 0; index < 16; index++) {
      script.channel(0xc0, index, (((index % 3) + 1) << 4) | 1);
      script.instrument(
        index,
        [0x30 | index, ((index & 3) << 6) | index, 0xa5, 0x66, 0],
        [0x20 | (15 - index), (((index >> 2) & 3) << 6) | (4 * index), 0x96, 0x57, 4],
      );
      script.key(index, 64 * index + 37, index & 7, true).wait(150);
    }
    script.wait(900);
    for (let index = 0; index < 16; index++) script.key(index, 64 * index + 37, index & 7, false);
    script.wait(900);
  }
  return script;
}

function clipping(): ScriptWriter {
  const script = new ScriptWriter().opl3();
  for (let channel = 0; channel < 18; channel++) {
    script.channel(0xc0, channel, 0x31).instrument(channel, [0x21, 0, 0xf0, 0, 6], [0x21, 0, 0xf0, 0, 6]);
    script.key(channel, 0x244, 4, true);
  }
  return script.wait(600);
}

/** Anything at any time: writes to all registers but the timers, 105h and the test register. */
function anything(seed: number, opl3: boolean): ScriptWriter {
  const below = random(seed);
  const script = new ScriptWriter();
  if (opl3) script.opl3();
  const bank = (): number => (opl3 ? 0x100 * below(2) : 0);
  const operator = (): number => {
    const place = below(18);
    return bank() + 8 * Math.floor(place / 6) + (place % 6);
  };
  const frequency = (): void => {
    const channel = bank() + below(9);
    // The reference takes an F-number without a block differently where four operators are joined; see the decisions.
    if (opl3) script.write(0xa0 + channel, below(256));
    script.write(0xb0 + channel, below(256));
  };
  const moves: readonly (() => void)[] = [
    () => script.write(0x20 + operator(), below(256)),
    () => script.write(0x40 + operator(), below(4) === 0 ? below(256) : (below(4) << 6) | below(32)),
    () => script.write(0x60 + operator(), below(256)),
    () => script.write(0x80 + operator(), below(256)),
    () => script.write(0xe0 + operator(), below(256)),
    frequency,
    frequency,
    frequency,
    () => script.write(bank() + 0xc0 + below(9), below(256)),
    () => script.write(0xbd, below(256)),
    () => (opl3 ? script.write(0x104, below(64)) : script.write(0xa0 + below(9), below(256))),
    () => script.wait(1 + below(200)),
    () => script.wait(1 + below(200)),
    () => script.wait(1 + below(2000)),
  ];
  for (let count = 0; count < 350; count++) moves[below(moves.length)]!();
  return script.wait(1000);
}

/** All scripts. */
export function referenceScripts(): readonly ReferenceScript[] {
  const scripts: ReferenceScript[] = [];
  const add = (name: string, script: ScriptWriter): void => {
    scripts.push({ name, steps: script.steps });
  };
  add('all waveforms, three feedbacks', waveforms());
  add('envelope rates', envelopeRates(false));
  add('envelope rates, compatible mode', envelopeRates(true));
  add('four operators, all algorithms and pairs', fourOperators());
  add('percussion', percussion(true));
  add('percussion, compatible mode', percussion(false));
  add('tremolo and vibrato, all depths', modulationDepths());
  add('levels, key scaling, multiples, keyboard split, sides', levelsAndScaling());
  add('clipping', clipping());
  for (let seed = 1; seed <= 24; seed++) add(`anything, seed ${seed}`, anything(seed, true));
  for (let seed = 25; seed <= 36; seed++)
    add(`anything in compatible mode, seed ${seed}`, anything(seed, false));
  return scripts;
}

/** Frames of a script. */
export function framesOf(script: ReferenceScript): number {
  return script.steps.reduce((sum, step) => sum + ('frames' in step ? step.frames : 0), 0);
}

/** A script's samples, interleaved. */
export function playScript(synth: FmSynth, script: ReferenceScript): Int16Array {
  const samples = new Int16Array(2 * framesOf(script));
  let at = 0;
  for (const step of script.steps) {
    if ('frames' in step) {
      synth.generate(samples, step.frames, at);
      at += step.frames;
    } else synth.write(step.register, step.value);
  }
  return samples;
}

/** What is kept of samples. */
export function vectorOf(name: string, samples: Int16Array): ReferenceVector {
  const frames = samples.length / 2;
  let hash = 0x811c_9dc5;
  for (const sample of samples) {
    hash = Math.imul(hash ^ (sample & 0xff), 0x0100_0193);
    hash = Math.imul(hash ^ ((sample >> 8) & 0xff), 0x0100_0193);
  }
  const excerpt: number[] = [];
  for (let index = 0; index < EXCERPT_FRAMES; index++) {
    const frame = Math.floor((index * frames) / EXCERPT_FRAMES);
    excerpt.push(samples[2 * frame]!, samples[2 * frame + 1]!);
  }
  return { name, frames, hash: hash >>> 0, excerpt };
}

import { throughFloatDac } from './float-dac.ts';
import { noiseAfterSamples } from './noise.ts';
import { BLOCK_SAMPLES, type BlockContext, KEY_CHANNEL, KEY_CSM, KEY_RHYTHM, Operator } from './operator.ts';
import {
  AD_DR,
  AM_AM,
  AM_EGT,
  AM_KSR,
  AM_MULT,
  AM_VIB,
  CN_NTS,
  type FmChip,
  firstOperatorOf,
  KB_BLOCK,
  KB_FNUM_HIGH,
  KB_KON,
  KT_TL,
  NEW_NEW,
  OPERATOR_AT,
  OPL_AM_MULT,
  OPL_AR_DR,
  OPL_CONNECTION,
  OPL_CSM_NTS,
  OPL_FB_CNT,
  OPL_FNUM,
  OPL_KON_BLOCK,
  OPL_KSL_TL,
  OPL_NEW,
  OPL_RHYTHM,
  OPL_SL_RR,
  OPL_TEST,
  OPL_WS,
  PAIR_CHANNELS,
  RH_BD,
  RH_DAM,
  RH_DVB,
  RH_HH,
  RH_RYT,
  RH_SD,
  RH_TC,
  RH_TOM,
  SR_RR,
  TEST_WSE,
} from './registers.ts';
import { RhythmSection } from './rhythm.ts';
import {
  type ChannelUse,
  type LatencyGroup,
  makeRouting,
  type RoutedChannel,
  type Routing,
} from './routing.ts';
import {
  addOut,
  type FmVoice,
  isFlat,
  newSums,
  renderAddedVoice,
  renderFeedback,
  renderModulated,
  renderTwoFlatVoices,
  renderVoice,
  type Sums,
} from './tone.ts';

const CHANNELS_PER_BANK = 9;
const OPERATORS_PER_BANK = 18;

/** Tremolo: 210 steps of 64 samples (3.7 Hz), vibrato: 8 of 1024 (6.1 Hz). */
const TREMOLO_PERIOD = 210;
const TREMOLO_STEP_SHIFT = 6;
const VIBRATO_STEP_SHIFT = 10;
/** Nothing in the chip but the noise has a longer period than this common multiple: 2^14 × 105 samples. */
const SAMPLE_COUNT_PERIOD = 2 ** 14 * 105;
const SAMPLE_COUNT_WRAP = SAMPLE_COUNT_PERIOD * 512;

/** After a rest the last samples are rendered, so that feedback, mixer and rhythm remember what they would. */
const SETTLING_SAMPLES = 64;

/** The bits of BDh that strike a drum's operators; the bass drum has two. */
const DRUMS: readonly { readonly slot: number; readonly bit: number }[] = [
  { slot: 12, bit: RH_BD },
  { slot: 15, bit: RH_BD },
  { slot: 13, bit: RH_HH },
  { slot: 16, bit: RH_SD },
  { slot: 14, bit: RH_TOM },
  { slot: 17, bit: RH_TC },
];

/** A channel: two operators, and what its registers say. */
interface Channel extends RoutedChannel {
  /** The lower channel of the pair this is the upper of, and the reverse; null where four operators cannot be joined. */
  lower: Channel | null;
  upper: Channel | null;
  /** This channel's bit in 104h, 0 unless it is the lower of a pair. */
  pairBit: number;
  fNumber: number;
  block: number;
  feedbackConnection: number;
}

/** Which kind of register a number's upper bits name. */
type GroupWrite = (bank: number, low: number, value: number) => void;

/**
 * The synthesizer of the YMF262 (OPL3) or the YM3812 (OPL2) without ports, timers and time: registers in, samples out.
 *
 * It renders channel by channel in blocks of up to 256 samples; registers change between samples. The YM3812 is rendered as bank 0
 * of a YMF262 in its compatible mode, heard through the YM3014B on both sides alike.
 *
 * Which operator's sample reaches which side when is the chip's: the left output is summed up after slot 14 and has the later slots'
 * sample before, the right one after slot 32; and it leaves a sample later.
 */
export class FmSynth {
  readonly chip: FmChip;
  readonly #operators: readonly Operator[];
  readonly #channels: readonly Channel[];
  readonly #rhythmSection: RhythmSection;
  readonly #groups: ReadonlyMap<number, GroupWrite>;
  readonly #context: BlockContext = { sample: 0, tremolo: 0, vibratoStep: 0, vibratoShift: 1 };
  /** Sums of the routing's latency groups. */
  readonly #sums: readonly [Sums, Sums, Sums] = [newSums(), newSums(), newSums()];
  readonly #scratch = new Int16Array(2 * SETTLING_SAMPLES);

  /** Null when the connections have changed. */
  #routing: Routing | null = null;
  /** The right side's sample that leaves with the next one. */
  #lateRight = 0;
  #newMode = false;
  #fourOperator = 0;
  #rhythm = 0;
  #noteSelect = false;
  #waveSelect = false;
  /** The noise register {@link #noiseLag} samples ago: it is brought up to date when it is heard. */
  #noise = 1;
  #noiseLag = 0;

  constructor(chip: FmChip = 'YMF262') {
    this.chip = chip;
    const banks = chip === 'YMF262' ? 2 : 1;
    this.#operators = Array.from({ length: banks * OPERATORS_PER_BANK }, () => new Operator());
    this.#channels = Array.from({ length: banks * CHANNELS_PER_BANK }, (_, index) =>
      this.#makeChannel(index),
    );
    for (const [bit, index] of chip === 'YMF262' ? PAIR_CHANNELS.entries() : []) {
      const lower = this.#channels[index]!;
      const upper = this.#channels[index + 3]!;
      lower.pairBit = 1 << bit;
      lower.upper = upper;
      upper.lower = lower;
    }
    this.#rhythmSection = new RhythmSection({
      hiHat: this.#operators[13]!,
      snareDrum: this.#operators[16]!,
      cymbal: this.#operators[17]!,
    });
    const ofOperator =
      (change: (operator: Operator, value: number) => void): GroupWrite =>
      (bank, low, value) => {
        const place = OPERATOR_AT[low & 0x1f]!;
        if (place >= 0) change(this.#operators[bank * OPERATORS_PER_BANK + place]!, value);
      };
    const ofChannel =
      (change: (channel: Channel, value: number) => void): GroupWrite =>
      (bank, low, value) => {
        const place = low & 0x0f;
        if (place < CHANNELS_PER_BANK) change(this.#channels[bank * CHANNELS_PER_BANK + place]!, value);
      };
    const twice = (first: number, write: GroupWrite): [number, GroupWrite][] => [
      [first >> 4, write],
      [(first >> 4) + 1, write],
    ];
    this.#groups = new Map([
      ...twice(OPL_AM_MULT, ofOperator(writeAmMult)),
      ...twice(OPL_KSL_TL, ofOperator(writeKslTl)),
      ...twice(OPL_AR_DR, ofOperator(writeArDr)),
      ...twice(OPL_SL_RR, ofOperator(writeSlRr)),
      ...twice(
        OPL_WS,
        ofOperator((operator, value) => this.#writeWave(operator, value)),
      ),
      [OPL_FNUM >> 4, ofChannel((channel, value) => this.#writeFNumber(channel, value))],
      [OPL_KON_BLOCK >> 4, ofChannel((channel, value) => this.#writeKeyBlock(channel, value))],
      [OPL_FB_CNT >> 4, ofChannel((channel, value) => this.#writeConnection(channel, value))],
    ]);
    this.reset();
  }

  /** True in the OPL3's own mode (105h bit 0). */
  get newMode(): boolean {
    return this.#newMode;
  }

  /** True when nothing is heard, and will not be until a register is written: every envelope has ended. */
  get silent(): boolean {
    for (const operator of this.#operators) if (!operator.silent) return false;
    return true;
  }

  /** The state after the IC# pin: all registers 0, all generators at rest. */
  reset(): void {
    this.#newMode = false;
    this.#fourOperator = 0;
    this.#rhythm = 0;
    this.#noteSelect = false;
    this.#waveSelect = false;
    this.#noise = 1;
    this.#noiseLag = 0;
    this.#context.sample = 0;
    this.#context.tremolo = 0;
    this.#context.vibratoShift = 1;
    this.#lateRight = 0;
    this.#rhythmSection.reset();
    for (const operator of this.#operators) {
      writeAmMult(operator, 0);
      writeKslTl(operator, 0);
      writeArDr(operator, 0);
      writeSlRr(operator, 0);
      operator.wave = 0;
      operator.resetGenerators();
    }
    for (const channel of this.#channels) {
      channel.feedbackConnection = 0;
      this.#setFrequency(channel, 0, 0);
    }
    this.#routing = null;
  }

  /** Writes a register, 000h … 1FFh; it acts from the next sample on. Timers (02h … 04h) are not here. */
  write(register: number, value: number): void {
    const bank = register >> 8;
    const low = register & 0xff;
    if (bank >= this.#channels.length / CHANNELS_PER_BANK) return;
    if (low < OPL_AM_MULT) this.#writeGlobal(register, value);
    else if (register === OPL_RHYTHM) this.#writeRhythm(value);
    else this.#groups.get(low >> 4)?.(bank, low, value);
  }

  /** Holds all keys of the channels down, or lets them go: composite sine mode, at an overflow of timer 1 (YM3812). */
  holdKeys(down: boolean): void {
    for (const operator of this.#operators) setKey(operator, KEY_CSM, down);
  }

  /** Renders `frames` samples of both sides, interleaved, into `into` from frame `first` on. */
  generate(into: Int16Array, frames: number, first = 0): void {
    const end = first + frames;
    for (let at = first; at < end; ) {
      const count = this.#nextBlock(end - at);
      this.#renderBlock(count);
      this.#output(into, at, count);
      at += count;
    }
  }

  /** Lets `frames` samples pass, while {@link silent}, at little cost. The state afterwards is as if they had been rendered. */
  skip(frames: number): void {
    let left = frames - SETTLING_SAMPLES;
    while (left > 0) {
      const count = Math.min(left, (1 << VIBRATO_STEP_SHIFT) - (this.#context.sample & 0x3ff));
      this.#beginBlock();
      for (const operator of this.#operators) operator.skip(count, this.#context);
      this.#noiseLag += count;
      this.#endBlock(count);
      left -= count;
    }
    this.generate(this.#scratch, Math.min(frames, SETTLING_SAMPLES));
  }

  // --- rendering ---

  /** How many of `limit` samples can be rendered in one go: tremolo, vibrato and keys do not change within a block. */
  #nextBlock(limit: number): number {
    const { sample, tremolo } = this.#context;
    let period = BLOCK_SAMPLES;
    for (const operator of this.#operators) {
      if (operator.restarts) return 1;
      if (operator.tremolo) period = 1 << TREMOLO_STEP_SHIFT;
    }
    // A new tremolo depth acts a sample late: the value is latched.
    if (tremolo !== this.#tremoloAt(sample)) return 1;
    return Math.min(limit, period - (sample & (period - 1)));
  }

  #beginBlock(): void {
    const context = this.#context;
    context.vibratoStep = (context.sample >> VIBRATO_STEP_SHIFT) & 7;
    context.vibratoShift = (this.#rhythm & RH_DVB) === 0 ? 1 : 0;
  }

  #endBlock(count: number): void {
    const context = this.#context;
    context.sample += count;
    if (context.sample >= SAMPLE_COUNT_WRAP) context.sample -= SAMPLE_COUNT_WRAP - SAMPLE_COUNT_PERIOD;
    context.tremolo = this.#tremoloAt(context.sample);
  }

  /** A triangle: 0 … 4.8 dB with DAM, 0 … 1 dB without. */
  #tremoloAt(sample: number): number {
    const step = (sample >> TREMOLO_STEP_SHIFT) % TREMOLO_PERIOD;
    const height = step < TREMOLO_PERIOD / 2 ? step : TREMOLO_PERIOD - step;
    return height >> ((this.#rhythm & RH_DAM) === 0 ? 4 : 2);
  }

  #renderBlock(count: number): void {
    this.#beginBlock();
    this.#routing ??= this.#route();
    const { lone, added, groups } = this.#routing;
    const sums = this.#sums;
    for (const operator of this.#operators) operator.prepare(count, this.#context);
    for (let group = 0; group < groups.length; group++) beginSums(groups[group]!, count, sums[group]!);
    for (const { voice, firstGroup, secondGroup } of added) {
      beginVoice(voice.modulator, voice, sums[firstGroup]!);
      beginVoice(voice.carrier, voice, sums[secondGroup]!);
    }
    for (const { operator, modulator } of lone) {
      if (operator.feedbackMask !== 0) renderFeedback(operator, count);
      else renderModulated(operator, modulator?.out ?? null, count);
    }
    if (this.#rhythmOn) this.#renderRhythm(count);
    else this.#noiseLag += count;
    for (let group = 0; group < groups.length; group++) renderGroup(groups[group]!, count, sums[group]!);
    for (const { voice, firstGroup, secondGroup } of added)
      renderAddedVoice(voice, count, sums[firstGroup]!, sums[secondGroup]!);
    if (count === 1) for (const operator of this.#operators) operator.restartPhase();
    this.#endBlock(count);
  }

  #renderRhythm(count: number): void {
    if (this.#noiseLag > 0) this.#noise = noiseAfterSamples(this.#noise, this.#noiseLag);
    this.#noiseLag = 0;
    this.#noise = this.#rhythmSection.render(count, this.#noise);
  }

  #output(into: Int16Array, first: number, count: number): void {
    const [early, middle, late] = this.#sums;
    let lateRight = this.#lateRight;
    const mono = this.chip === 'YM3812';
    for (let index = 0, at = 2 * first; index < count; index++, at += 2) {
      const left = clip(early.left[index + 1]! + middle.left[index]! + late.left[index]!);
      into[at] = mono ? throughFloatDac(left) : left;
      into[at + 1] = mono ? into[at]! : lateRight;
      lateRight = clip(early.right[index + 1]! + middle.right[index + 1]! + late.right[index]!);
    }
    this.#lateRight = lateRight;
  }

  // --- registers ---

  #makeChannel(index: number): Channel {
    const bank = Math.floor(index / CHANNELS_PER_BANK);
    const first = bank * OPERATORS_PER_BANK + firstOperatorOf(index % CHANNELS_PER_BANK);
    return {
      operators: [this.#operators[first]!, this.#operators[first + 3]!],
      slots: [first, first + 3],
      lower: null,
      upper: null,
      pairBit: 0,
      fNumber: 0,
      block: 0,
      feedbackConnection: 0,
    };
  }

  #writeGlobal(register: number, value: number): void {
    switch (register) {
      case OPL_TEST:
        this.#waveSelect = (value & TEST_WSE) !== 0;
        break;
      case OPL_CSM_NTS:
        this.#noteSelect = (value & CN_NTS) !== 0;
        for (const channel of this.#channels) this.#tune(channel, channel.fNumber, channel.block);
        break;
      case OPL_CONNECTION:
        this.#fourOperator = value & 0x3f;
        this.#routing = null;
        break;
      case OPL_NEW:
        this.#newMode = (value & NEW_NEW) !== 0;
        this.#routing = null;
        break;
      default:
        break;
    }
  }

  /** On the YM3812 without WSE the register keeps what it has (and the wave stays); the OPL3 knows waves 4 … 7 in its own mode. */
  #writeWave(operator: Operator, value: number): void {
    if (this.chip === 'YM3812' && !this.#waveSelect) return;
    operator.wave = value & (this.#newMode ? 7 : 3);
  }

  #writeFNumber(channel: Channel, value: number): void {
    this.#setFrequency(channel, (channel.fNumber & 0x300) | value, channel.block);
  }

  #writeKeyBlock(channel: Channel, value: number): void {
    if (this.#isUpperOfFour(channel)) return;
    const fNumber = (channel.fNumber & 0xff) | ((value & KB_FNUM_HIGH) << 8);
    this.#setFrequency(channel, fNumber, (value & KB_BLOCK) >> 2);
    const down = (value & KB_KON) !== 0;
    for (const operator of channel.operators) setKey(operator, KEY_CHANNEL, down);
    if (!this.#isLowerOfFour(channel)) return;
    for (const operator of channel.upper!.operators) setKey(operator, KEY_CHANNEL, down);
  }

  /** Of four joined operators the lower channel's frequency and key count; those of the upper one are not taken. */
  #setFrequency(channel: Channel, fNumber: number, block: number): void {
    if (this.#isUpperOfFour(channel)) return;
    this.#tune(channel, fNumber, block);
    if (this.#isLowerOfFour(channel)) this.#tune(channel.upper!, fNumber, block);
  }

  /** The key scale number is the block and one bit of the F-number: the highest with NTS = 0, the one below with NTS = 1. */
  #tune(channel: Channel, fNumber: number, block: number): void {
    channel.fNumber = fNumber;
    channel.block = block;
    const split = (fNumber >> (this.#noteSelect ? 8 : 9)) & 1;
    for (const operator of channel.operators) {
      operator.fNumber = fNumber;
      operator.block = block;
      operator.keyScaleNumber = (block << 1) | split;
    }
  }

  #writeConnection(channel: Channel, value: number): void {
    channel.feedbackConnection = value;
    this.#routing = null;
  }

  #writeRhythm(value: number): void {
    const before = this.#rhythm;
    this.#rhythm = value;
    const keys = (value & RH_RYT) !== 0 ? value : 0;
    for (const { slot, bit } of DRUMS) setKey(this.#operators[slot]!, KEY_RHYTHM, (keys & bit) !== 0);
    if (((before ^ value) & RH_RYT) !== 0) this.#routing = null;
  }

  // --- connections ---

  get #rhythmOn(): boolean {
    return (this.#rhythm & RH_RYT) !== 0;
  }

  #isLowerOfFour(channel: Channel): boolean {
    return this.#newMode && (this.#fourOperator & channel.pairBit) !== 0;
  }

  #isUpperOfFour(channel: Channel): boolean {
    return channel.lower !== null && this.#isLowerOfFour(channel.lower);
  }

  #use(index: number): ChannelUse {
    const channel = this.#channels[index]!;
    if (this.#isLowerOfFour(channel)) return 'lower of four';
    if (this.#isUpperOfFour(channel)) return 'upper of four';
    if (!this.#rhythmOn || index < 6 || index > 8) return 'two';
    return index === 6 ? 'bass drum' : 'drums';
  }

  #route(): Routing {
    return makeRouting(this.#channels, (index) => this.#use(index), this.#newMode);
  }
}

function clip(sample: number): number {
  return Math.min(Math.max(sample, -32768), 32767);
}

/** Sums begin with the sample before the block, through the connections of now. */
function beginSums(group: LatencyGroup, count: number, sums: Sums): void {
  sums.left.fill(0, 0, count + 1);
  sums.right.fill(0, 0, count + 1);
  for (const voice of group.voices) beginVoice(voice.carrier, voice, sums);
  for (const heard of group.heard) beginVoice(heard.operator, heard, sums);
}

function beginVoice(
  { last }: Operator,
  { leftMask, rightMask }: { readonly leftMask: number; readonly rightMask: number },
  { left, right }: Sums,
): void {
  left[0]! += last & leftMask;
  right[0]! += last & rightMask;
}

function renderGroup(group: LatencyGroup, count: number, sums: Sums): void {
  let waiting: FmVoice | null = null;
  for (const voice of group.voices) {
    if (!isFlat(voice)) renderVoice(voice, count, sums);
    else if (waiting === null) waiting = voice;
    else {
      renderTwoFlatVoices(waiting, voice, count, sums);
      waiting = null;
    }
  }
  if (waiting !== null) renderVoice(waiting, count, sums);
  for (const { operator, leftMask, rightMask } of group.heard)
    addOut(operator, leftMask, rightMask, count, sums);
}

function setKey(operator: Operator, holder: number, down: boolean): void {
  if (down) operator.keys |= holder;
  else operator.keys &= ~holder;
}

function writeAmMult(operator: Operator, value: number): void {
  operator.tremolo = (value & AM_AM) !== 0;
  operator.vibrato = (value & AM_VIB) !== 0;
  operator.sustained = (value & AM_EGT) !== 0;
  operator.keyScaleRate = (value & AM_KSR) !== 0;
  operator.multiple = value & AM_MULT;
}

function writeKslTl(operator: Operator, value: number): void {
  operator.keyScale = value >> 6;
  operator.totalLevel = value & KT_TL;
}

function writeArDr(operator: Operator, value: number): void {
  operator.attackRate = value >> 4;
  operator.decayRate = value & AD_DR;
}

function writeSlRr(operator: Operator, value: number): void {
  const level = value >> 4;
  operator.sustainLevel = level === 15 ? 31 : level;
  operator.releaseRate = value & SR_RR;
}

import { dspCommand, MIXER_REGISTERS, mixerRegister } from '../../hardware/sb16/index.ts';
import { MIX_RESET } from '../../hardware/sb16/registers.ts';
import { TICKS_PER_MICROSECOND } from '../../kernel/index.ts';
import { hex } from '../check.ts';
import { DifferenceCounter, type FoundDifference, type SideBySide } from '../diff/index.ts';
import { SB16_ACCEPTED_DIFFERENCES, type Sb16Compared, type Sb16Read } from './accepted-differences.ts';
import { repliesText, type Sb16Bench } from './bench.ts';
import { Sb16HistoryKeeper } from './diff-history.ts';
import { type PlayOperation, playText, type QuietOperation, type Sb16Operation } from './diff-operations.ts';
import { playOn } from './diff-play.ts';

const LONGEST_REPLY_BYTES = 64;
const ALL = 0xff;
const DSP_4 = 0x0405;
/** Voice and master, at 0 dB while something is compared that was played. */
const UNITY_REGISTERS = [0x30, 0x31, 0x32, 0x33] as const;
const UNITY = 0xf8;

const PORT_NAMES: Readonly<Record<number, string>> = {
  4: 'MIXER_INDEX',
  5: 'MIXER_DATA',
  6: 'DSP_RESET',
  10: 'DSP_READ_DATA',
  12: 'DSP_WRITE_STATUS',
  14: 'DSP_READ_STATUS',
  15: 'DSP_ACK_16',
};

/** Both cards side by side: carries out operations on both and compares. No transfer runs on from one operation into the next. */
export class Sb16SideBySide implements SideBySide<Sb16Operation> {
  readonly comparer = new DifferenceCounter<Sb16Read>(SB16_ACCEPTED_DIFFERENCES);
  readonly #history = new Sb16HistoryKeeper();
  readonly #model: Sb16Bench;
  readonly #other: Sb16Bench;
  readonly #log: (line: string) => void;
  /** The index that both mixers have. */
  #index = 0;

  /** @param log told every access as one readable line */
  constructor(model: Sb16Bench, other: Sb16Bench, log: (line: string) => void) {
    this.#model = model;
    this.#other = other;
    this.#log = log;
  }

  async step(operation: Sb16Operation): Promise<FoundDifference | null> {
    const difference = await this.#carryOut(operation);
    if (difference) return difference;
    return this.#compareInterrupts();
  }

  async #carryOut(operation: Sb16Operation): Promise<FoundDifference | null> {
    switch (operation.kind) {
      case 'wire':
        await this.#wire();
        return null;
      case 'command':
        return this.#command(operation.bytes);
      case 'partial':
        this.#log(`DSP_WRITE ${operation.bytes.map(hex).join(' ')}, and no more`);
        this.#both((bench) => bench.dsp(...operation.bytes));
        return this.#reset();
      case 'reset':
        return this.#reset();
      case 'read':
        return this.#readPort(operation.offset);
      case 'mixerRead':
        return this.#mixerRead(operation.index);
      case 'mixerWrite':
        this.#mixerWrite(operation.index, operation.value);
        return null;
      case 'acknowledge':
        this.#log(`read  ${operation.width === 8 ? 'DSP_READ_STATUS' : 'DSP_ACK_16'}: acknowledged`);
        this.#acknowledge(operation.width);
        return null;
      case 'pass':
        this.#pass(operation.microseconds);
        return null;
      case 'play':
        return this.#play(operation);
    }
  }

  #both<T>(act: (bench: Sb16Bench) => T): readonly [model: T, other: T] {
    return [act(this.#model), act(this.#other)];
  }

  async #wire(): Promise<void> {
    this.#log('power on');
    for (const bench of [this.#model, this.#other]) {
      await bench.card.powerCycle({});
      bench.prepare();
    }
    this.#history.clear();
  }

  #pass(microseconds: number): void {
    this.#log(`${microseconds} µs pass`);
    this.#both((bench) => bench.card.letTimePass(microseconds * TICKS_PER_MICROSECOND));
  }

  // --- the DSP ---

  #reset(): FoundDifference | null {
    const [model, other] = this.#both((bench) => (bench.resetDsp() ? 'AAh' : 'no AAh'));
    this.#log(`reset of the DSP: ${model === other ? `both ${model}` : `model ${model}, other ${other}`}`);
    this.#history.dspReset();
    return this.comparer.same('reset of the DSP', model, other, 'HPG §2: the DSP answers a reset with AAh.');
  }

  /** A command with its operands, and the replies that are there then. */
  #command(bytes: readonly number[]): FoundDifference | null {
    this.#both((bench) => bench.dsp(...bytes));
    this.#history.acknowledge(8, this.#model.interruptStatus);
    const [model, other] = this.#both(takeReplies);
    return this.#compareReplies(bytes, model, other);
  }

  #compareReplies(
    bytes: readonly number[],
    model: readonly number[],
    other: readonly number[],
  ): FoundDifference | null {
    this.#history.replies(model, other);
    const [modelText, otherText] = [repliesText(model) || 'nothing', repliesText(other) || 'nothing'];
    const name = commandName(bytes[0] ?? 0);
    this.#log(
      `DSP_WRITE ${bytes.map(hex).join(' ')} (${name}): ${modelText === otherText ? `both answer ${modelText}` : `model answers ${modelText}, other ${otherText}`}`,
    );
    return this.#compare(
      { thing: 'replies', command: bytes, model, other },
      modelText === otherText ? 0 : ALL,
      {
        what: `replies to ${name}`,
        model: modelText,
        other: otherText,
        documentation: commandDocumentation(bytes[0] ?? 0),
      },
    );
  }

  // --- ports ---

  #readPort(offset: number): FoundDifference | null {
    if (offset === 0xe) this.#history.acknowledge(8, this.#statusOf(this.#model));
    if (offset === 0xf) this.#history.acknowledge(16, this.#statusOf(this.#model));
    const [model, other] = this.#both((bench) => bench.read(offset));
    if (offset === 0x5) return this.#compareMixer(this.#index, model, other);
    const name = PORT_NAMES[offset] ?? `port 2x${offset.toString(16).toUpperCase()}h`;
    this.#logAnswers(`read  ${name}`, hex(model), hex(other));
    return this.#compare({ thing: 'port', offset, model, other }, model ^ other, {
      what: name,
      model: hex(model),
      other: hex(other),
      documentation: 'HPG §2, DSP I/O port addresses.',
    });
  }

  #acknowledge(width: 8 | 16): void {
    this.#history.acknowledge(width, this.#statusOf(this.#model));
    this.#both((bench) => bench.acknowledge(width));
  }

  /** 82h, and the index back where the traffic has it. */
  #statusOf(bench: Sb16Bench): number {
    const status = bench.interruptStatus;
    bench.write(0x4, this.#index);
    return status;
  }

  // --- the mixer ---

  #mixerRead(index: number): FoundDifference | null {
    this.#index = index;
    const [model, other] = this.#both((bench) => bench.readMixer(index));
    return this.#compareMixer(index, model, other);
  }

  /** Every register that the chip has, before its reset. */
  #compareAllMixer(): FoundDifference | null {
    this.#log('all mixer registers are compared');
    for (const { index } of MIXER_REGISTERS) {
      const [model, other] = this.#both((bench) => bench.readMixer(index));
      const difference = this.#compareMixer(index, model, other, true);
      if (difference) return difference;
    }
    this.#both((bench) => bench.write(0x4, this.#index));
    return null;
  }

  #compareMixer(index: number, model: number, other: number, quietly = false): FoundDifference | null {
    const name = mixerName(index);
    if (!quietly) this.#logAnswers(`read  ${name}`, hex(model), hex(other));
    return this.#compare({ thing: 'mixer', index, model, other }, model ^ other, {
      what: name,
      model: hex(model),
      other: hex(other),
      documentation: `HPG §4, ${hex(index)}: ${mixerRegister(index)?.meaning ?? 'there is no such register'}.`,
    });
  }

  #mixerWrite(index: number, value: number): void {
    this.#log(`write ${mixerName(index)} = ${hex(value)}`);
    this.#index = index;
    this.#history.mixerWrite(index, value);
    this.#both((bench) => bench.writeMixer(index, value));
  }

  // --- transfers ---

  /** One side after the other: in between only time passes, and only on its own side. */
  #play(operation: PlayOperation): FoundDifference | null {
    const stored = this.#compareAllMixer();
    if (stored) return stored;
    this.#log(`play  ${playText(operation)}`);
    this.#mixerWrite(MIX_RESET, 0);
    for (const index of UNITY_REGISTERS) this.#mixerWrite(index, UNITY);
    this.#acknowledge(8);
    this.#acknowledge(16);
    const answers: (readonly Answer[])[] = [];
    const [model, other] = this.#both((bench) => {
      const own: Answer[] = [];
      answers.push(own);
      return playOn(bench, operation, (quiet) => own.push(answerOf(bench, quiet)));
    });
    this.#both((bench) => bench.write(0x4, this.#index));
    const difference =
      this.#compareMeanwhile(operation, answers[0] ?? [], answers[1] ?? []) ??
      this.comparer.same(
        'interrupts of the transfer',
        model.interrupts,
        other.interrupts,
        'HPG §3, §6: an interrupt at the end of each block; auto-initialize ends with its exit.',
      ) ??
      this.comparer.same(
        'what was played',
        model.sound,
        other.sound,
        'HPG §3: the samples in memory, one after the other.',
      ) ??
      this.#comparePlayed(operation, 'middle', 'the middle of what was played', model.middle, other.middle) ??
      this.#comparePlayed(operation, 'count', 'DMA count after the end', model.count, other.count);
    if (difference) return difference;
    this.#log(`      ${model.interrupts}; ${model.sound}`);
    return null;
  }

  #comparePlayed(
    operation: PlayOperation,
    aspect: 'middle' | 'count',
    what: string,
    model: number,
    other: number,
  ): FoundDifference | null {
    // Where an auto-initialized channel is by then, is a matter of time.
    if (aspect === 'count' && operation.autoInitialize) return null;
    return this.#compare({ thing: 'play', aspect, operation, model, other }, model === other ? 0 : ALL, {
      what,
      model: `${model}`,
      other: `${other}`,
      documentation: '8237A, current word count register; HPG §3, sample formats.',
    });
  }

  /** As far as both sides had time for it. */
  #compareMeanwhile(
    { meanwhile }: PlayOperation,
    model: readonly Answer[],
    other: readonly Answer[],
  ): FoundDifference | null {
    for (const [index, operation] of meanwhile.slice(0, Math.min(model.length, other.length)).entries()) {
      const [one, two] = [model[index] ?? [], other[index] ?? []];
      const difference =
        operation.kind === 'command'
          ? this.#compareReplies(operation.bytes, one, two)
          : operation.kind === 'mixerRead'
            ? this.#compareMixer(operation.index, one[0] ?? -1, two[0] ?? -1)
            : null;
      if (difference) return difference;
    }
    return null;
  }

  // --- what is compared ---

  #compareInterrupts(): FoundDifference | null {
    const [model, other] = this.#both((bench) => this.#statusOf(bench));
    const status = this.comparer.same(
      'MIX_INTERRUPT_STATUS',
      hex(model),
      hex(other),
      'HPG §4, 82h: bit 0 is 8-bit DMA, bit 1 16-bit DMA.',
    );
    if (status) return status;
    this.#history.update(model);
    const [modelLine, otherLine] = this.#both((bench) => bench.asserted);
    const level = (asserted: boolean) => (asserted ? 'asserted' : 'low');
    return this.#compare(
      { thing: 'line', model: modelLine, other: otherLine },
      modelLine === otherLine ? 0 : ALL,
      {
        what: 'interrupt line',
        model: level(modelLine),
        other: level(otherLine),
        documentation: 'HPG §4, 82h: asserted while a bit is set.',
      },
    );
  }

  #compare(compared: Sb16Compared, differing: number, found: FoundDifference): FoundDifference | null {
    this.comparer.countComparison();
    if (differing === 0) return null;
    return this.comparer.withoutAccepted(differing, { ...compared, history: this.#history }) === 0
      ? null
      : found;
  }

  #logAnswers(what: string, model: string, other: string): void {
    this.#log(model === other ? `${what}: both ${model}` : `${what}: model ${model}, other ${other}`);
  }
}

/** What one card answered: replies, or a register's value. */
type Answer = readonly number[];

function answerOf(bench: Sb16Bench, operation: QuietOperation): Answer {
  switch (operation.kind) {
    case 'command':
      bench.dsp(...operation.bytes);
      return takeReplies(bench);
    case 'mixerRead':
      return [bench.readMixer(operation.index)];
    case 'mixerWrite':
      bench.writeMixer(operation.index, operation.value);
      return [];
    case 'pass':
      bench.card.letTimePass(operation.microseconds * TICKS_PER_MICROSECOND);
      return [];
  }
}

/** The replies that are there. */
function takeReplies(bench: Sb16Bench): number[] {
  const replies: number[] = [];
  while (replies.length < LONGEST_REPLY_BYTES && bench.replyWaits) replies.push(bench.read(0xa));
  return replies;
}

function commandName(code: number): string {
  return dspCommand(code, DSP_4)?.name ?? hex(code);
}

function commandDocumentation(code: number): string {
  const command = dspCommand(code, DSP_4);
  if (command === null) return `HPG §6 has no command ${hex(code)}.`;
  return command.source === 'guide'
    ? `HPG §6, ${hex(code)}.`
    : `${command.name} is not in the guide; programs use it.`;
}

function mixerName(index: number): string {
  return mixerRegister(index)?.name ?? `MIX_${index.toString(16).toUpperCase().padStart(2, '0')}`;
}

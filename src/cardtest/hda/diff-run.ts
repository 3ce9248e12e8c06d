import * as R from '../../hardware/hda/registers.ts';
import {
  AMP_SET_INPUT,
  AMP_SET_LEFT,
  AMP_SET_OUTPUT,
  AMP_SET_RIGHT,
  encodeHdaCommand,
  GET_PARAMETER,
  PARAM_VENDOR_ID,
  SET_AMP,
  SET_FORMAT,
  SET_STREAM_CHANNEL,
} from '../../hardware/hda/verbs.ts';
import { TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import { hex } from '../check.ts';
import { isContiguous } from '../counting-signal.ts';
import { describePlayedSound, type FoundDifference, type SideBySide } from '../diff/index.ts';
import { testSignal } from '../test-signal.ts';
import type { HdaDiffHistory } from './accepted-differences.ts';
import {
  BYTES_PER_MS,
  FORMAT_48_16_2,
  HDA_INPUT_SIGNAL,
  type HdaBench,
  type HdaStreamProgram,
} from './bench.ts';
import { WIDGET_AUDIO_INPUT, WIDGET_AUDIO_OUTPUT } from './codec-graph.ts';
import { HdaDiffComparer } from './diff-compare.ts';
import type { HdaDiffCommand, HdaOperation } from './diff-operations.ts';
import { hdaAccessName, hdaCommandText, hdaWithMeaning } from './register-names.ts';
import { HdaRings } from './rings.ts';

/** Silence, or room, behind the entries of a run: so long that no turn of the ring ends before somebody looks. */
const SPARE_BYTES = 500 * BYTES_PER_MS;
/** So much of it passes before a run counts as ended: what is on its way to a recorder, or comes late, is there then. */
const AFTER_PLAYING_BYTES = 120 * BYTES_PER_MS;
const AFTER_RECORDING_BYTES = 20 * BYTES_PER_MS;
const END_LIMIT_TICKS = 3000 * TICKS_PER_MILLISECOND;
const BATCH_LIMIT_TICKS = 300 * TICKS_PER_MILLISECOND;
const ABSENT_LIMIT_TICKS = 2 * TICKS_PER_MILLISECOND;
const FILL = 0x5a;
const GUARD_BYTES = 256;
const MORE_ATTEMPTS = 3;
const NO_SOUND = '';
const UNTOUCHED = 'as it was';
const RECORDED = 'the input, without a gap';
const BOTH_SIDES = AMP_SET_LEFT | AMP_SET_RIGHT;

/** A stream that runs. */
interface Run {
  readonly program: HdaStreamProgram;
  readonly enables: number;
  /** Of the entries of the traffic, without the spare one. */
  readonly bytes: number;
  /** Where the entries lie, one after the other, with the spare entry and a guard behind. */
  readonly address: number;
  readonly positions: number | null;
  readonly played: Int16Array | null;
}

/** What came of a run on one side, in words that are the same for the same. */
interface Outcome {
  readonly passes: string;
  readonly sound: string;
  readonly positions: string;
  readonly memory: string;
}

class History implements HdaDiffHistory {
  readonly running = new Set<number>();
  readonly ran = new Set<number>();
  readonly withoutEnable = new Set<number>();
  intctl = 0;
  answerDiffered = false;

  clear(): void {
    this.running.clear();
    this.ran.clear();
    this.answerDiffered = false;
  }

  /** After each operation. It looks at the model, whose answers are never a matter of the host's timing. */
  update(model: HdaBench): void {
    this.intctl = model.read32(R.INTCTL);
    this.withoutEnable.clear();
    for (let stream = 0; stream < R.HDA_STREAMS; stream++) {
      const completed = (model.sts(stream) & R.STS_BCIS) !== 0;
      if (completed && (model.ctl(stream) & R.CTL_IOCE) === 0) this.withoutEnable.add(stream);
    }
  }
}

/** Both cards side by side: carries out operations on both and compares. */
export class HdaSideBySide implements SideBySide<HdaOperation> {
  readonly comparer: HdaDiffComparer;
  readonly #history = new History();
  readonly #model: HdaBench;
  readonly #other: HdaBench;
  readonly #runs = new Map<number, Run>();
  #recordedBefore: readonly [model: number, other: number] = [0, 0];
  readonly #log: (line: string) => void;

  /** @param log told every access as one readable line */
  constructor(model: HdaBench, other: HdaBench, log: (line: string) => void) {
    this.#model = model;
    this.#other = other;
    this.#log = log;
    this.comparer = new HdaDiffComparer(this.#history);
  }

  async step(operation: HdaOperation): Promise<FoundDifference | null> {
    const difference = await this.#carryOut(operation);
    if (difference) return difference;
    this.#history.update(this.#model);
    return this.#compareLine();
  }

  async #carryOut(operation: HdaOperation): Promise<FoundDifference | null> {
    switch (operation.kind) {
      case 'wire':
        await this.#wire(operation.input);
        return null;
      case 'read':
        return this.#read(operation.offset, operation.size);
      case 'write':
        this.#write(operation);
        return null;
      case 'reset':
        this.#reset();
        return null;
      case 'command':
        return this.#command(operation);
      case 'commands':
        return this.#commands(operation);
      case 'run':
        this.#run(operation);
        return null;
      case 'streamReset':
        this.#streamReset(operation.stream);
        return null;
      case 'pass':
        this.#log(`${operation.microseconds} µs pass`);
        this.#both((bench) => bench.card.letTimePass(operation.microseconds * TICKS_PER_MICROSECOND));
        return null;
      case 'settle':
        return this.#settle();
      case 'abort':
        this.#abort(operation.stream);
        return null;
    }
  }

  #both<T>(act: (bench: HdaBench) => T): readonly [model: T, other: T] {
    return [act(this.#model), act(this.#other)];
  }

  async #wire(input: boolean): Promise<void> {
    this.#log(`power on${input ? ', with a signal at the inputs' : ''}`);
    this.#runs.clear();
    for (const bench of [this.#model, this.#other]) {
      await bench.card.powerCycle(input ? { input: HDA_INPUT_SIGNAL } : {});
      bench.prepare();
      resetCodec(bench);
    }
    this.#history.clear();
    this.comparer.clocksRestarted();
  }

  #read(offset: number, size: 1 | 2 | 4, quietly = false): FoundDifference | null {
    const [model, other] = this.#both((bench) => bench.card.readBar(0, offset, size));
    const difference = this.comparer.read(offset, size, model, other);
    if (quietly && !difference) return null;
    const name = hdaAccessName(offset, size);
    this.#log(
      model === other
        ? `read  ${name}: both ${hdaWithMeaning(offset, size, model)}`
        : `read  ${name}: model ${hdaWithMeaning(offset, size, model)}, other ${hdaWithMeaning(offset, size, other)}`,
    );
    return difference;
  }

  #write({ offset, size, value }: HdaOperation & { readonly kind: 'write' }): void {
    this.#log(`write ${hdaAccessName(offset, size)} = ${hdaWithMeaning(offset, size, value)}`);
    this.#both((bench) => bench.card.writeBar(0, offset, size, value));
  }

  #reset(): void {
    if (this.#runs.size > 0) return;
    this.#log('write GCTL = 00h, then CRST: reset of the controller; converters as after power-on');
    this.#both((bench) => {
      bench.freeRam();
      bench.enterReset();
      bench.write16(R.WAKEEN, 0);
      bench.leaveReset();
      bench.write16(R.STATESTS, 0xffff);
      resetCodec(bench);
    });
    this.#history.clear();
    this.comparer.clocksRestarted();
  }

  #command(command: HdaDiffCommand): FoundDifference | null {
    const { codec, nid, verb, payload } = command;
    const [model, other] = this.#both((bench) =>
      bench.immediate(
        encodeHdaCommand(codec, nid, verb, payload),
        codec === bench.codec ? undefined : ABSENT_LIMIT_TICKS,
      ),
    );
    const text = (answer: number | null) => (answer === null ? 'none' : hex(answer));
    this.#log(
      `verb  ${codec === 0 ? '' : `codec ${codec}, `}${hdaCommandText(nid, verb, payload)}: ` +
        (model === other ? `both ${text(model)}` : `model ${text(model)}, other ${text(other)}`),
    );
    const { difference, accepted } = this.comparer.answer(command, model, other);
    if (model !== null) this.#history.answerDiffered = accepted;
    return difference;
  }

  #commands({ commands, rintcnt }: HdaOperation & { readonly kind: 'commands' }): FoundDifference | null {
    this.#log(`${commands.length} verbs by the rings, RINTCNT ${rintcnt}`);
    if (this.#runs.size === 0) this.#both((bench) => bench.freeRam());
    // One that is answered ends the batch: QEMU interrupts with responses alone.
    const all = [...commands, { codec: 0, nid: 0, verb: GET_PARAMETER, payload: PARAM_VENDOR_ID }];
    const answered = all.filter(({ codec }) => codec === 0);
    const [model, other] = this.#both((bench) => sendBatch(bench, all, answered.length, rintcnt));
    for (const [index, command] of answered.entries()) {
      const { difference } = this.comparer.answer(command, model[index] ?? null, other[index] ?? null);
      if (!difference) continue;
      this.#log(`response ${index + 1}: ${hdaCommandText(command.nid, command.verb, command.payload)}`);
      return difference;
    }
    for (const [offset, size] of [
      [R.CORBRP, 2],
      [R.CORBWP, 2],
      [R.RIRBWP, 2],
      [R.RIRBSTS, 1],
    ] as const) {
      const difference = this.#read(offset, size, true);
      if (difference) return difference;
    }
    return this.comparer.same(
      'number of responses',
      `${model.length}`,
      `${other.length}`,
      'HDA 1.0a §4.4.2: each command to a codec that is there has one.',
    );
  }

  #run({
    stream,
    tag,
    entries,
    enables,
    positions,
    dataSeed,
  }: HdaOperation & { readonly kind: 'run' }): void {
    if (this.#runs.size > 0) return;
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    const plays = stream >= R.HDA_INPUT_STREAMS;
    const [{ address, program, place }] = this.#both((bench) => {
      bench.freeRam();
      if (plays) bench.openOutput(tag);
      else bench.openInput(tag);
      const region = bench.card.allocateRam(bytes + SPARE_BYTES + GUARD_BYTES, 128);
      let at = region;
      const list = [...entries, { bytes: SPARE_BYTES, ioc: false }].map((entry) => {
        const placed = { ...entry, address: at };
        at += entry.bytes;
        return placed;
      });
      bench.write32(R.DPUBASE, 0);
      return {
        address: region,
        program: { stream, tag, entries: list, format: FORMAT_48_16_2 },
        place: bench.card.allocateRam(128, 128),
      };
    });
    this.#log(
      `run   ${nameOf(stream)}: ${entries.map((entry) => `${entry.bytes}${entry.ioc ? '+IOC' : ''}`).join(', ')} bytes, ` +
        `stream number ${tag}, enables ${hex(enables)}`,
    );
    const run: Run = {
      program,
      enables,
      bytes,
      address,
      positions: positions ? place : null,
      played: plays ? testSignal(bytes / 2, dataSeed) : null,
    };
    this.#runs.set(stream, run);
    this.#history.running.add(stream);
    this.#history.ran.add(stream);
    this.#history.answerDiffered = false;
    this.comparer.runStarted(stream, bytes + SPARE_BYTES);
    this.#recordedBefore = this.#both((bench) => startRun(bench, run));
  }

  #settle(): FoundDifference | null {
    for (const run of this.#runs.values()) {
      const difference = this.#end(run);
      if (difference) return difference;
    }
    this.#log(
      this.#runs.size > 0
        ? 'what ran has passed; sound and memory are compared'
        : 'all registers are compared',
    );
    this.#runs.clear();
    this.#history.update(this.#model);
    return this.#compareAllRegisters() ?? this.#compareLine();
  }

  /** Waits until a run has passed, stops the stream, and compares what came of it. */
  #end(run: Run): FoundDifference | null {
    const { stream } = run.program;
    const model = this.#outcome(this.#model, run, this.#recordedBefore[0]);
    const other = this.#outcome(this.#other, run, this.#recordedBefore[1]);
    this.#history.running.delete(stream);
    this.#both((bench) => {
      // The number is free for the next run.
      bench.write8(bench.at(stream, R.SD_CTL) + 2, 0);
      bench.write32(R.DPLBASE, 0);
    });
    const compare = (what: string, part: keyof Outcome, documentation: string) =>
      this.comparer.same(what, model[part], other[part], documentation);
    return (
      compare(`${nameOf(stream)} in its ring`, 'passes', 'HDA 1.0a §4.5.3: bytes pass while RUN is set.') ??
      compare(
        'what was played',
        'sound',
        'HDA 1.0a §3.6.2: the entries of the list one after the other, sample by sample.',
      ) ??
      compare(
        'position buffer',
        'positions',
        'HDA 1.0a §3.6.1: the position of each stream at its own place.',
      ) ??
      compare(
        `memory of ${nameOf(stream)}`,
        'memory',
        'HDA 1.0a §4.5.1: recorded samples go into the entries’ buffers; nothing else is written.',
      )
    );
  }

  /** Lets a run come to its end. A machine in real time may lose sound when the computer is busy: there it may run again. */
  #outcome(bench: HdaBench, run: Run, recordedBefore: number): Outcome {
    let outcome = endRun(bench, run, recordedBefore, this.#history.ran);
    for (let left = bench.card.realTime ? MORE_ATTEMPTS : 0; left > 0 && !isFine(outcome); left--)
      outcome = endRun(bench, run, startRun(bench, run), this.#history.ran);
    return outcome;
  }

  #abort(stream: number): void {
    if (!this.#runs.delete(stream)) return;
    this.#log(`${nameOf(stream)} is stopped and reset`);
    this.#history.running.delete(stream);
    this.#both((bench) => {
      bench.stop(stream);
      bench.write32(R.DPLBASE, 0);
      resetDescriptor(bench, stream);
    });
  }

  #streamReset(stream: number): void {
    if (this.#runs.has(stream)) return;
    this.#log(`write ${nameOf(stream)}CTL = SRST, then 00h; all its registers to 0`);
    this.#both((bench) => resetDescriptor(bench, stream));
  }

  #compareAllRegisters(): FoundDifference | null {
    for (const { offset, widthBytes } of R.HDA_REGISTERS) {
      const difference = this.#read(offset, widthBytes === 3 ? 4 : widthBytes, true);
      if (difference) return difference;
    }
    return null;
  }

  #compareLine(): FoundDifference | null {
    if (this.#history.running.size > 0 || this.#history.withoutEnable.size > 0) return null;
    const [model, other] = this.#both((bench) => {
      // QEMU tells of the line's change by a message that the next command finds.
      bench.read32(R.GCTL);
      return bench.card.interruptAsserted ? 'asserted' : 'low';
    });
    return this.comparer.same(
      'interrupt line',
      model,
      other,
      'HDA 1.0a §3.3.14, §3.3.15: asserted while a status bit is set that INTCTL enables, and GIE.',
    );
  }
}

function nameOf(stream: number): string {
  return R.HDA_STREAM_NAMES[stream] ?? `${stream}`;
}

/** Converters and their amplifiers as after power-on, on a codec that keeps them over resets, too. */
function resetCodec(bench: HdaBench): void {
  for (const { nid, type, outAmpCaps } of bench.graph.widgets.values()) {
    if (type !== WIDGET_AUDIO_OUTPUT && type !== WIDGET_AUDIO_INPUT) continue;
    bench.verb(nid, SET_FORMAT, FORMAT_48_16_2);
    bench.verb(nid, SET_STREAM_CHANNEL, 0);
    const output = type === WIDGET_AUDIO_OUTPUT;
    bench.verb(nid, SET_AMP, BOTH_SIDES | (output ? AMP_SET_OUTPUT | (outAmpCaps & 0x7f) : AMP_SET_INPUT));
  }
}

/** SRST, and zeros where a card keeps what it should not. */
function resetDescriptor(bench: HdaBench, stream: number): void {
  bench.resetStream(stream);
  bench.acknowledge(stream);
  for (const register of [R.SD_CBL, R.SD_BDPL, R.SD_BDPU]) bench.write32(bench.at(stream, register), 0);
  for (const register of [R.SD_LVI, R.SD_FMT]) bench.write16(bench.at(stream, register), 0);
}

/** Sends commands by the rings, acknowledges every interrupt, and returns the responses. */
function sendBatch(
  bench: HdaBench,
  commands: readonly HdaDiffCommand[],
  count: number,
  rintcnt: number,
): readonly number[] {
  const rings = new HdaRings(bench).start({ rintcnt, rirbCtl: R.RIRBCTL_DMAEN | R.RIRBCTL_RINTCTL });
  for (const { codec, nid, verb, payload } of commands) rings.put(nid, verb, payload, codec);
  rings.ring();
  const heard: number[] = [];
  const complete = () => {
    if (bench.read8(R.RIRBSTS) !== 0) bench.write8(R.RIRBSTS, 0xff);
    heard.push(...rings.take(0).map(({ response }) => response));
    return heard.length >= count;
  };
  if (!complete()) bench.card.waitUntil(complete, BATCH_LIMIT_TICKS);
  // The last interrupt comes with a frame that brings no response.
  bench.wait(1);
  bench.write8(R.RIRBSTS, 0xff);
  bench.write8(R.CORBCTL, 0);
  bench.write8(R.RIRBCTL, 0);
  return heard;
}

/** Fills memory, programs the stream and starts it; returns how long the recording at the output was before. */
function startRun(bench: HdaBench, { program, enables, bytes, address, positions, played }: Run): number {
  const all = new Uint8Array(bytes + SPARE_BYTES + GUARD_BYTES).fill(played ? 0 : FILL);
  if (played) all.set(new Uint8Array(played.buffer));
  bench.card.writeRam(address, all);
  bench.program(program);
  if (positions !== null) bench.write32(R.DPLBASE, positions | R.DPLBASE_ENABLE);
  // A model's recording is complete after an access.
  bench.read32(R.GCTL);
  const recordedBefore = bench.card.output.samples.length;
  bench.run(program.stream, enables);
  return recordedBefore;
}

/** Waits until a run has passed, and stops the stream. `ran` are the streams that may have a position. */
function endRun(bench: HdaBench, run: Run, recordedBefore: number, ran: ReadonlySet<number>): Outcome {
  const { stream } = run.program;
  const target = run.bytes + (run.played ? AFTER_PLAYING_BYTES : AFTER_RECORDING_BYTES);
  const there = bench.card.waitUntil(() => bench.lpib(stream) >= target, END_LIMIT_TICKS);
  const sound = run.played
    ? describePlayedSound(bench.card, run.played, {
        recordedBefore,
        limitTicks: 5 * bench.recorderDelayTicks + 100 * TICKS_PER_MILLISECOND,
        catchUp: () => bench.read32(R.GCTL),
      })
    : NO_SOUND;
  const positions = describePositions(bench, run, ran);
  bench.stop(stream);
  return {
    passes: there ? 'passes' : 'stands',
    // With a signal at the inputs nobody records the output.
    sound: bench.card.wiring.input === undefined ? sound : NO_SOUND,
    positions,
    memory: describeRam(bench, run),
  };
}

function isFine({ sound, memory }: Outcome): boolean {
  return (
    (sound === NO_SOUND || sound === 'all samples as in memory') &&
    (memory === UNTOUCHED || memory === RECORDED)
  );
}

function describePositions(
  bench: HdaBench,
  { program, bytes, positions }: Run,
  ran: ReadonlySet<number>,
): string {
  if (positions === null) return '';
  return Array.from({ length: R.HDA_STREAMS }, (_, index) => {
    const position = bench.card.readRamUlong(positions + 8 * index);
    // Where a stopped stream stands is a matter of time.
    if (index !== program.stream) return position === 0 || ran.has(index) ? '' : `${index}: ${position}`;
    return position > 0 && position < bytes + SPARE_BYTES ? 'in the ring' : `${position}`;
  }).join('');
}

/** Of a stream that played nothing is changed; one that recorded has stored the input, and nothing behind. */
function describeRam(bench: HdaBench, { program, bytes, address, played }: Run): string {
  const all = bench.card.readRam(address, bytes + SPARE_BYTES + GUARD_BYTES);
  if (played) {
    const expected = new Uint8Array(all.length);
    expected.set(new Uint8Array(played.buffer));
    const changed = all.findIndex((byte, index) => byte !== expected[index]);
    return changed < 0 ? UNTOUCHED : `byte ${changed} is written`;
  }
  const lpib = bench.lpib(program.stream);
  const guard = all.subarray(bytes + SPARE_BYTES);
  if (guard.some((byte) => byte !== FILL)) return 'written behind the last entry';
  const stored = new Int16Array(all.buffer, all.byteOffset, Math.floor(lpib / 2));
  const first = stored.findIndex((sample) => sample !== 0);
  const sound = stored.subarray(first < 0 ? stored.length : first - (first % 2));
  return sound.length >= bytes / 8 && isContiguous(sound)
    ? RECORDED
    : `not the input without a gap: ${sound.length} samples of ${stored.length}`;
}

import {
  type ChannelName,
  CODEC,
  CONTROL,
  CTL_PCLKDIV,
  MEMPAGE,
  PAGE_ADC,
  PAGE_DAC,
  PAGE_WINDOW,
  SERIAL,
  STATUS,
} from '../../hardware/es1370/registers.ts';
import { TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import { hex } from '../check.ts';
import { isContiguous } from '../counting-signal.ts';
import { describePlayedSound, type FoundDifference, type SideBySide } from '../diff/index.ts';
import {
  CHANNELS,
  CONTROL_AT_REST,
  ES1370_INPUT_SIGNAL,
  type Es1370Bench,
  type Es1370Ring,
  MAPS,
} from './bench.ts';
import { accessName, Es1370Comparer, withMeaning } from './diff-compare.ts';
import { Es1370HistoryKeeper } from './diff-history.ts';
import type { Es1370Operation, RunOperation } from './diff-operations.ts';
import { formatName, heardSamples, STEREO_16, silentBytes, soundBytes } from './pcm.ts';

/** Frames of sound in a ring; silence follows. */
const SOUND_FRAMES = 600;
const MARGIN = 4096;
const FILL = 0x5a;
const RECORDING_TICKS = 20 * TICKS_PER_MILLISECOND;
const REQUEST_LIMIT_MILLISECONDS = 3000;

/** A channel that runs. */
interface Run {
  readonly operation: RunOperation;
  readonly ring: Es1370Ring;
  /** What is heard from the beginning on, null when it is not compared. */
  readonly expected: Int16Array | null;
  readonly recordedBefore: readonly [model: number, other: number];
  /** The ADC runs at the rate of the signal at the input, and in its format, so that every sample is known. */
  readonly exactInput: boolean;
  /** Nothing was done meanwhile that changes what is heard. */
  undisturbed: boolean;
}

/** Both cards side by side: carries out operations on both and compares. */
export class Es1370SideBySide implements SideBySide<Es1370Operation> {
  readonly comparer: Es1370Comparer;
  readonly #history = new Es1370HistoryKeeper();
  readonly #model: Es1370Bench;
  readonly #other: Es1370Bench;
  readonly #runs = new Map<ChannelName, Run>();
  /** The codec is as the first of the channels that run wants it. */
  #codecAsSet = false;
  readonly #log: (line: string) => void;

  /** @param log told every access as one readable line */
  constructor(model: Es1370Bench, other: Es1370Bench, log: (line: string) => void) {
    this.#model = model;
    this.#other = other;
    this.#log = log;
    this.comparer = new Es1370Comparer(this.#history);
  }

  async step(operation: Es1370Operation): Promise<FoundDifference | null> {
    return (await this.#carryOut(operation)) ?? this.#compareLine();
  }

  async #carryOut(operation: Es1370Operation): Promise<FoundDifference | null> {
    switch (operation.kind) {
      case 'wire':
        await this.#wire(operation.input);
        return null;
      case 'read':
        return this.#read(operation.offset, operation.size);
      case 'write':
        this.#write(operation);
        return null;
      case 'run':
        this.#run(operation);
        return null;
      case 'interrupt':
        return this.#interrupt(operation.channel);
      case 'pause':
      case 'resume':
        this.#pause(operation.channel, operation.kind === 'pause');
        return null;
      case 'stop':
        return this.#stop(operation.channel);
      case 'pass':
        this.#log(`${operation.microseconds} µs pass`);
        this.#both((bench) => bench.card.letTimePass(operation.microseconds * TICKS_PER_MICROSECOND));
        return null;
      case 'settle':
        return this.#settle();
    }
  }

  #both<T>(act: (bench: Es1370Bench) => T): readonly [model: T, other: T] {
    return [act(this.#model), act(this.#other)];
  }

  async #wire(input: boolean): Promise<void> {
    this.#log(`power on${input ? ', with a signal at the line input' : ''}`);
    this.#runs.clear();
    for (const bench of [this.#model, this.#other]) {
      await bench.card.powerCycle(input ? { input: ES1370_INPUT_SIGNAL } : {});
      bench.prepare();
    }
    this.#history.clear();
  }

  #read(offset: number, size: 1 | 2 | 4, quietly = false): FoundDifference | null {
    const [model, other] = this.#both((bench) => bench.card.readBar(0, offset, size));
    const difference = this.comparer.read(offset, size, model, other);
    if (quietly && !difference) return null;
    const { page } = this.#history;
    const name = accessName(offset, size, page);
    this.#log(
      model === other
        ? `read  ${name}: both ${withMeaning(offset, size, page, model)}`
        : `read  ${name}: model ${withMeaning(offset, size, page, model)}, other ${withMeaning(offset, size, page, other)}`,
    );
    return difference;
  }

  #write({ offset, size, value }: Es1370Operation & { readonly kind: 'write' }): void {
    const { page } = this.#history;
    this.#log(`write ${accessName(offset, size, page)} = ${withMeaning(offset, size, page, value)}`);
    if (offset === CODEC) this.#codecAsSet = false;
    if (offset !== MEMPAGE && offset !== STATUS)
      for (const run of this.#runs.values()) run.undisturbed = false;
    this.#history.noteWrite(offset, value);
    this.#both((bench) => bench.card.writeBar(0, offset, size, value));
  }

  /** Changes bits of SERIAL on both sides. */
  #changeSerial(clear: number, set: number): void {
    const [value] = this.#both((bench) => {
      const changed = ((bench.read(SERIAL) & ~clear) | set) >>> 0;
      bench.write(SERIAL, changed);
      return changed;
    });
    this.#history.noteWrite(SERIAL, value);
  }

  #run(operation: RunOperation): void {
    const { channel, format, dwords, index, periodFrames, interrupt, clock } = operation;
    const map = MAPS[channel];
    const alone = this.#runs.size === 0;
    for (const run of this.#runs.values()) run.undisturbed = false;
    if (alone) {
      this.#both((bench) => {
        bench.card.freeRam();
        bench.write(CONTROL, CONTROL_AT_REST);
        bench.resetCodec();
        bench.unmute();
        if (bench.card.wiring.input) bench.openInput();
        if (clock !== null && channel === 'DAC1') bench.setFixedRate(clock);
        else if (clock !== null) bench.setDivider(clock);
      });
      this.#codecAsSet = true;
    }
    // A request of before is acknowledged, and what the channel is to be is not left of it.
    this.#changeSerial(map.interruptEnable | map.pause | map.stopMode | (3 << map.formatShift), 0);
    const bytes = this.#contents(operation);
    const [ring] = this.#both((bench): Es1370Ring => {
      const block = bench.card.allocateRam(bytes.length + 2 * MARGIN, 4096);
      bench.card.writeRam(block, new Uint8Array(bytes.length + 2 * MARGIN).fill(FILL));
      bench.card.writeRam(block + MARGIN, bytes);
      return { address: block + MARGIN, dwords };
    });
    const compared = alone && clock === null && format === STEREO_16 && channel !== 'ADC' && index === 0;
    const recordedBefore = this.#both((bench) => bench.recorded.length);
    this.#log(
      `run   ${channel}: ${formatName(format)}, ${dwords} dwords from ${index}, ${periodFrames} frames a period` +
        `${interrupt ? ', interrupt' : ''}${clock === null ? '' : `, clock ${clock}`}`,
    );
    this.#both((bench) => {
      const { page } = this.#history;
      bench.program(channel, {
        ring,
        format,
        index,
        periodFrames,
        serial: interrupt ? map.interruptEnable : 0,
      });
      bench.write(MEMPAGE, page);
      bench.enable(channel);
    });
    this.#history.started(channel, interrupt);
    this.#runs.set(channel, {
      operation,
      ring,
      expected: compared
        ? heardSamples(bytes.subarray(0, Math.min(SOUND_FRAMES * 4, bytes.length)), format)
        : null,
      recordedBefore,
      exactInput: format === STEREO_16 && ((this.#model.read(CONTROL) ^ CONTROL_AT_REST) & CTL_PCLKDIV) === 0,
      undisturbed: this.#model.card.wiring.input === undefined,
    });
  }

  /** What lies in a ring: sound, then silence; for the ADC what is to be overwritten. */
  #contents({ channel, format, dwords, dataSeed }: RunOperation): Uint8Array {
    if (channel === 'ADC') return new Uint8Array(dwords * 4).fill(FILL);
    const bytes = silentBytes(dwords * 4, format);
    bytes.set(soundBytes(Math.min(SOUND_FRAMES, Math.floor(dwords / 2)), STEREO_16, dataSeed));
    return bytes;
  }

  #interrupt(channel: ChannelName): FoundDifference | null {
    const run = this.#runs.get(channel);
    if (!run?.operation.interrupt) return null;
    const { interruptEnable } = MAPS[channel];
    const text = (came: boolean) => (came ? 'comes' : 'never comes');
    const [model, other] = this.#both((bench) =>
      text(bench.waitPending(channel, REQUEST_LIMIT_MILLISECONDS)),
    );
    this.#log(`wait  for ${channel}’s request, then SERIAL: its enable bit off and on again`);
    const request = this.comparer.same(
      `request of ${channel}`,
      model,
      other,
      'ens1370.c ES_P1_INT_EN …: asked for when the sample counter has run out.',
    );
    if (request) return request;
    this.#changeSerial(interruptEnable, 0);
    const acknowledged = this.#read(STATUS, 4, true) ?? this.#compareLine();
    this.#changeSerial(0, interruptEnable);
    if (this.#history.running.has(channel)) this.#history.asking.add(channel);
    return acknowledged;
  }

  #pause(channel: ChannelName, paused: boolean): void {
    const run = this.#runs.get(channel);
    if (!run) return;
    this.#log(`write SERIAL: ${channel} ${paused ? 'paused' : 'goes on'}`);
    run.undisturbed = false;
    const { pause } = MAPS[channel];
    this.#changeSerial(paused ? 0 : pause, paused ? pause : 0);
  }

  #stop(channel: ChannelName): FoundDifference | null {
    const run = this.#runs.get(channel);
    if (!run) return null;
    this.#log(`write CONTROL: ${channel} off`);
    for (const other of this.#runs.values()) other.undisturbed = false;
    this.#both((bench) => bench.disable(channel));
    this.#runs.delete(channel);
    this.#history.stopped(channel);
    return this.#compareRam(run);
  }

  #settle(): FoundDifference | null {
    this.#log(
      this.#runs.size > 0
        ? 'sound and memory are compared, then all registers'
        : 'all registers are compared',
    );
    for (const [channel, run] of [...this.#runs]) {
      const difference = this.#compareSound(run) ?? this.#hush(run) ?? this.#stop(channel);
      if (difference) return difference;
    }
    // Whatever is still pending on one side only, both forget.
    this.#changeSerial(
      CHANNELS.reduce((bits, channel) => bits | MAPS[channel].interruptEnable, 0),
      0,
    );
    return this.#compareAllRegisters();
  }

  /** A DAC that is heard ends in silence, so that the next recording begins with its own sound; the ADC gets time to record something. */
  #hush({ operation: { channel, format }, ring }: Run): null {
    if (channel === 'ADC') this.#both((bench) => bench.card.letTimePass(RECORDING_TICKS));
    if (channel === 'ADC' || this.#model.card.wiring.input !== undefined) return null;
    this.#both((bench) => {
      bench.card.writeRam(ring.address, silentBytes(ring.dwords * 4, format));
      bench.card.letTimePass(bench.recorderDelayTicks / 2);
    });
    return null;
  }

  /** What was played, on each side, against what lay in memory. */
  #compareSound({ expected, undisturbed, recordedBefore }: Run): FoundDifference | null {
    if (!undisturbed || expected === null) return null;
    const [model, other] = [this.#model, this.#other].map((bench, side) =>
      describePlayedSound(bench.card, expected, {
        recordedBefore: recordedBefore[side as 0 | 1],
        limitTicks: 10 * bench.recorderDelayTicks + 100 * TICKS_PER_MILLISECOND,
        catchUp: () => bench.read(STATUS),
      }),
    );
    return this.comparer.same(
      'what was played',
      model ?? '',
      other ?? '',
      'ens1370.c ES_REG_DAC1_FRAME: the buffer from its beginning, sample by sample.',
    );
  }

  /** The ring of a playing channel is as it was; that of the ADC holds the input; nothing around either is touched. */
  #compareRam(run: Run): FoundDifference | null {
    const [model, other] = this.#both((bench) => {
      const description = describeRam(bench, run, run.exactInput && this.#codecAsSet);
      // The index was looked at, where the traffic may have selected another page.
      bench.write(MEMPAGE, this.#history.page);
      return description;
    });
    return this.comparer.same(
      `memory of ${run.operation.channel}`,
      model,
      other,
      'ens1370.c ES_REG_ADC_FRAME: recorded samples go into the buffer; nothing else is written.',
    );
  }

  #compareAllRegisters(): FoundDifference | null {
    const { page } = this.#history;
    const read = (offset: number) => this.#read(offset, 4, true);
    for (const offset of [
      CONTROL,
      STATUS,
      MEMPAGE,
      SERIAL,
      ...CHANNELS.map((name) => MAPS[name].countRegister),
    ]) {
      const difference = read(offset);
      if (difference) return difference;
    }
    for (const other of [PAGE_DAC, PAGE_ADC, page]) {
      this.#both((bench) => bench.write(MEMPAGE, other));
      this.#history.noteWrite(MEMPAGE, other);
      for (let offset = PAGE_WINDOW; offset < PAGE_WINDOW + 16; offset += 4) {
        const difference = read(offset);
        if (difference) return difference;
      }
    }
    return null;
  }

  #compareLine(): FoundDifference | null {
    if (this.#history.asking.size > 0) return null;
    const [model, other] = this.#both((bench) => (bench.line ? 'asserted' : 'low'));
    return this.comparer.same(
      'interrupt line',
      model,
      other,
      'ens1370.c ES_INTR: asserted while any channel asks for an interrupt.',
    );
  }
}

function describeRam(bench: Es1370Bench, { operation: { channel }, ring }: Run, exactInput: boolean): string {
  const bytes = bench.card.readRam(ring.address - MARGIN, ring.dwords * 4 + 2 * MARGIN);
  const end = bytes.length - MARGIN;
  const stray = bytes.findIndex((byte, at) => (at < MARGIN || at >= end) && byte !== FILL);
  if (stray >= 0) return `byte ${hex(ring.address - MARGIN + stray)}, outside the buffer, is written`;
  if (channel !== 'ADC') return 'nothing outside the buffer is written';
  if (!exactInput) return 'written within the buffer';
  const words = new Int16Array(bytes.slice(MARGIN, end).buffer);
  const word = FILL | (FILL << 8);
  const first = words.findIndex((sample) => sample !== word);
  if (first < 0) return 'nothing, or the input without a gap';
  // Began at an index, and perhaps turned: in order of time it is one stretch, with what was never written around it.
  const index = bench.index('ADC') * 2;
  const inOrder = [...words.subarray(index), ...words.subarray(0, index)];
  let from = 0;
  while (from < inOrder.length && inOrder[from] === word) from++;
  return isContiguous(Int16Array.from(inOrder.slice(from)))
    ? 'nothing, or the input without a gap'
    : 'not the input without a gap';
}

import {
  CR_INTERRUPT_ENABLES,
  CR_RR,
  ENGINE_OFFSET,
  type EngineName,
  GLOB_CNT,
  GLOB_STA,
  NABM_REGISTERS,
  SR_DCH,
  SR_WRITE_CLEAR,
} from '../../hardware/ac97/registers.ts';
import {
  AC97_EXTENDED_AUDIO_CONTROL,
  AC97_MASTER_VOLUME,
  AC97_MIC_ADC_RATE,
  AC97_PCM_FRONT_DAC_RATE,
  AC97_PCM_LR_ADC_RATE,
  AC97_PCM_OUT_VOLUME,
  AC97_RECORD_GAIN,
  AC97_RECORD_SELECT,
  AC97_REGISTERS,
  AC97_RESET,
} from '../../hardware/codecs/ac97-registers.ts';
import { TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import { hex } from '../check.ts';
import { describePlayedSound, type FoundDifference, type SideBySide } from '../diff/index.ts';
import { AC97_INPUT_SIGNAL, type Ac97Bench, isContiguous, testSignal } from './bench.ts';
import { DiffComparer, withMeaning } from './diff-compare.ts';
import { DiffHistoryKeeper } from './diff-history.ts';
import type { DiffOperation } from './diff-operations.ts';
import { accessName } from './register-names.ts';

const RING = 32;
/** Descriptors behind the ring's end, for when LVI is moved there. */
const SPARE_SAMPLES = 64;
const END_LIMIT_TICKS = 1500 * TICKS_PER_MILLISECOND;
const FILL = 0x5a;
/** Variable rates on for all converters, as both sides understand it. */
const VRA_VRM = 0x0009;

/** A ring that runs. */
interface Run {
  readonly engine: EngineName;
  readonly enables: number;
  /** Buffers in order, the same on both sides. */
  readonly buffers: readonly { readonly address: number; readonly samples: number }[];
  /** Page-aligned stretch of RAM in which the buffers lie. */
  readonly region: { readonly address: number; readonly bytes: number };
  readonly played: Int16Array | null;
  /** Length of each side's recording when it began. */
  readonly recordedBefore: readonly [model: number, other: number];
  lvi: number;
  /** Nothing was done meanwhile that changes what is heard. */
  undisturbed: boolean;
}

/** Both cards side by side: carries out operations on both and compares. */
export class Ac97SideBySide implements SideBySide<DiffOperation> {
  readonly comparer: DiffComparer;
  readonly #history = new DiffHistoryKeeper();
  readonly #model: Ac97Bench;
  readonly #other: Ac97Bench;
  readonly #runs = new Map<EngineName, Run>();
  readonly #log: (line: string) => void;

  /** @param log told every access as one readable line */
  constructor(model: Ac97Bench, other: Ac97Bench, log: (line: string) => void) {
    this.#model = model;
    this.#other = other;
    this.#log = log;
    this.comparer = new DiffComparer(this.#history);
  }

  /** Carries out one operation; returns the first difference that is not accepted. */
  async step(operation: DiffOperation): Promise<FoundDifference | null> {
    const difference = await this.#carryOut(operation);
    if (difference) return difference;
    this.#history.update(this.#model);
    return this.#compareLine();
  }

  async #carryOut(operation: DiffOperation): Promise<FoundDifference | null> {
    switch (operation.kind) {
      case 'wire':
        await this.#wire(operation.input);
        return null;
      case 'read':
        return this.#read(operation.bar, operation.offset, operation.size);
      case 'write':
        this.#write(operation);
        return null;
      case 'codecReset':
        this.#codecReset();
        return null;
      case 'run':
        this.#run(operation);
        return null;
      case 'extend':
        this.#extend(operation.engine, operation.lvi);
        return null;
      case 'pass':
        this.#log(`${operation.microseconds} µs pass`);
        this.#both((bench) => bench.card.letTimePass(operation.microseconds * TICKS_PER_MICROSECOND));
        return null;
      case 'settle':
        return this.#settle();
      case 'abort':
        return this.#abort(operation.engine);
    }
  }

  #both<T>(act: (bench: Ac97Bench) => T): readonly [model: T, other: T] {
    return [act(this.#model), act(this.#other)];
  }

  async #wire(input: boolean): Promise<void> {
    this.#log(`power on${input ? ', with a signal at the inputs' : ''}`);
    this.#runs.clear();
    for (const bench of [this.#model, this.#other]) {
      await bench.card.powerCycle(input ? { input: AC97_INPUT_SIGNAL } : {});
      bench.prepare();
      // Finds out once at what volumes this card passes samples unchanged.
      if (input) bench.openInput();
      else bench.unmute();
      bench.prepare();
      resetCodec(bench);
    }
    this.#history.clear();
    this.#history.codecWrites.set(AC97_EXTENDED_AUDIO_CONTROL, 0);
  }

  #read(bar: number, offset: number, size: 1 | 2 | 4, quietly = false): FoundDifference | null {
    const [model, other] = this.#both((bench) => bench.card.readBar(bar, offset, size));
    const difference = this.comparer.read(bar, offset, size, model, other);
    if (quietly && !difference) return null;
    const name = accessName(bar, offset, size);
    this.#log(
      model === other
        ? `read  ${name}: both ${withMeaning(bar, offset, size, model)}`
        : `read  ${name}: model ${withMeaning(bar, offset, size, model)}, other ${withMeaning(bar, offset, size, other)}`,
    );
    return difference;
  }

  #write(operation: DiffOperation & { readonly kind: 'write' }): void {
    const { bar, offset, size, value } = operation;
    this.#log(`write ${accessName(bar, offset, size)} = ${withMeaning(bar, offset, size, value)}`);
    this.#history.noteWrite(operation, this.#model);
    if (bar === 0) for (const run of this.#runs.values()) run.undisturbed = false;
    this.#both((bench) => bench.card.writeBar(bar, offset, size, value));
  }

  #codecReset(): void {
    this.#log('write RESET = 00h: register reset of the codec; EXTENDED_AUDIO_CONTROL = 00h');
    this.#both((bench) => resetCodec(bench));
    this.#history.codecReset();
    this.#history.codecWrites.set(AC97_EXTENDED_AUDIO_CONTROL, 0);
  }

  #run({ engine, descriptors, enables, rate, dataSeed }: DiffOperation & { readonly kind: 'run' }): void {
    const alone = this.#runs.size === 0;
    if (alone) this.#prepareCodec(rate);
    else for (const run of this.#runs.values()) run.undisturbed = false;
    this.#both((bench) => {
      bench.setCr(engine, 0);
      bench.setCr(engine, CR_RR);
      bench.setSr(engine, SR_WRITE_CLEAR);
    });
    this.#history.engineReset(engine);
    const spare = Array.from({ length: RING - descriptors.length }, () => ({
      samples: SPARE_SAMPLES,
      ioc: false,
      bup: false,
      offset: 0,
    }));
    const all = [...descriptors, ...spare];
    const played =
      engine === 'PO'
        ? testSignal(
            all.reduce((sum, { samples }) => sum + samples, 0),
            dataSeed,
          )
        : null;
    const [run] = this.#both((bench) => {
      const buffers: { address: number; samples: number }[] = [];
      let at = 0;
      for (const { samples, offset } of all) {
        const block = bench.card.allocateRam(samples * 2 + 8192, 4096);
        bench.card.writeRam(block, new Uint8Array(samples * 2 + 8192).fill(FILL));
        const address = block + offset;
        buffers.push({ address, samples });
        if (played) {
          const piece = played.subarray(at, at + samples);
          bench.card.writeRam(address, new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
        }
        at += samples;
      }
      bench.describe(
        engine,
        buffers.map(({ address, samples }, index) => ({
          address,
          samples,
          ioc: all[index]?.ioc ?? false,
          bup: all[index]?.bup ?? false,
        })),
      );
      const first = (buffers[0]?.address ?? 0) & ~4095;
      const last = buffers[RING - 1];
      return { buffers, region: { address: first, bytes: (last?.address ?? first) + 4096 - first } };
    });
    const lvi = descriptors.length - 1;
    if (all.some(({ samples, ioc }, index) => samples === 0 && ioc && index <= lvi))
      this.#history.emptyWithIoc.add(engine);
    const recordedBefore = this.#both((bench) => {
      // A model's recording is complete after an access.
      bench.read32(GLOB_STA);
      return bench.card.output.samples.length;
    });
    this.#log(
      `run   ${engine}: ${descriptors.map(({ samples, ioc, bup }) => `${samples}${ioc ? '+IOC' : ''}${bup ? '+BUP' : ''}`).join(', ')} samples, ` +
        `LVI ${lvi}, CR ${withMeaning(1, ENGINE_OFFSET[engine] + 0x0b, 1, enables | 1)}${alone ? `, ${rate} Hz` : ''}`,
    );
    this.#runs.set(engine, {
      engine,
      enables,
      ...run,
      played,
      recordedBefore,
      lvi,
      undisturbed: alone && rate === 48_000 && this.#model.card.wiring.input === undefined,
    });
    this.#history.running.add(engine);
    this.comparer.runStarted(engine, lvi, Math.max(...all.map(({ samples }) => samples)));
    this.#both((bench) => bench.start(engine, lvi, enables));
  }

  /** A codec as after its reset, with these rates, and the volumes at which each side passes samples unchanged. */
  #prepareCodec(rate: number): void {
    this.#codecReset();
    this.#both((bench) => {
      bench.freeRam();
      bench.writeNam(AC97_EXTENDED_AUDIO_CONTROL, VRA_VRM);
      for (const offset of [AC97_PCM_FRONT_DAC_RATE, AC97_PCM_LR_ADC_RATE, AC97_MIC_ADC_RATE])
        bench.writeNam(offset, rate);
      if (bench.card.wiring.input) bench.openInput();
      else bench.unmute();
    });
    const { codecWrites } = this.#history;
    codecWrites.set(AC97_EXTENDED_AUDIO_CONTROL, VRA_VRM);
    for (const offset of [AC97_PCM_FRONT_DAC_RATE, AC97_PCM_LR_ADC_RATE, AC97_MIC_ADC_RATE])
      codecWrites.set(offset, rate);
    if (this.#model.card.wiring.input) {
      codecWrites.set(AC97_RECORD_SELECT, 0x0404);
      codecWrites.set(AC97_RECORD_GAIN, 'bench');
    } else {
      codecWrites.set(AC97_MASTER_VOLUME, 0);
      codecWrites.set(AC97_PCM_OUT_VOLUME, 'bench');
    }
  }

  #extend(engine: EngineName, lvi: number): void {
    const run = this.#runs.get(engine);
    if (!run) return;
    this.#log(`write ${engine}_LVI = ${hex(lvi)}, while it runs`);
    run.lvi = lvi;
    run.undisturbed = false;
    this.#history.movedWhileRunning.add(engine);
    this.comparer.endMoved(engine, lvi);
    this.#both((bench) => bench.setLvi(engine, lvi));
  }

  #settle(): FoundDifference | null {
    for (const run of this.#runs.values()) {
      const { engine, lvi } = run;
      const [model, other] = this.#both((bench) =>
        bench.card.waitUntil(() => bench.halted(engine) && bench.civ(engine) === lvi, END_LIMIT_TICKS),
      );
      const text = (bench: Ac97Bench, halted: boolean) =>
        halted
          ? `halts at ${lvi}`
          : `does not come to ${lvi}: CIV ${bench.civ(engine)}, SR ${hex(bench.sr(engine))}`;
      const difference = this.comparer.same(
        `end of ${engine}`,
        text(this.#model, model),
        text(this.#other, other),
        '82801AA §12.2.4: after the last valid descriptor the engine halts with DCH and CELV.',
      );
      if (difference) return difference;
      this.#history.running.delete(engine);
    }
    this.#log(
      this.#runs.size > 0
        ? 'all engines have come to their end; sound, memory and registers are compared'
        : 'all registers are compared',
    );
    this.#history.update(this.#model);
    const difference =
      this.#compareSound() ?? this.#compareRam() ?? this.#compareAllRegisters() ?? this.#compareLine();
    if (difference) return difference;
    for (const { engine, enables } of this.#runs.values())
      this.#both((bench) => bench.setCr(engine, enables & CR_INTERRUPT_ENABLES));
    this.#runs.clear();
    return null;
  }

  #abort(engine: EngineName): FoundDifference | null {
    if (!this.#runs.has(engine)) return null;
    this.#log(`write ${engine}_CR = 00h, then RR: paused and reset`);
    this.#both((bench) => {
      bench.setCr(engine, 0);
      bench.setCr(engine, CR_RR);
    });
    this.#runs.delete(engine);
    this.#history.running.delete(engine);
    this.#history.engineReset(engine);
    const [model, other] = this.#both((bench) => hex(bench.sr(engine)));
    return this.comparer.same(
      `${engine}_SR after RR`,
      model,
      other,
      `82801AA §12.2.7: RR resets the registers; SR is then ${hex(SR_DCH)}.`,
    );
  }

  /** What was played, on each side, against what lay in memory. */
  #compareSound(): FoundDifference | null {
    const run = this.#runs.get('PO');
    if (!run?.undisturbed || !run.played) return null;
    let count = 0;
    for (let index = 0; index <= run.lvi; index++) count += run.buffers[index]?.samples ?? 0;
    const expected = run.played.subarray(0, count);
    const [model, other] = [this.#model, this.#other].map((bench, side) =>
      describePlayedSound(bench.card, expected, {
        recordedBefore: run.recordedBefore[side as 0 | 1],
        limitTicks: 5 * bench.recorderDelayTicks + 100 * TICKS_PER_MILLISECOND,
        catchUp: () => bench.read32(GLOB_STA),
      }),
    );
    return this.comparer.same(
      'what was played',
      model ?? '',
      other ?? '',
      'PRM §3.2.3: the buffers of the ring one after the other, sample by sample.',
    );
  }

  /** Buffers of playing engines are as they were; those of capturing ones hold the input, and nothing around them is touched. */
  #compareRam(): FoundDifference | null {
    for (const { engine, region, buffers, lvi } of this.#runs.values()) {
      const [model, other] = this.#both((bench) =>
        describeRam(bench, engine, region, buffers.slice(0, lvi + 1)),
      );
      const difference = this.comparer.same(
        `memory of ${engine}`,
        model,
        other,
        'PRM §3.2.1: captured samples go into the descriptors’ buffers; nothing else is written.',
      );
      if (difference) return difference;
    }
    return null;
  }

  #compareAllRegisters(): FoundDifference | null {
    for (const { offset, widthBytes } of NABM_REGISTERS) {
      if (offset > GLOB_CNT && offset !== GLOB_STA) continue;
      const difference = this.#read(1, offset, widthBytes, true);
      if (difference) return difference;
    }
    for (const { offset } of AC97_REGISTERS) {
      const difference = this.#read(0, offset, 2, true);
      if (difference) return difference;
    }
    return null;
  }

  #compareLine(): FoundDifference | null {
    if (this.#history.running.size > 0 || this.#history.unusualInterrupt) return null;
    const [model, other] = this.#both((bench) => {
      // QEMU tells of the line's change by a message that the next command finds.
      bench.read32(GLOB_STA);
      return bench.card.interruptAsserted ? 'asserted' : 'low';
    });
    return this.comparer.same(
      'interrupt line',
      model,
      other,
      '82801AA §12.2.4, §12.2.7: asserted while a status bit is set whose enable is set.',
    );
  }
}

/** After it VRA and VRM are off on every codec, also on one whose reset leaves them on. */
function resetCodec(bench: Ac97Bench): void {
  bench.writeNam(AC97_RESET, 0);
  bench.writeNam(AC97_EXTENDED_AUDIO_CONTROL, 0);
}

function describeRam(
  bench: Ac97Bench,
  engine: EngineName,
  region: { readonly address: number; readonly bytes: number },
  buffers: readonly { readonly address: number; readonly samples: number }[],
): string {
  if (engine === 'PO') return 'not written';
  const bytes = bench.card.readRam(region.address, region.bytes);
  const captured = new Int16Array(buffers.reduce((sum, { samples }) => sum + samples, 0));
  let at = 0;
  for (const { address, samples } of buffers) {
    captured.set(bench.samplesAt(address, samples), at);
    at += samples;
    bytes.fill(FILL, address - region.address, address - region.address + samples * 2);
  }
  const stray = bytes.findIndex((byte) => byte !== FILL);
  if (stray >= 0) return `byte ${hex(region.address + stray)}, in no buffer, is written`;
  // The mic channels of the two differ in width, so that only the extent of what is written can be compared.
  if (engine === 'MC') return 'within the buffers';
  return captured.length < 2 || isContiguous(captured)
    ? 'the input, without a gap'
    : 'not the input without a gap';
}

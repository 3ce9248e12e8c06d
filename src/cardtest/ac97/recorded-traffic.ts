import {
  CNT_ACLINK_OFF,
  CNT_COLD_RESET,
  CR_INTERRUPT_ENABLES,
  CR_RPBM,
  CR_RR,
  ENGINE_OFFSET,
  type EngineName,
  GLOB_CNT,
  NABM_REGISTERS,
  X_BDBAR,
  X_CR,
  X_LVI,
  X_SR,
} from '../../hardware/ac97/registers.ts';
import {
  AC97_EXTENDED_AUDIO_CONTROL,
  AC97_MIC_ADC_RATE,
  AC97_PCM_FRONT_DAC_RATE,
  AC97_PCM_LR_ADC_RATE,
  AC97_POWERDOWN,
  AC97_REGISTERS,
  AC97_RESET,
} from '../../hardware/codecs/ac97-registers.ts';
import { type AccessSize, TICKS_PER_MICROSECOND, type TraceEvent, TraceKind } from '../../kernel/index.ts';
import { ENGINES } from './bench.ts';
import type { DiffOperation } from './diff-operations.ts';

/** Descriptors of a replayed ring: 5 ms each, whatever they were. */
const REPLAYED_SAMPLES = 480;
const LONGEST_PAUSE_MICROSECONDS = 3000;
/** What is not changed while an engine runs; see AC97_AVOIDED_TRAFFIC. */
const RATES_AND_POWER: readonly number[] = [
  AC97_POWERDOWN,
  AC97_EXTENDED_AUDIO_CONTROL,
  AC97_PCM_FRONT_DAC_RATE,
  AC97_PCM_LR_ADC_RATE,
  AC97_MIC_ADC_RATE,
];
const POWER_DOWN_BITS = 0x7f00;

interface RecordedAccess {
  readonly bar: number;
  readonly offset: number;
  readonly size: AccessSize;
  readonly write: boolean;
  readonly value: number;
}

/**
 * The register traffic of a trace (of a driver on `sim`, with register events) as operations for {@link runAc97Diff}. Reads and writes
 * come in their order; starting an engine becomes a ring as long as the driver's, of buffers of our own, that plays to its end; what is
 * known to lead the two cards apart is left out, as in generated traffic.
 */
export function operationsFromTrace(events: Iterable<TraceEvent>): readonly DiffOperation[] {
  const recorder = new Replay();
  for (const event of events) {
    const access = event.kind === TraceKind.Register ? recordedAccess(event) : null;
    if (access) recorder.add(access, event.tick);
  }
  return recorder.finish();
}

class Replay {
  readonly #operations: DiffOperation[] = [{ kind: 'wire', input: false }];
  readonly #running = new Set<EngineName>();
  readonly #lvi = new Map<EngineName, number>();
  #lastTick: number | null = null;

  add(access: RecordedAccess, tick: number): void {
    this.#passTime(tick);
    const { bar, offset, size, write, value } = access;
    if (!write) this.#operations.push({ kind: 'read', bar, offset, size });
    else if (bar === 0) this.#writeCodec(offset, size, value);
    else if (offset >= GLOB_CNT) this.#writeGlobal(offset, size, value);
    else this.#writeEngine(offset, size, value);
  }

  finish(): readonly DiffOperation[] {
    this.#operations.push({ kind: 'settle' });
    return this.#operations;
  }

  #passTime(tick: number): void {
    const microseconds = Math.floor((tick - (this.#lastTick ?? tick)) / TICKS_PER_MICROSECOND);
    this.#lastTick = tick;
    if (microseconds >= 100) {
      this.#operations.push({
        kind: 'pass',
        microseconds: Math.min(microseconds, LONGEST_PAUSE_MICROSECONDS),
      });
    }
  }

  #writeCodec(offset: number, size: AccessSize, value: number): void {
    const idle = this.#running.size === 0;
    if (offset === AC97_RESET) {
      if (idle) this.#operations.push({ kind: 'codecReset' });
      return;
    }
    if (!idle && RATES_AND_POWER.includes(offset)) return;
    if (offset === AC97_POWERDOWN && (value & POWER_DOWN_BITS) !== 0) return;
    if (size === 2) this.#operations.push({ kind: 'write', bar: 0, offset, size, value });
  }

  #writeGlobal(offset: number, size: AccessSize, value: number): void {
    const keepsLink = (value & CNT_COLD_RESET) !== 0 && (value & CNT_ACLINK_OFF) === 0;
    if (offset !== GLOB_CNT || keepsLink)
      this.#operations.push({ kind: 'write', bar: 1, offset, size, value });
  }

  #writeEngine(offset: number, size: AccessSize, value: number): void {
    const engine = ENGINES.find((one) => ENGINE_OFFSET[one] === (offset & 0xf0));
    if (engine === undefined) return;
    const register = offset & 0x0f;
    const runs = this.#running.has(engine);
    if (register === X_LVI) this.#lvi.set(engine, value & 31);
    if (register === X_CR) this.#writeControl(engine, offset, value);
    else if (register !== X_BDBAR && !(runs && (register === X_LVI || register === X_SR))) {
      this.#operations.push({ kind: 'write', bar: 1, offset, size, value });
    }
  }

  #writeControl(engine: EngineName, offset: number, value: number): void {
    const runs = this.#running.has(engine);
    if ((value & CR_RPBM) !== 0) {
      // Capture engines want a signal at the inputs, which this wiring lacks.
      if (runs || engine !== 'PO') return;
      this.#running.add(engine);
      const samples = REPLAYED_SAMPLES;
      const descriptors = Array.from({ length: (this.#lvi.get(engine) ?? 0) + 1 }, () => ({
        samples,
        ioc: true,
        bup: false,
        offset: 0,
      }));
      this.#operations.push({
        kind: 'run',
        engine,
        descriptors,
        enables: value & CR_INTERRUPT_ENABLES,
        rate: 48_000,
        dataSeed: this.#operations.length,
      });
      return;
    }
    if (runs) {
      this.#running.delete(engine);
      this.#operations.push({ kind: 'settle' });
    }
    this.#operations.push({
      kind: 'write',
      bar: 1,
      offset,
      size: 1,
      value: value & (CR_INTERRUPT_ENABLES | CR_RR),
    });
  }
}

/** The access behind a register event: names as the model reports them, several joined by `+`, or with an offset for what has none. */
function recordedAccess({ name, data }: TraceEvent): RecordedAccess | null {
  const direction = data?.['direction'];
  const value = data?.['value'];
  const size = data?.['size'];
  if (typeof value !== 'number' || (size !== 1 && size !== 2 && size !== 4)) return null;
  const [first = ''] = name.split('+');
  const place = registerPlace(first);
  return place && { ...place, size, write: direction === 'write', value };
}

function registerPlace(name: string): { readonly bar: number; readonly offset: number } | null {
  const busMaster = NABM_REGISTERS.find((register) => register.name === name);
  if (busMaster) return { bar: 1, offset: busMaster.offset };
  const codec = AC97_REGISTERS.find((register) => register.name === name);
  if (codec) return { bar: 0, offset: codec.offset };
  const unnamed = /^(NAM|NABM)_([0-9A-F]{2})$/.exec(name);
  return unnamed
    ? { bar: unnamed[1] === 'NAM' ? 0 : 1, offset: Number.parseInt(unnamed[2] ?? '0', 16) }
    : null;
}

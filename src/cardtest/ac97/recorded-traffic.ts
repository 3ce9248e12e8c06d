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
import type { AccessSize, TraceEvent } from '../../kernel/index.ts';
import { RecordedPauses, recordedAccesses } from '../diff/index.ts';
import { ENGINES } from './bench.ts';
import type { DiffOperation } from './diff-operations.ts';

/** Descriptors of a replayed ring: 5 ms each, whatever they were. */
const REPLAYED_SAMPLES = 480;
/** What is not changed while an engine runs; see AC97_AVOIDED_TRAFFIC. */
const RATES_AND_POWER: readonly number[] = [
  AC97_POWERDOWN,
  AC97_EXTENDED_AUDIO_CONTROL,
  AC97_PCM_FRONT_DAC_RATE,
  AC97_PCM_LR_ADC_RATE,
  AC97_MIC_ADC_RATE,
];
const POWER_DOWN_BITS = 0x7f00;

interface PlacedAccess {
  readonly bar: number;
  readonly offset: number;
  readonly size: AccessSize;
  readonly write: boolean;
  readonly value: number;
}

/**
 * The register traffic of a trace (of a driver on `sim`, with register events) as operations of {@link AC97_DIFF}. Reads and writes
 * come in their order; starting an engine becomes a ring as long as the driver's, of buffers of our own, that plays to its end; what is
 * known to lead the two cards apart is left out, as in generated traffic. Empty without an access to an AC'97 register.
 */
export function ac97OperationsFromTrace(events: Iterable<TraceEvent>): readonly DiffOperation[] {
  const replay = new Replay();
  for (const { name, size, write, value, tick } of recordedAccesses(events)) {
    const [first = ''] = name.split('+');
    const place = registerPlace(first);
    if (place) replay.add({ ...place, size, write, value }, tick);
  }
  return replay.finish();
}

class Replay {
  readonly #operations: DiffOperation[] = [{ kind: 'wire', input: false }];
  readonly #running = new Set<EngineName>();
  readonly #lvi = new Map<EngineName, number>();
  readonly #pauses = new RecordedPauses();

  add(access: PlacedAccess, tick: number): void {
    const microseconds = this.#pauses.before(tick);
    if (microseconds !== null) this.#operations.push({ kind: 'pass', microseconds });
    const { bar, offset, size, write, value } = access;
    if (!write) this.#operations.push({ kind: 'read', bar, offset, size });
    else if (bar === 0) this.#writeCodec(offset, size, value);
    else if (offset >= GLOB_CNT) this.#writeGlobal(offset, size, value);
    else this.#writeEngine(offset, size, value);
  }

  finish(): readonly DiffOperation[] {
    if (this.#operations.length === 1) return [];
    this.#operations.push({ kind: 'settle' });
    return this.#operations;
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

/** A register's place by the name that the model reports, or that it makes of an offset. */
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

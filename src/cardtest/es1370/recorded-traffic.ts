import { es1370RegisterName } from '../../hardware/es1370/describe.ts';
import {
  ADC_FRAME,
  ADC_SIZE,
  type ChannelName,
  CODEC,
  CONTROL,
  CTL_ADC_STOP,
  CTL_DAC_SYNC,
  CTL_UART_EN,
  DAC1_FRAME,
  DAC1_SIZE,
  DAC2_FRAME,
  DAC2_SIZE,
  ES1370_REGISTER_BYTES,
  MEMPAGE,
  PAGE_ADC,
  PAGE_DAC,
  PAGE_WINDOW,
  PHANTOM_FRAME,
  PHANTOM_SIZE,
  SERIAL,
  UART_DATA,
} from '../../hardware/es1370/registers.ts';
import type { TraceEvent } from '../../kernel/index.ts';
import { type RecordedAccess, RecordedPauses, recordedAccesses } from '../diff/index.ts';
import { CHANNELS, DACS, MAPS } from './bench.ts';
import type { Es1370Operation } from './diff-operations.ts';
import type { Es1370Format } from './pcm.ts';

const LARGEST_RING_DWORDS = 22_050;
const SMALLEST_RING_DWORDS = 600;
const SMALLEST_PERIOD_FRAMES = 64;
const ENABLES = CHANNELS.reduce((bits, channel) => bits | MAPS[channel].enable, 0);
const PAGED: readonly (readonly [page: number, offsets: readonly number[]])[] = [
  [PAGE_DAC, [DAC1_FRAME, DAC1_SIZE, DAC2_FRAME, DAC2_SIZE]],
  [PAGE_ADC, [ADC_FRAME, ADC_SIZE, PHANTOM_FRAME, PHANTOM_SIZE]],
];
/** Offsets by the names that the model reports, whatever page is selected. */
const OFFSETS: ReadonlyMap<string, number> = new Map([
  ...[CONTROL, 0x04, UART_DATA, MEMPAGE, CODEC, SERIAL, 0x24, 0x28, 0x2c].map((offset): [string, number] => [
    es1370RegisterName(offset, 0),
    offset,
  ]),
  ...PAGED.flatMap(([page, offsets]) =>
    offsets.map((offset): [string, number] => [es1370RegisterName(offset, page), offset]),
  ),
]);

/**
 * The register traffic of a trace (of a driver on `sim`, with register events) as operations of {@link ES1370_DIFF}. Reads and writes come
 * in their order; a channel that is switched on becomes a run with the driver's format, period and size of its ring, an acknowledgement
 * waits for a request on both sides, and switching off compares; what is known to lead the two cards apart is left out, as in generated
 * traffic. Empty without an access to a register of the ES1370.
 */
export function es1370OperationsFromTrace(events: Iterable<TraceEvent>): readonly Es1370Operation[] {
  const replay = new Replay();
  for (const access of recordedAccesses(events)) {
    const offset = offsetOf(access.name);
    if (offset !== null) replay.add(offset, access);
  }
  return replay.finish();
}

class Replay {
  readonly #operations: Es1370Operation[] = [{ kind: 'wire', input: false }];
  readonly #running = new Set<ChannelName>();
  readonly #pauses = new RecordedPauses();
  readonly #sizes = new Map<ChannelName, number>();
  readonly #periods = new Map<ChannelName, number>();
  #page = 0;
  #serial = 0;

  add(offset: number, { size, write, value, tick }: RecordedAccess): void {
    const microseconds = this.#pauses.before(tick);
    if (microseconds !== null) this.#operations.push({ kind: 'pass', microseconds });
    if (!write) this.#operations.push({ kind: 'read', offset, size });
    else if (offset === CONTROL && size === 4) this.#writeControl(value);
    else if (offset === SERIAL && size === 4) this.#writeSerial(value);
    else if (size === 4 || offset === MEMPAGE || (offset === CODEC && size === 2))
      this.#writeOther(offset, size, value);
  }

  finish(): readonly Es1370Operation[] {
    if (this.#operations.length === 1) return [];
    this.#operations.push({ kind: 'settle' });
    return this.#operations;
  }

  #writeControl(value: number): void {
    for (const channel of CHANNELS) {
      const on = (value & MAPS[channel].enable) !== 0;
      if (on === this.#running.has(channel)) continue;
      // The ADC wants a signal at the input, which this wiring lacks.
      if (channel === 'ADC') continue;
      if (on) this.#start(channel);
      else {
        this.#running.delete(channel);
        this.#operations.push(this.#running.size === 0 ? { kind: 'settle' } : { kind: 'stop', channel });
      }
    }
    if (this.#running.size === 0) {
      const harmless = value & ~(ENABLES | CTL_UART_EN | CTL_ADC_STOP | CTL_DAC_SYNC);
      this.#operations.push({ kind: 'write', offset: CONTROL, size: 4, value: harmless >>> 0 });
    }
  }

  #start(channel: ChannelName): void {
    const map = MAPS[channel];
    this.#running.add(channel);
    const dwords = (this.#sizes.get(channel) ?? 0) + 1;
    this.#operations.push({
      kind: 'run',
      channel,
      format: ((this.#serial >>> map.formatShift) & 3) as Es1370Format,
      dwords: Math.max(SMALLEST_RING_DWORDS, Math.min(dwords, LARGEST_RING_DWORDS)),
      index: 0,
      periodFrames: Math.max(SMALLEST_PERIOD_FRAMES, (this.#periods.get(channel) ?? 0) + 1),
      interrupt: (this.#serial & map.interruptEnable) !== 0,
      clock: null,
      dataSeed: this.#operations.length,
    });
    if ((this.#serial & map.pause) !== 0) this.#operations.push({ kind: 'pause', channel });
  }

  #writeSerial(value: number): void {
    const before = this.#serial;
    this.#serial = value;
    if (this.#running.size === 0) {
      this.#operations.push({ kind: 'write', offset: SERIAL, size: 4, value });
      return;
    }
    for (const channel of DACS) {
      const { pause, interruptEnable } = MAPS[channel];
      if (!this.#running.has(channel)) continue;
      const paused = (value & pause) !== 0;
      if (paused !== ((before & pause) !== 0))
        this.#operations.push({ kind: paused ? 'pause' : 'resume', channel });
      const acknowledged = (before & interruptEnable) !== 0 && (value & interruptEnable) === 0;
      if (acknowledged && !paused) this.#operations.push({ kind: 'interrupt', channel });
    }
  }

  #writeOther(offset: number, size: 1 | 2 | 4, value: number): void {
    if (offset === MEMPAGE) this.#page = value & 0x0f;
    if (offset === UART_DATA) return;
    const channel = this.#channelAt(offset);
    if (channel !== null) {
      if (CHANNELS.some((name) => MAPS[name].countRegister === offset))
        this.#periods.set(channel, value & 0xffff);
      else if ((offset & 4) !== 0) this.#sizes.set(channel, value & 0xffff);
      if (this.#running.has(channel)) return;
    }
    this.#operations.push({ kind: 'write', offset, size, value });
  }

  #channelAt(offset: number): ChannelName | null {
    for (const channel of CHANNELS) if (MAPS[channel].countRegister === offset) return channel;
    if (offset < PAGE_WINDOW) return null;
    if (this.#page === PAGE_DAC) return offset < DAC2_FRAME ? 'DAC1' : 'DAC2';
    return this.#page === PAGE_ADC && offset < PHANTOM_FRAME ? 'ADC' : null;
  }
}

function offsetOf(name: string): number | null {
  const named = OFFSETS.get(name);
  if (named !== undefined) return named;
  const unnamed = /^(?:ES1370|PAGE[0-9A-F])_([0-9A-F]{2})$/.exec(name);
  const offset = unnamed === null ? null : Number.parseInt(unnamed[1] ?? '0', 16);
  return offset === null || offset >= ES1370_REGISTER_BYTES ? null : offset;
}

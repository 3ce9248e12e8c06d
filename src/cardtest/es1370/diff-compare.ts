import { describeEs1370Value, es1370RegisterName } from '../../hardware/es1370/describe.ts';
import {
  type ChannelName,
  CODEC,
  CONTROL,
  MEMPAGE,
  PAGE_WINDOW,
  SERIAL,
  STAT_INTR,
  STATUS,
  UART_DATA,
} from '../../hardware/es1370/registers.ts';
import type { AccessSize } from '../../kernel/index.ts';
import { hex } from '../check.ts';
import { DifferenceCounter, type FoundDifference } from '../diff/index.ts';
import { ES1370_ACCEPTED_DIFFERENCES, type Es1370ComparedRead } from './accepted-differences.ts';
import { CHANNELS, MAPS } from './bench.ts';
import { type Es1370History, frameRegisterAt } from './diff-history.ts';

const MOVING_HALF = 0xffff_0000;

/** Compares answers, counts what was accepted, and knows what may differ while channels run. */
export class Es1370Comparer extends DifferenceCounter<Es1370ComparedRead> {
  readonly #history: Es1370History;

  constructor(history: Es1370History) {
    super(ES1370_ACCEPTED_DIFFERENCES);
    this.#history = history;
  }

  /** Compares the answers to one read; null when they agree, or differ as is known. */
  read(at: number, size: AccessSize, model: number, other: number): FoundDifference | null {
    this.countComparison();
    const history = this.#history;
    const offset = at & ~3;
    const lane = at & 3;
    const place = (value: number) => (value << (8 * lane)) >>> 0;
    const shown = place(size === 4 ? 0xffff_ffff : 2 ** (8 * size) - 1);
    const [modelDword, otherDword] = [place(model), place(other)];
    const broken = size === 4 ? this.#checkMoving(offset, [modelDword, otherDword]) : null;
    if (broken) return broken;
    let differing = (modelDword ^ otherDword) >>> 0;
    differing &= ~this.#matterOfTime(offset);
    differing = this.withoutAccepted(differing >>> 0, {
      offset,
      size,
      lane,
      model: modelDword,
      other: otherDword,
      shown,
      history,
    });
    if (differing === 0) return null;
    return {
      what: accessName(at, size, history.page),
      model: withMeaning(at, size, history.page, model),
      other: withMeaning(at, size, history.page, other),
      documentation: documentationOf(offset, history.page),
    };
  }

  /** Bits of a register that are a matter of when they are looked at. */
  #matterOfTime(offset: number): number {
    const { counted, moved, asking, page } = this.#history;
    if (offset === STATUS) {
      let bits = 0;
      for (const channel of asking) bits |= MAPS[channel].status | STAT_INTR;
      return bits;
    }
    const counter = CHANNELS.find((channel) => MAPS[channel].countRegister === offset);
    if (counter !== undefined) return counted.has(counter) ? MOVING_HALF : 0;
    const frame = frameRegisterAt(page, offset);
    return frame?.isSize && moved.has(frame.channel) ? MOVING_HALF : 0;
  }

  /** Each side for itself: the counter never stands above its period, the index never beyond its buffer. */
  #checkMoving(offset: number, values: readonly [number, number]): FoundDifference | null {
    const { counted, moved, page } = this.#history;
    const counter = CHANNELS.find((channel) => MAPS[channel].countRegister === offset);
    const frame = frameRegisterAt(page, offset);
    const channel: ChannelName | null =
      counter !== undefined && counted.has(counter)
        ? counter
        : frame?.isSize && moved.has(frame.channel)
          ? frame.channel
          : null;
    if (channel === null || values.every((value) => value >>> 16 <= (value & 0xffff))) return null;
    const [model, other] = values.map((value) =>
      value >>> 16 <= (value & 0xffff) ? 'within its limit' : `${value >>> 16}, beyond ${value & 0xffff}`,
    );
    return {
      what: `${es1370RegisterName(offset, page)} while ${channel} runs`,
      model: model ?? '',
      other: other ?? '',
      documentation: documentationOf(offset, page),
    };
  }
}

/** `DAC1_SIZE`, or `DAC1_SIZE+2` for a part that does not begin with it. */
export function accessName(at: number, size: AccessSize, page: number): string {
  const name = es1370RegisterName(at & ~3, page);
  const lane = (at & 3) === 0 ? '' : `+${at & 3}`;
  return size === 4 ? name : `${name}${lane} (${size === 1 ? 'byte' : 'word'})`;
}

/** `0000FFFFh (65536 frames, 0 to go)`. */
export function withMeaning(at: number, size: AccessSize, page: number, value: number): string {
  const whole = size === 4 || ((at & ~3) === CODEC && size === 2);
  const meaning = whole ? describeEs1370Value(at, page, value) : undefined;
  return meaning === undefined ? hex(value) : `${hex(value)} (${meaning})`;
}

const DOCUMENTATION: ReadonlyMap<number, string> = new Map([
  [CONTROL, 'ens1370.c ES_REG_CONTROL: read/write; clocks and enables.'],
  [STATUS, 'ens1370.c ES_REG_STATUS: read only; INTR sums up UART, DAC1, DAC2, ADC.'],
  [UART_DATA, 'ens1370.c ES_REG_UART_DATA, ES_REG_UART_STATUS: the MIDI port.'],
  [MEMPAGE, 'ens1370.c ES_REG_MEM_PAGE: read/write, four bits.'],
  [CODEC, 'ens1370.c ES_REG_1370_CODEC: write only.'],
  [SERIAL, 'ens1370.c ES_REG_SERIAL: read/write; formats, loop mode, pause, interrupt enables.'],
]);

function documentationOf(offset: number, page: number): string | null {
  const named = DOCUMENTATION.get(offset);
  if (named !== undefined) return named;
  if (CHANNELS.some((channel) => MAPS[channel].countRegister === offset))
    return 'ens1370.c ES_REG_DAC1_COUNT …: period in frames less one below, what is left of it above; a write loads the counter.';
  const frame = frameRegisterAt(page, offset);
  if (frame !== null)
    return frame.isSize
      ? 'ens1370.c ES_REG_DAC1_SIZE …: dwords less one below, current dword above.'
      : 'ens1370.c ES_REG_DAC1_FRAME …: bus address of the buffer.';
  return offset >= PAGE_WINDOW ? 'ens1370.c ES_REG_MEM_PAGE: memory of the chip.' : null;
}

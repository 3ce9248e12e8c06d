import * as R from '../../hardware/hda/registers.ts';
import type { AccessSize } from '../../kernel/index.ts';
import { hex } from '../check.ts';
import { DifferenceCounter, type FoundDifference, shownValue } from '../diff/index.ts';
import { HDA_ACCEPTED_DIFFERENCES, type HdaCompared, type HdaDiffHistory } from './accepted-differences.ts';
import type { HdaDiffCommand } from './diff-operations.ts';
import {
  hdaAccessName,
  hdaCommandText,
  hdaDocumentation,
  hdaWithMeaning,
  shownHdaRegisters,
} from './register-names.ts';

/** Registers that move by themselves while their stream runs. */
const MOVING = /^[IO]SD(\d)(STS|LPIB|LPIBA)$/;

/** Compares answers, counts what was accepted, and knows what may differ while streams run. */
export class HdaDiffComparer extends DifferenceCounter<HdaCompared> {
  readonly #history: HdaDiffHistory;
  /** Length of the ring of each stream that runs. */
  readonly #rings = new Map<number, number>();
  readonly #clocks: [model: number, other: number] = [0, 0];

  constructor(history: HdaDiffHistory) {
    super(HDA_ACCEPTED_DIFFERENCES);
    this.#history = history;
  }

  /** A stream starts in a ring of so many bytes. */
  runStarted(stream: number, ringBytes: number): void {
    this.#rings.set(stream, ringBytes);
  }

  /** The wall clocks begin again. */
  clocksRestarted(): void {
    this.#clocks[0] = 0;
    this.#clocks[1] = 0;
  }

  /** Compares the answers to one read; null when they agree, or differ as is known. */
  read(offset: number, size: AccessSize, model: number, other: number): FoundDifference | null {
    this.countComparison();
    for (const register of shownHdaRegisters(offset, size)) {
      const { name } = register;
      const values = [shownValue(model, register), shownValue(other, register)] as const;
      if (/^WALCLKA?$/.test(name)) {
        const broken = register.whole ? this.#checkClocks(values) : null;
        if (broken !== null) return broken;
        continue;
      }
      const stream = runningStream(name, offset, this.#history);
      if (stream >= 0) {
        const broken =
          register.whole && name.includes('LPIB') ? this.#checkPosition(stream, name, values) : null;
        if (broken !== null) return broken;
        continue;
      }
      let differing = (values[0] ^ values[1]) >>> 0;
      if (differing === 0) continue;
      if (name === 'INTSTS') differing &= ~this.#movingInterrupts();
      differing = this.withoutAccepted(differing >>> 0, {
        kind: 'register',
        offset,
        register,
        model: values[0],
        other: values[1],
        history: this.#history,
      });
      if (differing !== 0) return describeRead(offset, size, model, other);
    }
    return null;
  }

  /** Compares what a codec answers; null for none. Tells whether it was an accepted difference, too. */
  answer(
    { nid, verb, payload }: HdaDiffCommand,
    model: number | null,
    other: number | null,
  ): { readonly difference: FoundDifference | null; readonly accepted: boolean } {
    this.countComparison();
    if (model === other) return { difference: null, accepted: false };
    const what = `answer to ${hdaCommandText(nid, verb, payload)}`;
    if (model !== null && other !== null) {
      const left = this.withoutAccepted((model ^ other) >>> 0, {
        kind: 'answer',
        nid,
        verb,
        payload,
        model,
        other,
      });
      if (left === 0) return { difference: null, accepted: true };
    }
    const text = (answer: number | null) => (answer === null ? 'none' : hex(answer));
    return {
      difference: { what, model: text(model), other: text(other), documentation: 'HDA 1.0a §7.3.3, §7.3.4' },
      accepted: false,
    };
  }

  /** Bits of INTSTS that depend on how far streams have come. */
  #movingInterrupts(): number {
    if (this.#history.running.size === 0) return 0;
    let mask = R.INT_GLOBAL;
    for (const stream of this.#history.running) mask |= 1 << stream;
    return mask;
  }

  #checkClocks(values: readonly [number, number]): FoundDifference | null {
    for (const side of [0, 1] as const) {
      const [before, now] = [this.#clocks[side], values[side]];
      this.#clocks[side] = now;
      if (now >= before) continue;
      return sideDifference(
        'WALCLK',
        side,
        `went from ${hex(before)} to ${hex(now)}`,
        'counts up',
        'HDA 1.0a §3.3.16',
      );
    }
    return null;
  }

  /** While a stream runs its position is in the ring, on each side. */
  #checkPosition(stream: number, name: string, values: readonly [number, number]): FoundDifference | null {
    const ring = this.#rings.get(stream);
    if (ring === undefined) return null;
    for (const side of [0, 1] as const) {
      if (values[side] < ring) continue;
      const broken = `is ${values[side]} in a ring of ${ring} bytes`;
      return sideDifference(
        `${name} while it runs`,
        side,
        broken,
        'moves within the ring',
        'HDA 1.0a §3.3.37',
      );
    }
    return null;
  }
}

function sideDifference(
  what: string,
  side: 0 | 1,
  broken: string,
  fine: string,
  documentation: string,
): FoundDifference {
  return { what, model: side === 0 ? broken : fine, other: side === 1 ? broken : fine, documentation };
}

/** The stream whose moving register this is, if it runs; −1 otherwise. */
function runningStream(name: string, offset: number, { running }: HdaDiffHistory): number {
  if (!MOVING.test(name)) return -1;
  const original = offset >= R.HDA_ALIAS ? offset - R.HDA_ALIAS : offset;
  const stream = (original - R.SD_BASE) >> 5;
  return running.has(stream) ? stream : -1;
}

function describeRead(offset: number, size: AccessSize, model: number, other: number): FoundDifference {
  return {
    what: hdaAccessName(offset, size),
    model: hdaWithMeaning(offset, size, model),
    other: hdaWithMeaning(offset, size, other),
    documentation: hdaDocumentation(offset, size),
  };
}

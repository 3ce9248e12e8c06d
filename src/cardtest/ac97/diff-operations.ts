import type { EngineName } from '../../hardware/ac97/registers.ts';
import type { AccessSize } from '../../kernel/index.ts';

/** A descriptor of a run; its buffer lies somewhere in RAM of its own. */
export interface DiffDescriptor {
  readonly samples: number;
  readonly ioc: boolean;
  readonly bup: boolean;
  /** Bytes by which the buffer begins behind a page boundary. */
  readonly offset: number;
}

/**
 * One step of differential traffic, plain data: a sequence of them can be kept, cut short and played again.
 *
 * `wire` switches both cards off and on with or without a signal at the inputs; `run` programs a descriptor ring and starts an engine;
 * `extend` moves LVI of a running engine; `settle` waits until all engines have come to their end; `abort` pauses one and resets it.
 */
export type DiffOperation =
  | { readonly kind: 'wire'; readonly input: boolean }
  | { readonly kind: 'read'; readonly bar: number; readonly offset: number; readonly size: AccessSize }
  | {
      readonly kind: 'write';
      readonly bar: number;
      readonly offset: number;
      readonly size: AccessSize;
      readonly value: number;
    }
  | { readonly kind: 'codecReset' }
  | {
      readonly kind: 'run';
      readonly engine: EngineName;
      readonly descriptors: readonly DiffDescriptor[];
      readonly enables: number;
      readonly rate: number;
      readonly dataSeed: number;
    }
  | { readonly kind: 'extend'; readonly engine: EngineName; readonly lvi: number }
  | { readonly kind: 'pass'; readonly microseconds: number }
  | { readonly kind: 'settle' }
  | { readonly kind: 'abort'; readonly engine: EngineName };

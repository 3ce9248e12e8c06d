import type { AccessSize } from '../../kernel/index.ts';

/** An entry of a run's descriptor list; the entries lie one after the other in RAM of their own. */
export interface HdaDiffEntry {
  readonly bytes: number;
  readonly ioc: boolean;
}

/** A verb to a node. */
export interface HdaDiffCommand {
  readonly codec: number;
  readonly nid: number;
  readonly verb: number;
  readonly payload: number;
}

/**
 * One step of differential traffic, plain data: a sequence of them can be kept, cut short and played again.
 *
 * `wire` switches both cards off and on with or without a signal at the inputs; `reset` takes the controller through CRST; `command` sends
 * a verb by the immediate registers, `commands` several by the rings; `run` programs a stream descriptor and starts it, with the codec
 * listening or sending; `settle` waits until all that runs has passed, and compares everything; `abort` stops and resets a stream.
 */
export type HdaOperation =
  | { readonly kind: 'wire'; readonly input: boolean }
  | { readonly kind: 'read'; readonly offset: number; readonly size: AccessSize }
  | { readonly kind: 'write'; readonly offset: number; readonly size: AccessSize; readonly value: number }
  | { readonly kind: 'reset' }
  | ({ readonly kind: 'command' } & HdaDiffCommand)
  | {
      readonly kind: 'commands';
      readonly commands: readonly HdaDiffCommand[];
      /** Responses to an interrupt, 1 to 255. */
      readonly rintcnt: number;
    }
  | {
      readonly kind: 'run';
      readonly stream: number;
      readonly tag: number;
      readonly entries: readonly HdaDiffEntry[];
      readonly enables: number;
      /** With the DMA position buffer. */
      readonly positions: boolean;
      readonly dataSeed: number;
    }
  | { readonly kind: 'streamReset'; readonly stream: number }
  | { readonly kind: 'pass'; readonly microseconds: number }
  | { readonly kind: 'settle' }
  | { readonly kind: 'abort'; readonly stream: number };

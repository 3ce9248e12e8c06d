import type { ChannelName } from '../../hardware/es1370/registers.ts';
import type { AccessSize } from '../../kernel/index.ts';
import type { Es1370Format } from './pcm.ts';

/**
 * One step of differential traffic, plain data.
 *
 * `wire` switches both cards off and on with or without a signal at the line input; `run` programs a channel's ring, counter and format
 * and switches it on; `interrupt` waits for the request of a running channel and acknowledges it; `pause` and `resume` are those of a
 * DAC; `stop` switches a channel off; `settle` compares sound, memory and all registers, and switches everything off.
 */
export type Es1370Operation =
  | { readonly kind: 'wire'; readonly input: boolean }
  | { readonly kind: 'read'; readonly offset: number; readonly size: AccessSize }
  | { readonly kind: 'write'; readonly offset: number; readonly size: AccessSize; readonly value: number }
  | {
      readonly kind: 'run';
      readonly channel: ChannelName;
      readonly format: Es1370Format;
      readonly dwords: number;
      readonly index: number;
      readonly periodFrames: number;
      readonly interrupt: boolean;
      /** WTSRSEL for DAC1, PCLKDIV for the others; null for 44.1 kHz. Only heard of when nothing else runs. */
      readonly clock: number | null;
      readonly dataSeed: number;
    }
  | { readonly kind: 'interrupt'; readonly channel: ChannelName }
  | { readonly kind: 'pause'; readonly channel: ChannelName }
  | { readonly kind: 'resume'; readonly channel: ChannelName }
  | { readonly kind: 'stop'; readonly channel: ChannelName }
  | { readonly kind: 'pass'; readonly microseconds: number }
  | { readonly kind: 'settle' };

export type RunOperation = Es1370Operation & { readonly kind: 'run' };

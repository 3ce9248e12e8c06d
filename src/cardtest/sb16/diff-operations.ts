import { kindName, type PcmKind } from './pcm.ts';

/** How a transfer is started. */
export type PlayCommand = 'programmed' | 'programmed with FIFO' | '14h' | '1Ch' | '90h' | '91h';

/** Rate of a transfer: by 41h in hertz, or by 40h as its time constant. */
export type PlayRate = { readonly hz: number } | { readonly timeConstant: number };

/** A whole transfer, from its rate to its last interrupt. */
export interface PlayOperation {
  readonly kind: 'play';
  readonly command: PlayCommand;
  /** 8-bit unsigned mono for all but programmed commands. */
  readonly pcm: PcmKind;
  readonly autoInitialize: boolean;
  readonly rate: PlayRate;
  /** Frames of a block. Auto-initialized there are two: a sound, and the silence behind it. */
  readonly frames: number;
  /** Pauses it for so long, and continues it. */
  readonly pauseMicroseconds: number | null;
  /** What is asked while it runs. */
  readonly meanwhile: readonly QuietOperation[];
  readonly dataSeed: number;
}

/** Operations that disturb no transfer. */
export type QuietOperation =
  | { readonly kind: 'command'; readonly bytes: readonly number[] }
  | { readonly kind: 'mixerRead'; readonly index: number }
  | { readonly kind: 'mixerWrite'; readonly index: number; readonly value: number }
  | { readonly kind: 'pass'; readonly microseconds: number };

/**
 * One step of differential traffic, plain data. `wire` switches both cards off and on; `command` gives a DSP command with all its
 * operands and reads the replies; `partial` gives less than that and resets the DSP; `read` reads a port of the card; `acknowledge` reads
 * the port that does so; `play` carries out a transfer.
 */
export type Sb16Operation =
  | QuietOperation
  | PlayOperation
  | { readonly kind: 'wire' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'partial'; readonly bytes: readonly number[] }
  | { readonly kind: 'read'; readonly offset: number }
  | { readonly kind: 'acknowledge'; readonly width: 8 | 16 };

/** `8-bit unsigned mono by 1Ch, 2 blocks of 2000 frames, 44100 Hz`. */
export function playText({
  command,
  pcm,
  autoInitialize,
  frames,
  rate,
  pauseMicroseconds,
}: PlayOperation): string {
  const blocks = autoInitialize ? `2 blocks of ${frames} frames` : `${frames} frames`;
  const speed = 'hz' in rate ? `${rate.hz} Hz` : `time constant ${rate.timeConstant}`;
  const pause = pauseMicroseconds === null ? '' : `, paused for ${pauseMicroseconds} µs`;
  return `${kindName(pcm)} by ${command}, ${blocks}, ${speed}${pause}`;
}

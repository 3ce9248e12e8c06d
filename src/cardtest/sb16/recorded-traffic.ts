import { dspCommand, MIXER_REGISTERS } from '../../hardware/sb16/index.ts';
import type { TraceEvent } from '../../kernel/index.ts';
import { type RecordedAccess, RecordedPauses, recordedAccesses } from '../diff/index.ts';
import { SB16_RATE } from './bench.ts';
import type { PlayCommand, PlayOperation, PlayRate, Sb16Operation } from './diff-operations.ts';
import { type PcmKind, U8_MONO } from './pcm.ts';

/** Frames of a replayed block, whatever they were. */
const REPLAYED_FRAMES = 2400;
const DSP_4 = 0x0405;
/** Commands that are played again as they are; see SB16_AVOIDED_TRAFFIC for those that are not. */
const REPEATED = new Set([
  0x40, 0x41, 0x42, 0x48, 0xd1, 0xd3, 0xe0, 0xe1, 0xe3, 0xe4, 0xe8, 0xf2, 0xf3, 0xf9,
]);
const OLD_COMMANDS: Readonly<Record<number, PlayCommand>> = { 20: '14h', 28: '1Ch', 144: '90h', 145: '91h' };
/** 80h, 81h and 0Eh stay as they are. */
const NOT_WRITTEN: readonly number[] = [0x0e, 0x80, 0x81];
const INDEX_OF = new Map(MIXER_REGISTERS.map(({ name, index }) => [name, index]));

/**
 * The register traffic of a trace (of a driver on `sim`, with register events) as operations for the differential test: mixer accesses
 * and commands in their order; a transfer becomes one of our own data, that is played to its end; what is known to lead the two cards
 * apart is left out, as in generated traffic. Empty when the trace holds none of this card.
 */
export function sb16OperationsFromTrace(events: Iterable<TraceEvent>): readonly Sb16Operation[] {
  const replay = new Replay();
  for (const access of recordedAccesses(events)) replay.add(access);
  return replay.finish();
}

class Replay {
  readonly #operations: Sb16Operation[] = [];
  readonly #pauses = new RecordedPauses();
  /** A command whose operands have not all come. */
  #pending: number[] = [];
  #inReset = false;
  #rate: PlayRate = { hz: SB16_RATE };

  add({ name, write, value, tick }: RecordedAccess): void {
    const isMixer = name.startsWith('MIX_');
    if (!isMixer && !name.startsWith('DSP_')) return;
    const microseconds = this.#pauses.before(tick);
    if (microseconds !== null && this.#operations.length > 0)
      this.#operations.push({ kind: 'pass', microseconds });
    if (isMixer) this.#mixer(name, write, value);
    else if (name === 'DSP_RESET' && write) this.#reset(value);
    else if (name === 'DSP_WRITE' && write) this.#dspByte(value);
    else if (name === 'DSP_ACK_16') this.#operations.push({ kind: 'acknowledge', width: 16 });
  }

  finish(): readonly Sb16Operation[] {
    return this.#operations.length === 0 ? [] : [{ kind: 'wire' }, ...this.#operations];
  }

  #mixer(name: string, write: boolean, value: number): void {
    const index = INDEX_OF.get(name);
    if (index === undefined) return;
    if (!write) this.#operations.push({ kind: 'mixerRead', index });
    else if (!NOT_WRITTEN.includes(index)) this.#operations.push({ kind: 'mixerWrite', index, value });
  }

  #reset(value: number): void {
    const ends = this.#inReset && (value & 1) === 0;
    this.#inReset = (value & 1) !== 0;
    this.#pending = [];
    if (ends) this.#operations.push({ kind: 'reset' });
  }

  #dspByte(value: number): void {
    this.#pending.push(value);
    const [code = 0] = this.#pending;
    const operands = dspCommand(code, DSP_4)?.operands ?? 0;
    if (this.#pending.length <= operands) return;
    const bytes = this.#pending;
    this.#pending = [];
    this.#command(bytes);
  }

  #command(bytes: readonly number[]): void {
    const [code = 0, first = 0, second = 0] = bytes;
    if (code === 0x40) this.#rate = { timeConstant: first };
    else if (code === 0x41) this.#rate = { hz: (first << 8) | second };
    const old = OLD_COMMANDS[code];
    if (old !== undefined) this.#play(old, U8_MONO, old === '1Ch' || old === '90h');
    else if (code >= 0xb0 && code < 0xd0) {
      // QEMU's card does not record.
      if ((code & 8) !== 0) return;
      const pcm: PcmKind = {
        bits: code < 0xc0 ? 16 : 8,
        signed: (first & 0x10) !== 0,
        stereo: (first & 0x20) !== 0,
      };
      const fifo = (code & 2) !== 0;
      this.#play(fifo ? 'programmed with FIFO' : 'programmed', pcm, pcm.stereo || (code & 4) !== 0);
    } else if (REPEATED.has(code)) this.#operations.push({ kind: 'command', bytes });
  }

  #play(command: PlayCommand, pcm: PcmKind, autoInitialize: boolean): void {
    const play: PlayOperation = {
      kind: 'play',
      command,
      pcm,
      autoInitialize,
      rate: this.#rate,
      frames: REPLAYED_FRAMES,
      pauseMicroseconds: null,
      meanwhile: [],
      dataSeed: this.#operations.length,
    };
    this.#operations.push(play);
  }
}

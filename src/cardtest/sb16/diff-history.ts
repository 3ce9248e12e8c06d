import { MIX_RESET, SB_DSP_READY } from '../../hardware/sb16/registers.ts';
import type { Sb16History } from './accepted-differences.ts';

/** Registers of the CT1745 behind those of the CT1345. */
const BEHIND_LEGACY: Readonly<Record<number, readonly number[]>> = {
  4: [0x32, 0x33],
  10: [0x3a],
  34: [0x30, 0x31],
  38: [0x34, 0x35],
  40: [0x36, 0x37],
  46: [0x38, 0x39],
};

/** Keeps {@link Sb16History} while the traffic goes on. */
export class Sb16HistoryKeeper implements Sb16History {
  readonly mixerWrites = new Map<number, number>();
  readonly setByLegacy = new Set<number>();
  halfAcknowledged = false;
  lastReply = { model: SB_DSP_READY, other: SB_DSP_READY };

  clear(): void {
    this.mixerReset();
    this.dspReset();
  }

  dspReset(): void {
    this.halfAcknowledged = false;
    this.lastReply = { model: SB_DSP_READY, other: SB_DSP_READY };
  }

  /** What both DSPs answered to the same command. */
  replies(model: readonly number[], other: readonly number[]): void {
    this.lastReply = {
      model: model.at(-1) ?? this.lastReply.model,
      other: other.at(-1) ?? this.lastReply.other,
    };
  }

  mixerReset(): void {
    this.mixerWrites.clear();
    this.setByLegacy.clear();
  }

  mixerWrite(index: number, value: number): void {
    if (index === MIX_RESET) {
      this.mixerReset();
      return;
    }
    this.mixerWrites.set(index, value);
    this.setByLegacy.delete(index);
    for (const behind of BEHIND_LEGACY[index] ?? []) this.setByLegacy.add(behind);
  }

  /** One width is about to be acknowledged; `status` is what 82h shows before. */
  acknowledge(width: 8 | 16, status: number): void {
    const bit = width === 8 ? 1 : 2;
    if ((status & bit) !== 0 && (status & ~bit & 3) !== 0) this.halfAcknowledged = true;
  }

  /** After each step, with what 82h shows. */
  update(status: number): void {
    if (status === 0) this.halfAcknowledged = false;
  }
}

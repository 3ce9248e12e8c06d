import type { AmpCaps, PlanAmp } from './model.ts';
import * as V from './verbs.ts';

/** The step next to so many dB. */
export function nearestStep(caps: AmpCaps, decibels: number): number {
  const step = Math.round((decibels * 4) / caps.stepQuarterDb + caps.offset);
  return Math.min(Math.max(step, 0), caps.steps);
}

export function stepDecibels(caps: AmpCaps, step: number): number {
  return ((step - caps.offset) * caps.stepQuarterDb) / 4 + 0;
}

/** What one amplifier is set to, either side. A mono one follows its left side. */
export class AmpSetting {
  readonly nid: number;
  readonly direction: 'in' | 'out';
  readonly index: number;
  readonly caps: AmpCaps;
  readonly #steps: [number, number];
  readonly #mutes: [boolean, boolean] = [false, false];

  /** At 0 dB, or as near as it gets, and not muted. */
  constructor({ nid, direction, index }: PlanAmp, caps: AmpCaps) {
    this.nid = nid;
    this.direction = direction;
    this.index = index;
    this.caps = caps;
    const step = nearestStep(caps, 0);
    this.#steps = [step, step];
  }

  step(side: PlanAmp['side']): number {
    return this.#steps[side === 'right' ? 1 : 0];
  }

  muted(side: PlanAmp['side']): boolean {
    return this.#mutes[side === 'right' ? 1 : 0];
  }

  setStep(side: PlanAmp['side'], step: number): void {
    if (side !== 'right') this.#steps[0] = step;
    if (side !== 'left') this.#steps[1] = step;
  }

  setMuted(side: PlanAmp['side'], muted: boolean): void {
    if (side !== 'right') this.#mutes[0] = muted;
    if (side !== 'left') this.#mutes[1] = muted;
  }

  /** Payloads of SET_AMP that make it so: one where both sides are alike. */
  payloads(): readonly number[] {
    const place =
      (this.direction === 'out' ? V.AMP_SET_OUTPUT : V.AMP_SET_INPUT) | (this.index << V.AMP_SET_INDEX_SHIFT);
    const left = this.#value(0);
    const right = this.#value(1);
    if (left === right) return [place | V.AMP_SET_LEFT | V.AMP_SET_RIGHT | left];
    return [place | V.AMP_SET_LEFT | left, place | V.AMP_SET_RIGHT | right];
  }

  #value(side: 0 | 1): number {
    return this.#steps[side] | (this.#mutes[side] ? V.AMP_MUTE : 0);
  }
}

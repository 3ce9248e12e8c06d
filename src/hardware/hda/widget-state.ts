import { decibelsToGain } from '../codecs/gain.ts';
import { encodePinConfig, type HdaAmpDefinition, type HdaWidgetDefinition } from './definition.ts';
import {
  AMP_GAIN,
  AMP_GET_LEFT,
  AMP_GET_OUTPUT,
  AMP_MUTE,
  AMP_SET_INDEX_SHIFT,
  AMP_SET_INPUT,
  AMP_SET_LEFT,
  AMP_SET_OUTPUT,
  AMP_SET_RIGHT,
} from './verbs.ts';

export type HdaSide = 'left' | 'right';

/** One amplifier: a gain step and a mute for each side. */
export class AmpState {
  readonly definition: HdaAmpDefinition;
  /** As the GET verb answers: mute in bit 7, step below. */
  left = 0;
  right = 0;

  constructor(definition: HdaAmpDefinition) {
    this.definition = definition;
    this.reset();
  }

  reset(): void {
    const { resetGain, offset, resetMute, mute } = this.definition;
    this.left = (resetGain ?? offset) | ((resetMute ?? mute) ? AMP_MUTE : 0);
    this.right = this.left;
  }

  /** Takes step and mute of a SET payload; a mute that is not there stays off. */
  set(payload: number): void {
    const value = payload & (AMP_GAIN | (this.definition.mute ? AMP_MUTE : 0));
    if ((payload & AMP_SET_LEFT) !== 0) this.left = value;
    if ((payload & AMP_SET_RIGHT) !== 0) this.right = value;
  }

  decibels(side: HdaSide): number {
    const { steps, offset, stepQuarterDb } = this.definition;
    const step = Math.min((side === 'left' ? this.left : this.right) & AMP_GAIN, steps);
    return ((step - offset) * stepQuarterDb) / 4;
  }

  muted(side: HdaSide): boolean {
    return ((side === 'left' ? this.left : this.right) & AMP_MUTE) !== 0;
  }

  /** Linear gain, exactly 1 at 0 dB and 0 when muted. */
  gain(side: HdaSide): number {
    return this.muted(side) ? 0 : decibelsToGain(this.decibels(side));
  }
}

/** Everything software can set in one widget, whatever its kind. */
export class WidgetState {
  readonly definition: HdaWidgetDefinition;
  readonly outAmp: AmpState | null;
  /** One for each input of mixers and selectors, one for pins. */
  readonly inAmps: readonly AmpState[];
  connection = 0;
  format = 0;
  streamTag = 0;
  channel = 0;
  pinControl = 0;
  unsolicited = 0;
  eapd = 0;
  digitalControl = 0;
  powerState = 0;
  processing = 0;
  coefficientIndex = 0;
  readonly coefficients: Uint16Array;
  channelCount = 0;
  stripe = 0;
  readonly channelMap = new Uint8Array(8);
  /** Survives every reset but that of power. */
  configDefault: number;

  constructor(definition: HdaWidgetDefinition, resetPowerState: number) {
    this.definition = definition;
    this.outAmp = definition.outAmp ? new AmpState(definition.outAmp) : null;
    const inputs = definition.kind === 'pin' ? 1 : Math.max(1, definition.connections?.length ?? 0);
    const { inAmp } = definition;
    this.inAmps = inAmp ? Array.from({ length: inputs }, () => new AmpState(inAmp)) : [];
    this.coefficients = new Uint16Array(definition.coefficients ?? 0);
    this.configDefault = definition.pin ? encodePinConfig(definition.pin.config) : 0;
    this.reset(resetPowerState);
  }

  get isConverter(): boolean {
    return this.definition.kind === 'audio-output' || this.definition.kind === 'audio-input';
  }

  get channels(): number {
    return this.definition.channels ?? 2;
  }

  reset(resetPowerState: number): void {
    this.outAmp?.reset();
    for (const amp of this.inAmps) amp.reset();
    this.connection = 0;
    this.format = this.definition.resetFormat ?? 0;
    this.streamTag = 0;
    this.channel = 0;
    this.pinControl = this.definition.pin?.resetControl ?? 0;
    this.unsolicited = 0;
    // The external amplifier is on unless software switches it off: a board without software would be silent otherwise.
    this.eapd = this.definition.pin?.eapd ? 2 : 0;
    this.digitalControl = 0;
    this.powerState = this.definition.powerControl ? resetPowerState : 0;
    this.processing = 0;
    this.coefficientIndex = 0;
    this.coefficients.fill(0);
    this.channelCount = this.definition.digital ? Math.min(1, this.channels - 1) : 0;
    this.stripe = 0;
    for (let slot = 0; slot < this.channelMap.length; slot++) this.channelMap[slot] = slot | (slot << 4);
  }

  /** The amplifier in front of input `index`; null when there is none. */
  inAmp(index: number): AmpState | null {
    return this.inAmps[this.inAmps.length === 1 ? 0 : index] ?? null;
  }

  /** A SET AMP payload; false when it reaches no amplifier. */
  setAmps(payload: number): boolean {
    let reached = false;
    if ((payload & AMP_SET_OUTPUT) !== 0 && this.outAmp) {
      this.outAmp.set(payload);
      reached = true;
    }
    if ((payload & AMP_SET_INPUT) !== 0) {
      const amp = this.inAmp((payload >>> AMP_SET_INDEX_SHIFT) & 0x0f);
      amp?.set(payload);
      reached ||= amp !== null;
    }
    return reached;
  }

  /** What a GET AMP payload asks for; 0 where there is no amplifier. */
  getAmp(payload: number): number {
    const amp = (payload & AMP_GET_OUTPUT) !== 0 ? this.outAmp : this.inAmp(payload & 0x0f);
    if (!amp) return 0;
    return (payload & AMP_GET_LEFT) !== 0 ? amp.left : amp.right;
  }
}

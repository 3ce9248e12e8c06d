import type { HdaCodec } from './codec.ts';
import { EAPD_EAPD, EAPD_SWAP, PIN_IN_ENABLE, PIN_OUT_ENABLE } from './verbs.ts';
import type { AmpState, WidgetState } from './widget-state.ts';

/**
 * How the two sides of a source reach the two sides of a node: left ← left, left ← right, right ← left, right ← right. A mono node
 * has the same on both sides.
 */
export type SideMatrix = readonly [number, number, number, number];

const IDENTITY: SideMatrix = [1, 0, 0, 1];
/** A mono node hears the mean of a stereo source's sides. */
const MEAN: SideMatrix = [0.5, 0.5, 0.5, 0.5];
const SWAP: SideMatrix = [0, 1, 1, 0];

/** What one source, a DAC or an input jack, gives to a node. */
export interface Contribution {
  /** An audio output converter, or a pin that listens to its jack. */
  readonly source: WidgetState;
  readonly matrix: SideMatrix;
}

export function isIdentity(matrix: SideMatrix): boolean {
  return matrix[0] === 1 && matrix[1] === 0 && matrix[2] === 0 && matrix[3] === 1;
}

function isSilent(matrix: SideMatrix): boolean {
  return matrix[0] === 0 && matrix[1] === 0 && matrix[2] === 0 && matrix[3] === 0;
}

function product(after: SideMatrix, before: SideMatrix): SideMatrix {
  if (isIdentity(after)) return before;
  return [
    after[0] * before[0] + after[1] * before[2],
    after[0] * before[1] + after[1] * before[3],
    after[2] * before[0] + after[3] * before[2],
    after[2] * before[1] + after[3] * before[3],
  ];
}

type Sources = Map<WidgetState, SideMatrix>;

function add(sources: Sources, from: Sources, by: SideMatrix): void {
  for (const [source, matrix] of from) {
    const scaled = product(by, matrix);
    const old = sources.get(source);
    sources.set(
      source,
      old ? [old[0] + scaled[0], old[1] + scaled[1], old[2] + scaled[2], old[3] + scaled[3]] : scaled,
    );
  }
}

function ampMatrix(amp: AmpState | null, widget: WidgetState): SideMatrix {
  if (amp === null) return IDENTITY;
  const left = amp.gain('left');
  // A mono amplifier has its setting in the left half.
  return [left, 0, 0, widget.channels === 1 ? left : amp.gain('right')];
}

/**
 * Follows the connections of one codec from a node back to its sources, with every gain and mute on the way (HDA specification 1.0a,
 * §7.2.3): converters and pins at the beginning, mixers that add all inputs, selectors and pins that take one. A loop carries nothing.
 */
export class HdaRouter {
  readonly #codec: HdaCodec;
  readonly #visiting = new Set<number>();

  constructor(codec: HdaCodec) {
    this.#codec = codec;
  }

  /** What an output pin puts out: nothing while disabled, without power, or with its external amplifier off. */
  outputPin(pin: WidgetState): readonly Contribution[] {
    const { definition } = pin;
    if ((pin.pinControl & PIN_OUT_ENABLE) === 0 || !this.#powered(pin)) return [];
    if (definition.pin?.eapd === true && (pin.eapd & EAPD_EAPD) === 0) return [];
    const sources: Sources = new Map();
    this.#addSelected(sources, pin, null);
    return this.#list(sources, this.#leaving(pin));
  }

  /** What an ADC hears. */
  inputConverter(adc: WidgetState): readonly Contribution[] {
    if (!this.#powered(adc)) return [];
    const sources: Sources = new Map();
    this.#addSelected(sources, adc, adc);
    return this.#list(sources, this.#leaving(adc));
  }

  /** The converter a digital pin is connected to; null when it is not, or sends nothing. */
  digitalConverter(pin: WidgetState): WidgetState | null {
    if ((pin.pinControl & PIN_OUT_ENABLE) === 0 || !this.#powered(pin)) return null;
    const converter = this.#selected(pin);
    return converter?.definition.kind === 'audio-output' && this.#powered(converter) ? converter : null;
  }

  #list(sources: Sources, leaving: SideMatrix): Contribution[] {
    const list: Contribution[] = [];
    for (const [source, matrix] of sources) {
      const whole = product(leaving, matrix);
      if (!isSilent(whole)) list.push({ source, matrix: whole });
    }
    return list;
  }

  #powered(widget: WidgetState): boolean {
    return this.#codec.actualPower(widget) === 0;
  }

  #selected(widget: WidgetState): WidgetState | null {
    const nid = widget.definition.connections?.[widget.connection];
    return nid === undefined ? null : (this.#codec.widgets.get(nid) ?? null);
  }

  #addSelected(sources: Sources, widget: WidgetState, amps: WidgetState | null): void {
    const input = this.#selected(widget);
    if (input === null) return;
    const amp = amps === null ? null : amps.inAmp(widget.connection);
    add(sources, this.#sourcesOf(input), ampMatrix(amp, widget));
  }

  /** From the inputs of a widget, added, to what leaves it: mono or stereo, swapped, amplified. */
  #leaving(widget: WidgetState): SideMatrix {
    let matrix = widget.channels === 1 ? MEAN : IDENTITY;
    if ((widget.eapd & EAPD_SWAP) !== 0) matrix = product(SWAP, matrix);
    return product(ampMatrix(widget.outAmp, widget), matrix);
  }

  #sourcesOf(widget: WidgetState): Sources {
    const sources: Sources = new Map();
    const { nid, kind } = widget.definition;
    if (!this.#powered(widget) || this.#visiting.has(nid)) return sources;
    this.#visiting.add(nid);
    switch (kind) {
      case 'audio-output':
        sources.set(widget, IDENTITY);
        break;
      case 'pin':
        // Without IN a pin's receiver is off; what an input's amplifier adds comes at once.
        if ((widget.pinControl & PIN_IN_ENABLE) !== 0)
          sources.set(widget, ampMatrix(widget.inAmp(0), widget));
        break;
      case 'mixer':
        for (const [index, inputNid] of (widget.definition.connections ?? []).entries()) {
          const input = this.#codec.widgets.get(inputNid);
          const by = ampMatrix(widget.inAmp(index), widget);
          if (input && !isSilent(by)) add(sources, this.#sourcesOf(input), by);
        }
        break;
      case 'selector':
        this.#addSelected(sources, widget, widget);
        break;
      default:
        break;
    }
    this.#visiting.delete(nid);
    // A pin's output amplifier is on the way out of the codec, not into it.
    const leaving = kind === 'pin' ? IDENTITY : this.#leaving(widget);
    if (isIdentity(leaving)) return sources;
    const amplified: Sources = new Map();
    add(amplified, sources, leaving);
    return amplified;
  }
}

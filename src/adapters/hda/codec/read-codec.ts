import { NtError, STATUS_DEVICE_PROTOCOL_ERROR } from '../../../kernel/index.ts';
import {
  type AmpCaps,
  type CodecFunctionGroup,
  type CodecGraph,
  type CodecLink,
  type CodecWidget,
  type ConverterFormats,
  type PinCaps,
  type PinConfig,
  WIDGET_TYPE_NAMES,
  type WidgetType,
} from './model.ts';
import * as V from './verbs.ts';

/** Node ids have 7 bits; 0 is the root. */
const LAST_NID = 0x7f;
/** A list of ranges could name every node several times; nobody builds that. */
const MAX_CONNECTIONS = 128;
/** What nobody answered, or a bus without a codec. */
const NO_ANSWER = 0xffff_ffff;

/** Rates of the supported-PCM parameter by bit (§7.3.4.7). */
const PCM_RATES = [
  8000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000, 384_000,
] as const;
/** Sample sizes, from bit 16 on. */
const PCM_BITS = [8, 16, 20, 24, 32] as const;
const PCM_BITS_SHIFT = 16;

/** `0Ch` */
export function nidText(nid: number): string {
  return `${nid.toString(16).toUpperCase().padStart(2, '0')}h`;
}

/** Takes an amplifier capabilities parameter apart (§7.3.4.10). A 0 dB step beyond the last one counts as the last. */
export function decodeAmpCaps(value: number): AmpCaps {
  const steps = (value >>> 8) & 0x7f;
  const offset = Math.min(value & 0x7f, steps);
  const stepQuarterDb = ((value >>> 16) & 0x7f) + 1;
  return {
    steps,
    offset,
    stepQuarterDb,
    mute: value >>> 31 === 1,
    minimumDecibels: 0 - (offset * stepQuarterDb) / 4,
    maximumDecibels: ((steps - offset) * stepQuarterDb) / 4,
  };
}

/** Takes a configuration default apart (§7.3.3.31). */
export function decodePinConfig(value: number): PinConfig {
  return {
    value,
    port: value >>> 30,
    location: (value >>> 24) & 0x3f,
    device: (value >>> 20) & 0x0f,
    connectionType: (value >>> 16) & 0x0f,
    color: (value >>> 12) & 0x0f,
    misc: (value >>> 8) & 0x0f,
    association: (value >>> 4) & 0x0f,
    sequence: value & 0x0f,
  };
}

/** Takes pin capabilities apart (§7.3.4.9). */
export function decodePinCaps(value: number): PinCaps {
  const has = (bit: number): boolean => (value & bit) !== 0;
  return {
    value,
    output: has(V.PINCAP_OUTPUT),
    input: has(V.PINCAP_INPUT),
    headphone: has(V.PINCAP_HEADPHONE),
    presenceDetect: has(V.PINCAP_PRESENCE),
    trigger: has(V.PINCAP_TRIGGER),
    balanced: has(V.PINCAP_BALANCED),
    hdmi: has(V.PINCAP_HDMI),
    displayPort: has(V.PINCAP_DISPLAYPORT),
    eapd: has(V.PINCAP_EAPD),
    vref: (value >>> 8) & 0xff,
  };
}

/** Rates, sizes and kinds of the two format parameters (§7.3.4.7, §7.3.4.8). */
export function decodeFormats(pcm: number, streams: number): ConverterFormats {
  return {
    rates: PCM_RATES.filter((_, bit) => (pcm & (1 << bit)) !== 0),
    bits: PCM_BITS.filter((_, bit) => (pcm & (1 << (PCM_BITS_SHIFT + bit))) !== 0),
    pcm: (streams & V.FORMAT_PCM) !== 0,
    float32: (streams & V.FORMAT_FLOAT32) !== 0,
    ac3: (streams & V.FORMAT_AC3) !== 0,
  };
}

/** Reads one codec's answers; every list has a limit, so that no answer can keep it for long. */
class CodecReader {
  readonly findings: string[] = [];
  readonly #link: CodecLink;
  readonly #address: number;

  constructor(link: CodecLink, address: number) {
    this.#link = link;
    this.#address = address;
  }

  read(): CodecGraph {
    const vendorId = this.#parameter(0, V.PARAM_VENDOR_ID);
    if (vendorId === 0 || vendorId === NO_ANSWER)
      throw new NtError(
        STATUS_DEVICE_PROTOCOL_ERROR,
        `HDA: codec ${this.#address} gives ${vendorId.toString(16)}h for its vendor id.`,
      );
    const groups = this.#subnodes(0);
    const functionGroups: CodecFunctionGroup[] = [];
    for (const nid of groups) {
      const type = this.#parameter(nid, V.PARAM_FUNCTION_TYPE);
      if ((type & V.FUNCTION_TYPE) === V.FUNCTION_AUDIO && type !== NO_ANSWER)
        functionGroups.push(this.#functionGroup(nid, (type & V.FUNCTION_UNSOLICITED) !== 0));
    }
    return {
      address: this.#address,
      vendorId,
      revisionId: this.#parameter(0, V.PARAM_REVISION_ID),
      functionGroups,
      findings: this.findings,
    };
  }

  #verb(nid: number, verb: number, payload = 0): number {
    return this.#link.command(this.#address, nid, verb, payload) >>> 0;
  }

  #parameter(nid: number, parameter: number): number {
    return this.#verb(nid, V.GET_PARAMETER, parameter);
  }

  #finding(nid: number, what: string): void {
    this.findings.push(`codec ${this.#address}, node ${nidText(nid)}: ${what}`);
  }

  /** Sub-nodes by the subordinate node count (§7.3.4.3): a first id and a number. */
  #subnodes(nid: number): readonly number[] {
    const value = this.#parameter(nid, V.PARAM_NODE_COUNT);
    const first = (value >>> 16) & 0xff;
    const count = value & 0xff;
    if (count === 0) return [];
    if (first <= nid || first > LAST_NID) {
      this.#finding(nid, `its ${count} sub-nodes begin at ${nidText(first)}, which no sub-node can be`);
      return [];
    }
    const last = Math.min(first + count - 1, LAST_NID);
    if (last !== first + count - 1)
      this.#finding(nid, `${count} sub-nodes from ${nidText(first)} on are more than there are node ids`);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  }

  #functionGroup(nid: number, unsolicited: boolean): CodecFunctionGroup {
    const delays = this.#parameter(nid, V.PARAM_AUDIO_FUNCTION_CAPS);
    const formats = this.#formats(nid);
    const amp = (parameter: number): AmpCaps | null => {
      const value = this.#parameter(nid, parameter);
      return value === 0 ? null : decodeAmpCaps(value);
    };
    const inAmp = amp(V.PARAM_IN_AMP_CAPS);
    const outAmp = amp(V.PARAM_OUT_AMP_CAPS);
    const nids = this.#subnodes(nid);
    if (nids.length === 0) this.#finding(nid, 'the audio function group has no widgets');
    const widgets = nids.map((widget) => this.#widget(widget, nids, { formats, inAmp, outAmp }));
    this.#reportLoops(widgets);
    return {
      nid,
      subsystemId: this.#verb(nid, V.GET_SUBSYSTEM_ID),
      unsolicited,
      formats,
      inAmp,
      outAmp,
      powerStates: this.#parameter(nid, V.PARAM_POWER_STATES) & 0x1f,
      gpioCount: this.#parameter(nid, V.PARAM_GPIO_COUNT) & 0xff,
      outputDelaySamples: delays & 0x0f,
      inputDelaySamples: (delays >>> 8) & 0x0f,
      widgets,
    };
  }

  #formats(nid: number): ConverterFormats {
    return decodeFormats(this.#parameter(nid, V.PARAM_PCM), this.#parameter(nid, V.PARAM_STREAM_FORMATS));
  }

  #widget(
    nid: number,
    nids: readonly number[],
    group: Pick<CodecFunctionGroup, 'formats' | 'inAmp' | 'outAmp'>,
  ): CodecWidget {
    const caps = this.#parameter(nid, V.PARAM_WIDGET_CAPS);
    const has = (bit: number): boolean => (caps & bit) !== 0;
    const type = this.#type(nid, (caps >>> 20) & 0x0f);
    const powerControl = has(V.WCAP_POWER);
    const connections = has(V.WCAP_CONNECTION_LIST) ? this.#connections(nid, nids) : [];
    return {
      nid,
      type,
      capabilities: caps,
      channels: (((caps >>> 13) & 7) << 1) + (caps & V.WCAP_STEREO) + 1,
      delaySamples: (caps >>> 16) & 0x0f,
      digital: has(V.WCAP_DIGITAL),
      powerControl,
      unsolicited: has(V.WCAP_UNSOLICITED),
      swap: has(V.WCAP_SWAP),
      processing: has(V.WCAP_PROCESSING),
      stripe: has(V.WCAP_STRIPE),
      connections,
      selectedConnection: this.#selected(nid, type, connections.length),
      inAmp: has(V.WCAP_IN_AMP) ? this.#amp(nid, caps, V.PARAM_IN_AMP_CAPS, group.inAmp) : null,
      outAmp: has(V.WCAP_OUT_AMP) ? this.#amp(nid, caps, V.PARAM_OUT_AMP_CAPS, group.outAmp) : null,
      formats:
        type === 'audio-output' || type === 'audio-input'
          ? this.#converterFormats(nid, caps, group.formats)
          : null,
      pin:
        type === 'pin'
          ? {
              caps: decodePinCaps(this.#parameter(nid, V.PARAM_PIN_CAPS)),
              config: decodePinConfig(this.#verb(nid, V.GET_CONFIG_DEFAULT)),
            }
          : null,
      powerStates: powerControl ? this.#parameter(nid, V.PARAM_POWER_STATES) & 0x1f : 0,
    };
  }

  #type(nid: number, code: number): WidgetType {
    const names: Readonly<Record<number, WidgetType>> = WIDGET_TYPE_NAMES;
    const type = names[code];
    if (type === undefined) this.#finding(nid, `widget type ${code} is reserved`);
    return type ?? 'vendor';
  }

  /** Mixers take all inputs, and of one input there is no choice. */
  #selected(nid: number, type: WidgetType, count: number): number | null {
    if (count === 0 || type === 'mixer' || type === 'vendor') return null;
    if (count === 1) return 0;
    const selected = this.#verb(nid, V.GET_CONNECTION_SELECT) & 0xff;
    return selected < count ? selected : 0;
  }

  #amp(nid: number, caps: number, parameter: number, group: AmpCaps | null): AmpCaps | null {
    if ((caps & V.WCAP_AMP_OVERRIDE) === 0) return group;
    const value = this.#parameter(nid, parameter);
    // The override bit is one for both directions; a parameter of 0 says nothing, so that the group's is the better guess.
    return value === 0 ? group : decodeAmpCaps(value);
  }

  #converterFormats(nid: number, caps: number, group: ConverterFormats): ConverterFormats {
    const own = (caps & V.WCAP_FORMAT_OVERRIDE) === 0 ? group : this.#formats(nid);
    const rates = own.rates.length > 0 && own.bits.length > 0 ? own : { ...group };
    const formats = { ...rates, pcm: own.pcm, float32: own.float32, ac3: own.ac3 };
    if (formats.rates.length === 0 || formats.bits.length === 0)
      this.#finding(nid, 'the converter names no rate or no sample size');
    // A converter without a kind of stream converts PCM: the parameter may have been left out.
    return formats.pcm || formats.float32 || formats.ac3 ? formats : { ...formats, pcm: true };
  }

  /** The connection list with ranges expanded; what is no widget stays in its place as 0, since places are what is selected. */
  #connections(nid: number, nids: readonly number[]): readonly number[] {
    const length = this.#parameter(nid, V.PARAM_CONNECTION_LIST_LENGTH);
    const count = length & V.LIST_LENGTH;
    if (count === 0) {
      this.#finding(nid, 'it says that it has a connection list, and its length is 0');
      return [];
    }
    const long = (length & V.LIST_LONG_FORM) !== 0;
    const entryBits = long ? 16 : 8;
    const perResponse = 32 / entryBits;
    const rangeBit = 1 << (entryBits - 1);
    const list: number[] = [];
    let previous = 0;
    for (let start = 0; start < count; start += perResponse) {
      const response = this.#verb(nid, V.GET_CONNECTION_LIST, start);
      for (let entry = 0; entry < perResponse && start + entry < count; entry++) {
        const value = (response >>> (entry * entryBits)) & (2 * rangeBit - 1);
        const target = value & ~rangeBit;
        if ((value & rangeBit) !== 0) {
          if (previous === 0 || target <= previous) {
            this.#finding(
              nid,
              `entry ${start + entry} of its connection list is no range: ${nidText(target)}`,
            );
            list.push(0);
          } else {
            for (let member = previous + 1; member <= target && list.length <= MAX_CONNECTIONS; member++)
              list.push(this.#target(nid, member, nids));
          }
          previous = 0;
        } else {
          list.push(this.#target(nid, target, nids));
          previous = target;
        }
        if (list.length > MAX_CONNECTIONS) {
          this.#finding(nid, `its connection list has more than ${MAX_CONNECTIONS} entries`);
          return list.slice(0, MAX_CONNECTIONS);
        }
      }
    }
    return list;
  }

  #target(nid: number, target: number, nids: readonly number[]): number {
    if (nids.includes(target)) return target;
    this.#finding(
      nid,
      `its connection list names ${nidText(target)}, which is no widget of its function group`,
    );
    return 0;
  }

  /** Mixers and selectors that hear themselves. The way of a signal never goes round, so that such a connection is not taken. */
  #reportLoops(widgets: readonly CodecWidget[]): void {
    const byNid = new Map(widgets.map((widget) => [widget.nid, widget]));
    const passes = (widget: CodecWidget | undefined): widget is CodecWidget =>
      widget?.type === 'mixer' || widget?.type === 'selector';
    const state = new Map<number, 'open' | 'closed'>();
    const visit = (widget: CodecWidget): void => {
      state.set(widget.nid, 'open');
      for (const nid of new Set(widget.connections)) {
        const next = byNid.get(nid);
        if (!passes(next)) continue;
        if (state.get(nid) === 'open')
          this.#finding(widget.nid, `it is connected to ${nidText(nid)}, which hears it`);
        else if (!state.has(nid)) visit(next);
      }
      state.set(widget.nid, 'closed');
    };
    for (const widget of widgets) if (passes(widget) && !state.has(widget.nid)) visit(widget);
  }
}

/**
 * Reads a codec: function groups, widgets, and everything constant about them. Only parameters and defaults are read, nothing is written.
 * What makes no sense is left out and named in `findings`.
 *
 * @throws NtError STATUS_DEVICE_PROTOCOL_ERROR when nobody can be meant to answer so; what {@link CodecLink.command} throws
 */
export function readCodecGraph(link: CodecLink, address: number): CodecGraph {
  return new CodecReader(link, address).read();
}

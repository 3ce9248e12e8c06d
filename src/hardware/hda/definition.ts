/**
 * Codecs as data: what a codec's designer decided, from which the engine answers every verb and routes every signal (HDA
 * specification 1.0a, §7.1, §7.2).
 */
import { pcmParameter } from './format.ts';
import {
  PINCAP_BALANCED,
  PINCAP_EAPD,
  PINCAP_HDMI,
  PINCAP_HEADPHONE,
  PINCAP_INPUT,
  PINCAP_OUTPUT,
  PINCAP_PRESENCE,
  PINCAP_TRIGGER,
  PINCAP_VREF_SHIFT,
  WCAP_AMP_OVERRIDE,
  WCAP_CONNECTION_LIST,
  WCAP_DIGITAL,
  WCAP_FORMAT_OVERRIDE,
  WCAP_IN_AMP,
  WCAP_OUT_AMP,
  WCAP_POWER,
  WCAP_PROCESSING,
  WCAP_STEREO,
  WCAP_SWAP,
  WCAP_UNSOLICITED,
} from './verbs.ts';

/** Widget types by their code in the widget capabilities (Table 108). */
export const HDA_WIDGET_TYPES = {
  'audio-output': 0x0,
  'audio-input': 0x1,
  mixer: 0x2,
  selector: 0x3,
  pin: 0x4,
  power: 0x5,
  'volume-knob': 0x6,
  beep: 0x7,
  vendor: 0xf,
} as const;
export type HdaWidgetKind = keyof typeof HDA_WIDGET_TYPES;

/** An amplifier's parameter and its state after reset (§7.3.4.10). */
export interface HdaAmpDefinition {
  /** Number of steps above the lowest; 0 for an amplifier that only mutes. */
  readonly steps: number;
  /** The step that is 0 dB. */
  readonly offset: number;
  /** Size of a step in quarters of a dB, 1–128. */
  readonly stepQuarterDb: number;
  readonly mute: boolean;
  /** Step after reset; {@link offset} unless given. */
  readonly resetGain?: number;
  /** Mute after reset; true where the amplifier can mute, unless given. */
  readonly resetMute?: boolean;
}

export const HDA_PORT_CONNECTIVITY = ['jack', 'none', 'fixed', 'both'] as const;
export const HDA_DEFAULT_DEVICES = [
  'line-out',
  'speaker',
  'headphone',
  'cd',
  'spdif-out',
  'digital-out',
  'modem-line',
  'modem-handset',
  'line-in',
  'aux',
  'mic',
  'telephony',
  'spdif-in',
  'digital-in',
  'reserved',
  'other',
] as const;
export const HDA_CONNECTION_TYPES = [
  'unknown',
  '3.5 mm',
  '6.3 mm',
  'atapi',
  'rca',
  'optical',
  'other-digital',
  'other-analog',
  'din',
  'xlr',
  'rj11',
  'combination',
  'reserved-c',
  'reserved-d',
  'reserved-e',
  'other',
] as const;
export const HDA_JACK_COLORS = [
  'unknown',
  'black',
  'grey',
  'blue',
  'green',
  'red',
  'orange',
  'yellow',
  'purple',
  'pink',
  'reserved-a',
  'reserved-b',
  'reserved-c',
  'reserved-d',
  'white',
  'other',
] as const;
/** Low four bits of the location where the chassis is the primary one. */
export const HDA_LOCATIONS = {
  unknown: 0x00,
  rear: 0x01,
  front: 0x02,
  left: 0x03,
  right: 0x04,
  top: 0x05,
  bottom: 0x06,
  'rear-panel': 0x07,
  'drive-bay': 0x08,
  internal: 0x10,
  riser: 0x17,
  hdmi: 0x18,
  'internal-atapi': 0x19,
  'separate-chassis': 0x20,
  'inside-lid': 0x37,
} as const;

/** A pin's configuration default taken apart (§7.3.3.31). */
export interface HdaPinConfig {
  readonly port: (typeof HDA_PORT_CONNECTIVITY)[number];
  readonly location: keyof typeof HDA_LOCATIONS;
  readonly device: (typeof HDA_DEFAULT_DEVICES)[number];
  readonly connection: (typeof HDA_CONNECTION_TYPES)[number];
  readonly color: (typeof HDA_JACK_COLORS)[number];
  /** Bit 0: the jack's presence cannot be detected, whatever the pin could. */
  readonly misc?: number;
  /** 1–15; 0 is reserved, 15 the lowest priority. */
  readonly association: number;
  readonly sequence: number;
}

/** The configuration default dword. */
export function encodePinConfig(config: HdaPinConfig): number {
  return (
    ((HDA_PORT_CONNECTIVITY.indexOf(config.port) << 30) |
      (HDA_LOCATIONS[config.location] << 24) |
      (HDA_DEFAULT_DEVICES.indexOf(config.device) << 20) |
      (HDA_CONNECTION_TYPES.indexOf(config.connection) << 16) |
      (HDA_JACK_COLORS.indexOf(config.color) << 12) |
      ((config.misc ?? 0) << 8) |
      (config.association << 4) |
      config.sequence) >>>
    0
  );
}

/** The dword taken apart; a location without a name is `unknown`. */
export function decodePinConfig(value: number): HdaPinConfig {
  const code = (value >>> 24) & 0x3f;
  const locations = Object.keys(HDA_LOCATIONS) as (keyof typeof HDA_LOCATIONS)[];
  return {
    port: HDA_PORT_CONNECTIVITY[value >>> 30]!,
    location: locations.find((name) => HDA_LOCATIONS[name] === code) ?? 'unknown',
    device: HDA_DEFAULT_DEVICES[(value >>> 20) & 0x0f]!,
    connection: HDA_CONNECTION_TYPES[(value >>> 16) & 0x0f]!,
    color: HDA_JACK_COLORS[(value >>> 12) & 0x0f]!,
    misc: (value >>> 8) & 0x0f,
    association: (value >>> 4) & 0x0f,
    sequence: value & 0x0f,
  };
}

/** What a pin can do and what is soldered to it. */
export interface HdaPinDefinition {
  readonly output?: boolean;
  readonly input?: boolean;
  readonly headphone?: boolean;
  readonly presenceDetect?: boolean;
  /** Presence is sensed only after EXECUTE_PIN_SENSE. */
  readonly trigger?: boolean;
  readonly balanced?: boolean;
  readonly hdmi?: boolean;
  readonly eapd?: boolean;
  /** Vref settings of the pin capabilities, bits 15:8: 1 Hi-Z, 2 50 %, 4 ground, 10h 80 %, 20h 100 %. */
  readonly vref?: number;
  readonly config: HdaPinConfig;
  /** Pin widget control after reset; everything off unless given. */
  readonly resetControl?: number;
}

/** Rates in Hz and sample sizes. */
export interface HdaPcmDefinition {
  readonly rates: readonly number[];
  readonly bits: readonly number[];
}

/** One widget. */
export interface HdaWidgetDefinition {
  readonly nid: number;
  /** For listings. */
  readonly name: string;
  readonly kind: HdaWidgetKind;
  /** 1, 2, or more for digital multichannel converters and pins. 2 unless given. */
  readonly channels?: number;
  /** Inputs, in the order of the connection list. */
  readonly connections?: readonly number[];
  readonly inAmp?: HdaAmpDefinition;
  readonly outAmp?: HdaAmpDefinition;
  /** Formats of a converter that differ from the function group's. */
  readonly pcm?: HdaPcmDefinition;
  /** Converter format after reset; 0, which is 48 kHz, 8 bits, one channel, unless given. */
  readonly resetFormat?: number;
  /** 1 PCM, 2 float, 4 AC-3: the supported stream formats parameter; 1 unless given. */
  readonly streamFormats?: number;
  readonly digital?: boolean;
  readonly powerControl?: boolean;
  readonly unsolicited?: boolean;
  readonly swap?: boolean;
  /** Samples between link and pin. */
  readonly delay?: number;
  /** Number of processing coefficients. */
  readonly coefficients?: number;
  readonly pin?: HdaPinDefinition;
}

/** A codec: root node, one audio function group, widgets. */
export interface HdaCodecDefinition {
  readonly name: string;
  readonly title: string;
  /** Vendor in the high word, device in the low. */
  readonly vendorId: number;
  readonly revisionId: number;
  readonly subsystemId: number;
  readonly functionGroupNid: number;
  readonly pcm?: HdaPcmDefinition;
  /** Output and input delay of the function group, samples. */
  readonly delays?: { readonly output: number; readonly input: number };
  /** The power states parameter: bit n is Dn. 0 means D0 and no power control at all. */
  readonly powerStates?: number;
  /** Power state after reset; D0 unless given. */
  readonly resetPowerState?: number;
  readonly gpioCount?: number;
  /** In ascending order of node ids without gaps, as sub-nodes must be numbered. */
  readonly widgets: readonly HdaWidgetDefinition[];
}

/** The widget capabilities parameter. */
export function widgetCapabilities(widget: HdaWidgetDefinition): number {
  const channels = (widget.channels ?? 2) - 1;
  const hasFormat = widget.pcm !== undefined;
  let value =
    (HDA_WIDGET_TYPES[widget.kind] << 20) |
    ((widget.delay ?? 0) << 16) |
    ((channels >> 1) << 13) |
    (channels & 1 ? WCAP_STEREO : 0);
  if (widget.inAmp) value |= WCAP_IN_AMP | WCAP_AMP_OVERRIDE;
  if (widget.outAmp) value |= WCAP_OUT_AMP | WCAP_AMP_OVERRIDE;
  if (hasFormat) value |= WCAP_FORMAT_OVERRIDE;
  if (widget.coefficients) value |= WCAP_PROCESSING;
  if (widget.unsolicited) value |= WCAP_UNSOLICITED;
  if (widget.connections && widget.connections.length > 0) value |= WCAP_CONNECTION_LIST;
  if (widget.digital) value |= WCAP_DIGITAL;
  if (widget.powerControl) value |= WCAP_POWER;
  if (widget.swap) value |= WCAP_SWAP;
  return value >>> 0;
}

/** The pin capabilities parameter. */
export function pinCapabilities(pin: HdaPinDefinition): number {
  let value = (pin.vref ?? 0) << PINCAP_VREF_SHIFT;
  if (pin.trigger) value |= PINCAP_TRIGGER;
  if (pin.presenceDetect) value |= PINCAP_PRESENCE;
  if (pin.headphone) value |= PINCAP_HEADPHONE;
  if (pin.output) value |= PINCAP_OUTPUT;
  if (pin.input) value |= PINCAP_INPUT;
  if (pin.balanced) value |= PINCAP_BALANCED;
  if (pin.hdmi) value |= PINCAP_HDMI;
  if (pin.eapd) value |= PINCAP_EAPD;
  return value;
}

/** An amplifier capabilities parameter. */
export function ampCapabilities(amp: HdaAmpDefinition): number {
  return (
    ((amp.mute ? 0x8000_0000 : 0) | ((amp.stepQuarterDb - 1) << 16) | (amp.steps << 8) | amp.offset) >>> 0
  );
}

/** Throws a RangeError with node and reason for a codec that no controller could make sense of. */
export function checkCodecDefinition(codec: HdaCodecDefinition): void {
  const fail = (nid: number, why: string): never => {
    throw new RangeError(`codec ${codec.name}, node ${nid.toString(16).padStart(2, '0')}h: ${why}`);
  };
  const nids = new Set(codec.widgets.map((widget) => widget.nid));
  let expected = codec.widgets[0]?.nid ?? 0;
  for (const widget of codec.widgets) {
    const { nid } = widget;
    if (nid !== expected++) fail(nid, 'node ids of a function group follow one another without gaps');
    if (nid > 0x7f || nid <= codec.functionGroupNid) fail(nid, 'node id out of range');
    for (const source of widget.connections ?? []) {
      if (!nids.has(source)) fail(nid, `connection to ${source.toString(16)}h, which is no widget`);
    }
    const channels = widget.channels ?? 2;
    if (!Number.isInteger(channels) || channels < 1 || channels > 16) fail(nid, `${channels} channels`);
    if (channels > 2 && !widget.digital) fail(nid, 'only digital widgets have more than two channels');
    if ((widget.kind === 'pin') !== (widget.pin !== undefined))
      fail(nid, 'exactly pins have a pin definition');
    for (const amp of [widget.inAmp, widget.outAmp]) {
      if (!amp) continue;
      const bad =
        amp.steps > 0x7f || amp.offset > amp.steps || amp.stepQuarterDb < 1 || amp.stepQuarterDb > 128;
      if (bad) fail(nid, 'amplifier parameters out of range');
    }
    if (widget.pcm) pcmParameter(widget.pcm.rates, widget.pcm.bits);
  }
}

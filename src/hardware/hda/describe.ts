import type { HdaCodec } from './codec.ts';
import {
  ampCapabilities,
  decodePinConfig,
  type HdaPinConfig,
  type HdaWidgetKind,
  pinCapabilities,
  widgetCapabilities,
} from './definition.ts';
import { describeHdaFormat, HDA_PCM_BITS, HDA_PCM_RATES } from './format.ts';
import { PIN_HP_ENABLE, PIN_IN_ENABLE, PIN_OUT_ENABLE, SENSE_PRESENCE } from './verbs.ts';
import type { AmpState, WidgetState } from './widget-state.ts';

/** An amplifier as it is now. */
export interface HdaAmpView {
  readonly capabilities: number;
  readonly minimumDecibels: number;
  readonly maximumDecibels: number;
  readonly stepDecibels: number;
  readonly canMute: boolean;
  readonly leftDecibels: number;
  readonly rightDecibels: number;
  readonly leftMuted: boolean;
  readonly rightMuted: boolean;
}

/** One input of a widget. */
export interface HdaConnectionView {
  readonly nid: number;
  readonly name: string;
  /** The one that is connected; in a mixer all are. */
  readonly selected: boolean;
  readonly amp: HdaAmpView | null;
}

/** One widget as a listing shows it. */
export interface HdaWidgetView {
  readonly codec: number;
  readonly nid: number;
  readonly name: string;
  readonly kind: HdaWidgetKind;
  readonly capabilities: number;
  readonly channels: number;
  readonly digital: boolean;
  readonly connections: readonly HdaConnectionView[];
  /** Input amplifier of a widget without connections: a pin's. */
  readonly inAmp: HdaAmpView | null;
  readonly outAmp: HdaAmpView | null;
  /** Power state, null without power control. */
  readonly power: number | null;
  readonly converter: {
    readonly rates: readonly number[];
    readonly bits: readonly number[];
    readonly streamTag: number;
    readonly channel: number;
    readonly format: string;
  } | null;
  readonly pin: {
    readonly capabilities: number;
    readonly configDefault: number;
    readonly config: HdaPinConfig;
    readonly outputEnabled: boolean;
    readonly inputEnabled: boolean;
    readonly headphoneAmplifier: boolean;
    /** Null where presence cannot be detected. */
    readonly present: boolean | null;
    /** Tag of unsolicited responses, null while off. */
    readonly unsolicitedTag: number | null;
  } | null;
}

/** The codec of a listing. */
export interface HdaCodecView {
  readonly address: number;
  readonly name: string;
  readonly title: string;
  readonly vendorId: number;
  readonly subsystemId: number;
  readonly revisionId: number;
  readonly functionGroupNid: number;
  readonly powerState: number;
  readonly widgets: readonly HdaWidgetView[];
}

function ampView(amp: AmpState | null): HdaAmpView | null {
  if (amp === null) return null;
  const { steps, offset, stepQuarterDb, mute } = amp.definition;
  return {
    capabilities: ampCapabilities(amp.definition),
    minimumDecibels: (-offset * stepQuarterDb) / 4 + 0,
    maximumDecibels: ((steps - offset) * stepQuarterDb) / 4,
    stepDecibels: stepQuarterDb / 4,
    canMute: mute,
    leftDecibels: amp.decibels('left'),
    rightDecibels: amp.decibels('right'),
    leftMuted: amp.muted('left'),
    rightMuted: amp.muted('right'),
  };
}

function widgetView(codec: HdaCodec, widget: WidgetState): HdaWidgetView {
  const { definition } = widget;
  const connections = definition.connections ?? [];
  const pcm = definition.pcm ?? codec.definition.pcm;
  return {
    codec: codec.address,
    nid: definition.nid,
    name: definition.name,
    kind: definition.kind,
    capabilities: widgetCapabilities(definition),
    channels: widget.channels,
    digital: definition.digital ?? false,
    connections: connections.map((nid, index) => ({
      nid,
      name: codec.widgets.get(nid)?.definition.name ?? '?',
      selected: definition.kind === 'mixer' || widget.connection === index,
      amp: definition.kind === 'pin' ? null : ampView(widget.inAmp(index)),
    })),
    inAmp: connections.length === 0 || definition.kind === 'pin' ? ampView(widget.inAmp(0)) : null,
    outAmp: ampView(widget.outAmp),
    power: definition.powerControl ? codec.actualPower(widget) : null,
    converter: widget.isConverter
      ? {
          rates: (pcm?.rates ?? []).filter((rate) => (HDA_PCM_RATES as readonly number[]).includes(rate)),
          bits: (pcm?.bits ?? []).filter((bits) => (HDA_PCM_BITS as readonly number[]).includes(bits)),
          streamTag: widget.streamTag,
          channel: widget.channel,
          format: describeHdaFormat(widget.format),
        }
      : null,
    pin: definition.pin
      ? {
          capabilities: pinCapabilities(definition.pin),
          configDefault: widget.configDefault,
          config: decodePinConfig(widget.configDefault),
          outputEnabled: (widget.pinControl & PIN_OUT_ENABLE) !== 0,
          inputEnabled: (widget.pinControl & PIN_IN_ENABLE) !== 0,
          headphoneAmplifier: (widget.pinControl & PIN_HP_ENABLE) !== 0,
          present: definition.pin.presenceDetect ? (codec.pinSense(widget) & SENSE_PRESENCE) !== 0 : null,
          unsolicitedTag: (widget.unsolicited & 0x80) !== 0 ? widget.unsolicited & 0x3f : null,
        }
      : null,
  };
}

/** A codec's widget graph as it is now: what it can do and how it is set. Looking changes nothing. */
export function describeWidgets(codec: HdaCodec): HdaCodecView {
  const { definition } = codec;
  return {
    address: codec.address,
    name: definition.name,
    title: definition.title,
    vendorId: definition.vendorId >>> 0,
    subsystemId: definition.subsystemId >>> 0,
    revisionId: definition.revisionId,
    functionGroupNid: definition.functionGroupNid,
    powerState: codec.powerState,
    widgets: [...codec.widgets.values()].map((widget) => widgetView(codec, widget)),
  };
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}

function ampText(label: string, amp: HdaAmpView | null): string {
  if (amp === null) return '';
  const side = (decibels: number, muted: boolean): string => (muted ? 'muted' : `${decibels} dB`);
  const range =
    amp.minimumDecibels === amp.maximumDecibels
      ? 'mute only'
      : `${amp.minimumDecibels} … ${amp.maximumDecibels} dB`;
  const now = `${side(amp.leftDecibels, amp.leftMuted)} / ${side(amp.rightDecibels, amp.rightMuted)}`;
  return `${label} ${now} (${range})`;
}

function pinText(view: HdaWidgetView): string {
  const { pin } = view;
  if (pin === null) return '';
  const { config } = pin;
  const enabled = [
    pin.outputEnabled ? 'OUT' : '',
    pin.inputEnabled ? 'IN' : '',
    pin.headphoneAmplifier ? 'HP' : '',
  ];
  const jack = [config.port, config.location, config.device, config.connection, config.color].join(' ');
  const presence = pin.present === null ? '' : pin.present ? ', plugged' : ', empty';
  const place = `association ${config.association} sequence ${config.sequence}`;
  return `${jack}, ${place}, ${enabled.filter(Boolean).join(' ') || 'off'}${presence}`;
}

/** The widget graph as text: a line for each widget, below it its inputs. */
export function formatWidgets(view: HdaCodecView): string {
  const lines = [
    `codec ${view.address}: ${view.title}, ${hex(view.vendorId >>> 16, 4)}:${hex(view.vendorId & 0xffff, 4)}, function group ${hex(view.functionGroupNid, 2)}h in D${view.powerState}`,
  ];
  for (const widget of view.widgets) {
    const parts = [
      `${widget.kind}${widget.digital ? ', digital' : ''}, ${widget.channels} ch`,
      widget.converter ? `stream ${widget.converter.streamTag}.${widget.converter.channel}` : '',
      pinText(widget),
      ampText('in', widget.inAmp),
      ampText('out', widget.outAmp),
      widget.power === null ? '' : `D${widget.power}`,
    ].filter((part) => part !== '');
    lines.push(`  ${hex(widget.nid, 2)}h ${widget.name}: ${parts.join('; ')}`);
    for (const input of widget.connections) {
      const mark = input.selected ? '◄' : ' ';
      const amp = input.amp ? `; ${ampText('in', input.amp)}` : '';
      lines.push(`      ${mark} ${hex(input.nid, 2)}h ${input.name}${amp}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

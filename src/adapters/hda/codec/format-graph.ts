import { stepDecibels } from './amp-settings.ts';
import { colorName, connectionName, DEVICE_NAMES, placeName } from './jack-description.ts';
import type { AmpCaps, CodecGraph, CodecLink, CodecWidget, ConverterFormats, PinCaps } from './model.ts';
import { nidText } from './read-codec.ts';
import * as V from './verbs.ts';

/** One side of an amplifier as the GET verb gives it: mute in bit 7, step below. */
interface AmpSides {
  readonly left: number;
  readonly right: number;
}

/** What one widget is set to. */
export interface WidgetSettings {
  readonly selectedConnection: number | null;
  /** By connection; one for a pin. */
  readonly inAmps: readonly AmpSides[];
  readonly outAmp: AmpSides | null;
  readonly pinControl: number | null;
  /** Presence as the pin senses it, null where it cannot. */
  readonly present: boolean | null;
  readonly streamTag: number | null;
  readonly firstChannel: number | null;
  /** The state that is reached, null without power control. */
  readonly powerState: number | null;
}

/** What a codec's widgets are set to, by node id. */
export type CodecSettings = ReadonlyMap<number, WidgetSettings>;

/**
 * Asks every widget what it is set to. Nothing is changed; presence is what was sensed last, where sensing has to be started.
 *
 * @throws what {@link CodecLink.command} throws
 */
export function readCodecSettings(link: CodecLink, graph: CodecGraph): CodecSettings {
  const ask = (nid: number, verb: number, payload = 0): number =>
    link.command(graph.address, nid, verb, payload) >>> 0;
  const amp = (nid: number, place: number): AmpSides => ({
    left: ask(nid, V.GET_AMP, place | V.AMP_GET_LEFT) & 0xff,
    right: ask(nid, V.GET_AMP, place) & 0xff,
  });
  const settings = new Map<number, WidgetSettings>();
  for (const widget of graph.functionGroups.flatMap(({ widgets }) => widgets)) {
    const { nid, connections, pin } = widget;
    const inputs = pin === null ? Math.max(1, connections.length) : 1;
    const stream = widget.formats === null ? null : ask(nid, V.GET_STREAM_CHANNEL);
    const several = widget.selectedConnection !== null && connections.length > 1;
    settings.set(nid, {
      selectedConnection: several ? ask(nid, V.GET_CONNECTION_SELECT) & 0xff : widget.selectedConnection,
      inAmps:
        widget.inAmp === null
          ? []
          : Array.from({ length: Math.min(inputs, V.AMP_LAST_INDEX + 1) }, (_, index) => amp(nid, index)),
      outAmp: widget.outAmp === null ? null : amp(nid, V.AMP_GET_OUTPUT),
      pinControl: pin === null ? null : ask(nid, V.GET_PIN_CONTROL),
      present: pin?.caps.presenceDetect ? (ask(nid, V.GET_PIN_SENSE) & V.SENSE_PRESENCE) !== 0 : null,
      streamTag: stream === null ? null : (stream >>> 4) & 0x0f,
      firstChannel: stream === null ? null : stream & 0x0f,
      powerState: widget.powerControl ? (ask(nid, V.GET_POWER_STATE) >>> 4) & 0x0f : null,
    });
  }
  return settings;
}

/** What a widget does, by its type: the driver has no other name for it. */
const TYPE_NAMES: Readonly<Record<CodecWidget['type'], string>> = {
  'audio-output': 'DAC',
  'audio-input': 'ADC',
  mixer: 'mixer',
  selector: 'selector',
  pin: 'pin',
  power: 'power widget',
  'volume-knob': 'volume knob',
  beep: 'beep generator',
  vendor: 'vendor widget',
};
const PORT_NAMES = ['jack', 'not connected', 'fixed', 'jack and fixed'] as const;

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}

function idText(value: number): string {
  return `${hex(value >>> 16, 4)}:${hex(value & 0xffff, 4)}`;
}

function list(parts: readonly (string | false | null)[], separator = ', '): string {
  return parts.filter((part): part is string => typeof part === 'string' && part !== '').join(separator);
}

function decibelText(decibels: number): string {
  return `${decibels > 0 ? '+' : decibels < 0 ? '−' : ''}${Math.abs(decibels)}`;
}

function rangeText(caps: AmpCaps): string {
  const { minimumDecibels, maximumDecibels, stepQuarterDb, mute } = caps;
  if (caps.steps === 0) return mute ? 'mute only' : 'fixed';
  const range = `${decibelText(minimumDecibels)} … ${decibelText(maximumDecibels)} dB by ${stepQuarterDb / 4}`;
  return mute ? `${range}, mute` : range;
}

function ampText(label: string, caps: AmpCaps | null, now: AmpSides | null | undefined): string {
  if (caps === null) return '';
  const side = (value: number): string =>
    (value & V.AMP_MUTE) !== 0 ? 'muted' : `${decibelText(stepDecibels(caps, value & V.AMP_GAIN))} dB`;
  if (!now) return `${label} ${rangeText(caps)}`;
  const sides = now.left === now.right ? side(now.left) : `${side(now.left)} / ${side(now.right)}`;
  return `${label} ${sides} (${rangeText(caps)})`;
}

function formatsText(formats: ConverterFormats | null): string {
  if (formats === null) return '';
  const rates = formats.rates.map((rate) => String(rate / 1000)).join(' ');
  return list([
    `${rates} kHz`,
    `${formats.bits.join(' ')} bit`,
    formats.float32 && 'float',
    formats.ac3 && 'AC-3',
  ]);
}

function pinCapsText(caps: PinCaps): string {
  return list(
    [
      caps.output && 'out',
      caps.input && 'in',
      caps.headphone && 'headphone',
      caps.presenceDetect && (caps.trigger ? 'presence by trigger' : 'presence'),
      caps.balanced && 'balanced',
      caps.hdmi && 'HDMI',
      caps.displayPort && 'DisplayPort',
      caps.eapd && 'EAPD',
      caps.vref !== 0 && 'Vref',
    ],
    ' ',
  );
}

function pinText(widget: CodecWidget): string {
  if (widget.pin === null) return '';
  const { caps, config } = widget.pin;
  const words = list(
    [
      PORT_NAMES[config.port]!,
      placeName(config.location),
      colorName(config.color),
      connectionName(config.connectionType),
      DEVICE_NAMES[config.device]!,
    ],
    ' ',
  );
  return `${words}, association ${config.association} sequence ${config.sequence} (can ${pinCapsText(caps)})`;
}

function settingsText(widget: CodecWidget, now: WidgetSettings | undefined): string {
  if (now === undefined) return '';
  const { pinControl, streamTag, firstChannel, present, powerState } = now;
  const enables = list(
    [
      pinControl !== null && (pinControl & V.PIN_OUT_ENABLE) !== 0 && 'OUT',
      pinControl !== null && (pinControl & V.PIN_IN_ENABLE) !== 0 && 'IN',
      pinControl !== null && (pinControl & V.PIN_HP_ENABLE) !== 0 && 'HP',
    ],
    ' ',
  );
  return list(
    [
      widget.pin !== null && (enables === '' ? 'off' : enables),
      present !== null && (present ? 'plugged' : 'empty'),
      streamTag !== null &&
        (streamTag === 0 ? 'no stream' : `stream ${streamTag} from channel ${firstChannel}`),
      powerState !== null && `D${powerState}`,
    ],
    ', ',
  );
}

function widgetLines(
  widget: CodecWidget,
  byNid: ReadonlyMap<number, CodecWidget>,
  now?: WidgetSettings,
): string[] {
  const { connections, inAmp } = widget;
  const inputAmps = widget.type === 'pin' || connections.length === 0;
  const flags = list([
    `${widget.channels} ch`,
    widget.digital && 'digital',
    widget.stripe && 'stripe',
    widget.processing && 'processing',
    widget.powerControl && 'power',
    widget.unsolicited && 'unsolicited',
    widget.swap && 'swap',
    widget.delaySamples > 0 && `delay ${widget.delaySamples}`,
  ]);
  const parts = list(
    [
      flags,
      formatsText(widget.formats),
      pinText(widget),
      inputAmps && ampText('in', inAmp, now?.inAmps[0]),
      ampText('out', widget.outAmp, now?.outAmp),
      settingsText(widget, now),
    ],
    '; ',
  );
  const selected = now === undefined ? widget.selectedConnection : now.selectedConnection;
  const lines = [`  ${nidText(widget.nid)} ${TYPE_NAMES[widget.type]}: ${parts}`];
  for (const [index, nid] of connections.entries()) {
    const source = byNid.get(nid);
    // A mixer takes all of them.
    const mark = widget.type === 'mixer' || selected === index ? '◄' : ' ';
    const name = source === undefined ? 'nothing' : `${nidText(nid)} ${TYPE_NAMES[source.type]}`;
    const amp = inputAmps ? '' : ampText('in', inAmp, now?.inAmps[index]);
    lines.push(`      ${mark} ${list([name, amp], '; ')}`);
  }
  return lines;
}

/**
 * A codec's widget graph as text: a line for each widget with what it is, can do and is wired to on the board; below it its inputs, with the
 * connected one marked. With `settings` also what everything is set to.
 */
export function formatCodecGraph(graph: CodecGraph, settings?: CodecSettings): string {
  const lines = [`codec ${graph.address}: ${idText(graph.vendorId)}, revision ${hex(graph.revisionId, 8)}`];
  for (const group of graph.functionGroups) {
    const states = [0, 1, 2, 3, 4].filter((state) => (group.powerStates & (1 << state)) !== 0);
    const parts = list([
      `subsystem ${idText(group.subsystemId)}`,
      formatsText(group.formats),
      states.length > 0 && `power states ${states.map((state) => `D${state}`).join(' ')}`,
      group.gpioCount > 0 && `${group.gpioCount} GPIO`,
    ]);
    lines.push(`  ${nidText(group.nid)} audio function group: ${parts}`);
    const byNid = new Map(group.widgets.map((widget) => [widget.nid, widget]));
    for (const widget of group.widgets) lines.push(...widgetLines(widget, byNid, settings?.get(widget.nid)));
  }
  lines.push(...graph.findings.map((finding) => `  ! ${finding}`));
  return `${lines.join('\n')}\n`;
}

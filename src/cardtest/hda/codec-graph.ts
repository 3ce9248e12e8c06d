/**
 * What a codec says of itself by its parameters: nodes, how they are connected, and the ways from a converter to a jack that the checks
 * use. Read by verbs alone, so that any codec can be tested.
 */
import {
  GET_CONFIG_DEFAULT,
  GET_CONNECTION_LIST,
  GET_PARAMETER,
  PARAM_CONNECTION_LIST_LENGTH,
  PARAM_FUNCTION_TYPE,
  PARAM_IN_AMP_CAPS,
  PARAM_NODE_COUNT,
  PARAM_OUT_AMP_CAPS,
  PARAM_PCM,
  PARAM_PIN_CAPS,
  PARAM_POWER_STATES,
  PARAM_STREAM_FORMATS,
  PARAM_WIDGET_CAPS,
  PINCAP_INPUT,
  PINCAP_OUTPUT,
  WCAP_AMP_OVERRIDE,
  WCAP_CONNECTION_LIST,
  WCAP_DIGITAL,
  WCAP_FORMAT_OVERRIDE,
  WCAP_IN_AMP,
  WCAP_OUT_AMP,
} from '../../hardware/hda/verbs.ts';

/** Sends a verb to one codec and returns its answer. */
export type SendVerb = (nid: number, verb: number, payload: number) => number;

/** Widget types of the capabilities (HDA 1.0a, table 80). */
export const WIDGET_AUDIO_OUTPUT = 0;
export const WIDGET_AUDIO_INPUT = 1;
export const WIDGET_MIXER = 2;
export const WIDGET_PIN = 4;

const FUNCTION_AUDIO = 1;
const LONG_FORM = 0x80;
const CONNECTIVITY_NONE = 1;
const DEVICE_LINE_IN = 8;
const DEVICE_MIC = 10;
const LONGEST_WAY = 8;
const ENTRIES_SHORT = 4;
const ENTRIES_LONG = 2;

export interface GraphWidget {
  readonly nid: number;
  readonly caps: number;
  /** 0 audio output … 15 vendor defined. */
  readonly type: number;
  readonly connections: readonly number[];
  /** The amplifier parameters that hold for this widget, its own or the function group's; 0 without that amplifier. */
  readonly inAmpCaps: number;
  readonly outAmpCaps: number;
  /** The PCM parameter that holds for a converter, its own or the function group's. */
  readonly pcm: number;
  readonly streamFormats: number;
  readonly pinCaps: number;
  readonly configDefault: number;
}

export interface CodecGraph {
  readonly functionGroupNid: number;
  readonly widgets: ReadonlyMap<number, GraphWidget>;
  readonly powerStates: number;
  readonly outputRoute: CodecRoute;
  /** Null for a codec that does not record. */
  readonly inputRoute: CodecRoute | null;
}

export const isConverter = ({ type }: GraphWidget): boolean =>
  type === WIDGET_AUDIO_OUTPUT || type === WIDGET_AUDIO_INPUT;
export const isPin = ({ type }: GraphWidget): boolean => type === WIDGET_PIN;

/** `node 0Ah`. */
export function nodeName(nid: number): string {
  return `node ${nid.toString(16).padStart(2, '0').toUpperCase()}h`;
}

/** A way between converter and jack: widgets in the order in which signals pass. */
export interface CodecRoute {
  readonly converter: GraphWidget;
  readonly pin: GraphWidget;
  /** Each widget that takes its signal from another one, with the index of that one in its list. */
  readonly steps: readonly { readonly widget: GraphWidget; readonly input: number }[];
}

/**
 * Reads a codec's graph.
 * @throws Error when it has no audio function group, or no way from a converter to an output
 */
export function readCodecGraph(send: SendVerb): CodecGraph {
  const parameter = (nid: number, which: number) => send(nid, GET_PARAMETER, which);
  const group = subNodes(parameter(0, PARAM_NODE_COUNT)).find(
    (nid) => (parameter(nid, PARAM_FUNCTION_TYPE) & 0xff) === FUNCTION_AUDIO,
  );
  if (group === undefined) throw new Error('The codec has no audio function group.');
  const widgets = new Map(
    subNodes(parameter(group, PARAM_NODE_COUNT)).map((nid) => [nid, readWidget(send, group, nid)]),
  );
  const outputRoute = findOutputRoute(widgets);
  if (outputRoute === null) throw new Error('The codec has no way from a converter to an output pin.');
  return {
    functionGroupNid: group,
    widgets,
    powerStates: parameter(group, PARAM_POWER_STATES),
    outputRoute,
    inputRoute: findInputRoute(widgets),
  };
}

/** Node ids that a node count parameter tells of (HDA 1.0a, §7.3.4.3). */
export function subNodes(nodeCount: number): readonly number[] {
  const first = (nodeCount >>> 16) & 0xff;
  return Array.from({ length: nodeCount & 0xff }, (_, index) => first + index);
}

function readWidget(send: SendVerb, group: number, nid: number): GraphWidget {
  const parameter = (which: number, from = nid) => send(from, GET_PARAMETER, which);
  const caps = parameter(PARAM_WIDGET_CAPS);
  const type = (caps >>> 20) & 0x0f;
  const ampNode = (caps & WCAP_AMP_OVERRIDE) !== 0 ? nid : group;
  const formatNode = (caps & WCAP_FORMAT_OVERRIDE) !== 0 ? nid : group;
  const converts = type === WIDGET_AUDIO_OUTPUT || type === WIDGET_AUDIO_INPUT;
  return {
    nid,
    caps,
    type,
    connections:
      (caps & WCAP_CONNECTION_LIST) === 0
        ? []
        : readConnections(send, nid, parameter(PARAM_CONNECTION_LIST_LENGTH)),
    inAmpCaps: (caps & WCAP_IN_AMP) !== 0 ? parameter(PARAM_IN_AMP_CAPS, ampNode) : 0,
    outAmpCaps: (caps & WCAP_OUT_AMP) !== 0 ? parameter(PARAM_OUT_AMP_CAPS, ampNode) : 0,
    pcm: converts ? parameter(PARAM_PCM, formatNode) : 0,
    streamFormats: converts ? parameter(PARAM_STREAM_FORMATS, formatNode) : 0,
    pinCaps: type === WIDGET_PIN ? parameter(PARAM_PIN_CAPS) : 0,
    configDefault: type === WIDGET_PIN ? send(nid, GET_CONFIG_DEFAULT, 0) : 0,
  };
}

/** A connection list, ranges written out (HDA 1.0a, §7.1.2). */
function readConnections(send: SendVerb, nid: number, length: number): readonly number[] {
  const long = (length & LONG_FORM) !== 0;
  const count = length & ~LONG_FORM;
  const perAnswer = long ? ENTRIES_LONG : ENTRIES_SHORT;
  const bits = long ? 16 : 8;
  const list: number[] = [];
  let answer = 0;
  for (let entry = 0; entry < count; entry++) {
    if (entry % perAnswer === 0) answer = send(nid, GET_CONNECTION_LIST, entry);
    const value = (answer >>> (bits * (entry % perAnswer))) & (2 ** bits - 1);
    const range = 2 ** (bits - 1);
    const node = value % range;
    const before = list.at(-1);
    if (value < range || before === undefined) list.push(node);
    else for (let next = before + 1; next <= node; next++) list.push(next);
  }
  return list;
}

type Widgets = ReadonlyMap<number, GraphWidget>;
type Way = readonly { readonly widget: GraphWidget; readonly input: number }[];

/** From `start` against the signal to a widget that `ends` accepts: the last one, and the steps with the signal. */
function trace(
  widgets: Widgets,
  start: GraphWidget,
  ends: (widget: GraphWidget) => boolean,
  depth = 0,
): { readonly end: GraphWidget; readonly steps: Way } | null {
  if (depth > 0 && ends(start)) return { end: start, steps: [] };
  if (depth >= LONGEST_WAY || (depth > 0 && start.type === WIDGET_PIN)) return null;
  for (const [input, nid] of start.connections.entries()) {
    const source = widgets.get(nid);
    if (source === undefined) continue;
    const way = trace(widgets, source, ends, depth + 1);
    if (way !== null) return { end: way.end, steps: [...way.steps, { widget: start, input }] };
  }
  return null;
}

const isDigital = ({ caps }: GraphWidget): boolean => (caps & WCAP_DIGITAL) !== 0;
const isConnected = ({ configDefault }: GraphWidget): boolean => configDefault >>> 30 !== CONNECTIVITY_NONE;
const deviceOf = ({ configDefault }: GraphWidget): number => (configDefault >>> 20) & 0x0f;

/** The first jack by association and sequence, analogue ones before digital ones. */
function findOutputRoute(widgets: Widgets): CodecRoute | null {
  const rank = (pin: GraphWidget) => (isDigital(pin) ? 0x100 : 0) + (pin.configDefault & 0xff);
  const pins = [...widgets.values()]
    .filter((widget) => widget.type === WIDGET_PIN && (widget.pinCaps & PINCAP_OUTPUT) !== 0)
    .filter(isConnected)
    .sort((one, other) => rank(one) - rank(other));
  for (const pin of pins) {
    const way = trace(widgets, pin, ({ type }) => type === WIDGET_AUDIO_OUTPUT);
    if (way !== null) return { converter: way.end, pin, steps: way.steps };
  }
  return null;
}

/** From the line input, or from a microphone where there is none. */
function findInputRoute(widgets: Widgets): CodecRoute | null {
  for (const device of [DEVICE_LINE_IN, DEVICE_MIC]) {
    for (const converter of widgets.values()) {
      if (converter.type !== WIDGET_AUDIO_INPUT || isDigital(converter)) continue;
      const way = trace(
        widgets,
        converter,
        (widget) =>
          widget.type === WIDGET_PIN &&
          (widget.pinCaps & PINCAP_INPUT) !== 0 &&
          isConnected(widget) &&
          deviceOf(widget) === device,
      );
      if (way !== null) return { converter, pin: way.end, steps: way.steps };
    }
  }
  return null;
}

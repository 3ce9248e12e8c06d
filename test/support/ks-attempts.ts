import { GUID } from '../../src/com/index.ts';
import {
  type NTSTATUS,
  STATUS_ACCESS_DENIED,
  STATUS_BUFFER_OVERFLOW,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_DEVICE_NOT_READY,
  STATUS_INSUFFICIENT_RESOURCES,
  STATUS_INVALID_BUFFER_SIZE,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_DEVICE_STATE,
  STATUS_INVALID_HANDLE,
  STATUS_INVALID_PARAMETER,
  STATUS_NO_MATCH,
  STATUS_NOT_FOUND,
  STATUS_NOT_SUPPORTED,
  STATUS_OBJECT_TYPE_MISMATCH,
  STATUS_PROPSET_NOT_FOUND,
  STATUS_SUCCESS,
  STATUS_UNSUCCESSFUL,
} from '../../src/kernel/index.ts';
import {
  encodeDataFormat,
  IOCTL_KS_DISABLE_EVENT,
  IOCTL_KS_ENABLE_EVENT,
  IOCTL_KS_HANDSHAKE,
  IOCTL_KS_METHOD,
  IOCTL_KS_PROPERTY,
  IOCTL_KS_READ_STREAM,
  IOCTL_KS_RESET_STATE,
  IOCTL_KS_WRITE_STREAM,
  KS_PROPERTY_SETS,
  KSPROPERTY_AUDIO_MUTE,
  KSPROPERTY_AUDIO_MUX_SOURCE,
  KSPROPERTY_AUDIO_POSITION,
  KSPROPERTY_AUDIO_POSITIONEX,
  KSPROPERTY_AUDIO_VOLUMELEVEL,
  KSPROPERTY_CONNECTION_ALLOCATORFRAMING,
  KSPROPERTY_CONNECTION_DATAFORMAT,
  KSPROPERTY_CONNECTION_STATE,
  KSPROPERTY_DRMAUDIOSTREAM_CONTENTID,
  KSPROPERTY_JACK_DESCRIPTION,
  KSPROPERTY_JACK_DESCRIPTION2,
  KSPROPERTY_PIN_CATEGORY,
  KSPROPERTY_PIN_CINSTANCES,
  KSPROPERTY_PIN_COMMUNICATION,
  KSPROPERTY_PIN_CONSTRAINEDDATARANGES,
  KSPROPERTY_PIN_CTYPES,
  KSPROPERTY_PIN_DATAFLOW,
  KSPROPERTY_PIN_DATARANGES,
  KSPROPERTY_PIN_GLOBALCINSTANCES,
  KSPROPERTY_PIN_INTERFACES,
  KSPROPERTY_PIN_MEDIUMS,
  KSPROPERTY_PIN_NAME,
  KSPROPERTY_PIN_NECESSARYINSTANCES,
  KSPROPERTY_PIN_PROPOSEDATAFORMAT,
  KSPROPERTY_RTAUDIO_BUFFER,
  KSPROPERTY_RTAUDIO_BUFFER_WITH_NOTIFICATION,
  KSPROPERTY_RTAUDIO_CLOCKREGISTER,
  KSPROPERTY_RTAUDIO_GETREADPACKET,
  KSPROPERTY_RTAUDIO_HWLATENCY,
  KSPROPERTY_RTAUDIO_PACKETCOUNT,
  KSPROPERTY_RTAUDIO_POSITIONREGISTER,
  KSPROPERTY_RTAUDIO_PRESENTATION_POSITION,
  KSPROPERTY_RTAUDIO_QUERY_NOTIFICATION_SUPPORT,
  KSPROPERTY_RTAUDIO_REGISTER_NOTIFICATION_EVENT,
  KSPROPERTY_RTAUDIO_SETWRITEPACKET,
  KSPROPERTY_RTAUDIO_UNREGISTER_NOTIFICATION_EVENT,
  KSPROPERTY_STREAM_ALLOCATOR,
  KSPROPERTY_STREAM_MASTERCLOCK,
  KSPROPERTY_TOPOLOGY_CATEGORIES,
  KSPROPERTY_TOPOLOGY_CONNECTIONS,
  KSPROPERTY_TOPOLOGY_NAME,
  KSPROPERTY_TOPOLOGY_NODES,
  KSPROPERTY_TYPE_BASICSUPPORT,
  KSPROPERTY_TYPE_GET,
  KSPROPERTY_TYPE_SET,
  KSPROPERTY_TYPE_SETSUPPORT,
  KSPROPERTY_TYPE_TOPOLOGY,
  KSPROPSETID_Audio,
  KSPROPSETID_Connection,
  KSPROPSETID_DrmAudioStream,
  KSPROPSETID_Jack,
  KSPROPSETID_Pin,
  KSPROPSETID_RtAudio,
  KSPROPSETID_Stream,
  KSPROPSETID_Topology,
  pcmFormat,
} from '../../src/ks/index.ts';

/** The objects that requests go to. */
export const PLACES = ['wave', 'topology', 'render', 'capture', 'mic'] as const;
export type Place = (typeof PLACES)[number];
const isPin = (place: Place): boolean => place !== 'wave' && place !== 'topology';

/** One request, and what the documentation says that becomes of it. */
export interface Attempt {
  readonly what: string;
  readonly place: Place;
  readonly code: number;
  readonly input: Uint8Array | null;
  /** Length of the output buffer, null for none. */
  readonly outputLength: number | null;
  /** What lies in the output buffer at first; a pattern when absent. */
  readonly value?: Uint8Array;
  /** Statuses that are right; null: any, as long as nothing breaks. */
  readonly statuses: readonly NTSTATUS[] | null;
  /** Information that is right; undefined: not checked. */
  readonly information?: number;
  /** A request for a higher state may fail half-way and stay where it got to. */
  readonly mayMove?: boolean;
}

/** What the requests are made from: the filters as they are, and what the pins have been through. */
export interface WorldFacts {
  readonly pins: Readonly<Record<'wave' | 'topology', number>>;
  readonly nodes: Readonly<Record<'wave' | 'topology', number>>;
  /** Pins of a filter that can be opened. */
  readonly volumeNodes: readonly { readonly node: number; readonly channels: number }[];
  readonly muteNodes: readonly { readonly node: number; readonly channels: number }[];
  readonly muxNode: number;
  readonly muxInputs: number;
  /** An event's and a file's handle. */
  readonly eventHandle: number;
  readonly fileHandle: number;
  hasBuffer(place: Place): boolean;
  hasNotification(place: Place): boolean;
  state(place: Place): number;
}

/** Numbers from a seed, for what needs more of them than a case's own. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }

  next(below: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % below;
  }

  word(): number {
    return this.next(0x1_0000_0000);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.next(list.length)] as T;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.next(256));
  }

  guid(): GUID {
    return new GUID(this.word(), this.word(), this.word(), this.word());
  }
}

/** One property as the documentation describes it. */
interface Row {
  readonly set: GUID;
  readonly id: number;
  /** Bytes of the value, or 'list' for a KSMULTIPLE_ITEM, 'any' for what varies otherwise; absent: cannot be got. */
  readonly get?: number | 'list' | 'any';
  /** Least bytes of the value; absent: cannot be set. */
  readonly set_?: number;
  /** The request is a KSP_PIN. */
  readonly pin?: true;
  /** Bytes that must follow KSPROPERTY, where it is no KSP_PIN. */
  readonly instance?: number;
}

const PIN_ROWS: readonly Row[] = [
  { set: KSPROPSETID_Pin, id: KSPROPERTY_PIN_CTYPES, get: 4 },
  { set: KSPROPSETID_Pin, id: KSPROPERTY_PIN_CINSTANCES, get: 8, pin: true },
  { set: KSPROPSETID_Pin, id: KSPROPERTY_PIN_GLOBALCINSTANCES, get: 8, pin: true },
  { set: KSPROPSETID_Pin, id: KSPROPERTY_PIN_NECESSARYINSTANCES, get: 4, pin: true },
  { set: KSPROPSETID_Pin, id: KSPROPERTY_PIN_DATAFLOW, get: 4, pin: true },
  { set: KSPROPSETID_Pin, id: KSPROPERTY_PIN_COMMUNICATION, get: 4, pin: true },
  { set: KSPROPSETID_Pin, id: KSPROPERTY_PIN_CATEGORY, get: 16, pin: true },
  { set: KSPROPSETID_Pin, id: KSPROPERTY_PIN_NAME, get: 'any', pin: true },
  { set: KSPROPSETID_Pin, id: KSPROPERTY_PIN_INTERFACES, get: 'list', pin: true },
  { set: KSPROPSETID_Pin, id: KSPROPERTY_PIN_MEDIUMS, get: 'list', pin: true },
  { set: KSPROPSETID_Pin, id: KSPROPERTY_PIN_DATARANGES, get: 'list', pin: true },
  { set: KSPROPSETID_Pin, id: KSPROPERTY_PIN_CONSTRAINEDDATARANGES, get: 'list', pin: true },
];
const TOPOLOGY_ROWS: readonly Row[] = [
  { set: KSPROPSETID_Topology, id: KSPROPERTY_TOPOLOGY_CATEGORIES, get: 'list' },
  { set: KSPROPSETID_Topology, id: KSPROPERTY_TOPOLOGY_NODES, get: 'list' },
  { set: KSPROPSETID_Topology, id: KSPROPERTY_TOPOLOGY_CONNECTIONS, get: 'list' },
];
const JACK_ROWS: readonly Row[] = [
  { set: KSPROPSETID_Jack, id: KSPROPERTY_JACK_DESCRIPTION, get: 'any', pin: true },
  { set: KSPROPSETID_Jack, id: KSPROPERTY_JACK_DESCRIPTION2, get: 'any', pin: true },
];
const STREAM_ROWS: readonly Row[] = [
  { set: KSPROPSETID_Connection, id: KSPROPERTY_CONNECTION_STATE, get: 4, set_: 4 },
  { set: KSPROPSETID_Connection, id: KSPROPERTY_CONNECTION_DATAFORMAT, get: 'any', set_: 64 },
  { set: KSPROPSETID_Connection, id: KSPROPERTY_CONNECTION_ALLOCATORFRAMING, get: 24 },
  { set: KSPROPSETID_Stream, id: KSPROPERTY_STREAM_ALLOCATOR, get: 8, set_: 8 },
  { set: KSPROPSETID_Stream, id: KSPROPERTY_STREAM_MASTERCLOCK, get: 8, set_: 8 },
  { set: KSPROPSETID_Audio, id: KSPROPERTY_AUDIO_POSITION, get: 16 },
  { set: KSPROPSETID_Audio, id: KSPROPERTY_AUDIO_POSITIONEX, get: 40 },
  { set: KSPROPSETID_RtAudio, id: KSPROPERTY_RTAUDIO_HWLATENCY, get: 12 },
  { set: KSPROPSETID_RtAudio, id: KSPROPERTY_RTAUDIO_QUERY_NOTIFICATION_SUPPORT, get: 4 },
];
const RENDER_ROWS: readonly Row[] = [
  { set: KSPROPSETID_RtAudio, id: KSPROPERTY_RTAUDIO_PACKETCOUNT, get: 4 },
  { set: KSPROPSETID_RtAudio, id: KSPROPERTY_RTAUDIO_PRESENTATION_POSITION, get: 16 },
];

const FILTER_ROWS = [...PIN_ROWS, ...TOPOLOGY_ROWS];
const ROWS: Readonly<Record<Place, readonly Row[]>> = {
  wave: FILTER_ROWS,
  topology: [...FILTER_ROWS, ...JACK_ROWS],
  render: [...STREAM_ROWS, ...RENDER_ROWS, ...FILTER_ROWS],
  capture: [...STREAM_ROWS, ...FILTER_ROWS],
  mic: [...STREAM_ROWS, ...FILTER_ROWS],
};
/** Sets that a place answers. */
const SETS: Readonly<Record<Place, readonly GUID[]>> = {
  wave: [KSPROPSETID_Pin, KSPROPSETID_Topology],
  topology: [KSPROPSETID_Pin, KSPROPSETID_Topology, KSPROPSETID_Jack],
  render: [KSPROPSETID_Pin, KSPROPSETID_Connection, KSPROPSETID_RtAudio, KSPROPSETID_Audio],
  capture: [KSPROPSETID_Pin, KSPROPSETID_Connection, KSPROPSETID_RtAudio, KSPROPSETID_Audio],
  mic: [KSPROPSETID_Pin, KSPROPSETID_Connection, KSPROPSETID_RtAudio, KSPROPSETID_Audio],
};

/** KSPROPERTY, then ULONGs. */
export function head(set: GUID, id: number, flags: number, ...words: number[]): Uint8Array {
  const bytes = new Uint8Array(24 + words.length * 4);
  const view = new DataView(bytes.buffer);
  set.write(view, 0);
  view.setUint32(16, id, true);
  view.setUint32(20, flags, true);
  words.forEach((word, index) => {
    view.setUint32(24 + index * 4, word, true);
  });
  return bytes;
}

const ulong = (value: number): Uint8Array => Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24);
const filterOf = (place: Place): 'wave' | 'topology' => (place === 'topology' ? 'topology' : 'wave');

/** Builds one request, by the dice, in the world as it is. */
type Builder = (dice: Dice, facts: WorldFacts) => Attempt;

function property(
  what: string,
  place: Place,
  input: Uint8Array | null,
  outputLength: number | null,
  statuses: readonly NTSTATUS[] | null,
  more: Partial<Attempt> = {},
): Attempt {
  return { what, place, code: IOCTL_KS_PROPERTY, input, outputLength, statuses, ...more };
}

/** A row of a place, with a request that addresses it rightly. */
function addressed(dice: Dice, facts: WorldFacts, wanted: (row: Row) => boolean = () => true) {
  const place = dice.pick(PLACES.filter((one) => ROWS[one].some(wanted)));
  const row = dice.pick(ROWS[place].filter(wanted));
  const words = row.pin ? [dice.next(facts.pins[filterOf(place)]), 0] : [];
  return { place, row, words, name: `${place} ${row.set} ${row.id}` };
}

/** A random length that is 0, short, right, or long. */
const someLength = (dice: Dice) => dice.pick([0, 1, 3, 4, 7, 8, 16, 24, 40, 64, 200, 4096]);

export const BUILDERS: Readonly<Record<string, Builder>> = {
  'head cut short': (dice) => {
    const place = dice.pick(PLACES);
    const input = head(dice.pick(SETS[place]), dice.next(20), dice.pick([1, 2, 0x100, 0x200]));
    const length = 1 + dice.next(23);
    return property(`head of ${length} bytes`, place, input.subarray(0, length), someLength(dice), [
      STATUS_INVALID_BUFFER_SIZE,
    ]);
  },

  'node head cut short': (dice) => {
    const place = dice.pick(PLACES);
    const flags = KSPROPERTY_TYPE_TOPOLOGY | dice.pick([1, 2, 0x200]);
    const input = head(KSPROPSETID_Audio, KSPROPERTY_AUDIO_VOLUMELEVEL, flags, 0, 0);
    const length = 24 + dice.next(8);
    return property(`node head of ${length} bytes`, place, input.subarray(0, length), someLength(dice), [
      STATUS_INVALID_BUFFER_SIZE,
    ]);
  },

  'unknown set': (dice, facts) => {
    const place = dice.pick(PLACES);
    const verb = dice.pick([KSPROPERTY_TYPE_GET, KSPROPERTY_TYPE_SET, KSPROPERTY_TYPE_BASICSUPPORT, 0x100]);
    const onNode = dice.next(3) === 0;
    const node = dice.next(facts.nodes[filterOf(place)]);
    const input = onNode
      ? head(dice.guid(), dice.next(30), verb | KSPROPERTY_TYPE_TOPOLOGY, node, 0, 0, 0)
      : head(dice.guid(), dice.next(30), verb, dice.next(8), 0);
    return property(`unknown set, verb ${verb}`, place, input, someLength(dice), [STATUS_PROPSET_NOT_FOUND]);
  },

  'known set that is not the place’s': (dice) => {
    const place = dice.pick(['wave', 'topology'] as const);
    const strangers = KS_PROPERTY_SETS.map(({ set }) => set).filter(
      (set) => !SETS[place].some((own) => own.equals(set)) && !set.equals(KSPROPSETID_Topology),
    );
    const input = head(dice.pick(strangers), dice.next(12), dice.pick([1, 2, 0x200]), dice.next(8), 0);
    return property('a set of other objects', place, input, someLength(dice), [STATUS_PROPSET_NOT_FOUND]);
  },

  'unknown id': (dice) => {
    const place = dice.pick(PLACES);
    const id =
      dice.pick([60 + dice.next(100), 0x1_0000 + dice.next(1000), dice.word() | 0x8000_0000, -1]) >>> 0;
    const input = head(dice.pick(SETS[place]), id, dice.pick([1, 2, 0x200]), 0, 0);
    return property(`unknown id ${id}`, place, input, someLength(dice), [STATUS_NOT_FOUND]);
  },

  'unknown node': (dice, facts) => {
    const place = dice.pick(PLACES);
    const count = facts.nodes[filterOf(place)];
    const node = dice.pick([count, count + dice.next(100), 0xffff_ffff, 0x8000_0000]);
    const flags = KSPROPERTY_TYPE_TOPOLOGY | dice.pick([1, 2, 0x200, 0x100]);
    const set = dice.pick([KSPROPSETID_Audio, KSPROPSETID_Topology]);
    const input = head(set, KSPROPERTY_AUDIO_VOLUMELEVEL, flags, node, 0, 0, 0);
    return property(`unknown node ${node}`, place, input, someLength(dice), [STATUS_INVALID_PARAMETER]);
  },

  'unknown pin': (dice, facts) => {
    const { place, row, name } = addressed(dice, facts, (one) => one.pin === true && one.get !== undefined);
    const count = facts.pins[filterOf(place)];
    const pin = dice.pick([count, count + dice.next(1000), 0xffff_ffff, 0x8000_0000]);
    const input = head(row.set, row.id, KSPROPERTY_TYPE_GET, pin, 0);
    return property(`${name}: unknown pin ${pin}`, place, input, 4096, [STATUS_INVALID_PARAMETER]);
  },

  'KSP_PIN cut short': (dice, facts) => {
    // The jack properties are the driver's own, which asks for the pin's number alone.
    const { place, row, words, name } = addressed(
      dice,
      facts,
      (one) => one.pin === true && !one.set.equals(KSPROPSETID_Jack),
    );
    const length = 24 + dice.next(8);
    const input = head(row.set, row.id, KSPROPERTY_TYPE_GET, ...words).subarray(0, length);
    return property(`${name}: ${length} bytes`, place, input, 4096, [STATUS_INVALID_BUFFER_SIZE]);
  },

  'size query': (dice, facts) => {
    const { place, row, words, name } = addressed(dice, facts, (one) => one.get !== undefined);
    const input = head(row.set, row.id, KSPROPERTY_TYPE_GET, ...words);
    const known = typeof row.get === 'number' ? { information: row.get } : {};
    return property(
      `${name}: size query`,
      place,
      input,
      dice.pick([0, null]),
      [STATUS_BUFFER_OVERFLOW],
      known,
    );
  },

  'short value': (dice, facts) => {
    const { place, row, words, name } = addressed(dice, facts, (one) => one.get !== undefined);
    const input = head(row.set, row.id, KSPROPERTY_TYPE_GET, ...words);
    // Lists and strings have 8 bytes and more; the shortest string is longer than its terminator.
    const length = 1 + dice.next((typeof row.get === 'number' ? row.get : 4) - 1);
    return property(`${name}: get into ${length} bytes`, place, input, length, [STATUS_BUFFER_TOO_SMALL], {
      information: 0,
    });
  },

  'room for the value': (dice, facts) => {
    const { place, row, words, name } = addressed(dice, facts, (one) => one.get !== undefined);
    const input = head(row.set, row.id, KSPROPERTY_TYPE_GET, ...words);
    const fixed = typeof row.get === 'number' ? row.get : null;
    const length = (fixed ?? 4096) + dice.pick([0, 1, 7, 100]);
    const known = fixed === null ? {} : { information: fixed };
    return property(`${name}: get into ${length} bytes`, place, input, length, [STATUS_SUCCESS], known);
  },

  'head of a list': (dice, facts) => {
    const { place, row, words, name } = addressed(dice, facts, (one) => one.get === 'list');
    const input = head(row.set, row.id, KSPROPERTY_TYPE_GET, ...words);
    return property(`${name}: KSMULTIPLE_ITEM alone`, place, input, 8, [STATUS_SUCCESS], { information: 8 });
  },

  'set of what can only be got': (dice, facts) => {
    const { place, row, words, name } = addressed(dice, facts, (one) => one.set_ === undefined);
    const input = head(row.set, row.id, KSPROPERTY_TYPE_SET, ...words);
    return property(`${name}: set`, place, input, someLength(dice), [STATUS_INVALID_DEVICE_REQUEST]);
  },

  'no verb, or several': (dice, facts) => {
    const { place, row, words, name } = addressed(dice, facts);
    const verb = dice.pick([0, 3, 0x201, 0x202, 0x203, 4, 8, 0x4000_0000]);
    const input = head(row.set, row.id, verb, ...words);
    return property(`${name}: verb 0x${verb.toString(16)}`, place, input, someLength(dice), [
      STATUS_INVALID_PARAMETER,
      STATUS_INVALID_DEVICE_REQUEST,
    ]);
  },

  'other verbs': (dice, facts) => {
    const { place, row, words, name } = addressed(dice, facts);
    const verb = dice.pick([0x400, 0x800, 0x1000, 0x2000, 0x4000, 0x8000, 0x1_0000]);
    const input = head(row.set, row.id, verb, ...words);
    return property(`${name}: verb 0x${verb.toString(16)}`, place, input, someLength(dice), null);
  },

  'short value to set': (dice, facts) => {
    const { place, row, words, name } = addressed(dice, facts, (one) => one.set_ !== undefined);
    const input = head(row.set, row.id, KSPROPERTY_TYPE_SET, ...words);
    const length = dice.next(row.set_ ?? 1);
    return property(`${name}: set from ${length} bytes`, place, input, length, [STATUS_BUFFER_TOO_SMALL]);
  },

  'basic support': (dice, facts) => {
    const { place, row, words, name } = addressed(dice, facts);
    const input = head(row.set, row.id, KSPROPERTY_TYPE_BASICSUPPORT, ...words);
    const length = dice.pick([0, 1, 3, 4, 39, 40, 200]);
    const status =
      length === 0 ? STATUS_BUFFER_OVERFLOW : length < 4 ? STATUS_BUFFER_TOO_SMALL : STATUS_SUCCESS;
    const known = length < 4 ? {} : { information: length < 40 ? 4 : 40 };
    return property(`${name}: basic support into ${length}`, place, input, length, [status], known);
  },

  'support of a set': (dice) => {
    const place = dice.pick(PLACES);
    const input = head(dice.pick(SETS[place]), dice.next(1000), KSPROPERTY_TYPE_SETSUPPORT);
    return property('set support', place, input, someLength(dice), [STATUS_SUCCESS]);
  },

  'node properties, wrong channel': (dice, facts) => {
    const [nodes, id] = dice.pick([
      [facts.volumeNodes, KSPROPERTY_AUDIO_VOLUMELEVEL],
      [facts.muteNodes, KSPROPERTY_AUDIO_MUTE],
    ] as const);
    const { node, channels } = dice.pick(nodes);
    const isSet = dice.next(2) === 0;
    // -1 is all channels, which can be set but not got.
    const channel = isSet
      ? dice.pick([channels, channels + 1, 18, 0x7fff_ffff, 0x8000_0000])
      : dice.pick([channels, channels + 7, 0xffff_ffff, 0x8000_0001]);
    const flags = KSPROPERTY_TYPE_TOPOLOGY | (isSet ? KSPROPERTY_TYPE_SET : KSPROPERTY_TYPE_GET);
    const input = head(KSPROPSETID_Audio, id, flags, node, 0, channel, 0);
    return property(`node ${node}, channel ${channel}`, 'topology', input, 4, [STATUS_INVALID_PARAMETER], {
      value: dice.bytes(4),
    });
  },

  'node properties, short value': (dice, facts) => {
    const { node, channels } = dice.pick(facts.volumeNodes);
    const isSet = dice.next(2) === 0;
    const length = isSet ? dice.next(4) : 1 + dice.next(3);
    const flags = KSPROPERTY_TYPE_TOPOLOGY | (isSet ? KSPROPERTY_TYPE_SET : KSPROPERTY_TYPE_GET);
    const input = head(
      KSPROPSETID_Audio,
      KSPROPERTY_AUDIO_VOLUMELEVEL,
      flags,
      node,
      0,
      dice.next(channels),
      0,
    );
    return property(`volume of node ${node}: ${length} bytes`, 'topology', input, length, [
      STATUS_BUFFER_TOO_SMALL,
    ]);
  },

  'node properties, no channel': (dice, facts) => {
    const { node } = dice.pick(facts.volumeNodes);
    const flags = KSPROPERTY_TYPE_TOPOLOGY | dice.pick([KSPROPERTY_TYPE_SET, KSPROPERTY_TYPE_GET]);
    const input = head(KSPROPSETID_Audio, KSPROPERTY_AUDIO_VOLUMELEVEL, flags, node, 0);
    return property(`volume of node ${node} without a channel`, 'topology', input, 4, [
      STATUS_INVALID_PARAMETER,
      STATUS_INVALID_BUFFER_SIZE,
    ]);
  },

  'node properties of other nodes': (dice, facts) => {
    const input = head(
      KSPROPSETID_Audio,
      dice.pick([KSPROPERTY_AUDIO_VOLUMELEVEL, KSPROPERTY_AUDIO_MUTE, 50]),
      KSPROPERTY_TYPE_TOPOLOGY | dice.pick([1, 2, 0x200]),
      facts.muxNode,
      0,
      0,
      0,
    );
    return property('volume of a mux', 'topology', input, 4, [STATUS_NOT_FOUND]);
  },

  'wave nodes have a name alone': (dice, facts) => {
    const place = dice.pick(['wave', 'render', 'capture', 'mic'] as const);
    const flags = KSPROPERTY_TYPE_TOPOLOGY | dice.pick([1, 2, 0x200]);
    const input = head(KSPROPSETID_Audio, dice.next(40), flags, dice.next(facts.nodes.wave), 0, 0, 0);
    return property('audio property of a DAC or ADC', place, input, someLength(dice), [
      STATUS_PROPSET_NOT_FOUND,
    ]);
  },

  'mux source that does not exist': (dice, facts) => {
    const value = dice.pick([0, facts.muxInputs + 1, facts.muxInputs + dice.next(1000) + 1, 0xffff_ffff]);
    const flags = KSPROPERTY_TYPE_TOPOLOGY | KSPROPERTY_TYPE_SET;
    const input = head(KSPROPSETID_Audio, KSPROPERTY_AUDIO_MUX_SOURCE, flags, facts.muxNode, 0);
    return property(`mux source ${value}`, 'topology', input, 4, [STATUS_INVALID_PARAMETER], {
      value: ulong(value),
    });
  },

  'level, any value': (dice, facts) => {
    const { node, channels } = dice.pick(facts.volumeNodes);
    const flags = KSPROPERTY_TYPE_TOPOLOGY | KSPROPERTY_TYPE_SET;
    const channel = dice.pick([0, channels - 1, 0xffff_ffff]);
    const input = head(KSPROPSETID_Audio, KSPROPERTY_AUDIO_VOLUMELEVEL, flags, node, 0, channel, 0);
    // Out of range is limited, not refused (P-69).
    return property(`volume of node ${node}`, 'topology', input, 4, [STATUS_SUCCESS], {
      value: dice.bytes(4),
    });
  },

  'names of nodes': (dice, facts) => {
    const place = dice.pick(['wave', 'topology'] as const);
    const flags = KSPROPERTY_TYPE_TOPOLOGY | KSPROPERTY_TYPE_GET;
    const input = head(
      KSPROPSETID_Topology,
      KSPROPERTY_TOPOLOGY_NAME,
      flags,
      dice.next(facts.nodes[place]),
      0,
    );
    const length = dice.pick([0, 1, 2, 512]);
    const status =
      length === 0 ? STATUS_BUFFER_OVERFLOW : length < 512 ? STATUS_BUFFER_TOO_SMALL : STATUS_SUCCESS;
    return property(`name of a node into ${length}`, place, input, length, [status]);
  },

  'state that does not exist': (dice) => {
    const place = dice.pick(['render', 'capture', 'mic'] as const);
    const value = dice.pick([4, 5, 0x100, 0xffff_ffff, 0x8000_0000, 4 + dice.next(1000)]);
    const input = head(KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, KSPROPERTY_TYPE_SET);
    return property(`state ${value}`, place, input, 4, [STATUS_INVALID_PARAMETER], { value: ulong(value) });
  },

  state: (dice, facts) => {
    const place = dice.pick(['render', 'capture', 'mic'] as const);
    const value = dice.next(4);
    const input = head(KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, KSPROPERTY_TYPE_SET);
    const refused = value === 3 && !facts.hasBuffer(place) && facts.state(place) !== 3;
    return property(
      `state ${value}`,
      place,
      input,
      4,
      [refused ? STATUS_INVALID_DEVICE_STATE : STATUS_SUCCESS],
      { value: ulong(value), mayMove: true },
    );
  },

  'format of a stream': (dice) => {
    const place = dice.pick(['render', 'capture', 'mic'] as const);
    const channels = place === 'mic' ? 1 : 2;
    const bad = dice.next(3);
    const format = encodeDataFormat(
      bad === 0
        ? pcmFormat(dice.pick([7999, 48001, 96000, 0]), channels, 16)
        : bad === 1
          ? pcmFormat(48000, dice.pick([3 - channels, 0, 6]), 16)
          : pcmFormat(48000, channels, dice.pick([8, 24, 32])),
    );
    const cut = dice.next(4) === 0 ? 64 + dice.next(format.byteLength - 64) : format.byteLength;
    const input = head(KSPROPSETID_Connection, KSPROPERTY_CONNECTION_DATAFORMAT, KSPROPERTY_TYPE_SET);
    return property(
      `format the pin cannot take, ${cut} bytes`,
      place,
      input,
      cut,
      cut < format.byteLength ? [STATUS_BUFFER_TOO_SMALL] : [STATUS_INVALID_PARAMETER, STATUS_NO_MATCH],
      { value: format.subarray(0, cut) },
    );
  },

  'format proposed': (dice) => {
    const format = encodeDataFormat(
      pcmFormat(dice.pick([8000, 44100, 48000, 96000, 4000]), 2, dice.pick([16, 24])),
    );
    const view = new DataView(format.buffer);
    const rate = view.getUint32(64 + 4, true);
    const bits = view.getUint16(64 + 14, true);
    const isRight = rate >= 8000 && rate <= 48000 && bits === 16;
    const input = head(KSPROPSETID_Pin, KSPROPERTY_PIN_PROPOSEDATAFORMAT, KSPROPERTY_TYPE_SET, 0, 0);
    const place = dice.pick(['wave', 'render'] as const);
    return property(
      `proposal of ${rate} Hz, ${bits} bits`,
      place,
      input,
      format.byteLength,
      [isRight ? STATUS_SUCCESS : STATUS_NO_MATCH],
      { value: format },
    );
  },

  buffer: (dice, facts) => {
    const place = dice.pick(['render', 'capture', 'mic'] as const);
    const notifications = dice.pick([null, 1, 2, 0, 3, 0xffff_ffff]);
    const size = dice.pick([0, 0, 1000, 2000, 7680, 48_000, 48_001, 0x7fff_ffff, 0xffff_ffff]);
    const base = dice.next(8) === 0 ? 0x1000 : 0;
    const id =
      notifications === null ? KSPROPERTY_RTAUDIO_BUFFER : KSPROPERTY_RTAUDIO_BUFFER_WITH_NOTIFICATION;
    const input = head(KSPROPSETID_RtAudio, id, KSPROPERTY_TYPE_GET, base, 0, size, notifications ?? 0);
    const badCount = notifications === 0 || (notifications ?? 0) > 2;
    const wrong: NTSTATUS[] = [];
    if (badCount) wrong.push(STATUS_INVALID_PARAMETER);
    if (facts.hasBuffer(place)) wrong.push(STATUS_INVALID_DEVICE_STATE);
    if (size === 0) wrong.push(STATUS_INVALID_PARAMETER);
    if (base !== 0) wrong.push(STATUS_UNSUCCESSFUL);
    // Whichever mistake is found first; too large a buffer is out of the engine's or the machine's reach.
    if (size >= 0x7fff_ffff) wrong.push(STATUS_INSUFFICIENT_RESOURCES);
    const statuses = wrong.length === 0 ? [STATUS_SUCCESS] : wrong;
    return property(
      `buffer of ${size} bytes, ${notifications} notifications`,
      place,
      input,
      16 + dice.next(8),
      statuses,
    );
  },

  'buffer request cut short': (dice) => {
    const place = dice.pick(['render', 'capture', 'mic'] as const);
    const id = dice.pick([KSPROPERTY_RTAUDIO_BUFFER, KSPROPERTY_RTAUDIO_BUFFER_WITH_NOTIFICATION]);
    const input = head(KSPROPSETID_RtAudio, id, KSPROPERTY_TYPE_GET, 0, 0, 1000, 2);
    const length = 24 + dice.next(16);
    return property(`buffer request of ${length} bytes`, place, input.subarray(0, length), 16, [
      STATUS_INVALID_BUFFER_SIZE,
    ]);
  },

  'registers that the hardware lacks': (dice) => {
    const place = dice.pick(['render', 'capture', 'mic'] as const);
    const id = dice.pick([KSPROPERTY_RTAUDIO_POSITIONREGISTER, KSPROPERTY_RTAUDIO_CLOCKREGISTER]);
    const input = head(KSPROPSETID_RtAudio, id, KSPROPERTY_TYPE_GET, 0, 0);
    return property('mapping of a register', place, input, 40, [STATUS_NOT_SUPPORTED]);
  },

  'packets of the other direction': (dice) => {
    const [place, id, verb, size] = dice.pick([
      ['render', KSPROPERTY_RTAUDIO_GETREADPACKET, KSPROPERTY_TYPE_GET, 24],
      ['capture', KSPROPERTY_RTAUDIO_PACKETCOUNT, KSPROPERTY_TYPE_GET, 4],
      ['mic', KSPROPERTY_RTAUDIO_PRESENTATION_POSITION, KSPROPERTY_TYPE_GET, 16],
      ['capture', KSPROPERTY_RTAUDIO_SETWRITEPACKET, KSPROPERTY_TYPE_SET, 12],
    ] as const);
    return property('packet interface that is not there', place, head(KSPROPSETID_RtAudio, id, verb), size, [
      STATUS_NOT_SUPPORTED,
    ]);
  },

  'packet flags': (dice, facts) => {
    const value = new Uint8Array(12);
    const view = new DataView(value.buffer);
    view.setUint32(0, dice.next(4), true);
    view.setUint32(4, dice.word() | 0x8000_0000, true);
    const input = head(KSPROPSETID_RtAudio, KSPROPERTY_RTAUDIO_SETWRITEPACKET, KSPROPERTY_TYPE_SET);
    const statuses = facts.hasBuffer('render') ? [STATUS_INVALID_PARAMETER] : [STATUS_INVALID_DEVICE_STATE];
    return property('packet with unknown flags', 'render', input, 12, statuses, { value });
  },

  'notification events': (dice, facts) => {
    const place = dice.pick(['render', 'capture', 'mic'] as const);
    const handle = dice.pick([0, 0xfffc, 0x7fff_fffc, facts.fileHandle, facts.eventHandle]);
    const isRegister = dice.next(2) === 0;
    const id = isRegister
      ? KSPROPERTY_RTAUDIO_REGISTER_NOTIFICATION_EVENT
      : KSPROPERTY_RTAUDIO_UNREGISTER_NOTIFICATION_EVENT;
    const input = head(KSPROPSETID_RtAudio, id, dice.pick([1, 2]), handle, 0);
    let statuses: readonly NTSTATUS[];
    if (handle === facts.fileHandle) statuses = [STATUS_OBJECT_TYPE_MISMATCH];
    else if (handle === facts.eventHandle)
      statuses = isRegister ? [STATUS_SUCCESS, STATUS_INVALID_PARAMETER] : [STATUS_SUCCESS, STATUS_NOT_FOUND];
    else statuses = [STATUS_INVALID_HANDLE];
    if (isRegister && !facts.hasNotification(place)) statuses = [STATUS_DEVICE_NOT_READY];
    const text = `${isRegister ? 'register' : 'unregister'} event ${handle}`;
    // A get without room for a value is a size query; the value has no bytes.
    return property(text, place, input, dice.pick([0, null, 8]), statuses, {
      value: new Uint8Array(8),
    });
  },

  'content id from an application': (dice) => {
    const place = dice.pick(['render', 'capture', 'mic'] as const);
    const input = head(KSPROPSETID_DrmAudioStream, KSPROPERTY_DRMAUDIOSTREAM_CONTENTID, KSPROPERTY_TYPE_SET);
    return property('content id', place, input, 16, [STATUS_ACCESS_DENIED]);
  },

  'handles that are none': (dice) => {
    const place = dice.pick(['render', 'capture', 'mic'] as const);
    const id = dice.pick([KSPROPERTY_STREAM_ALLOCATOR, KSPROPERTY_STREAM_MASTERCLOCK]);
    const input = head(KSPROPSETID_Stream, id, KSPROPERTY_TYPE_SET);
    const value = new Uint8Array(8);
    new DataView(value.buffer).setUint32(0, dice.pick([0xfff0, 3, 0x7fff_fff0]), true);
    return property('allocator or clock', place, input, 8, [STATUS_INVALID_HANDLE], { value });
  },

  methods: (dice) => {
    const place = dice.pick(PLACES);
    const input = head(dice.guid(), dice.next(8), dice.pick([1, 2, 3, 4, 0x100, 0x200]), 0, 0);
    return {
      what: 'method',
      place,
      code: IOCTL_KS_METHOD,
      input,
      outputLength: someLength(dice),
      statuses: [STATUS_PROPSET_NOT_FOUND],
    };
  },

  'events that do not exist': (dice, facts) => {
    const place = dice.pick(PLACES);
    const value = new Uint8Array(32);
    const view = new DataView(value.buffer);
    view.setUint32(0, 1, true);
    view.setUint32(8, facts.eventHandle, true);
    const cut = dice.next(4) === 0 ? 1 + dice.next(23) : null;
    const input = head(dice.guid(), dice.next(8), dice.pick([1, 2, 4, 0x200]));
    return {
      what: 'event',
      place,
      code: IOCTL_KS_ENABLE_EVENT,
      input: cut === null ? input : input.subarray(0, cut),
      outputLength: 32,
      value,
      statuses: [cut === null ? STATUS_PROPSET_NOT_FOUND : STATUS_INVALID_BUFFER_SIZE],
    };
  },

  'disabling what was not enabled': (dice) => {
    const length = dice.pick([0, 1, 31, 32, 40]);
    const status =
      length === 0 ? STATUS_SUCCESS : length < 32 ? STATUS_INVALID_BUFFER_SIZE : STATUS_UNSUCCESSFUL;
    return {
      what: `disable event, ${length} bytes`,
      place: dice.pick(PLACES),
      code: IOCTL_KS_DISABLE_EVENT,
      input: length === 0 ? dice.pick([null, new Uint8Array(0)]) : dice.bytes(length),
      outputLength: dice.pick([null, 0, 32]),
      statuses: [status],
    };
  },

  'control codes that audio ports do not have': (dice) => ({
    what: 'control code',
    place: dice.pick(PLACES),
    code: dice.pick([
      IOCTL_KS_READ_STREAM,
      IOCTL_KS_WRITE_STREAM,
      IOCTL_KS_RESET_STATE,
      IOCTL_KS_HANDSHAKE,
      0x2f0023,
      0x22_0000,
      0x22_0001,
      0x22_0002,
      0x22_0003,
      dice.word(),
    ]),
    input: dice.pick([null, dice.bytes(dice.next(64))]),
    outputLength: dice.pick([null, 0, 4, 56, 200]),
    statuses: null,
  }),

  noise: (dice) => {
    const place = dice.pick(PLACES);
    const set = dice.pick([...SETS[place], dice.pick(KS_PROPERTY_SETS).set, dice.guid()]);
    const verb = dice.pick([1, 2, 0x100, 0x200, 0x400, 0x800, 0x2000, 0x4000, 0x8000, 0x1_0000, dice.word()]);
    const topology = dice.next(2) === 0 ? KSPROPERTY_TYPE_TOPOLOGY : 0;
    const words = Array.from({ length: dice.next(8) }, () =>
      dice.pick([0, 1, 2, dice.next(40), 0xffff_ffff, 0x7fff_ffff, 0x8000_0000, dice.word()]),
    );
    const whole = head(
      set,
      dice.pick([dice.next(20), dice.next(60), dice.word()]),
      (verb | topology) >>> 0,
      ...words,
    );
    const input = dice.pick([null, whole, whole, whole, whole.subarray(0, dice.next(whole.byteLength + 1))]);
    const outputLength = dice.pick([null, someLength(dice), dice.next(300)]);
    const isState = set.equals(KSPROPSETID_Connection);
    return property('noise', place, input, outputLength, null, {
      code: dice.pick([
        IOCTL_KS_PROPERTY,
        IOCTL_KS_PROPERTY,
        IOCTL_KS_PROPERTY,
        IOCTL_KS_ENABLE_EVENT,
        IOCTL_KS_METHOD,
      ]),
      value: dice.bytes(outputLength ?? 0),
      mayMove: isState && isPin(place),
    });
  },
};

export const BUILDER_NAMES: readonly string[] = Object.keys(BUILDERS);

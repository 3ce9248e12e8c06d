/**
 * Codec verbs and parameters as tables (HDA specification 1.0a, §7.3.3 and §7.3.4): number, name, meaning. A command is a codec
 * address, a node id and 20 bits: either a 4-bit verb with 16 bits of payload, or a 12-bit verb with 8.
 */
import { describeHdaFormat } from './format.ts';

/** 12-bit verbs with 8 bits of payload. */
export const GET_PARAMETER = 0xf00;
export const GET_CONNECTION_SELECT = 0xf01;
export const GET_CONNECTION_LIST = 0xf02;
export const GET_PROCESSING_STATE = 0xf03;
export const GET_SDI_SELECT = 0xf04;
export const GET_POWER_STATE = 0xf05;
export const GET_STREAM_CHANNEL = 0xf06;
export const GET_PIN_CONTROL = 0xf07;
export const GET_UNSOLICITED = 0xf08;
export const GET_PIN_SENSE = 0xf09;
export const GET_BEEP = 0xf0a;
export const GET_EAPD_BTL = 0xf0c;
export const GET_DIGITAL_CONTROL = 0xf0d;
export const GET_VOLUME_KNOB = 0xf0f;
export const GET_GPIO_DATA = 0xf15;
export const GET_GPIO_ENABLE = 0xf16;
export const GET_GPIO_DIRECTION = 0xf17;
export const GET_GPIO_WAKE = 0xf18;
export const GET_GPIO_UNSOLICITED = 0xf19;
export const GET_GPIO_STICKY = 0xf1a;
export const GET_CONFIG_DEFAULT = 0xf1c;
export const GET_SUBSYSTEM_ID = 0xf20;
export const GET_STRIPE = 0xf24;
export const GET_CHANNEL_COUNT = 0xf2d;
export const GET_DIP_SIZE = 0xf2e;
export const GET_ELD = 0xf2f;
export const GET_CHANNEL_MAPPING = 0xf34;

export const SET_CONNECTION_SELECT = 0x701;
export const SET_PROCESSING_STATE = 0x703;
export const SET_SDI_SELECT = 0x704;
export const SET_POWER_STATE = 0x705;
export const SET_STREAM_CHANNEL = 0x706;
export const SET_PIN_CONTROL = 0x707;
export const SET_UNSOLICITED = 0x708;
export const EXECUTE_PIN_SENSE = 0x709;
export const SET_BEEP = 0x70a;
export const SET_EAPD_BTL = 0x70c;
export const SET_DIGITAL_CONTROL_1 = 0x70d;
export const SET_DIGITAL_CONTROL_2 = 0x70e;
export const SET_VOLUME_KNOB = 0x70f;
export const SET_GPIO_DATA = 0x715;
export const SET_GPIO_ENABLE = 0x716;
export const SET_GPIO_DIRECTION = 0x717;
export const SET_GPIO_WAKE = 0x718;
export const SET_GPIO_UNSOLICITED = 0x719;
export const SET_GPIO_STICKY = 0x71a;
export const SET_CONFIG_DEFAULT_0 = 0x71c;
export const SET_CONFIG_DEFAULT_3 = 0x71f;
export const SET_SUBSYSTEM_ID_0 = 0x720;
export const SET_SUBSYSTEM_ID_3 = 0x723;
export const SET_STRIPE = 0x724;
export const SET_CHANNEL_COUNT = 0x72d;
export const SET_CHANNEL_MAPPING = 0x734;
export const FUNCTION_RESET = 0x7ff;

/** 4-bit verbs with 16 bits of payload. */
export const SET_FORMAT = 0x2;
export const SET_AMP = 0x3;
export const SET_COEFFICIENT = 0x4;
export const SET_COEFFICIENT_INDEX = 0x5;
export const GET_FORMAT = 0xa;
export const GET_AMP = 0xb;
export const GET_COEFFICIENT = 0xc;
export const GET_COEFFICIENT_INDEX = 0xd;

/** Parameters (§7.3.4). */
export const PARAM_VENDOR_ID = 0x00;
/** Not in the specification; QEMU's codecs answer their subsystem id here. */
export const PARAM_SUBSYSTEM_ID = 0x01;
export const PARAM_REVISION_ID = 0x02;
export const PARAM_NODE_COUNT = 0x04;
export const PARAM_FUNCTION_TYPE = 0x05;
export const PARAM_AUDIO_FUNCTION_CAPS = 0x08;
export const PARAM_WIDGET_CAPS = 0x09;
export const PARAM_PCM = 0x0a;
export const PARAM_STREAM_FORMATS = 0x0b;
export const PARAM_PIN_CAPS = 0x0c;
export const PARAM_IN_AMP_CAPS = 0x0d;
export const PARAM_CONNECTION_LIST_LENGTH = 0x0e;
export const PARAM_POWER_STATES = 0x0f;
export const PARAM_PROCESSING_CAPS = 0x10;
export const PARAM_GPIO_COUNT = 0x11;
export const PARAM_OUT_AMP_CAPS = 0x12;
export const PARAM_VOLUME_KNOB_CAPS = 0x13;

/** Amplifier verbs: SET payload (§7.3.3.7), GET payload has the first two at the same places. */
export const AMP_SET_OUTPUT = 1 << 15;
export const AMP_SET_INPUT = 1 << 14;
export const AMP_SET_LEFT = 1 << 13;
export const AMP_SET_RIGHT = 1 << 12;
export const AMP_SET_INDEX_SHIFT = 8;
export const AMP_GET_OUTPUT = 1 << 15;
export const AMP_GET_LEFT = 1 << 13;
export const AMP_MUTE = 1 << 7;
export const AMP_GAIN = 0x7f;

/** Pin widget control (§7.3.3.13). */
export const PIN_HP_ENABLE = 1 << 7;
export const PIN_OUT_ENABLE = 1 << 6;
export const PIN_IN_ENABLE = 1 << 5;
export const PIN_VREF = 7;

/** Pin sense (§7.3.3.15). */
export const SENSE_PRESENCE = 0x8000_0000;
/** ELD valid: digital displays only. */
export const SENSE_ELD_VALID = 0x4000_0000;
/** Impedance not measured. */
export const SENSE_IMPEDANCE_UNKNOWN = 0x7fff_ffff;

export const UNSOLICITED_ENABLE = 1 << 7;
export const UNSOLICITED_TAG = 0x3f;
/** Where an unsolicited response has the tag; below it is what the widget says. */
export const UNSOLICITED_TAG_SHIFT = 26;
/** What a digital display's pin says in it. */
export const UNSOLICITED_PRESENCE = 1 << 0;
export const UNSOLICITED_ELD_VALID = 1 << 1;

/** EAPD/BTL enable (§7.3.3.16). */
export const EAPD_BTL = 1 << 0;
export const EAPD_EAPD = 1 << 1;
export const EAPD_SWAP = 1 << 2;

/** Digital converter control (§7.3.3.9). */
export const DIGITAL_ENABLE = 1 << 0;

/** Widget capabilities (§7.3.4.6). */
export const WCAP_STEREO = 1 << 0;
export const WCAP_IN_AMP = 1 << 1;
export const WCAP_OUT_AMP = 1 << 2;
export const WCAP_AMP_OVERRIDE = 1 << 3;
export const WCAP_FORMAT_OVERRIDE = 1 << 4;
export const WCAP_STRIPE = 1 << 5;
export const WCAP_PROCESSING = 1 << 6;
export const WCAP_UNSOLICITED = 1 << 7;
export const WCAP_CONNECTION_LIST = 1 << 8;
export const WCAP_DIGITAL = 1 << 9;
export const WCAP_POWER = 1 << 10;
export const WCAP_SWAP = 1 << 11;

/** Pin capabilities (§7.3.4.9). */
export const PINCAP_TRIGGER = 1 << 1;
export const PINCAP_PRESENCE = 1 << 2;
export const PINCAP_HEADPHONE = 1 << 3;
export const PINCAP_OUTPUT = 1 << 4;
export const PINCAP_INPUT = 1 << 5;
export const PINCAP_BALANCED = 1 << 6;
export const PINCAP_HDMI = 1 << 7;
export const PINCAP_VREF_SHIFT = 8;
export const PINCAP_EAPD = 1 << 16;

/** One verb. */
export interface HdaVerbDescription {
  readonly name: string;
  /** As in the constants: 4 bits or 12. */
  readonly verb: number;
  readonly meaning: string;
}

const GET_VERBS: readonly [number, string, string][] = [
  [GET_PARAMETER, 'PARAMETER', 'constant of a node'],
  [GET_CONNECTION_SELECT, 'CONNECTION_SELECT', 'which input of the node is connected'],
  [GET_CONNECTION_LIST, 'CONNECTION_LIST', 'four entries of the list of inputs'],
  [GET_PROCESSING_STATE, 'PROCESSING_STATE', 'processing off, on, benign'],
  [GET_SDI_SELECT, 'SDI_SELECT', 'link input a converter sends on'],
  [GET_POWER_STATE, 'POWER_STATE', 'power state wanted and reached'],
  [GET_STREAM_CHANNEL, 'STREAM_CHANNEL', 'stream tag and lowest channel of a converter'],
  [GET_PIN_CONTROL, 'PIN_CONTROL', 'output, input, headphone amplifier, Vref of a pin'],
  [GET_UNSOLICITED, 'UNSOLICITED', 'unsolicited responses: enable and tag'],
  [GET_PIN_SENSE, 'PIN_SENSE', 'presence and impedance at a jack'],
  [GET_BEEP, 'BEEP', 'beep divider'],
  [GET_EAPD_BTL, 'EAPD_BTL', 'external amplifier, balanced output, left-right swap'],
  [GET_DIGITAL_CONTROL, 'DIGITAL_CONTROL', 'IEC 60958 channel status and enable'],
  [GET_VOLUME_KNOB, 'VOLUME_KNOB', 'volume knob'],
  [GET_GPIO_DATA, 'GPIO_DATA', 'general purpose pins: levels'],
  [GET_GPIO_ENABLE, 'GPIO_ENABLE', 'general purpose pins: enable'],
  [GET_GPIO_DIRECTION, 'GPIO_DIRECTION', 'general purpose pins: direction'],
  [GET_GPIO_WAKE, 'GPIO_WAKE', 'general purpose pins: wake enable'],
  [GET_GPIO_UNSOLICITED, 'GPIO_UNSOLICITED', 'general purpose pins: unsolicited responses'],
  [GET_GPIO_STICKY, 'GPIO_STICKY', 'general purpose pins: edge or level'],
  [GET_CONFIG_DEFAULT, 'CONFIG_DEFAULT', 'what is soldered to a pin'],
  [GET_SUBSYSTEM_ID, 'SUBSYSTEM_ID', 'implementation identification'],
  [GET_STRIPE, 'STRIPE', 'stripe control'],
  [GET_CHANNEL_COUNT, 'CHANNEL_COUNT', 'channels of a digital converter, less one'],
  [GET_DIP_SIZE, 'DIP_SIZE', 'size of ELD or data island packet'],
  [GET_ELD, 'ELD', 'a byte of the ELD'],
  [GET_CHANNEL_MAPPING, 'CHANNEL_MAPPING', 'converter channel of an HDMI slot'],
  [GET_FORMAT, 'FORMAT', 'stream format of a converter'],
  [GET_AMP, 'AMP', 'gain and mute of one amplifier side'],
  [GET_COEFFICIENT, 'COEFFICIENT', 'coefficient at the index'],
  [GET_COEFFICIENT_INDEX, 'COEFFICIENT_INDEX', 'coefficient index'],
];

const SET_VERBS: readonly [number, string, string][] = [
  [SET_CONNECTION_SELECT, 'CONNECTION_SELECT', 'connects an input of the node'],
  [SET_PROCESSING_STATE, 'PROCESSING_STATE', 'processing off, on, benign'],
  [SET_SDI_SELECT, 'SDI_SELECT', 'link input a converter sends on'],
  [SET_POWER_STATE, 'POWER_STATE', 'asks for a power state'],
  [SET_STREAM_CHANNEL, 'STREAM_CHANNEL', 'stream tag and lowest channel of a converter'],
  [SET_PIN_CONTROL, 'PIN_CONTROL', 'output, input, headphone amplifier, Vref of a pin'],
  [SET_UNSOLICITED, 'UNSOLICITED', 'unsolicited responses: enable and tag'],
  [SET_BEEP, 'BEEP', 'beep divider'],
  [SET_EAPD_BTL, 'EAPD_BTL', 'external amplifier, balanced output, left-right swap'],
  [SET_DIGITAL_CONTROL_1, 'DIGITAL_CONTROL_1', 'IEC 60958: enable and control bits'],
  [SET_DIGITAL_CONTROL_2, 'DIGITAL_CONTROL_2', 'IEC 60958: category code'],
  [SET_VOLUME_KNOB, 'VOLUME_KNOB', 'volume knob'],
  [SET_GPIO_DATA, 'GPIO_DATA', 'general purpose pins: levels'],
  [SET_GPIO_ENABLE, 'GPIO_ENABLE', 'general purpose pins: enable'],
  [SET_GPIO_DIRECTION, 'GPIO_DIRECTION', 'general purpose pins: direction'],
  [SET_GPIO_WAKE, 'GPIO_WAKE', 'general purpose pins: wake enable'],
  [SET_GPIO_UNSOLICITED, 'GPIO_UNSOLICITED', 'general purpose pins: unsolicited responses'],
  [SET_GPIO_STICKY, 'GPIO_STICKY', 'general purpose pins: edge or level'],
  [SET_CONFIG_DEFAULT_0, 'CONFIG_DEFAULT_0', 'what is soldered to a pin, bits 7:0'],
  [SET_CONFIG_DEFAULT_0 + 1, 'CONFIG_DEFAULT_1', 'what is soldered to a pin, bits 15:8'],
  [SET_CONFIG_DEFAULT_0 + 2, 'CONFIG_DEFAULT_2', 'what is soldered to a pin, bits 23:16'],
  [SET_CONFIG_DEFAULT_3, 'CONFIG_DEFAULT_3', 'what is soldered to a pin, bits 31:24'],
  [SET_SUBSYSTEM_ID_0, 'SUBSYSTEM_ID_0', 'implementation identification, bits 7:0'],
  [SET_SUBSYSTEM_ID_0 + 1, 'SUBSYSTEM_ID_1', 'implementation identification, bits 15:8'],
  [SET_SUBSYSTEM_ID_0 + 2, 'SUBSYSTEM_ID_2', 'implementation identification, bits 23:16'],
  [SET_SUBSYSTEM_ID_3, 'SUBSYSTEM_ID_3', 'implementation identification, bits 31:24'],
  [SET_STRIPE, 'STRIPE', 'stripe control'],
  [SET_CHANNEL_COUNT, 'CHANNEL_COUNT', 'channels of a digital converter, less one'],
  [SET_CHANNEL_MAPPING, 'CHANNEL_MAPPING', 'converter channel of an HDMI slot'],
  [SET_FORMAT, 'FORMAT', 'stream format of a converter'],
  [SET_AMP, 'AMP', 'gain and mute of amplifier sides'],
  [SET_COEFFICIENT, 'COEFFICIENT', 'coefficient at the index'],
  [SET_COEFFICIENT_INDEX, 'COEFFICIENT_INDEX', 'coefficient index'],
];

function described(prefix: string, verbs: readonly [number, string, string][]): HdaVerbDescription[] {
  return verbs.map(([verb, name, meaning]) => ({ name: `${prefix}${name}`, verb, meaning }));
}

/** Every verb the codecs know. All others answer 0. */
export const HDA_VERBS: readonly HdaVerbDescription[] = [
  ...described('GET_', GET_VERBS),
  ...described('SET_', SET_VERBS),
  { name: 'EXECUTE_PIN_SENSE', verb: EXECUTE_PIN_SENSE, meaning: 'measures the impedance at a jack' },
  { name: 'FUNCTION_RESET', verb: FUNCTION_RESET, meaning: 'resets a function group' },
];

/** Parameters by number, for traces. */
export const HDA_PARAMETER_NAMES: Readonly<Record<number, string>> = {
  [PARAM_VENDOR_ID]: 'VENDOR_ID',
  [PARAM_SUBSYSTEM_ID]: 'SUBSYSTEM_ID',
  [PARAM_REVISION_ID]: 'REVISION_ID',
  [PARAM_NODE_COUNT]: 'NODE_COUNT',
  [PARAM_FUNCTION_TYPE]: 'FUNCTION_TYPE',
  [PARAM_AUDIO_FUNCTION_CAPS]: 'AUDIO_FUNCTION_CAPS',
  [PARAM_WIDGET_CAPS]: 'WIDGET_CAPS',
  [PARAM_PCM]: 'PCM',
  [PARAM_STREAM_FORMATS]: 'STREAM_FORMATS',
  [PARAM_PIN_CAPS]: 'PIN_CAPS',
  [PARAM_IN_AMP_CAPS]: 'IN_AMP_CAPS',
  [PARAM_CONNECTION_LIST_LENGTH]: 'CONNECTION_LIST_LENGTH',
  [PARAM_POWER_STATES]: 'POWER_STATES',
  [PARAM_PROCESSING_CAPS]: 'PROCESSING_CAPS',
  [PARAM_GPIO_COUNT]: 'GPIO_COUNT',
  [PARAM_OUT_AMP_CAPS]: 'OUT_AMP_CAPS',
  [PARAM_VOLUME_KNOB_CAPS]: 'VOLUME_KNOB_CAPS',
};

const VERB_BY_NUMBER: ReadonlyMap<number, HdaVerbDescription> = new Map(
  HDA_VERBS.map((description) => [description.verb, description]),
);

/** A command taken apart. */
export interface HdaCommand {
  readonly codec: number;
  readonly nid: number;
  /** 4 bits, or 12 bits that begin with 7 or F. */
  readonly verb: number;
  readonly payload: number;
}

/** Takes a command dword apart (§7.3). Bit 27, the indirect node id, is left out: no codec here has indirect nodes. */
export function decodeHdaCommand(command: number): HdaCommand {
  const high = (command >>> 16) & 0x0f;
  const long = high === 0x7 || high === 0xf;
  return {
    codec: command >>> 28,
    nid: (command >>> 20) & 0x7f,
    verb: long ? (command >>> 8) & 0xfff : high,
    payload: long ? command & 0xff : command & 0xffff,
  };
}

/** The dword for a verb of either size. */
export function encodeHdaCommand(codec: number, nid: number, verb: number, payload: number): number {
  const body = verb > 0x0f ? (verb << 8) | (payload & 0xff) : (verb << 16) | (payload & 0xffff);
  return ((codec << 28) | (nid << 20) | body) >>> 0;
}

/** The verb's name: `SET_PIN_CONTROL`, or `VERB_7F0` where there is none. */
export function hdaVerbName(verb: number): string {
  return VERB_BY_NUMBER.get(verb)?.name ?? `VERB_${verb.toString(16).toUpperCase()}`;
}

/** What a payload means to a verb, in a few words; undefined where the number says it. */
export function describeHdaPayload(verb: number, payload: number): string | undefined {
  switch (verb) {
    case GET_PARAMETER:
      return HDA_PARAMETER_NAMES[payload];
    case SET_FORMAT:
      return describeHdaFormat(payload);
    case SET_AMP:
      return describeAmpPayload(payload);
    case SET_STREAM_CHANNEL:
      return `stream ${payload >>> 4}, channel ${payload & 0x0f}`;
    case SET_POWER_STATE:
      return `D${payload & 0x0f}`;
    case SET_PIN_CONTROL:
      return flags(payload, { HP: PIN_HP_ENABLE, OUT: PIN_OUT_ENABLE, IN: PIN_IN_ENABLE });
    case SET_UNSOLICITED:
      return (payload & UNSOLICITED_ENABLE) === 0 ? 'off' : `on, tag ${payload & UNSOLICITED_TAG}`;
    case SET_EAPD_BTL:
      return flags(payload, { BTL: EAPD_BTL, EAPD: EAPD_EAPD, SWAP: EAPD_SWAP });
    default:
      return undefined;
  }
}

function describeAmpPayload(payload: number): string {
  const amps = flags(payload, { out: AMP_SET_OUTPUT, in: AMP_SET_INPUT });
  const sides = flags(payload, { left: AMP_SET_LEFT, right: AMP_SET_RIGHT });
  const index = (payload >>> AMP_SET_INDEX_SHIFT) & 0x0f;
  const mute = (payload & AMP_MUTE) !== 0 ? ', muted' : '';
  return `${amps} ${sides}, index ${index}, gain ${payload & AMP_GAIN}${mute}`;
}

function flags(value: number, names: Readonly<Record<string, number>>): string {
  const set = Object.entries(names).filter(([, mask]) => (value & mask) !== 0);
  return set.length === 0 ? 'none' : set.map(([name]) => name).join(' ');
}

/**
 * From a pin's configuration default to what Windows says of a jack: KSJACK_DESCRIPTION's terms, a KSNODETYPE category, an English name
 * (Pin Configuration Guidelines for High Definition Audio Devices; HDA specification 1.0a, §7.3.3.31).
 */
import type { GUID } from '../../../com/index.ts';
import {
  eConnType3Point5mm,
  eConnTypeAtapiInternal,
  eConnTypeCombination,
  eConnTypeMultichannelAnalogDIN,
  eConnTypeOptical,
  eConnTypeOtherAnalog,
  eConnTypeOtherDigital,
  eConnTypeQuarter,
  eConnTypeRCA,
  eConnTypeRJ11Modem,
  eConnTypeUnknown,
  eConnTypeXlrProfessional,
  eGenLocInternal,
  eGenLocOther,
  eGenLocPrimaryBox,
  eGenLocSeparate,
  eGeoLocATAPI,
  eGeoLocBottom,
  eGeoLocDrivebay,
  eGeoLocFront,
  eGeoLocHDMI,
  eGeoLocInsideMobileLid,
  eGeoLocLeft,
  eGeoLocNotApplicable,
  eGeoLocOutsideMobileLid,
  eGeoLocRear,
  eGeoLocRearPanel,
  eGeoLocRight,
  eGeoLocRiser,
  eGeoLocTop,
  ePortConnBothIntegratedAndJack,
  ePortConnIntegratedDevice,
  ePortConnJack,
  ePortConnUnknown,
  KSNODETYPE_ANALOG_CONNECTOR,
  KSNODETYPE_CD_PLAYER,
  KSNODETYPE_DIGITAL_AUDIO_INTERFACE,
  KSNODETYPE_DISPLAYPORT_INTERFACE,
  KSNODETYPE_HDMI_INTERFACE,
  KSNODETYPE_HEADPHONES,
  KSNODETYPE_INPUT_UNDEFINED,
  KSNODETYPE_LINE_CONNECTOR,
  KSNODETYPE_MICROPHONE,
  KSNODETYPE_OUTPUT_UNDEFINED,
  KSNODETYPE_SPDIF_INTERFACE,
  KSNODETYPE_SPEAKER,
} from '../../../ks/index.ts';
import type { CodecWidget, PinCaps, PinConfig, PlanJack } from './model.ts';
import * as V from './verbs.ts';

/** Colours by code: name and 0x00RRGGBB. 0 has none, as has 15. */
const COLORS: Readonly<Record<number, readonly [name: string, rgb: number]>> = {
  1: ['black', 0x00_00_00],
  2: ['grey', 0x80_80_80],
  3: ['blue', 0x00_8c_ff],
  4: ['green', 0xb6_ff_00],
  5: ['red', 0xff_00_00],
  6: ['orange', 0xff_a5_00],
  7: ['yellow', 0xff_ff_00],
  8: ['purple', 0x80_00_80],
  9: ['pink', 0xff_c0_cb],
  14: ['white', 0xff_ff_ff],
};

/** Connection types by code: the name and Windows' number. */
const CONNECTIONS: readonly (readonly [name: string, type: number])[] = [
  ['', eConnTypeUnknown],
  ['3.5 mm', eConnType3Point5mm],
  ['6.3 mm', eConnTypeQuarter],
  ['ATAPI', eConnTypeAtapiInternal],
  ['RCA', eConnTypeRCA],
  ['optical', eConnTypeOptical],
  ['other digital', eConnTypeOtherDigital],
  ['other analog', eConnTypeOtherAnalog],
  ['DIN', eConnTypeMultichannelAnalogDIN],
  ['XLR', eConnTypeXlrProfessional],
  ['RJ-11', eConnTypeRJ11Modem],
  ['combination', eConnTypeCombination],
];
const CONNECTION_RCA = 4;

/** Places by their 6-bit code where the general place does not say all: name and geometric place. */
const PLACES: Readonly<Record<number, readonly [name: string, geoLocation: number]>> = {
  7: ['rear panel', eGeoLocRearPanel],
  8: ['drive bay', eGeoLocDrivebay],
  16: ['internal', eGeoLocNotApplicable],
  23: ['riser', eGeoLocRiser],
  24: ['HDMI', eGeoLocHDMI],
  25: ['ATAPI', eGeoLocATAPI],
  55: ['inside the lid', eGeoLocInsideMobileLid],
  56: ['outside the lid', eGeoLocOutsideMobileLid],
};
/** Geometric places by the code's low four bits. */
const GEOMETRIC: Readonly<Record<number, readonly [name: string, geoLocation: number]>> = {
  1: ['rear', eGeoLocRear],
  2: ['front', eGeoLocFront],
  3: ['left', eGeoLocLeft],
  4: ['right', eGeoLocRight],
  5: ['top', eGeoLocTop],
  6: ['bottom', eGeoLocBottom],
};
/** General places by the code's bits 5:4. */
const GENERAL: readonly (readonly [name: string, genLocation: number])[] = [
  ['', eGenLocPrimaryBox],
  ['internal', eGenLocInternal],
  ['separate', eGenLocSeparate],
  ['other', eGenLocOther],
];
const PORTS: readonly number[] = [
  ePortConnJack,
  ePortConnUnknown,
  ePortConnIntegratedDevice,
  ePortConnBothIntegratedAndJack,
];

/** Default devices by code: the device's name and its category; RCA line-outs and digital outputs are told apart below. */
const DEVICES: Readonly<Record<number, readonly [name: string, category: GUID]>> = {
  [V.DEVICE_LINE_OUT]: ['Speakers', KSNODETYPE_SPEAKER],
  [V.DEVICE_SPEAKER]: ['Internal Speakers', KSNODETYPE_SPEAKER],
  [V.DEVICE_HEADPHONE]: ['Headphones', KSNODETYPE_HEADPHONES],
  [V.DEVICE_CD]: ['CD', KSNODETYPE_CD_PLAYER],
  [V.DEVICE_SPDIF_OUT]: ['S/PDIF Out', KSNODETYPE_SPDIF_INTERFACE],
  [V.DEVICE_DIGITAL_OUT]: ['Digital Out', KSNODETYPE_DIGITAL_AUDIO_INTERFACE],
  [V.DEVICE_LINE_IN]: ['Line In', KSNODETYPE_LINE_CONNECTOR],
  [V.DEVICE_AUX]: ['Aux', KSNODETYPE_ANALOG_CONNECTOR],
  [V.DEVICE_MIC]: ['Microphone', KSNODETYPE_MICROPHONE],
  [V.DEVICE_SPDIF_IN]: ['S/PDIF In', KSNODETYPE_SPDIF_INTERFACE],
  [V.DEVICE_DIGITAL_IN]: ['Digital In', KSNODETYPE_DIGITAL_AUDIO_INTERFACE],
};

export function colorName(code: number): string {
  return COLORS[code]?.[0] ?? '';
}

/** Empty for an unknown one. */
export function connectionName(code: number): string {
  return CONNECTIONS[code]?.[0] ?? 'other';
}

/** `rear`, `internal`, `separate front`; empty for a place that is not known. */
export function placeName(location: number): string {
  const special = PLACES[location]?.[0];
  if (special !== undefined) return special;
  const general = GENERAL[location >>> 4]?.[0] ?? '';
  return [general, GEOMETRIC[location & 0x0f]?.[0] ?? ''].filter((word) => word !== '').join(' ');
}

/** What listings call the default device: `line out`, `mic`. */
export const DEVICE_NAMES: readonly string[] = [
  'line out',
  'speaker',
  'headphone',
  'CD',
  'S/PDIF out',
  'digital out',
  'modem line',
  'modem handset',
  'line in',
  'aux',
  'mic',
  'telephony',
  'S/PDIF in',
  'digital in',
  'reserved',
  'other',
];

/** `hdmi`, `displayport`, or null for a pin that is no display's. */
function displayOf(widget: CodecWidget, caps: PinCaps): 'hdmi' | 'displayport' | null {
  if (!widget.digital) return null;
  if (caps.hdmi) return 'hdmi';
  return caps.displayPort ? 'displayport' : null;
}

function deviceOf(config: PinConfig, display: PlanJack['display'], output: boolean): readonly [string, GUID] {
  if (display === 'hdmi') return ['HDMI', KSNODETYPE_HDMI_INTERFACE];
  if (display === 'displayport') return ['DisplayPort', KSNODETYPE_DISPLAYPORT_INTERFACE];
  // The guidelines' one exception: RCA sockets lead to a receiver, all others to speakers with amplifiers of their own.
  if (config.device === V.DEVICE_LINE_OUT && config.connectionType === CONNECTION_RCA)
    return ['Line Out', KSNODETYPE_LINE_CONNECTOR];
  // A speaker behind a jack is not inside anything.
  if (config.device === V.DEVICE_SPEAKER && config.port === V.PORT_JACK)
    return ['Speakers', KSNODETYPE_SPEAKER];
  const other = output ? KSNODETYPE_OUTPUT_UNDEFINED : KSNODETYPE_INPUT_UNDEFINED;
  return DEVICES[config.device] ?? [output ? 'Output' : 'Input', other];
}

/** The jack of a pin. Throws an Error for a widget that is none. */
export function describeJack(
  widget: CodecWidget,
  direction: 'render' | 'capture',
  channelMapping: number,
  unsolicitedTag: number | null,
): PlanJack {
  const { pin } = widget;
  if (pin === null) throw new Error(`node ${widget.nid} is no pin`);
  const { caps, config } = pin;
  const display = displayOf(widget, caps);
  const [device, category] = deviceOf(config, display, direction === 'render');
  const where = [placeName(config.location), colorName(config.color)].filter((word) => word !== '');
  const presenceDetect = canSensePresence(widget);
  return {
    nid: widget.nid,
    direction,
    category,
    device,
    name: where.length === 0 || display !== null ? device : `${device} (${where.join(', ')})`,
    association: config.association,
    sequence: config.sequence,
    color: COLORS[config.color]?.[1] ?? 0,
    connectionType: CONNECTIONS[config.connectionType]?.[1] ?? eConnTypeUnknown,
    geoLocation:
      PLACES[config.location]?.[1] ?? GEOMETRIC[config.location & 0x0f]?.[1] ?? eGeoLocNotApplicable,
    genLocation: GENERAL[config.location >>> 4]?.[1] ?? eGenLocOther,
    portConnection: PORTS[config.port] ?? ePortConnUnknown,
    channelMapping: widget.digital ? 0 : channelMapping,
    presenceDetect,
    unsolicitedTag: presenceDetect ? unsolicitedTag : null,
    eld: display !== null && direction === 'render',
    display,
  };
}

/** The pin can, the board lets it, and there is something to plug. */
export function canSensePresence(widget: CodecWidget): boolean {
  const { pin } = widget;
  if (pin === null || !pin.caps.presenceDetect || pin.config.port === V.PORT_FIXED) return false;
  return (pin.config.misc & V.MISC_NO_PRESENCE) === 0;
}

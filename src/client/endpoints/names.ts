import type { PinModel } from '../inspect/model.ts';

/** Names that a system registers for pin categories, where a driver gives none; `out` where it differs for outputs. */
const CATEGORY_NAMES: Readonly<Record<string, { readonly name: string; readonly out?: string }>> = {
  KSNODETYPE_SPEAKER: { name: 'Speakers' },
  KSNODETYPE_DESKTOP_SPEAKER: { name: 'Desktop Speakers' },
  KSNODETYPE_ROOM_SPEAKER: { name: 'Room Speakers' },
  KSNODETYPE_COMMUNICATION_SPEAKER: { name: 'Communication Speakers' },
  KSNODETYPE_LOW_FREQUENCY_EFFECTS_SPEAKER: { name: 'Subwoofer' },
  KSNODETYPE_SPEAKERS_STATIC_JACK: { name: 'Speakers' },
  KSNODETYPE_HEADPHONES: { name: 'Headphones' },
  KSNODETYPE_HEADSET: { name: 'Headset' },
  KSNODETYPE_HANDSET: { name: 'Handset' },
  KSNODETYPE_MICROPHONE: { name: 'Microphone' },
  KSNODETYPE_DESKTOP_MICROPHONE: { name: 'Desktop Microphone' },
  KSNODETYPE_PERSONAL_MICROPHONE: { name: 'Personal Microphone' },
  KSNODETYPE_MICROPHONE_ARRAY: { name: 'Microphone Array' },
  KSNODETYPE_LINE_CONNECTOR: { name: 'Line In', out: 'Line Out' },
  KSNODETYPE_LEGACY_AUDIO_CONNECTOR: { name: 'Audio In', out: 'Audio Out' },
  KSNODETYPE_ANALOG_CONNECTOR: { name: 'Aux In', out: 'Analog Out' },
  KSNODETYPE_SPDIF_INTERFACE: { name: 'SPDIF In', out: 'SPDIF Out' },
  KSNODETYPE_DIGITAL_AUDIO_INTERFACE: { name: 'Digital In', out: 'Digital Out' },
  KSNODETYPE_HDMI_INTERFACE: { name: 'HDMI' },
  KSNODETYPE_DISPLAYPORT_INTERFACE: { name: 'DisplayPort' },
  KSNODETYPE_CD_PLAYER: { name: 'CD Audio' },
  KSNODETYPE_PHONE_LINE: { name: 'Phone Line' },
  KSNODETYPE_TELEPHONE: { name: 'Telephone' },
  KSNODETYPE_SYNTHESIZER: { name: 'Synthesizer' },
  KSNODETYPE_PHONOGRAPH: { name: 'Phonograph' },
  KSNODETYPE_RADIO_RECEIVER: { name: 'Radio' },
  KSNODETYPE_TV_TUNER_AUDIO: { name: 'TV Tuner' },
  KSNODETYPE_VIDEO_DISC_AUDIO: { name: 'Video Disc' },
};

/**
 * What people call the endpoint behind a bridge pin: always 'Speakers' for speakers, else the pin's name, else the name of its
 * category. A pin name that only spells its category out ('Line Connector') gives way to what is on the socket ('Line In').
 * Source: "Audio Endpoint Builder Algorithm", naming convention.
 */
export function endpointName(pin: PinModel): string {
  if (pin.category === 'KSNODETYPE_SPEAKER') return 'Speakers';
  const spelled = pin.category
    .replace(/^KS(NODETYPE|CATEGORY)_/, '')
    .replaceAll('_', ' ')
    .toLowerCase();
  if (pin.name !== null && pin.name !== '' && pin.name.toLowerCase() !== spelled) return pin.name;
  const known = CATEGORY_NAMES[pin.category];
  if (known !== undefined) return pin.dataFlow === 'out' ? (known.out ?? known.name) : known.name;
  return spelled.startsWith('{') ? `Pin ${pin.id}` : spelled.replace(/^./, (letter) => letter.toUpperCase());
}

/** Which endpoint is the default one: the first of these categories that exists, then by id ("form factor rank"). */
const RANKS: Readonly<Record<'render' | 'capture', readonly string[]>> = {
  render: ['KSNODETYPE_SPEAKER', 'KSNODETYPE_LINE_CONNECTOR', 'KSNODETYPE_SPDIF_INTERFACE'],
  capture: ['KSNODETYPE_MICROPHONE', 'KSNODETYPE_LINE_CONNECTOR', 'KSNODETYPE_SPDIF_INTERFACE'],
};

/** Position in the order of preference; smaller is preferred. */
export function endpointRank(direction: 'render' | 'capture', category: string): number {
  const rank = RANKS[direction].indexOf(category);
  return rank < 0 ? RANKS[direction].length : rank;
}

/**
 * Names of several endpoints, in their order. Where the usual name is that of more than one, all but the first are called as their pins are,
 * if those names are others': 'Internal Speakers' beside 'Speakers'.
 */
export function endpointNames(pins: readonly PinModel[]): string[] {
  const names = pins.map(endpointName);
  return pins.map((pin, index) => {
    const usual = names[index] ?? '';
    const taken = names.indexOf(usual) < index;
    return taken && pin.name !== null && pin.name !== '' && !names.includes(pin.name) ? pin.name : usual;
  });
}

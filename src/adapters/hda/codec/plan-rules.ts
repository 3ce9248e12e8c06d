/** What pins, converters and amplifiers are planned to be, one by one. */
import {
  KSAUDFNAME_AUX_MUTE,
  KSAUDFNAME_AUX_VOLUME,
  KSAUDFNAME_CD_MUTE,
  KSAUDFNAME_CD_VOLUME,
  KSAUDFNAME_LINE_MUTE,
  KSAUDFNAME_LINE_VOLUME,
  KSAUDFNAME_MIC_MUTE,
  KSAUDFNAME_MIC_VOLUME,
  KSAUDFNAME_RECORDING_CONTROL,
} from '../../../ks/index.ts';
import { canSensePresence } from './jack-description.ts';
import type { CodecGraph, CodecWidget, ConverterFormats, PlanDevice, PlanJack } from './model.ts';
import type { AmpOptions } from './node-builder.ts';
import * as V from './verbs.ts';

/** Tags have 6 bits; 0 stays free, for responses that no jack sent. */
const LAST_TAG = 63;

export function hasFormats(widget: CodecWidget): boolean {
  return widget.formats !== null && widget.formats.rates.length > 0 && widget.formats.bits.length > 0;
}

/** What all converters of a device can do. */
export function commonFormats(converters: readonly CodecWidget[]): ConverterFormats {
  const formats = converters.flatMap((converter) => (converter.formats === null ? [] : [converter.formats]));
  const first = formats[0]!;
  return {
    rates: first.rates.filter((rate) => formats.every(({ rates }) => rates.includes(rate))),
    bits: first.bits.filter((size) => formats.every(({ bits }) => bits.includes(size))),
    pcm: formats.every(({ pcm }) => pcm),
    float32: formats.every(({ float32 }) => float32),
    ac3: formats.every(({ ac3 }) => ac3),
  };
}

export function digitalKind(converter: CodecWidget, jack: PlanJack): PlanDevice['digital'] {
  if (!converter.digital) return 'none';
  return jack.display === null ? 'spdif' : 'hdmi';
}

/** Headphones get the pin's own amplifier, microphones the bias nearest to 80 % that there is (§7.3.3.13). */
export function pinControl(widget: CodecWidget, direction: 'render' | 'capture'): number {
  const { caps, config } = widget.pin!;
  if (direction === 'render') {
    const headphone = config.device === V.DEVICE_HEADPHONE && caps.headphone;
    return V.PIN_OUT_ENABLE | (headphone ? V.PIN_HP_ENABLE : 0);
  }
  if (config.device !== V.DEVICE_MIC) return V.PIN_IN_ENABLE;
  const [, bias] = BIASES.find(([capability]) => (caps.vref & capability) !== 0) ?? [0, 0];
  return V.PIN_IN_ENABLE | bias;
}

const BIASES: readonly (readonly [capability: number, control: number])[] = [
  [V.VREF_80, V.PIN_VREF_80],
  [V.VREF_50, V.PIN_VREF_50],
  [V.VREF_100, V.PIN_VREF_100],
];

/** Tags 1, 2 … for the codec's pins that can speak up, whatever their function group; those beyond the sixty-third stay silent. */
export function unsolicitedTags(codec: CodecGraph): ReadonlyMap<number, number> {
  const pins = codec.functionGroups
    .flatMap(({ widgets }) => widgets)
    .filter((widget) => widget.unsolicited && canSensePresence(widget));
  return new Map(pins.slice(0, LAST_TAG).map((pin, index) => [pin.nid, index + 1]));
}

/** Names of an input's controls in a mix, where the input is a jack. */
export function inputNames(source: CodecWidget): AmpOptions {
  switch (source.pin?.config.device) {
    case V.DEVICE_MIC:
      return { volumeName: KSAUDFNAME_MIC_VOLUME, muteName: KSAUDFNAME_MIC_MUTE };
    case V.DEVICE_LINE_IN:
      return { volumeName: KSAUDFNAME_LINE_VOLUME, muteName: KSAUDFNAME_LINE_MUTE };
    case V.DEVICE_CD:
      return { volumeName: KSAUDFNAME_CD_VOLUME, muteName: KSAUDFNAME_CD_MUTE };
    case V.DEVICE_AUX:
      return { volumeName: KSAUDFNAME_AUX_VOLUME, muteName: KSAUDFNAME_AUX_MUTE };
    default:
      return {};
  }
}

export function recordingNames(widget: CodecWidget): AmpOptions {
  return widget.type === 'audio-input' ? { volumeName: KSAUDFNAME_RECORDING_CONTROL } : {};
}

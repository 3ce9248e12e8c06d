import type { HdaCodecDefinition } from '../definition.ts';
import { DESKTOP_CODEC } from './desktop.ts';
import { HDMI_CODEC } from './hdmi.ts';
import { QEMU_DUPLEX_CODEC, QEMU_MICRO_CODEC, QEMU_OUTPUT_CODEC } from './qemu.ts';

export { DESKTOP_CODEC, HDMI_CODEC, QEMU_DUPLEX_CODEC, QEMU_MICRO_CODEC, QEMU_OUTPUT_CODEC };

/** The codecs there are, in the order in which they are listed. */
export const HDA_CODECS: readonly HdaCodecDefinition[] = [
  DESKTOP_CODEC,
  HDMI_CODEC,
  QEMU_DUPLEX_CODEC,
  QEMU_MICRO_CODEC,
  QEMU_OUTPUT_CODEC,
];

/** Names of {@link HDA_CODECS}. */
export type HdaCodecName = 'desktop' | 'hdmi' | 'qemu-duplex' | 'qemu-micro' | 'qemu-output';

/** The codec of that name; undefined when there is none. */
export function findHdaCodec(name: string): HdaCodecDefinition | undefined {
  return HDA_CODECS.find((codec) => codec.name === name);
}

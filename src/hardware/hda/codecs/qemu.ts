/**
 * The codecs of QEMU's `hda-output`, `hda-duplex` and `hda-micro` with mixer: the same parameters and state after reset, so that the
 * same traffic gets the same answers. Where QEMU does not keep a state (pin control, connection select) this one does.
 */
import type {
  HdaAmpDefinition,
  HdaCodecDefinition,
  HdaPinConfig,
  HdaWidgetDefinition,
} from '../definition.ts';
import { PIN_IN_ENABLE, PIN_OUT_ENABLE } from '../verbs.ts';

const PCM = { rates: [16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000], bits: [16] } as const;
/** 48 kHz, 16 bits, stereo. */
const RESET_FORMAT = 0x0011;
/** −74 … 0 dB in steps of 1 dB. */
const AMP = { steps: 0x4a, offset: 0x4a, stepQuarterDb: 4, mute: true, resetMute: false } as const;
const DAC_AMP: HdaAmpDefinition = { ...AMP, resetGain: 0x4a };
const ADC_AMP: HdaAmpDefinition = { ...AMP, resetGain: 0 };

function config(
  device: HdaPinConfig['device'],
  color: HdaPinConfig['color'],
  association: number,
): HdaPinConfig {
  return {
    port: 'jack',
    location: 'unknown',
    device,
    connection: 'unknown',
    color,
    association,
    sequence: 0,
  };
}

function outputWidgets(device: HdaPinConfig['device']): readonly HdaWidgetDefinition[] {
  return [
    { nid: 2, name: 'DAC', kind: 'audio-output', outAmp: DAC_AMP, pcm: PCM, resetFormat: RESET_FORMAT },
    {
      nid: 3,
      name: 'Output',
      kind: 'pin',
      connections: [2],
      pin: { output: true, config: config(device, 'green', 1), resetControl: PIN_OUT_ENABLE },
    },
  ];
}

function inputWidgets(device: HdaPinConfig['device']): readonly HdaWidgetDefinition[] {
  return [
    {
      nid: 4,
      name: 'ADC',
      kind: 'audio-input',
      connections: [5],
      inAmp: ADC_AMP,
      pcm: PCM,
      resetFormat: RESET_FORMAT,
    },
    {
      nid: 5,
      name: 'Input',
      kind: 'pin',
      pin: { input: true, config: config(device, 'red', 2), resetControl: PIN_IN_ENABLE },
    },
  ];
}

function codec(
  name: string,
  title: string,
  device: number,
  widgets: readonly HdaWidgetDefinition[],
): HdaCodecDefinition {
  const id = (0x1af4 << 16) | device;
  return {
    name,
    title,
    vendorId: id,
    subsystemId: id,
    revisionId: 0x0010_0101,
    functionGroupNid: 1,
    pcm: PCM,
    delays: { output: 8, input: 8 },
    widgets,
  };
}

export const QEMU_OUTPUT_CODEC = codec('qemu-output', "QEMU's hda-output", 0x12, outputWidgets('line-out'));
export const QEMU_DUPLEX_CODEC = codec('qemu-duplex', "QEMU's hda-duplex", 0x22, [
  ...outputWidgets('line-out'),
  ...inputWidgets('line-in'),
]);
export const QEMU_MICRO_CODEC = codec('qemu-micro', "QEMU's hda-micro", 0x32, [
  ...outputWidgets('speaker'),
  ...inputWidgets('mic'),
]);

/** A display's audio: one eight-channel digital converter and one pin whose presence and ELD follow the display. */
import type { HdaCodecDefinition } from '../definition.ts';

const PCM = {
  rates: [32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000],
  bits: [16, 20, 24],
} as const;

export const HDMI_CODEC: HdaCodecDefinition = {
  name: 'hdmi',
  title: 'HDMI transmitter, eight channels',
  vendorId: 0x4d50_0d10,
  subsystemId: 0x4d50_0002,
  revisionId: 0x0010_0000,
  functionGroupNid: 1,
  pcm: PCM,
  powerStates: 0x09,
  resetPowerState: 3,
  widgets: [
    {
      nid: 0x02,
      name: 'HDMI converter',
      kind: 'audio-output',
      digital: true,
      channels: 8,
      pcm: PCM,
      streamFormats: 5,
      powerControl: true,
    },
    {
      nid: 0x03,
      name: 'HDMI',
      kind: 'pin',
      digital: true,
      channels: 8,
      connections: [0x02],
      outAmp: { steps: 0, offset: 0, stepQuarterDb: 1, mute: true },
      unsolicited: true,
      powerControl: true,
      pin: {
        output: true,
        presenceDetect: true,
        hdmi: true,
        config: {
          port: 'jack',
          location: 'hdmi',
          device: 'digital-out',
          connection: 'other-digital',
          color: 'unknown',
          association: 1,
          sequence: 0,
        },
      },
    },
  ],
};

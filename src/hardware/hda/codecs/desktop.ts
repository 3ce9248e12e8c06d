/**
 * A ten-channel desktop codec in the manner of the parts of 2005–2009: five stereo DACs, two ADCs, an S/PDIF transmitter, an analogue
 * mixer for listening to the inputs, and jacks that sense what is plugged in.
 *
 * ```
 *  02 DAC ──0C mixer──┬─► 14 green  line out, rear        18 pink  mic, rear   ─┬─► 22 selector ─► 08 ADC
 *  03 DAC ──0D mixer──┼─► 15 black  surround              19 pink  mic, front  ─┤
 *  04 DAC ──0E mixer──┼─► 16 orange centre, subwoofer     1A blue  line in     ─┼─► 23 selector ─► 09 ADC
 *  05 DAC ──0F mixer──┼─► 17 grey   side                  1C      CD           ─┤
 *  07 DAC ──10 mixer──┴─► 1B green  headphone, front                            └─► 0B mixer ─► 0C … 10, 22, 23
 *  0C ───► 1D speaker, internal, mono                     06 S/PDIF ─► 1E optical, rear
 * ```
 *
 * Each of the pins 14h–17h and 1Bh can take any of the five mixers. Node ids between are vendor widgets or spare pins, since nodes of a
 * function group are numbered without gaps.
 */
import type {
  HdaAmpDefinition,
  HdaCodecDefinition,
  HdaPinConfig,
  HdaWidgetDefinition,
} from '../definition.ts';

const PCM = { rates: [44_100, 48_000, 88_200, 96_000, 176_400, 192_000], bits: [16, 20, 24] } as const;
const ADC_PCM = { rates: [44_100, 48_000, 88_200, 96_000, 192_000], bits: [16, 20, 24] } as const;
const SPDIF_PCM = { rates: [44_100, 48_000, 88_200, 96_000, 192_000], bits: [16, 20, 24] } as const;

/** −64 … 0 dB in steps of 1 dB; without a mute of its own, as the mixer behind it has one. */
const DAC_AMP: HdaAmpDefinition = { steps: 64, offset: 64, stepQuarterDb: 4, mute: false };
/** Mute only. */
const MUTE_AMP: HdaAmpDefinition = { steps: 0, offset: 0, stepQuarterDb: 1, mute: true };
/** −34.5 … +12 dB in steps of 1.5 dB: inputs as heard in the mix. */
const MONITOR_AMP: HdaAmpDefinition = { steps: 31, offset: 23, stepQuarterDb: 6, mute: true };
/** −16.5 … +30 dB in steps of 1.5 dB. */
const RECORD_AMP: HdaAmpDefinition = { steps: 31, offset: 11, stepQuarterDb: 6, mute: true };
/** 0, +10, +20, +30 dB. */
const BOOST_AMP: HdaAmpDefinition = { steps: 3, offset: 0, stepQuarterDb: 40, mute: false };

/** Hi-Z, 50 %, ground, 80 %, 100 %. */
const MIC_VREF = 0x37;
const OUTPUT_MIXERS = [0x0c, 0x0d, 0x0e, 0x0f, 0x10];
const RECORD_SOURCES = [0x18, 0x19, 0x1a, 0x1c, 0x0b];

function dac(nid: number, name: string): HdaWidgetDefinition {
  return { nid, name, kind: 'audio-output', outAmp: DAC_AMP, powerControl: true, delay: 6 };
}

function adc(nid: number, selector: number): HdaWidgetDefinition {
  return {
    nid,
    name: `ADC ${nid - 7}`,
    kind: 'audio-input',
    connections: [selector],
    inAmp: RECORD_AMP,
    pcm: ADC_PCM,
    powerControl: true,
    delay: 4,
  };
}

function outputMixer(nid: number, name: string, source: number): HdaWidgetDefinition {
  return { nid, name, kind: 'mixer', connections: [source, 0x0b], inAmp: MUTE_AMP };
}

function config(
  location: HdaPinConfig['location'],
  device: HdaPinConfig['device'],
  color: HdaPinConfig['color'],
  association: number,
  sequence = 0,
): HdaPinConfig {
  return { port: 'jack', location, device, connection: '3.5 mm', color, association, sequence };
}

function outputJack(nid: number, name: string, jack: HdaPinConfig): HdaWidgetDefinition {
  return {
    nid,
    name,
    kind: 'pin',
    connections: OUTPUT_MIXERS,
    outAmp: MUTE_AMP,
    unsolicited: true,
    powerControl: true,
    pin: {
      output: true,
      headphone: true,
      presenceDetect: true,
      eapd: nid === 0x14 || nid === 0x1b,
      config: jack,
    },
  };
}

function micJack(nid: number, name: string, jack: HdaPinConfig): HdaWidgetDefinition {
  return {
    nid,
    name,
    kind: 'pin',
    inAmp: BOOST_AMP,
    unsolicited: true,
    powerControl: true,
    pin: { input: true, presenceDetect: true, vref: MIC_VREF, config: jack },
  };
}

function vendorWidget(nid: number): HdaWidgetDefinition {
  return { nid, name: `Vendor ${nid.toString(16).toUpperCase()}`, kind: 'vendor', channels: 1 };
}

const UNUSED: HdaPinConfig = {
  port: 'none',
  location: 'rear',
  device: 'speaker',
  connection: '3.5 mm',
  color: 'black',
  misc: 1,
  association: 15,
  sequence: 0,
};

const WIDGETS: readonly HdaWidgetDefinition[] = [
  dac(0x02, 'Front DAC'),
  dac(0x03, 'Surround DAC'),
  dac(0x04, 'Centre and subwoofer DAC'),
  dac(0x05, 'Side DAC'),
  {
    nid: 0x06,
    name: 'S/PDIF out',
    kind: 'audio-output',
    digital: true,
    pcm: SPDIF_PCM,
    streamFormats: 5,
    powerControl: true,
    delay: 4,
  },
  dac(0x07, 'Headphone DAC'),
  adc(0x08, 0x22),
  adc(0x09, 0x23),
  vendorWidget(0x0a),
  {
    nid: 0x0b,
    name: 'Input mixer',
    kind: 'mixer',
    connections: [0x18, 0x19, 0x1a, 0x1c],
    inAmp: MONITOR_AMP,
  },
  outputMixer(0x0c, 'Front mixer', 0x02),
  outputMixer(0x0d, 'Surround mixer', 0x03),
  outputMixer(0x0e, 'Centre and subwoofer mixer', 0x04),
  outputMixer(0x0f, 'Side mixer', 0x05),
  outputMixer(0x10, 'Headphone mixer', 0x07),
  vendorWidget(0x11),
  vendorWidget(0x12),
  vendorWidget(0x13),
  outputJack(0x14, 'Front', config('rear', 'line-out', 'green', 1, 0)),
  outputJack(0x15, 'Surround', config('rear', 'line-out', 'black', 1, 2)),
  outputJack(0x16, 'Centre and subwoofer', config('rear', 'line-out', 'orange', 1, 1)),
  outputJack(0x17, 'Side', config('rear', 'line-out', 'grey', 1, 4)),
  micJack(0x18, 'Rear mic', config('rear', 'mic', 'pink', 3)),
  micJack(0x19, 'Front mic', config('front', 'mic', 'pink', 5)),
  {
    nid: 0x1a,
    name: 'Line in',
    kind: 'pin',
    inAmp: BOOST_AMP,
    unsolicited: true,
    powerControl: true,
    pin: { input: true, presenceDetect: true, config: config('rear', 'line-in', 'blue', 4) },
  },
  outputJack(0x1b, 'Headphone', config('front', 'headphone', 'green', 2)),
  { nid: 0x1c, name: 'CD', kind: 'pin', pin: { input: true, config: UNUSED } },
  {
    nid: 0x1d,
    name: 'Speaker',
    kind: 'pin',
    channels: 1,
    connections: [0x0c],
    outAmp: MUTE_AMP,
    powerControl: true,
    pin: {
      output: true,
      config: {
        port: 'fixed',
        location: 'internal',
        device: 'speaker',
        connection: 'other-analog',
        color: 'unknown',
        misc: 1,
        association: 6,
        sequence: 0,
      },
    },
  },
  {
    nid: 0x1e,
    name: 'S/PDIF out',
    kind: 'pin',
    digital: true,
    connections: [0x06],
    pin: {
      output: true,
      config: {
        port: 'jack',
        location: 'rear',
        device: 'spdif-out',
        connection: 'optical',
        color: 'black',
        misc: 1,
        association: 7,
        sequence: 0,
      },
    },
  },
  vendorWidget(0x1f),
  { nid: 0x20, name: 'Coefficients', kind: 'vendor', channels: 1, coefficients: 16 },
  vendorWidget(0x21),
  { nid: 0x22, name: 'Record selector 1', kind: 'selector', connections: RECORD_SOURCES },
  { nid: 0x23, name: 'Record selector 2', kind: 'selector', connections: RECORD_SOURCES },
];

/** 'MP' is nobody's PCI vendor: a driver that knows real parts by their ids does not mistake this one for them. */
export const DESKTOP_CODEC: HdaCodecDefinition = {
  name: 'desktop',
  title: 'ten-channel desktop codec with S/PDIF and jack detection',
  vendorId: 0x4d50_0880,
  subsystemId: 0x4d50_0001,
  revisionId: 0x0010_0101,
  functionGroupNid: 1,
  pcm: PCM,
  delays: { output: 6, input: 4 },
  powerStates: 0x0f,
  resetPowerState: 3,
  gpioCount: 2,
  widgets: WIDGETS,
};

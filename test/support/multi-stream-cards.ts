import type { MultiStreamCard } from './multi-stream-suite.ts';

const LINE = 'KSNODETYPE_LINE_CONNECTOR';
const MICROPHONE = 'KSNODETYPE_MICROPHONE';

/** One render pin; line and microphone have ADCs of their own. */
export const AC97_STREAMS: MultiStreamCard = {
  name: 'ac97',
  outputRate: 48_000,
  renders: [{ sampleRate: 48_000, mode: 'event' }],
  captures: [
    { category: LINE, sampleRate: 48_000, mode: 'packet' },
    { category: MICROPHONE, sampleRate: 48_000, channels: 1, jack: 'mic' },
  ],
  refused: { direction: 'capture', pin: { category: MICROPHONE, sampleRate: 48_000, channels: 1 } },
  refusal: /Microphone|in use/,
};

/** Two DACs that the card mixes, and an ADC that shares DAC2's clock. */
export const ES1370_STREAMS: MultiStreamCard = {
  name: 'es1370',
  outputRate: 44_100,
  renders: [
    { sampleRate: 44_100, pin: 'Wave', mode: 'event' },
    { sampleRate: 44_100, pin: 'Wave 2' },
  ],
  captures: [{ category: LINE, sampleRate: 44_100 }],
  refused: { direction: 'render', pin: { sampleRate: 44_100 } },
  refusal: /All pins of 'Speakers' are in use: 'Wave', 'Wave 2'/,
};

/** Each width has a DMA channel: playing and recording at once takes both, at one rate. */
export const SB16_PLAYS_16: MultiStreamCard = {
  name: 'sb16',
  outputRate: 44_100,
  renders: [{ sampleRate: 44_100, bits: 16, mode: 'event' }],
  captures: [{ category: LINE, sampleRate: 44_100, bits: 8 }],
  refused: null,
};

export const SB16_PLAYS_8: MultiStreamCard = {
  name: 'sb16',
  outputRate: 22_050,
  renders: [{ sampleRate: 22_050, bits: 8 }],
  captures: [{ category: LINE, sampleRate: 22_050, bits: 16, mode: 'event' }],
  refused: null,
};

/** Half duplex: the width that plays cannot record; neither can another rate. */
export const SB16_SAME_WIDTH: MultiStreamCard = {
  name: 'sb16',
  outputRate: 44_100,
  renders: [{ sampleRate: 44_100, bits: 16 }],
  captures: [],
  refused: { direction: 'capture', pin: { category: LINE, sampleRate: 44_100, bits: 16 } },
  refusal: /STATUS_DEVICE_BUSY/,
};

export const SB16_OTHER_RATE: MultiStreamCard = {
  name: 'sb16',
  outputRate: 44_100,
  renders: [{ sampleRate: 44_100, bits: 16 }],
  captures: [],
  refused: { direction: 'capture', pin: { category: LINE, sampleRate: 22_050, bits: 8 } },
  refusal: /takes neither 22050 Hz/,
};

/** The desktop codec's speakers and its line input; each converter is one pin. */
export const HDA_STREAMS: MultiStreamCard = {
  name: 'hda',
  outputRate: 48_000,
  renders: [{ sampleRate: 48_000, mode: 'event' }],
  captures: [{ category: LINE, sampleRate: 48_000 }],
  refused: { direction: 'render', pin: { sampleRate: 48_000 } },
  refusal: /Speakers/,
};

/** Every set of streams that is run on `sim`. */
export const MULTI_STREAM_CARDS: readonly MultiStreamCard[] = [
  AC97_STREAMS,
  ES1370_STREAMS,
  SB16_PLAYS_16,
  SB16_PLAYS_8,
  SB16_SAME_WIDTH,
  SB16_OTHER_RATE,
  HDA_STREAMS,
];

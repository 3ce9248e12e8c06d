import type { DriverSuiteCard } from './driver-suite.ts';

/** Cards whose drivers the suite is run for, on `sim` and, as far as QEMU's cards go, on `qemu`. */
export const AC97: DriverSuiteCard = {
  name: 'ac97',
  rates: [48_000, 44_100],
  modes: ['timer', 'event', 'packet'],
  captureCategory: 'KSNODETYPE_LINE_CONNECTOR',
};

export const ES1370: DriverSuiteCard = {
  name: 'es1370',
  rateTolerance: 0.01,
  interruptsPerSecond: 100,
  rates: [44_100, 22_050],
  modes: ['timer', 'event'],
  captureCategory: 'KSNODETYPE_LINE_CONNECTOR',
};

export const SB16: DriverSuiteCard = {
  name: 'sb16',
  rateTolerance: 0.01,
  interruptsPerSecond: 100,
  rates: [44_100, 22_050],
  modes: ['timer', 'event'],
  captureCategory: 'KSNODETYPE_LINE_CONNECTOR',
};

export const HDA: DriverSuiteCard = {
  name: 'hda',
  rates: [48_000, 44_100, 96_000],
  modes: ['timer', 'event', 'packet'],
  captureCategory: 'KSNODETYPE_LINE_CONNECTOR',
};

/** The same driver on the other controller and QEMU's smaller codecs. */
export const HDA_ICH9: DriverSuiteCard = {
  ...HDA,
  choices: { controller: 'ich9', codec: 'qemu-duplex' },
  rates: [48_000],
};

export const HDA_OUTPUT: DriverSuiteCard = {
  ...HDA,
  choices: { codec: 'qemu-output' },
  rates: [48_000],
  captureCategory: null,
};

export const HDA_MICRO: DriverSuiteCard = {
  ...HDA,
  choices: { codec: 'qemu-micro' },
  rates: [48_000],
  captureCategory: 'KSNODETYPE_MICROPHONE',
};

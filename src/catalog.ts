import { install as ac97Driver } from './adapters/ac97/index.ts';
import type { PciCard, PcmSink, PcmSource } from './hal/bus.ts';
import { Ac97Card } from './hardware/ac97/index.ts';
import type { DriverPackage } from './kernel/index.ts';

/** What is plugged into a card's analogue jacks. */
export interface AnalogWiring {
  /** Hears what the main output plays. */
  readonly output?: PcmSink;
  /** Feeds the line input. */
  readonly lineIn?: PcmSource;
  /** Feeds the microphone input. */
  readonly micIn?: PcmSource;
}

/** A card that Miniport has: its model for `sim`, its driver, and what QEMU calls it. */
export interface CatalogCard {
  /** As `--card` takes it. */
  readonly name: string;
  readonly title: string;
  readonly bus: 'PCI';
  /** Hardware id that the driver matches. */
  readonly hardwareId: string;
  /** `-device` name in QEMU, null when QEMU has no such card. */
  readonly qemuDevice: string | null;
  /**
   * Controls that make QEMU's card pass samples unchanged, as `CONTROL=VALUE`: its gains are linear in the register's code, so
   * that its unity is not the datasheet's 0 dB.
   */
  readonly qemuUnity: readonly string[];
  /** Port drivers that its adapter driver uses. */
  readonly ports: readonly string[];
  readonly driver: DriverPackage;
  /** Makes the register-level model. */
  create(wiring: AnalogWiring): PciCard;
}

/** All cards, in the order in which they are listed. */
export const CARDS: readonly CatalogCard[] = [
  {
    name: 'ac97',
    title: "Intel 82801AA (ICH) AC'97 audio controller with an AC'97 2.3 codec",
    bus: 'PCI',
    hardwareId: 'PCI\\VEN_8086&DEV_2415',
    qemuDevice: 'AC97',
    // QEMU scales PCM out (18h) by 1 − code ÷ 31: its unity is code 0, which the specification calls +12 dB.
    // Its record gain grows from silence with the code: code 15, +22.5 dB, is unity.
    qemuUnity: ['Wave Volume=12', 'Wave In Volume=22.5'],
    ports: ['WaveRT', 'Topology'],
    driver: ac97Driver,
    create: ({ output, lineIn, micIn }) =>
      new Ac97Card({
        ...(output ? { lineOut: output } : {}),
        ...(lineIn ? { lineIn } : {}),
        ...(micIn ? { micIn } : {}),
      }),
  },
];

/** The card of that name, in any case; undefined when there is none. */
export function findCard(name: string): CatalogCard | undefined {
  return CARDS.find((card) => card.name === name.toLowerCase());
}

import type { BusTarget, CardSlot, PciBar, PciCard, PcmSink, PcmSource } from '../../hal/bus.ts';
import { NABM_BYTES, NAM_BYTES } from './registers.ts';

/** What is plugged into the card, and how its parts are built. */
export interface Ac97CardOptions {
  readonly lineOut?: PcmSink;
  readonly headphoneOut?: PcmSink;
  readonly monoOut?: PcmSink;
  readonly micIn?: PcmSource;
  readonly mic2In?: PcmSource;
  readonly lineIn?: PcmSource;
  readonly cdIn?: PcmSource;
  readonly videoIn?: PcmSource;
  readonly auxIn?: PcmSource;
  readonly phoneIn?: PcmSource;
}

/** Intel 82801AA AC'97 audio function with a SigmaTel-like codec. */
export class Ac97Card implements PciCard {
  readonly name = 'AC97';
  readonly vendorId = 0x8086;
  readonly deviceId = 0x2415;
  readonly revisionId = 0x01;
  readonly classCode = 0x04_01_00;
  readonly subsystemVendorId = 0x8086;
  readonly subsystemId = 0x0000;
  readonly interruptPin = 1;
  readonly bars: readonly (PciBar | null)[];
  #slot: CardSlot | null = null;

  constructor(_options: Ac97CardOptions = {}) {
    const target: BusTarget = { read: () => 0, write: () => undefined };
    this.bars = [
      { kind: 'io', size: NAM_BYTES, target },
      { kind: 'io', size: NABM_BYTES, target },
    ];
  }

  attach(slot: CardSlot): void {
    this.#slot = slot;
  }

  reset(): void {
    this.#slot?.interrupt.setLevel(false);
  }

  detach(): void {
    this.#slot = null;
  }
}

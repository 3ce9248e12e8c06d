import * as R from '../../hardware/hda/registers.ts';
import { encodeHdaCommand, GET_PARAMETER, PARAM_VENDOR_ID } from '../../hardware/hda/verbs.ts';
import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import type { HdaBench } from './bench.ts';

const CORB_BYTES = R.RING_ENTRIES * 4;
const RIRB_BYTES = R.RING_ENTRIES * 8;
const RING_MASK = R.RING_ENTRIES - 1;

/** A response as the RIRB has it. */
export interface HdaResponse {
  readonly response: number;
  readonly extended: number;
}

/**
 * Brings the count of responses to an acknowledged interrupt. QEMU's controllers keep it over resets, and stand still when it happens to
 * be RINTCNT: one check would decide what the next one sees.
 */
function endCounting(bench: HdaBench): void {
  if ((bench.read32(R.GCTL) & R.GCTL_CRST) === 0) bench.leaveReset();
  const interrupts = { rirbCtl: R.RIRBCTL_DMAEN | R.RIRBCTL_RINTCTL };
  for (const rintcnt of [255, 254]) {
    new HdaRings(bench).start({ rintcnt, ...interrupts }).post(0, GET_PARAMETER, PARAM_VENDOR_ID);
    bench.card.waitUntil(() => bench.read8(R.RIRBSTS) !== 0, TICKS_PER_MILLISECOND);
    bench.write8(R.RIRBSTS, R.RIRBSTS_RINTFL);
  }
  bench.freeRam();
}

/** Command and response ring of a controller, in RAM of their own. */
export class HdaRings {
  readonly #bench: HdaBench;
  readonly corb: number;
  readonly rirb: number;
  #wp = 0;
  #read = 0;

  /** Points both rings at fresh RAM and resets their pointers; they do not run yet. */
  constructor(bench: HdaBench) {
    this.#bench = bench;
    this.corb = bench.card.allocateRam(CORB_BYTES, 1024);
    this.rirb = bench.card.allocateRam(RIRB_BYTES, 2048);
    bench.write8(R.CORBCTL, 0);
    bench.write8(R.RIRBCTL, 0);
    bench.write32(R.CORBLBASE, this.corb);
    bench.write32(R.CORBUBASE, 0);
    bench.write32(R.RIRBLBASE, this.rirb);
    bench.write32(R.RIRBUBASE, 0);
    bench.write16(R.CORBWP, 0);
    bench.write16(R.CORBRP, R.RING_POINTER_RESET);
    bench.write16(R.CORBRP, 0);
    bench.write16(R.RIRBWP, R.RING_POINTER_RESET);
    bench.write8(R.RIRBSTS, R.RIRBSTS_RINTFL | R.RIRBSTS_OIS);
    bench.onPrepare(() => endCounting(bench));
  }

  /** Lets both run; a response interrupt comes after `rintcnt` responses if `rirbCtl` allows it. */
  start({ rintcnt = 255, rirbCtl = R.RIRBCTL_DMAEN }: { rintcnt?: number; rirbCtl?: number } = {}): this {
    this.#bench.write16(R.RINTCNT, rintcnt);
    this.#bench.write8(R.RIRBCTL, rirbCtl);
    this.#bench.write8(R.CORBCTL, R.CORBCTL_RUN);
    return this;
  }

  /** Puts a verb to the first codec into the CORB, without telling the controller. */
  put(nid: number, verb: number, payload: number, codec = this.#bench.codec): void {
    this.#wp = (this.#wp + 1) & RING_MASK;
    this.#bench.card.writeRamUlong(this.corb + 4 * this.#wp, encodeHdaCommand(codec, nid, verb, payload));
  }

  /** Writes CORBWP. */
  ring(): void {
    this.#bench.write16(R.CORBWP, this.#wp);
  }

  /** One verb put and rung. */
  post(nid: number, verb: number, payload: number, codec?: number): void {
    this.put(nid, verb, payload, codec);
    this.ring();
  }

  /** Last entry written. */
  get writePointer(): number {
    return this.#wp;
  }

  /** Entry `index` of the RIRB. */
  entry(index: number): HdaResponse {
    const at = this.rirb + 8 * (index & RING_MASK);
    return {
      response: this.#bench.card.readRamUlong(at),
      extended: this.#bench.card.readRamUlong(at + 4),
    };
  }

  /** Responses that came and were not taken yet; waits until there are `count`, or none comes any more. */
  take(count: number, milliseconds = 50): readonly HdaResponse[] {
    const pending = () => (this.#bench.read16(R.RIRBWP) - this.#read) & RING_MASK;
    if (pending() < count)
      this.#bench.card.waitUntil(() => pending() >= count, milliseconds * TICKS_PER_MILLISECOND);
    const taken: HdaResponse[] = [];
    for (let left = pending(); left > 0; left--) {
      this.#read = (this.#read + 1) & RING_MASK;
      taken.push(this.entry(this.#read));
    }
    return taken;
  }
}

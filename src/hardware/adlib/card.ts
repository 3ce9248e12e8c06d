import type { Alarm, IsaCard, IsaSlot, PcmFormat, PcmSamples, PcmSink } from '../../hal/bus.ts';
import { TICKS_PER_MILLISECOND } from '../../hal/bus.ts';
import { type FmRegisterValue, Opl3 } from '../opl3/index.ts';

/** Address and data port of the YM3812 (AdLib Music Synthesizer Card, programming manual: 388h and 389h). */
export const ADLIB_PORT = 0x388;
export const ADLIB_PORTS = 2;

/** How long a listener waits for sound at most. */
const BLOCK_TICKS = 10 * TICKS_PER_MILLISECOND;

/** What is plugged into the card. */
export interface AdlibJacks {
  /** The volume knob at its loudest: the chip's own samples, 49716 a second, the same on both sides. */
  readonly output?: PcmSink;
}

/**
 * The AdLib card of 1987: a YM3812 (OPL2) at 388h and nothing else. No interrupt is wired, so that drivers watch the chip's timers; there
 * is no Plug and Play, and the ports are fixed. Sound leaves every 10 ms as long as the chip has something to play.
 */
export class AdlibCard implements IsaCard {
  readonly name = 'AdLib';
  readonly pnp = null;
  readonly #chip: Opl3;
  /** The chip has played since the alarm went off last. */
  #sounding = false;
  #armed = false;
  #slot: IsaSlot | null = null;
  #alarm: Alarm | null = null;

  constructor({ output }: AdlibJacks = {}) {
    this.#chip = new Opl3({
      chip: 'YM3812',
      ...(output === undefined ? {} : { output: { write: this.#hear(output) } }),
    });
  }

  #hear(output: PcmSink): PcmSink['write'] {
    return (samples: PcmSamples, frames: number, format: PcmFormat, startTick: number) => {
      this.#sounding = true;
      output.write(samples, frames, format, startTick);
    };
  }

  attach(slot: IsaSlot): void {
    this.#slot = slot;
    const { clock, report } = slot;
    this.#chip.attach({ clock, report, interrupt: { setLevel: () => {} } });
    this.#alarm = clock.createAlarm(() => this.#onAlarm());
    slot.mapPorts('YM3812', ADLIB_PORT, ADLIB_PORTS, {
      read: (offset, size) => this.#chip.read(offset, size),
      write: (offset, size, value) => {
        this.#chip.write(offset, size, value);
        this.#arm();
      },
    });
  }

  reset(): void {
    this.#chip.reset();
  }

  detach(): void {
    this.#chip.catchUp();
    this.#alarm?.cancel();
    this.#alarm = null;
    this.#armed = false;
    this.#slot = null;
    this.#chip.detach();
  }

  /** Gives the output everything up to the present. */
  catchUp(): void {
    this.#chip.catchUp();
  }

  /** Every register of the chip with the value written last and its meaning. */
  snapshot(): readonly FmRegisterValue[] {
    return this.#chip.snapshot();
  }

  #onAlarm(): void {
    this.#armed = false;
    this.#sounding = false;
    this.#chip.catchUp();
    // Without a sound the next write to a register sets the alarm again.
    if (this.#sounding) this.#arm();
  }

  #arm(): void {
    const slot = this.#slot;
    if (slot === null || this.#armed) return;
    this.#armed = true;
    this.#alarm?.set(slot.clock.now + BLOCK_TICKS);
  }
}

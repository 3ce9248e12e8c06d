import { expect } from 'vitest';
import { install } from '../../src/adapters/hda/index.ts';
import { AudioClient } from '../../src/client/index.ts';
import { KsObject } from '../../src/client/requests/ks-object.ts';
import { RtPin } from '../../src/client/streams/rt-pin.ts';
import type { PcmSamples } from '../../src/hal/bus.ts';
import { MemorySink } from '../../src/hardware/analog.ts';
import {
  HdaCard,
  type HdaCardOptions,
  type HdaCodecName,
  type HdaJack,
} from '../../src/hardware/hda/index.ts';
import { formatLeakReport, TICKS_PER_SECOND } from '../../src/kernel/index.ts';
import {
  type KSDATAFORMAT,
  KSINTERFACE_STANDARD_LOOPED_STREAMING,
  KSINTERFACESETID_Standard,
  pinCreateName,
  standardPinConnect,
} from '../../src/ks/index.ts';
import { SimMachine, type SimMachineOptions } from '../../src/machines/sim/index.ts';

/** Pins of the desktop codec, by what is drawn beside them. */
export const Desktop = {
  front: 0x14,
  surround: 0x15,
  centre: 0x16,
  side: 0x17,
  rearMic: 0x18,
  frontMic: 0x19,
  lineIn: 0x1a,
  headphone: 0x1b,
  speaker: 0x1d,
  spdif: 0x1e,
} as const;

export interface HdaBenchOptions {
  readonly variant?: 'ich6' | 'ich9';
  readonly codecs?: readonly HdaCodecName[];
  /** Jacks of codec 0 by pin; every output has a recorder of its own unless given. */
  readonly jacks?: Readonly<Record<number, HdaJack>>;
  readonly card?: Omit<HdaCardOptions, 'codecs' | 'variant'>;
  readonly machine?: SimMachineOptions;
}

const OUTPUT_PINS: Readonly<Record<HdaCodecName, readonly number[]>> = {
  desktop: [
    Desktop.front,
    Desktop.surround,
    Desktop.centre,
    Desktop.side,
    Desktop.headphone,
    Desktop.speaker,
    Desktop.spdif,
  ],
  hdmi: [3],
  'qemu-duplex': [3],
  'qemu-micro': [3],
  'qemu-output': [3],
};

/**
 * A PC with a High Definition Audio controller, its driver started, and an application. On disposal everything is shut down, and
 * nothing may be left behind unless the machine was brought down.
 */
export class HdaBench implements Disposable {
  readonly machine: SimMachine;
  readonly cardOptions: HdaCardOptions;
  card: HdaCard;
  slot: string;
  readonly audio: AudioClient;
  /** Recorders at the output pins, by codec address and pin. */
  readonly #sinks = new Map<string, MemorySink>();

  constructor({ variant, codecs = ['desktop'], jacks, card = {}, machine = {} }: HdaBenchOptions = {}) {
    this.machine = new SimMachine(machine);
    this.cardOptions = {
      ...card,
      ...(variant ? { variant } : {}),
      codecs: codecs.map((name, address) => ({
        name,
        jacks: {
          ...Object.fromEntries(
            OUTPUT_PINS[name].map((nid) => {
              const sink = new MemorySink();
              this.#sinks.set(`${address}:${nid}`, sink);
              return [nid, { sink }];
            }),
          ),
          ...(address === 0 ? jacks : {}),
        },
      })),
    };
    this.card = new HdaCard(this.cardOptions);
    this.slot = this.machine.plugPci(this.card);
    this.machine.installDriver(install);
    this.machine.start();
    this.audio = new AudioClient(this.machine.kernel);
  }

  get kernel() {
    return this.machine.kernel;
  }

  get process() {
    return this.audio.process;
  }

  get now(): number {
    return this.machine.kernel.clock.now;
  }

  /** What a pin's jack heard. */
  sink(nid: number, codecAddress = 0): MemorySink {
    const sink = this.#sinks.get(`${codecAddress}:${nid}`);
    if (!sink) throw new Error(`there is no recorder at pin ${nid} of codec ${codecAddress}`);
    return sink;
  }

  /** Samples that a pin's jack heard, from the first that was not silence on; all in one format. */
  heard(nid: number, codecAddress = 0): PcmSamples {
    const { takes } = this.sink(nid, codecAddress);
    const loud = takes.filter(({ samples }) => samples.some((sample) => sample !== 0));
    if (loud.length > 1) throw new Error(`the jack of pin ${nid} heard ${loud.length} formats`);
    const [take] = loud;
    if (!take) return new Int16Array(0);
    const first = take.samples.findIndex((sample) => sample !== 0);
    return take.samples.subarray(first - (first % take.format.channels));
  }

  /** What the driver and the card were found doing wrong. */
  get findings(): readonly string[] {
    return this.machine.trace.findings.map(({ source, text }) => `${source}: ${text}`);
  }

  /** Runs until `done`, for at most so many seconds of machine time. */
  run(done: () => boolean, seconds = 60): boolean {
    return this.machine.runUntil(done, this.now + seconds * TICKS_PER_SECOND);
  }

  /** Lets so many milliseconds of machine time pass. */
  pass(milliseconds: number): void {
    this.machine.runFor(Math.round(milliseconds * 10_000));
  }

  filterPath(reference: string): string {
    const path = this.audio
      .filterPaths()
      .find((one) => one.toLowerCase().endsWith(`\\${reference.toLowerCase()}`));
    if (path === undefined) throw new Error(`there is no filter ${reference}`);
    return path;
  }

  openFilter(reference: string): KsObject {
    return new KsObject(this.process, this.process.createFile(this.filterPath(reference)));
  }

  /** Opens a host pin of an open wave filter. Throws the NtError of the create request. */
  openPin(filter: KsObject, pin: number, format: KSDATAFORMAT): RtPin {
    const looped = { set: KSINTERFACESETID_Standard, id: KSINTERFACE_STANDARD_LOOPED_STREAMING, flags: 0 };
    const name = pinCreateName(standardPinConnect(pin, format, looped));
    return new RtPin(new KsObject(this.process, this.process.createFile(name, filter.handle)));
  }

  /** Pulls the card out. */
  unplug(): void {
    this.machine.unplug(this.slot);
  }

  /** Ends the application and the machine; the leak report. */
  end(): string {
    this.audio.close();
    return formatLeakReport(this.machine.dispose());
  }

  [Symbol.dispose](): void {
    const leaks = this.end();
    if (this.machine.kernel.stopped === null) expect(leaks).toBe('');
  }
}

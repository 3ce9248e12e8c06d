import { type IsaLegacyDevice, IsaPnpBusDriver, PciBusDriver } from '../../hal/index.ts';
import {
  BugcheckError,
  type DriverPackage,
  Kernel,
  type LeakReport,
  type Registry,
  TICKS_PER_MILLISECOND,
  Trace,
} from '../../kernel/index.ts';
import type { QemuAudio } from './qemu-audio.ts';
import { QemuError } from './qemu-error.ts';
import { QemuPlatform } from './qemu-platform.ts';
import { QemuProcess } from './qemu-process.ts';

const MEGABYTE = 1024 * 1024;
const MIXER_DRAIN_TICKS = 100 * TICKS_PER_MILLISECOND;
const DEFAULT_RAM_BYTES = 64 * MEGABYTE;

/** What QEMU is to be started with. */
export interface QemuMachineOptions {
  /** `-device` arguments for the cards; those for their sound, too, unless `audio` says where it goes. */
  readonly deviceArguments: readonly string[];
  /** ISA cards among them: QEMU has them without Plug and Play, so that somebody has to say where they are. */
  readonly isaDevices?: readonly IsaLegacyDevice[];
  /** What is at the jacks of the card with `audiodev=snd`. */
  readonly audio?: QemuAudio;
  /** A multiple of 1 MiB; 64 MiB by default. */
  readonly ramBytes?: number;
  readonly trace?: Trace;
  readonly registry?: Registry;
}

/**
 * QEMU's PC with its cards, and our kernel on top: the guest's processor only halts, drivers run in this process. Time is real.
 * Made by {@link launch}; {@link dispose} ends QEMU and removes its files, as the end of this process does in any case.
 */
export class QemuMachine {
  readonly platform: QemuPlatform;
  readonly kernel: Kernel;
  readonly pciBus: PciBusDriver;
  readonly #isaBus: IsaPnpBusDriver | null;
  /** The WAV file in which the output is recorded, null when `audio` asks for none. */
  readonly recordingPath: string | null;
  #started = false;
  #leaks: LeakReport | null = null;

  private constructor(platform: QemuPlatform, recordingPath: string | null, options: QemuMachineOptions) {
    this.recordingPath = recordingPath;
    this.platform = platform;
    this.kernel = new Kernel(platform, {
      trace: options.trace ?? new Trace(),
      ...(options.registry === undefined ? {} : { registry: options.registry }),
    });
    this.pciBus = new PciBusDriver(this.kernel);
    const legacyDevices = options.isaDevices ?? [];
    this.#isaBus =
      legacyDevices.length > 0
        ? new IsaPnpBusDriver(this.kernel, { legacyDevices, plugAndPlay: false })
        : null;
  }

  /** @throws QemuError when QEMU is missing, too old, or does not start; the text says what to do */
  static async launch(options: QemuMachineOptions): Promise<QemuMachine> {
    const ramBytes = options.ramBytes ?? DEFAULT_RAM_BYTES;
    if (ramBytes % MEGABYTE !== 0 || ramBytes < 16 * MEGABYTE) {
      throw new RangeError(`ramBytes is ${ramBytes}; it must be a multiple of 1 MiB, 16 MiB or more.`);
    }
    const process = await QemuProcess.start(ramBytes, options.deviceArguments, options.audio);
    try {
      return new QemuMachine(await QemuPlatform.connect(process, ramBytes), process.recordingPath, options);
    } catch (error) {
      process.kill();
      throw error;
    }
  }

  get trace(): Trace {
    return this.kernel.trace;
  }

  /** As on `sim`. Here and in the other calls that run the machine: @throws QemuError when QEMU has ended */
  installDriver(driver: DriverPackage): void {
    guarded(() => this.kernel.enter(() => this.kernel.pnp.installDriver(driver)));
  }

  /** Boots: the PCI bus is enumerated, resources are assigned, drivers loaded and devices started. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    guarded(() => {
      this.kernel.enter(() => {
        this.kernel.pnp.addBus(this.pciBus);
        if (this.#isaBus) this.kernel.pnp.addBus(this.#isaBus);
        this.kernel.pnp.start();
      });
      this.kernel.drain();
    });
  }

  /** Lets real time pass: this many ticks of 100 ns. Blocks this thread. */
  runFor(ticks: number): void {
    guarded(() => this.kernel.runFor(ticks));
  }

  /** Runs until `done()` or until the clock reaches `limitTick`; true if done. Blocks this thread. */
  runUntil(done: () => boolean, limitTick: number): boolean {
    return guarded(() => this.kernel.runUntil(done, limitTick));
  }

  /**
   * Removes the devices, ends QEMU (which completes its WAV file) and returns what should not have outlived it. When QEMU has ended by
   * itself there are no devices to take leave of: files are removed, and nothing is thrown.
   */
  dispose(): LeakReport {
    if (this.#leaks) return this.#leaks;
    try {
      try {
        this.#drainRecording();
        guarded(() => {
          if (this.kernel.stopped === null) this.kernel.enter(() => this.kernel.pnp.removeAll());
        });
      } catch (error) {
        if (!(error instanceof QemuError)) throw error;
      }
      this.#leaks = this.kernel.dispose();
    } finally {
      this.platform.dispose();
    }
    return this.#leaks;
  }

  /** QEMU's mixer holds up to a few timer periods of sound that its card has played: they belong into the recording. */
  #drainRecording(): void {
    if (this.recordingPath !== null && this.kernel.stopped === null) this.runFor(MIXER_DRAIN_TICKS);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** A driver that meets the end of QEMU in the middle of an access did nothing wrong: not a bugcheck, but the machine's own error. */
function guarded<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof BugcheckError && error.bugcheck.cause instanceof QemuError)
      throw error.bugcheck.cause;
    throw error;
  }
}

import { CARDS, type CardWiring, type CatalogCard, findCard } from '../catalog.ts';
import { AudioClient } from '../client/index.ts';
import { formatLeakReport, type Kernel, Trace, TraceKind } from '../kernel/index.ts';
import {
  QEMU_AUDIO_ID,
  type QemuAudio,
  QemuMachine,
  type QemuMachineOptions,
} from '../machines/qemu/index.ts';
import { SimMachine } from '../machines/sim/index.ts';
import { CliError } from './cli-error.ts';
import { applySetting } from './control-values.ts';
import { loadRegistry, saveRegistry } from './registry-file.ts';
import { TraceFileWriter } from './trace-file.ts';

export const MACHINE_NAMES = ['sim', 'qemu'] as const;
export type MachineName = (typeof MACHINE_NAMES)[number];

/** Options that every command with a card has. */
export interface SessionOptions {
  readonly machine: MachineName;
  readonly card: string;
  /** Load the registry from this file, and save it there at the end. */
  readonly registry?: string;
  /** Write the whole timeline to this file. */
  readonly trace?: string;
}

/** What the run needs besides: jacks on `sim`, the sound back end on `qemu`. */
export interface SessionWiring {
  readonly wiring?: CardWiring;
  /** Jacks of QEMU's card. */
  readonly qemuAudio?: QemuAudio;
  /** For the header of the trace file. */
  readonly command: string;
}

/** The card of that name. @throws CliError that lists the cards */
export function requireCard(name: string): CatalogCard {
  const card = findCard(name);
  if (!card) {
    throw new CliError(
      `There is no card '${name}'. Cards: ${CARDS.map(({ name }) => name).join(', ')} (see: miniport cards).`,
    );
  }
  return card;
}

/** A machine with one card, its driver started, and an application on it. */
export class Session {
  readonly card: CatalogCard;
  readonly machine: SimMachine | QemuMachine;
  readonly audio: AudioClient;
  readonly #traceFile: TraceFileWriter | null;
  readonly #registryPath: string | null;
  #closed = false;

  private constructor(
    card: CatalogCard,
    machine: SimMachine | QemuMachine,
    traceFile: TraceFileWriter | null,
    registryPath: string | null,
  ) {
    this.card = card;
    this.machine = machine;
    this.#traceFile = traceFile;
    this.#registryPath = registryPath;
    machine.installDriver(card.driver);
    machine.start();
    this.audio = new AudioClient(machine.kernel);
    if (machine instanceof QemuMachine) this.applySettings(card.qemu?.unity ?? []);
  }

  /** Sets controls given as `CONTROL=VALUE`. @throws CliError, ClientError */
  applySettings(settings: readonly string[]): void {
    if (settings.length === 0) return;
    const controls = this.audio.controls();
    for (const setting of settings) applySetting(controls, setting);
  }

  /**
   * Builds the machine, plugs the card in, installs its driver and boots.
   * @throws CliError when there is no such card; QemuError when QEMU is missing or does not start
   */
  static async open(
    options: SessionOptions,
    { wiring, qemuAudio, command }: SessionWiring,
  ): Promise<Session> {
    const card = requireCard(options.card);
    const registry = options.registry === undefined ? {} : { registry: loadRegistry(options.registry) };
    const trace = new Trace({ mask: options.trace === undefined ? TraceKind.Cold : TraceKind.All });
    const traceFile =
      options.trace === undefined
        ? null
        : new TraceFileWriter(options.trace, trace, { command, machine: options.machine, card: card.name });
    let machine: SimMachine | QemuMachine | null = null;
    try {
      if (options.machine === 'qemu')
        machine = await launchQemu(card, { trace, audio: qemuAudio ?? {}, ...registry });
      else {
        machine = new SimMachine({ trace, ...registry });
        card.plug(machine, wiring ?? {});
      }
      return new Session(card, machine, traceFile, options.registry ?? null);
    } catch (error) {
      machine?.dispose();
      traceFile?.close();
      throw error;
    }
  }

  get kernel(): Kernel {
    return this.machine.kernel;
  }

  get tracedEvents(): number {
    return this.#traceFile?.events ?? 0;
  }

  /** Interrupts that the kernel has served so far. */
  get interrupts(): number {
    let sum = 0;
    for (let line = 0; line < this.kernel.platform.interruptLineCount; line++) {
      sum += this.kernel.interrupts.counters(line).services;
    }
    return sum;
  }

  /** Shuts everything down; returns a readable report of what was left behind, empty when nothing was. */
  close(): string {
    if (this.#closed) return '';
    this.#closed = true;
    try {
      if (this.kernel.stopped === null) this.audio.close();
      if (this.#registryPath !== null) saveRegistry(this.#registryPath, this.kernel.registry);
      const leaks = this.machine.dispose();
      return this.kernel.stopped === null ? formatLeakReport(leaks) : '';
    } finally {
      this.#traceFile?.close();
    }
  }
}

async function launchQemu(
  card: CatalogCard,
  options: Omit<QemuMachineOptions, 'deviceArguments' | 'isaDevices'>,
): Promise<QemuMachine> {
  if (card.qemu === null) {
    const names = CARDS.filter(({ qemu }) => qemu !== null).map(({ name }) => name);
    throw new CliError(
      `QEMU has no card like '${card.name}'. It has: ${names.join(', ')}. Or use --machine sim.`,
    );
  }
  const { device, legacyDevice } = card.qemu;
  return QemuMachine.launch({
    deviceArguments: ['-device', `${device},audiodev=${QEMU_AUDIO_ID}`],
    ...(legacyDevice ? { isaDevices: [legacyDevice] } : {}),
    ...options,
  });
}

import {
  CARDS,
  type CardChoices,
  type CardGraph,
  type CardWiring,
  type CatalogCard,
  cardChoices,
  chooseCard,
  findCard,
  type PluggedCard,
  qemuDeviceArguments,
} from '../catalog.ts';
import { AudioClient } from '../client/index.ts';
import { formatLeakReport, type Kernel, Trace, TraceKind } from '../kernel/index.ts';
import {
  QEMU_AUDIO_ID,
  type QemuAudio,
  QemuMachine,
  type QemuMachineOptions,
} from '../machines/qemu/index.ts';
import { SimMachine } from '../machines/sim/index.ts';
import { chosenOf } from './card-options.ts';
import { CliError } from './cli-error.ts';
import { applySetting } from './control-values.ts';
import { JackSchedule, parseJackActions, requireJack } from './jack-schedule.ts';
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
  /** `JACK@SECONDS` or `JACK`: hands at the jacks. */
  readonly plug?: readonly string[];
  readonly unplug?: readonly string[];
}

/** What the run needs besides: jacks on `sim`, the sound back end on `qemu`. */
export interface SessionWiring {
  readonly wiring?: CardWiring;
  /** Jacks of QEMU's card. */
  readonly qemuAudio?: QemuAudio;
  /** For the header of the trace file. */
  readonly command: string;
  /** Hears of what lies behind the driver's filters, where a card has such a thing. */
  readonly observer?: (graph: CardGraph) => void;
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

/** The card that the options name, as they choose it. @throws CliError that lists cards, or what can be chosen */
export function requireChosenCard(options: { readonly card: string }): CatalogCard {
  const card = requireCard(options.card);
  const choices = chosenOf(options);
  for (const name of Object.keys(choices)) {
    if (card.options?.some((option) => option.name === name)) continue;
    const others = CARDS.filter((one) => one.options?.some((option) => option.name === name));
    throw new CliError(
      `--${name}: the card '${card.name}' comes in one way only. Cards that can be chosen a ${name} for: ${others.map((one) => one.name).join(', ')}.`,
    );
  }
  try {
    return chooseCard(card, choices);
  } catch (error) {
    if (error instanceof RangeError) throw new CliError(error.message);
    throw error;
  }
}

/** A machine with one card, its driver started, and an application on it. */
export class Session {
  readonly card: CatalogCard;
  readonly machine: SimMachine | QemuMachine;
  readonly audio: AudioClient;
  /** What can be done at the jacks, and what has been. */
  readonly jacks: JackSchedule;
  /** The card's outputs, jacks and slot; null on `qemu`, where nobody has a hand at them. */
  readonly plugged: PluggedCard | null;
  readonly #traceFile: TraceFileWriter | null;
  readonly #registryPath: string | null;
  #closed = false;

  private constructor(
    card: CatalogCard,
    machine: SimMachine | QemuMachine,
    plugged: PluggedCard | null,
    jacks: JackSchedule,
    traceFile: TraceFileWriter | null,
    registryPath: string | null,
  ) {
    this.card = card;
    this.machine = machine;
    this.plugged = plugged;
    this.jacks = jacks;
    this.#traceFile = traceFile;
    this.#registryPath = registryPath;
    machine.installDriver(card.driver);
    machine.start();
    this.audio = new AudioClient(machine.kernel);
    if (jacks.wanted) this.audio.watchJacks((change) => jacks.told(change));
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
    { wiring, qemuAudio, command, observer }: SessionWiring,
  ): Promise<Session> {
    const chosen = requireChosenCard(options);
    const observed = observer && chosen.observedDriver?.(observer);
    const card = observed ? { ...chosen, driver: observed } : chosen;
    const actions = parseJackActions(options.plug ?? [], options.unplug ?? []);
    if (options.machine === 'qemu' && actions[0] !== undefined) {
      throw new CliError(
        `${actions[0].option}: QEMU's cards sense nothing at their jacks. Use --machine sim.`,
      );
    }
    const registry = options.registry === undefined ? {} : { registry: loadRegistry(options.registry) };
    const trace = new Trace({ mask: options.trace === undefined ? TraceKind.Cold : TraceKind.All });
    const traceFile =
      options.trace === undefined
        ? null
        : new TraceFileWriter(options.trace, trace, { command, machine: options.machine, card: card.name });
    let machine: SimMachine | QemuMachine | null = null;
    let plugged: PluggedCard | null = null;
    try {
      if (options.machine === 'qemu')
        machine = await launchQemu(card, { trace, audio: qemuAudio ?? {}, ...registry });
      else {
        machine = new SimMachine({ trace, ...registry });
        plugged = card.plug(machine, wiring ?? {});
      }
      const targets = actions.map((action) => {
        const target = requireJack(card, plugged?.jacks ?? [], action);
        if (action.seconds === null && action.plug) target.plug();
        if (action.seconds === null && !action.plug) target.unplug();
        return { ...action, target };
      });
      const jacks = new JackSchedule(machine.kernel, targets);
      return new Session(card, machine, plugged, jacks, traceFile, options.registry ?? null);
    } catch (error) {
      machine?.dispose();
      traceFile?.close();
      throw error;
    }
  }

  get kernel(): Kernel {
    return this.machine.kernel;
  }

  /** What the card is made of, where that can be chosen: codec, controller. */
  get choices(): CardChoices {
    return cardChoices(this.card, this.machine instanceof QemuMachine ? 'qemu' : 'sim');
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
    for (const { name, choices } of card.options ?? []) {
      const has = choices.filter(({ inQemu }) => inQemu).map((choice) => choice.name);
      const chosen = card.chosen?.[name];
      if (chosen === undefined || has.includes(chosen)) continue;
      throw new CliError(
        `QEMU has no card '${card.name}' with the ${name} '${chosen}'. It has: ${has.join(', ')}. Or use --machine sim.`,
      );
    }
    throw new CliError(
      `QEMU has no card like '${card.name}'. It has: ${names.join(', ')}. Or use --machine sim.`,
    );
  }
  const { legacyDevice } = card.qemu;
  return QemuMachine.launch({
    deviceArguments: qemuDeviceArguments(card.qemu, QEMU_AUDIO_ID),
    ...(legacyDevice ? { isaDevices: [legacyDevice] } : {}),
    ...options,
  });
}

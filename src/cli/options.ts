import { type Command, InvalidArgumentError, Option } from 'commander';
import { CARD_OPTIONS } from './card-options.ts';
import { MACHINE_NAMES } from './session.ts';

/** A number within limits, or an error that names them. */
export function numberBetween(minimum: number, maximum: number, unit: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < minimum || value > maximum) {
      throw new InvalidArgumentError(
        `It must be a number from ${minimum} to ${maximum}${unit ? ` ${unit}` : ''}.`,
      );
    }
    return value;
  };
}

/** `--card` and `--machine`, which every command that boots a machine has. */
export function withMachineOptions(command: Command): Command {
  return command
    .option('--card <name>', 'sound card (see: miniport cards)', 'ac97')
    .addOption(
      new Option('--machine <name>', 'where the card is: a model in this process, or QEMU')
        .choices(MACHINE_NAMES)
        .default('sim'),
    );
}

/** `--card`, `--machine`, and what can be chosen of the card: `--codec`, `--controller`. */
export function withCardOptions(command: Command): Command {
  withMachineOptions(command);
  for (const { name, title, choices, standard, standardInQemu } of CARD_OPTIONS) {
    const names = choices.map((choice) => choice.name).join(', ');
    const inQemu = standardInQemu === undefined ? '' : `, on qemu ${standardInQemu}`;
    command.option(
      `--${name} <name>`,
      `${title}, of cards that have one: ${names} (default: ${standard}${inQemu})`,
    );
  }
  return command;
}

/** `--plug` and `--unplug`, for the commands during which jacks can change. */
export function withJackOptions(command: Command): Command {
  return command
    .option(
      '--plug <jack[@seconds]>',
      'put something into a jack so long after the start (without a time: before); may be repeated',
      collect,
      [],
    )
    .option(
      '--unplug <jack[@seconds]>',
      'pull out what is in a jack: as above; in the beginning something is in every jack',
      collect,
      [],
    );
}

/** `--registry`, for the commands that start a driver. */
export function withRegistryOption(command: Command): Command {
  return command.option(
    '--registry <file>',
    'load the registry from this file (JSON, or .reg text) if it is there, and save it there at the end',
  );
}

/** Options of the commands that stream. */
export function withStreamOptions(command: Command): Command {
  return withJackOptions(withRegistryOption(withCardOptions(command)))
    .option('--endpoint <name>', 'endpoint by its name (see: miniport endpoints)')
    .option(
      '--buffer-ms <n>',
      'length of the cyclic buffer, 3 to 500 ms (default: 40, on qemu 200)',
      numberBetween(3, 500, 'ms'),
    )
    .addOption(
      new Option(
        '--mode <mode>',
        "what wakes the client: its own timer, the driver's event, or packets by number",
      )
        .choices(['timer', 'event', 'packet'])
        .default('timer'),
    )
    .option('--volume <dB>', "the endpoint's volume, in dB", numberBetween(-200, 100, 'dB'))
    .option(
      '--set <control=value>',
      'set a control before the run; may be repeated (see: miniport control)',
      collect,
      [],
    )
    .option('--trace <file>', 'write the timeline of the run to a file (see: miniport trace)')
    .option('--json', 'print the report as JSON');
}

export function collect(value: string, previous: string[]): string[] {
  return [...previous, value];
}

/** The options above, as commander hands them over. */
export interface StreamCommandOptions {
  readonly card: string;
  readonly machine: (typeof MACHINE_NAMES)[number];
  readonly endpoint?: string;
  readonly bufferMs?: number;
  readonly mode: 'timer' | 'event' | 'packet';
  readonly volume?: number;
  readonly set: readonly string[];
  readonly trace?: string;
  readonly registry?: string;
  readonly plug: readonly string[];
  readonly unplug: readonly string[];
  readonly json?: boolean;
}

/** QEMU's cards move in bursts of the host's timer, and time is real: it wants a longer buffer. */
const DEFAULT_BUFFER_MS = { sim: 40, qemu: 200 } as const;

export function bufferMsOf(options: Pick<StreamCommandOptions, 'bufferMs' | 'machine'>): number {
  return options.bufferMs ?? DEFAULT_BUFFER_MS[options.machine];
}

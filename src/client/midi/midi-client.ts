import { ioGetDeviceInterfaces, type Kernel, UserProcess } from '../../kernel/index.ts';
import { KSCATEGORY_AUDIO, MIDI_DATA_FORMAT, pinCreateName, standardPinConnect } from '../../ks/index.ts';
import { ClientError, explained } from '../client-error.ts';
import { KsObject } from '../requests/ks-object.ts';
import { type MidiEndpoint, readMidiPins } from './midi-endpoint.ts';
import { type MidiInOptions, MidiInStream } from './midi-in-stream.ts';
import { type MidiOutOptions, MidiOutStream } from './midi-out-stream.ts';
import type { MidiStream, MidiStreamSetup } from './midi-stream.ts';
import { readSynthStatistics, type SynthStatistics } from './synth-statistics.ts';

/**
 * An application that plays and records MIDI: finds MIDI pins, opens streams on them. It talks to drivers by KS requests alone. Failures are
 * {@link ClientError}s.
 */
export class MidiClient implements Disposable {
  readonly process: UserProcess;
  readonly #kernel: Kernel;
  readonly #ownProcess: boolean;
  readonly #streams = new Set<MidiStream>();

  /** @param process an application's process to work in; one of its own unless given */
  constructor(kernel: Kernel, process?: UserProcess) {
    this.#kernel = kernel;
    this.#ownProcess = process === undefined;
    this.process = process ?? new UserProcess(kernel, 'MIDI client');
  }

  /** All MIDI pins of the machine: outputs first, synthesizers before ports. */
  endpoints(): MidiEndpoint[] {
    const found = this.#kernel.enter(() =>
      [...ioGetDeviceInterfaces(KSCATEGORY_AUDIO.toString())].flatMap((path) =>
        explained(`Cannot read what the filter ${path} is made of`, () =>
          this.#withFilter(path, (filter) => readMidiPins(path, filter)),
        ),
      ),
    );
    const rank = ({ direction, technology }: MidiEndpoint) =>
      (direction === 'out' ? 0 : 2) + (technology === 'port' ? 1 : 0);
    const sorted = found.sort((a, b) => rank(a) - rank(b));
    return sorted.map((endpoint, index) => {
      const alike = (other: MidiEndpoint) =>
        other.name === endpoint.name && other.direction === endpoint.direction;
      const before = sorted.slice(0, index).filter(alike).length;
      return before === 0 ? endpoint : { ...endpoint, name: `${endpoint.name} ${before + 1}` };
    });
  }

  /**
   * The endpoint of that name, in any case, or whose name begins with it; without a name the first one. Throws a {@link ClientError} that
   * lists what there is.
   */
  endpoint(direction: 'out' | 'in', name?: string): MidiEndpoint {
    const candidates = this.endpoints().filter((endpoint) => endpoint.direction === direction);
    const wanted = name?.toLowerCase() ?? '';
    const found =
      candidates.find((endpoint) => name === undefined || endpoint.name.toLowerCase() === wanted) ??
      candidates.find((endpoint) => endpoint.name.toLowerCase().startsWith(wanted));
    if (found !== undefined) return found;
    const kind = direction === 'out' ? 'to send MIDI to' : 'to hear MIDI from';
    if (candidates.length === 0)
      throw new ClientError(`There is nothing ${kind}. Start a card that has MIDI.`);
    throw new ClientError(
      `There is no '${name}' ${kind}. There is ${candidates.map((one) => `'${one.name}'`).join(', ')}.`,
    );
  }

  /** Opens a stream that sends; it stands still until `start()`. */
  openOut(endpoint: MidiEndpoint, options: MidiOutOptions): MidiOutStream {
    if (endpoint.direction !== 'out') throw new ClientError(`'${endpoint.name}' takes no MIDI.`);
    return this.#keep(new MidiOutStream(this.#open(endpoint), options));
  }

  /** Opens a stream that listens; it stands still until `start()`. */
  openIn(endpoint: MidiEndpoint, options: MidiInOptions): MidiInStream {
    if (endpoint.direction !== 'in') throw new ClientError(`'${endpoint.name}' gives no MIDI.`);
    return this.#keep(new MidiInStream(this.#open(endpoint), options));
  }

  /** How a synthesizer with such statistics did since its stream was started; null for one without, and for ports. */
  synthStatistics(endpoint: MidiEndpoint): SynthStatistics | null {
    return this.#kernel.enter(() =>
      this.#withFilter(endpoint.filterPath, (filter) => readSynthStatistics(filter)),
    );
  }

  /** Closes all streams, and the process if it is the client's own. */
  close(): void {
    for (const stream of this.#streams) stream.close();
    this.#streams.clear();
    if (this.#ownProcess && this.#kernel.stopped === null) this.process.terminate();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #keep<S extends MidiStream>(stream: S): S {
    this.#streams.add(stream);
    return stream;
  }

  #open(endpoint: MidiEndpoint): MidiStreamSetup {
    const name = pinCreateName(standardPinConnect(endpoint.pinId, MIDI_DATA_FORMAT));
    const pinHandle = this.#kernel.enter(() =>
      this.#withFilter(endpoint.filterPath, (filter) =>
        explained(`Cannot open a MIDI stream on '${endpoint.name}'`, () =>
          this.process.createFile(name, filter.handle),
        ),
      ),
    );
    return { kernel: this.#kernel, process: this.process, endpoint, pinHandle };
  }

  #withFilter<T>(path: string, action: (filter: KsObject) => T): T {
    const filter = new KsObject(
      this.process,
      explained(`Cannot open the filter ${path}`, () => this.process.createFile(path)),
    );
    try {
      return action(filter);
    } finally {
      filter.close();
    }
  }
}

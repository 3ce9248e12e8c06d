import type { CardOutput } from '../catalog.ts';
import type { Endpoint } from '../client/index.ts';
import type { PcmFormat, PcmSamples, PcmSink } from '../hal/bus.ts';

/**
 * Listens at the output that a stream is for, among several that may play at once: the main one until {@link choose} says which. Sound at
 * the others goes unheard.
 */
export class OutputChoice {
  readonly #sink: PcmSink;
  #chosen: string | null = null;

  /** `sink` hears the output that is chosen. */
  constructor(sink: PcmSink) {
    this.#sink = sink;
  }

  /** For the main output. */
  get main(): PcmSink {
    return this.#plug((chosen) => chosen === null);
  }

  /** For another output. */
  other(name: string): PcmSink {
    return this.#plug((chosen) => chosen === name);
  }

  /** The output behind an endpoint: of its category, and at its place where there are several. Without any the main one stays chosen. */
  choose(outputs: readonly CardOutput[], endpoint: Endpoint): void {
    const places = endpoint.jacks.map(({ place }) => place);
    const alike = outputs.filter(({ categories }) => categories.includes(endpoint.category));
    const internal = endpoint.jacks.some(({ enclosure }) => enclosure === 'inside');
    const found =
      alike.find(({ place }) => place !== null && places.includes(place)) ??
      alike.find(({ place }) => (place === 'internal') === internal) ??
      alike[0];
    this.#chosen = found === undefined || found === outputs[0] ? null : found.name;
  }

  #plug(isChosen: (chosen: string | null) => boolean): PcmSink {
    return {
      write: (samples: PcmSamples, frames: number, format: PcmFormat, startTick: number) => {
        if (isChosen(this.#chosen)) this.#sink.write(samples, frames, format, startTick);
      },
    };
  }
}

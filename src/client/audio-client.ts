import type { Kernel } from '../kernel/index.ts';
import {
  ioGetDeviceInterfaces,
  NtError,
  STATUS_DEVICE_BUSY,
  STATUS_INSUFFICIENT_RESOURCES,
  STATUS_INVALID_PARAMETER,
  STATUS_NO_MATCH,
  STATUS_NOT_SUPPORTED,
  UserProcess,
} from '../kernel/index.ts';
import {
  dataFormatEquals,
  decodeDataFormat,
  encodeDataFormat,
  encodeDataRanges,
  KSCATEGORY_AUDIO,
  type KSDATAFORMAT_WAVEFORMATEX,
  KSINTERFACE_STANDARD_LOOPED_STREAMING,
  KSINTERFACESETID_Standard,
  KSPROPERTY_AUDIO_MUX_SOURCE,
  KSPROPERTY_PIN_DATAINTERSECTION,
  KSPROPERTY_PIN_PROPOSEDATAFORMAT,
  KSPROPSETID_Audio,
  KSPROPSETID_Pin,
  KSPROPSETID_RtAudio,
  ksSupportsSet,
  pinCreateName,
  standardPinConnect,
} from '../ks/index.ts';
import type { AudioFormat } from './audio-format.ts';
import { formatToString } from './audio-format.ts';
import { ClientError, explained, statusError } from './client-error.ts';
import { Controls } from './controls/index.ts';
import type { ConversionOptions } from './convert/index.ts';
import { ConvertingPcmWriter, describeConversion, Pipeline, resampledLength } from './convert/index.ts';
import { Endpoint, muxSteps } from './endpoints/endpoint.ts';
import { choosePins, type EndpointPin } from './endpoints/endpoint-pin.ts';
import { formatCandidates, ksFormsOf } from './endpoints/formats.ts';
import { type JackChange, JackWatch } from './endpoints/jack-watch.ts';
import { endpointNames, endpointRank } from './endpoints/names.ts';
import { findRoutes } from './endpoints/routes.ts';
import type { FilterModel, PinModel } from './inspect/model.ts';
import { readFilter } from './inspect/read-filter.ts';
import { LimitedPcmWriter, type PcmReader, type PcmWriter } from './pcm.ts';
import { encodeUlong, KsObject } from './requests/ks-object.ts';
import { RtCaptureStream } from './streams/capture-stream.ts';
import { RtRenderStream } from './streams/render-stream.ts';
import { RequestCaptureStream } from './streams/request-capture-stream.ts';
import { RequestPin } from './streams/request-pin.ts';
import { RequestRenderStream } from './streams/request-render-stream.ts';
import { RtPin } from './streams/rt-pin.ts';
import type { Stream, StreamHost, StreamMode, StreamSetup } from './streams/stream.ts';
import { DEFAULT_BUFFER_MS, requireBufferMs } from './streams/stream.ts';
import type { StreamingPin } from './streams/streaming-pin.ts';

/** What render and capture streams are opened with. */
export interface StreamOptions {
  /**
   * Length of the cyclic buffer (WaveRT; the driver may round it up), or of all packets together (other ports), 3 to 500 ms. Default 40.
   */
  readonly bufferMs?: number;
  /** Default `timer`. */
  readonly mode?: StreamMode;
  /** The endpoint's pin to open, by name or number; by default the first that is free. */
  readonly pin?: string;
  /** Format of the stream; by default that of the source or sink, or what loses least of it. */
  readonly format?: AudioFormat;
  /** How sound is converted between the stream and the source or sink. */
  readonly conversion?: ConversionOptions;
  /** Volume of the endpoint in dB, set before the stream starts; left alone by default. */
  readonly volumeDb?: number;
  /** `auto` (the default) maps the position register when the driver has one. */
  readonly position?: 'auto' | 'property';
}

/** A stream that plays, through a shared buffer or by write requests. */
export type RenderStream = RtRenderStream | RequestRenderStream;
/** A stream that records, through a shared buffer or by read requests. */
export type CaptureStream = RtCaptureStream | RequestCaptureStream;

/** What {@link AudioClient.openRender} plays. */
export interface RenderOptions extends StreamOptions {
  readonly source: PcmReader;
}

/** What {@link AudioClient.openCapture} records into. */
export interface CaptureOptions extends StreamOptions {
  readonly sink: PcmWriter;
  /** Frames of the sink to record; by default until the stream is stopped. */
  readonly frames?: number;
}

/**
 * An application that plays and records: finds endpoints, opens streams on them, reads and sets controls. It talks to drivers by
 * KS requests alone. Methods may be called from outside the machine and from user-mode continuations; failures are
 * {@link ClientError}s.
 */
export class AudioClient {
  readonly process: UserProcess;
  readonly #kernel: Kernel;
  readonly #host: StreamHost;
  readonly #streams = new Set<Stream>();
  readonly #jackWatches = new Set<JackWatch>();
  readonly #withFilter = <T>(path: string, action: (filter: KsObject) => T): T =>
    this.#kernel.enter(() => {
      const filter = this.#openFilter(path);
      try {
        return action(filter);
      } finally {
        filter.close();
      }
    });

  constructor(kernel: Kernel, name = 'audio client') {
    this.#kernel = kernel;
    this.process = new UserProcess(kernel, name);
    this.#host = {
      process: this.process,
      get now() {
        return kernel.clock.now;
      },
      get stopped() {
        return kernel.stopped !== null;
      },
      createAlarm: (callback) => kernel.clock.createAlarm(callback),
      queueContinuation: (callback) => kernel.queueContinuation(callback),
      enter: (fn) => kernel.enter(fn),
    };
  }

  /** Symbolic links of all audio filters of the machine. */
  filterPaths(): string[] {
    return this.#kernel.enter(() => [...ioGetDeviceInterfaces(KSCATEGORY_AUDIO.toString())]);
  }

  /** Every filter with pins, nodes, connections, wiring and all properties of its nodes. */
  inspect(): FilterModel[] {
    return this.#filters(true);
  }

  /** All controls of all cards. */
  controls(): Controls {
    return new Controls(this.inspect(), this.#withFilter);
  }

  /** The endpoints in order of preference; with `all` also those that nothing can be streamed to or from. */
  endpoints(options: { readonly all?: boolean } = {}): Endpoint[] {
    const routes = findRoutes(this.#filters(false));
    const names = endpointNames(routes.map(({ bridgePin }) => bridgePin));
    const endpoints = routes.map((route, index) => new Endpoint(route, this.#withFilter, names[index]));
    return endpoints
      .filter(({ state }) => options.all === true || state !== 'notPresent')
      .sort(
        (a, b) =>
          Number(b.direction === 'render') - Number(a.direction === 'render') ||
          endpointRank(a.direction, a.category) - endpointRank(b.direction, b.category) ||
          compareText(a.route.bridgeFilter.path, b.route.bridgeFilter.path) ||
          a.route.bridgePin.id - b.route.bridgePin.id,
      );
  }

  /**
   * An endpoint by name (in any case), id, or the beginning of a word that only one has; without a name the preferred one. Throws a
   * {@link ClientError} that lists what there is.
   */
  endpoint(direction: 'render' | 'capture', name?: string): Endpoint {
    const candidates = this.endpoints().filter((endpoint) => endpoint.direction === direction);
    const wanted = name?.toLowerCase() ?? '';
    const exact = candidates.find(
      (endpoint) =>
        name === undefined || endpoint.name.toLowerCase() === wanted || endpoint.id.toLowerCase() === wanted,
    );
    const partly = candidates.filter((endpoint) => ` ${endpoint.name}`.toLowerCase().includes(` ${wanted}`));
    const found = exact ?? (partly.length === 1 ? partly[0] : undefined);
    if (found !== undefined) return found;
    if (partly.length > 1) {
      const names = partly.map((endpoint) => `'${endpoint.name}'`).join(' or ');
      throw new ClientError(`The endpoint '${name}' may be ${names}. Give the whole name.`);
    }
    const kind = direction === 'render' ? 'play' : 'record';
    if (candidates.length === 0)
      throw new ClientError(
        `There is no endpoint to ${kind}. Install a driver that has one, and start the card.`,
      );
    const names = candidates.map((endpoint) => `'${endpoint.name}'`).join(', ');
    throw new ClientError(`There is no endpoint '${name}' to ${kind}. There is ${names}.`);
  }

  /**
   * Tells of everything that is plugged in or pulled out from now on, as drivers tell it (KSEVENT_PINCAPS_JACKINFOCHANGE); `onChange`
   * runs at PASSIVE_LEVEL from the machine's outermost loop. Close it, or the client, to hear no more.
   */
  watchJacks(onChange: (change: JackChange) => void): JackWatch {
    const endpoints = this.endpoints({ all: true });
    return this.#kernel.enter(() => {
      const watch = new JackWatch(this.process, endpoints, onChange, () => this.#kernel.clock.now);
      this.#jackWatches.add(watch);
      return watch;
    });
  }

  /**
   * Would the driver take this format now, on any of the endpoint's pins? Asked by KSPROPERTY_PIN_PROPOSEDATAFORMAT; where a driver does not know that, by
   * intersection with a range of this one format.
   */
  supportsFormat(endpoint: Endpoint, format: AudioFormat): boolean {
    return endpoint.pins.some(({ id, route }) =>
      this.#withFilter(route.filter.path, (filter) =>
        ksFormsOf(format).some((form) => proposes(filter, id, form) ?? intersects(filter, id, form)),
      ),
    );
  }

  /** Opens a stream that plays `source`; it stands still until `start()`. */
  openRender(endpoint: Endpoint, options: RenderOptions): RenderStream {
    const { source } = options;
    return this.#kernel.enter(() =>
      this.#open(endpoint, 'render', options, source.format, (setup): RenderStream => {
        const pipeline = new Pipeline(source, setup.format, options.conversion);
        const sound = pipeline.passThrough ? source : pipeline;
        const { pin } = setup;
        if (pin instanceof RequestPin) return new RequestRenderStream({ ...setup, pin }, sound);
        return new RtRenderStream({ ...setup, ...rtSetup(pin, options) }, sound);
      }),
    );
  }

  /** Opens a stream that records into `sink`; it stands still until `start()`. Muxes on the way are set to the endpoint. */
  openCapture(endpoint: Endpoint, options: CaptureOptions): CaptureStream {
    const { sink, frames } = options;
    const record = (setup: StreamSetup, into: PcmWriter, limit: number | null): CaptureStream => {
      const { pin } = setup;
      return pin instanceof RequestPin
        ? new RequestCaptureStream({ ...setup, pin }, into, limit)
        : new RtCaptureStream({ ...setup, ...rtSetup(pin, options) }, into, limit);
    };
    return this.#kernel.enter(() =>
      this.#open(endpoint, 'capture', options, sink.format, (setup) => {
        if (frames === undefined) {
          return record(setup, new ConvertingPcmWriter(setup.format, sink, options.conversion), null);
        }
        const limited = new LimitedPcmWriter(sink, frames);
        const converting = new ConvertingPcmWriter(setup.format, limited, options.conversion);
        // One frame more than the rates' ratio says, so that rounding cannot leave one short.
        const sameRate = setup.format.sampleRate === sink.format.sampleRate;
        const needed = sameRate
          ? frames
          : resampledLength(frames, sink.format.sampleRate, setup.format.sampleRate) + 1;
        return record(setup, converting, needed);
      }),
    );
  }

  /** What happens to the sound between a source or sink in `format` and the stream, for people. */
  describeConversion(stream: Stream, format: AudioFormat): string {
    return stream.direction === 'render'
      ? describeConversion(format, stream.format)
      : describeConversion(stream.format, format);
  }

  /** Closes all streams and ends the process; after a bugcheck there is nothing left to end. */
  close(): void {
    for (const stream of this.#streams) stream.close();
    this.#streams.clear();
    if (this.#kernel.stopped === null)
      this.#kernel.enter(() => {
        for (const watch of this.#jackWatches) watch.close();
      });
    this.#jackWatches.clear();
    if (this.#kernel.stopped === null) this.process.terminate();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #filters(properties: boolean): FilterModel[] {
    return this.filterPaths().map((path) =>
      explained(`Cannot read what the filter ${path} is made of`, () =>
        this.#withFilter(path, (filter) => readFilter(path, filter, { properties })),
      ),
    );
  }

  #openFilter(path: string): KsObject {
    return new KsObject(
      this.process,
      explained(`Cannot open the filter ${path}`, () => this.process.createFile(path)),
    );
  }

  #open<S extends Stream>(
    endpoint: Endpoint,
    direction: 'render' | 'capture',
    options: StreamOptions,
    wanted: AudioFormat,
    make: (setup: StreamSetup) => S,
  ): S {
    if (endpoint.direction !== direction || endpoint.pins.length === 0) {
      throw new ClientError(
        `'${endpoint.name}' is no endpoint to ${direction === 'render' ? 'play to' : 'record from'}. Choose another one.`,
      );
    }
    const bufferMs = options.bufferMs ?? DEFAULT_BUFFER_MS;
    requireBufferMs(bufferMs);
    const mode = options.mode ?? 'timer';
    const pins = choosePins(endpoint.name, endpoint.pins, options.pin);
    const { pin, format, endpointPin } = this.#createPin(endpoint, pins, options.format, wanted);
    try {
      requireMode(endpoint, pin, mode, direction);
      // Not before the pin is open: a stream that somebody else has on it keeps its source.
      if (direction === 'capture') this.#selectSources(endpoint, endpointPin);
      if (options.volumeDb !== undefined) endpoint.setVolumeDb(options.volumeDb);
      const stream = make({
        host: this.#host,
        endpointName: endpoint.name,
        pinName: endpointPin.name,
        pin,
        format,
        mode,
        direction,
        bufferMs,
      });
      this.#streams.add(stream);
      return stream;
    } catch (error) {
      pin.close();
      throw error;
    }
  }

  /** Opens the first of the pins that is free and takes the format, or one near it. */
  #createPin(
    endpoint: Endpoint,
    pins: readonly EndpointPin[],
    exact: AudioFormat | undefined,
    wanted: AudioFormat,
  ): OpenedPin {
    const refusals: ClientError[] = [];
    for (const endpointPin of pins) {
      try {
        return this.#createPinOf(endpoint, endpointPin, exact, wanted);
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        const isBusy = error.status !== null && BUSY.includes(error.status);
        const isRefusal = error.status === null || REFUSALS.includes(error.status);
        if (!isBusy && !isRefusal) throw error;
        refusals.push(error);
      }
    }
    const [first] = refusals;
    if (first === undefined || refusals.length === 1) throw first;
    if (refusals.every(({ status }) => status !== null && BUSY.includes(status))) {
      throw new ClientError(
        `All pins of '${endpoint.name}' are in use: ${pins.map(({ name }) => `'${name}'`).join(', ')}. Close a stream on one of them first.`,
        first.status,
        first,
      );
    }
    const reasons = refusals.map(({ message }, index) => `pin '${pins[index]?.name}': ${message}`);
    throw new ClientError(
      `No pin of '${endpoint.name}' can be opened. ${reasons.join(' ')}`,
      first.status,
      first,
    );
  }

  /**
   * Opens a pin with the first candidate that the driver takes. A filter of KSCATEGORY_REALTIME streams through a shared buffer; of
   * others the pin itself is asked whether it does (KSPROPSETID_RtAudio), or takes read and write requests.
   */
  #createPinOf(
    endpoint: Endpoint,
    endpointPin: EndpointPin,
    exact: AudioFormat | undefined,
    wanted: AudioFormat,
  ): OpenedPin {
    const { filter: filterModel, pin } = endpointPin.route;
    const candidates = exact === undefined ? formatCandidates(pin.dataRanges, wanted) : [exact];
    return this.#withFilter(filterModel.path, (filter) => {
      const isRealtime = filterModel.categories.includes('KSCATEGORY_REALTIME');
      const opened = this.#openPin(endpoint, filter, pin, candidates, isRealtime);
      const { format, refused } = opened;
      if (opened.object !== null && format !== null) {
        if (isRealtime) return { pin: new RtPin(opened.object), format, endpointPin };
        if (!ksSupportsSet(this.process, opened.object.handle, KSPROPSETID_RtAudio)) {
          return { pin: new RequestPin(this.process, opened.object), format, endpointPin };
        }
        opened.object.close();
        const again = this.#openPin(endpoint, filter, pin, [format], true);
        if (again.object !== null) return { pin: new RtPin(again.object), format, endpointPin };
      }
      if (refused !== null) {
        throw statusError(
          `'${endpoint.name}' takes neither ${formatToString(exact ?? wanted)} nor anything near it`,
          refused.status,
          refused,
        );
      }
      throw new ClientError(
        `'${endpoint.name}' has no data range for PCM or float sound. Check the pin's data ranges in the driver.`,
      );
    });
  }

  /** Tries the candidates in turn; shared buffers are looped where the pin knows loops. */
  #openPin(
    endpoint: Endpoint,
    filter: KsObject,
    pin: PinModel,
    candidates: readonly AudioFormat[],
    loops: boolean,
  ): { object: KsObject | null; format: AudioFormat | null; refused: NtError | null } {
    const looped = loops && pin.interfaces.includes('STANDARD_LOOPED_STREAMING');
    const pinInterface = looped
      ? { set: KSINTERFACESETID_Standard, id: KSINTERFACE_STANDARD_LOOPED_STREAMING, flags: 0 }
      : undefined;
    let refused: NtError | null = null;
    for (const format of candidates) {
      for (const form of ksFormsOf(format)) {
        try {
          const name = pinCreateName(standardPinConnect(pin.id, form, pinInterface));
          const handle = this.process.createFile(name, filter.handle);
          return { object: new KsObject(this.process, handle), format, refused };
        } catch (error) {
          if (!(error instanceof NtError)) throw error;
          refused ??= error;
          if (!REFUSALS.includes(error.status)) {
            throw statusError(
              `Cannot open a stream of ${formatToString(format)} on '${endpoint.name}'`,
              error.status,
              error,
            );
          }
        }
      }
    }
    return { object: null, format: null, refused };
  }

  #selectSources(endpoint: Endpoint, { route }: EndpointPin): void {
    for (const step of muxSteps(route)) {
      explained(`Cannot switch the recording source to '${endpoint.name}'`, () =>
        this.#withFilter(step.filter.path, (filter) =>
          filter.setNode(
            KSPROPSETID_Audio,
            KSPROPERTY_AUDIO_MUX_SOURCE,
            { node: step.id },
            encodeUlong(step.inPin),
          ),
        ),
      );
    }
  }
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Statuses that refuse a format; others end the search. */
const REFUSALS = [STATUS_NO_MATCH, STATUS_INVALID_PARAMETER, STATUS_NOT_SUPPORTED];
/** Statuses of a pin whose instances, or what it needs of the card, are in use: another pin may be free. */
const BUSY = [STATUS_INSUFFICIENT_RESOURCES, STATUS_DEVICE_BUSY];

/** A pin that was opened for a stream. */
interface OpenedPin {
  readonly pin: StreamingPin;
  readonly format: AudioFormat;
  readonly endpointPin: EndpointPin;
}

function requireMode(
  endpoint: Endpoint,
  pin: StreamingPin,
  mode: StreamMode,
  direction: 'render' | 'capture',
): void {
  if (mode === 'timer') return;
  if (!(pin instanceof RtPin)) {
    if (mode === 'event') return;
    throw new ClientError(
      `'${endpoint.name}' streams by read and write requests, not by the packets of a shared buffer. Use the mode 'event' or 'timer'.`,
    );
  }
  if (!pin.supportsNotification()) {
    throw new ClientError(
      `'${endpoint.name}' gives no notifications, which the mode '${mode}' needs. Use the mode 'timer'.`,
    );
  }
  if (mode === 'packet' && !pin.supportsPackets(direction === 'capture')) {
    throw new ClientError(`'${endpoint.name}' takes no packets. Use the mode 'event' or 'timer'.`);
  }
}

/** What a stream through a shared buffer needs besides. */
function rtSetup(
  pin: StreamingPin,
  options: StreamOptions,
): { readonly pin: RtPin; readonly preferPositionRegister: boolean } {
  if (!(pin instanceof RtPin)) throw new RangeError('a pin is of WaveRT, or it takes requests');
  return { pin, preferPositionRegister: (options.position ?? 'auto') === 'auto' };
}

/** Null when the driver does not know the property. */
function proposes(filter: KsObject, pin: number, format: KSDATAFORMAT_WAVEFORMATEX): boolean | null {
  try {
    filter.setPin(KSPROPSETID_Pin, KSPROPERTY_PIN_PROPOSEDATAFORMAT, pin, encodeDataFormat(format));
    return true;
  } catch (error) {
    if (!(error instanceof NtError)) throw error;
    return REFUSALS.includes(error.status) ? false : null;
  }
}

function intersects(filter: KsObject, pin: number, format: KSDATAFORMAT_WAVEFORMATEX): boolean {
  const { waveFormatEx } = format;
  const range = {
    flags: 0,
    sampleSize: 0,
    majorFormat: format.majorFormat,
    subFormat: format.subFormat,
    specifier: format.specifier,
    maximumChannels: waveFormatEx.nChannels,
    minimumBitsPerSample: waveFormatEx.wBitsPerSample,
    maximumBitsPerSample: waveFormatEx.wBitsPerSample,
    minimumSampleFrequency: waveFormatEx.nSamplesPerSec,
    maximumSampleFrequency: waveFormatEx.nSamplesPerSec,
  };
  try {
    const answer = filter.getPin(
      KSPROPSETID_Pin,
      KSPROPERTY_PIN_DATAINTERSECTION,
      pin,
      undefined,
      encodeDataRanges([range]),
    );
    return dataFormatEquals(decodeDataFormat(answer), format);
  } catch (error) {
    if (error instanceof NtError) return false;
    throw error;
  }
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CARDS, type CatalogCard } from '../src/catalog.ts';
import type { FilterModel, PinModel } from '../src/client/index.ts';
import type { GUID } from '../src/com/index.ts';
import {
  type HANDLE,
  NtError,
  ntStatusName,
  ntSuccess,
  type PendingRequest,
  STATUS_BUFFER_OVERFLOW,
  STATUS_PENDING,
} from '../src/kernel/index.ts';
import {
  createRequestName,
  encodeDataFormat,
  encodePinConnect,
  encodeStreamHeaders,
  IOCTL_KS_DISABLE_EVENT,
  IOCTL_KS_ENABLE_EVENT,
  IOCTL_KS_METHOD,
  IOCTL_KS_PROPERTY,
  IOCTL_KS_READ_STREAM,
  IOCTL_KS_RESET_STATE,
  IOCTL_KS_WRITE_STREAM,
  KS_EVENT_SETS,
  KS_PROPERTY_SETS,
  type KSDATAFORMAT,
  KSINTERFACE_STANDARD_LOOPED_STREAMING,
  KSINTERFACE_STANDARD_STREAMING,
  KSINTERFACESETID_Standard,
  KSPROPERTY_CONNECTION_DATAFORMAT,
  KSPROPERTY_CONNECTION_STATE,
  KSPROPSETID_Audio,
  KSPROPSETID_Connection,
  KSPROPSETID_Jack,
  KSPROPSETID_Pin,
  KSPROPSETID_RtAudio,
  KSPROPSETID_Stream,
  KSPROPSETID_Topology,
  KSSTRING_Pin,
  MIDI_DATA_FORMAT,
  pcmFormat,
  pinCreateName,
  standardPinConnect,
  streamHeader,
} from '../src/ks/index.ts';
import { CardBench } from './support/card-bench.ts';
import { Dice, head } from './support/ks-attempts.ts';

/** Requests in one run, and runs a card. */
const REQUESTS_PER_RUN = 2_000;
const RUNS = 3;
const GUARD_BYTES = 8;

const FORMATS: readonly KSDATAFORMAT[] = [
  pcmFormat(44_100, 2, 16),
  pcmFormat(44_100, 1, 16),
  pcmFormat(44_100, 2, 8),
  pcmFormat(48_000, 2, 16),
  MIDI_DATA_FORMAT,
];
const INTERFACES = [KSINTERFACE_STANDARD_STREAMING, KSINTERFACE_STANDARD_LOOPED_STREAMING];
const isHost = ({ communication }: PinModel) => communication !== 'none' && communication !== 'bridge';

/** Sets that audio filters and pins answer: asked for more often than others. */
const AUDIO_SETS = KS_PROPERTY_SETS.filter(({ set }) =>
  [
    KSPROPSETID_Audio,
    KSPROPSETID_Connection,
    KSPROPSETID_Jack,
    KSPROPSETID_Pin,
    KSPROPSETID_RtAudio,
    KSPROPSETID_Stream,
    KSPROPSETID_Topology,
  ].some((one) => one.equals(set)),
);

/** Something of a card that requests can be sent to. */
interface Place {
  readonly what: string;
  readonly handle: HANDLE;
  readonly filter: FilterModel;
  readonly isPin: boolean;
  readonly isCapture: boolean;
}

/** One request with what is known about it. */
interface Attempt {
  readonly what: string;
  readonly place: Place;
  readonly code: number;
  readonly input: Uint8Array | null;
  readonly output: Uint8Array | null;
  /** It may wait for the device. */
  readonly waits?: true;
}

/** A card with all its filters and as many of its pins open as go at once, and an application that sends them anything. */
class World implements Disposable {
  readonly bench: CardBench;
  readonly places: Place[] = [];
  readonly #dice: Dice;
  readonly #memory: number;
  readonly #event: HANDLE;
  #pending: PendingRequest[] = [];
  requests = 0;

  constructor(card: CatalogCard, dice: Dice) {
    this.bench = new CardBench(card);
    this.#dice = dice;
    const { process } = this.bench;
    this.#memory = process.allocateMemory(0x4_0000);
    this.#event = process.createEvent();
    for (const filter of this.bench.audio.inspect()) {
      const handle = process.createFile(filter.path);
      this.places.push({ what: filter.reference, handle, filter, isPin: false, isCapture: false });
      for (const pin of filter.pins.filter(isHost)) this.#openPin(filter, handle, pin);
    }
  }

  #openPin(filter: FilterModel, filterHandle: HANDLE, pin: PinModel): void {
    for (const format of FORMATS) {
      for (const id of INTERFACES) {
        const connect = standardPinConnect(pin.id, format, {
          set: KSINTERFACESETID_Standard,
          id,
          flags: 0,
        });
        try {
          const handle = this.bench.process.createFile(pinCreateName(connect), filterHandle);
          this.places.push({
            what: `${filter.reference} pin ${pin.id}`,
            handle,
            filter,
            isPin: true,
            isCapture: pin.dataFlow === 'out',
          });
          return;
        } catch (error) {
          if (!(error instanceof NtError)) throw error;
        }
      }
    }
  }

  /** What a failed request may take nothing of: objects, handles, pages. */
  inUse(): readonly number[] {
    const { kernel, process } = this.bench;
    return [kernel.objects.count, process.handleCount, -kernel.memory.freePageCount];
  }

  #number(): number {
    const dice = this.#dice;
    return dice.pick([0, 1, 2, 3, 4, dice.next(64), 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, dice.word()]);
  }

  #property(): Attempt {
    const dice = this.#dice;
    const place = dice.pick(this.places);
    const known = dice.pick(dice.next(8) === 0 ? KS_PROPERTY_SETS : AUDIO_SETS);
    const set: GUID = dice.next(20) === 0 ? dice.guid() : known.set;
    const ids = Object.values(known.ids);
    const id = dice.next(10) === 0 ? this.#number() : dice.pick(ids);
    const flags = dice.pick([
      1,
      1,
      1,
      2,
      2,
      0x200,
      0x100,
      0x1000_0001,
      0x1000_0002,
      0x1000_0200,
      dice.word(),
    ]);
    const words = Array.from({ length: dice.next(5) }, () => this.#number());
    // A node or a pin that there is, more often than not.
    if (words.length > 0 && dice.next(4) > 0) {
      words[0] = dice.next(Math.max(1, Math.max(place.filter.nodes.length, place.filter.pins.length)));
    }
    const whole = head(set, id, flags, ...words);
    const input = dice.next(12) === 0 ? whole.subarray(0, dice.next(whole.length + 1)) : whole;
    const length = dice.pick([null, 0, 4, 8, 16, 24, 40, dice.next(200)]);
    const output = length === null ? null : dice.pick([dice.bytes(length), new Uint8Array(length)]);
    if (output !== null && output.length >= 4) new DataView(output.buffer).setUint32(0, this.#number(), true);
    return {
      what: `property ${set} ${id} flags ${flags.toString(16)}`,
      place,
      code: IOCTL_KS_PROPERTY,
      input,
      output,
    };
  }

  /** Properties of pins that make them move. */
  #pinProperty(): Attempt {
    const dice = this.#dice;
    const place = this.#pin();
    if (dice.next(3) === 0) {
      const bytes = encodeDataFormat(dice.pick(FORMATS)).slice();
      for (let count = dice.next(3); count > 0; count--) bytes[dice.next(bytes.length)] = dice.next(256);
      return {
        what: 'format',
        place,
        code: IOCTL_KS_PROPERTY,
        input: head(KSPROPSETID_Connection, KSPROPERTY_CONNECTION_DATAFORMAT, 2),
        output: bytes.subarray(0, dice.next(4) === 0 ? dice.next(bytes.length) : bytes.length),
      };
    }
    const output = new Uint8Array(4);
    new DataView(output.buffer).setUint32(0, dice.next(8) === 0 ? dice.word() : dice.next(4), true);
    return {
      what: `state ${output[0]}`,
      place,
      code: IOCTL_KS_PROPERTY,
      input: head(KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, 2),
      output,
    };
  }

  #pin(): Place {
    const pins = this.places.filter(({ isPin }) => isPin);
    return this.#dice.pick(pins.length > 0 ? pins : this.places);
  }

  #stream(): Attempt {
    const dice = this.#dice;
    const place = dice.next(6) === 0 ? dice.pick(this.places) : this.#pin();
    // Some of them could not be better.
    if (dice.next(3) === 0) {
      const extent = 4 * (1 + dice.next(4_000));
      const header = streamHeader({
        data: this.#memory + 4 * dice.next(0x1000),
        frameExtent: extent,
        dataUsed: place.isCapture ? 0 : extent,
      });
      return {
        what: 'stream',
        place,
        code: place.isCapture ? IOCTL_KS_READ_STREAM : IOCTL_KS_WRITE_STREAM,
        input: null,
        output: encodeStreamHeaders([header]),
        waits: true,
      };
    }
    const headers = Array.from({ length: 1 + dice.next(3) }, () => {
      const extent = dice.pick([0, 1, 4, dice.next(20_000), dice.next(0x4_0000), this.#number()]);
      return streamHeader({
        data: dice.pick([this.#memory + dice.next(0x4000), 0, dice.word(), this.#memory + 0x4_0000 - 2]),
        frameExtent: extent,
        dataUsed: dice.pick([0, extent, dice.next(extent + 1), this.#number()]),
        optionsFlags: dice.pick([0, 0, 0x80, 0x200, 0x8000_0000, dice.word()]),
      });
    });
    const bytes = encodeStreamHeaders(headers);
    const output = dice.next(6) === 0 ? bytes.subarray(0, dice.next(bytes.length)) : bytes;
    if (dice.next(8) === 0) output[dice.next(Math.max(1, output.length))] = dice.next(256);
    return {
      what: 'stream',
      place,
      code: dice.pick([IOCTL_KS_READ_STREAM, IOCTL_KS_WRITE_STREAM, IOCTL_KS_RESET_STATE]),
      input: dice.pick([null, dice.bytes(4), dice.bytes(dice.next(12))]),
      output,
      waits: true,
    };
  }

  #eventRequest(): Attempt {
    const dice = this.#dice;
    const known = dice.pick(KS_EVENT_SETS);
    const ids = Object.values(known.ids);
    const data = new Uint8Array(dice.pick([0, 31, 32, 40, 64]));
    const view = new DataView(data.buffer);
    if (data.length >= 4) view.setUint32(0, dice.pick([0, 1, 2, dice.word()]), true);
    if (data.length >= 16) view.setUint32(8, dice.pick([this.#event, 0, dice.word()]), true);
    const flags = dice.pick([1, 2, 4, 0x200, 0x1000_0001, dice.word()]);
    return {
      what: 'event',
      place: dice.pick(this.places),
      code: dice.pick([
        IOCTL_KS_ENABLE_EVENT,
        IOCTL_KS_ENABLE_EVENT,
        IOCTL_KS_DISABLE_EVENT,
        IOCTL_KS_METHOD,
      ]),
      input: dice.pick([
        null,
        head(
          known.set,
          dice.pick(ids),
          flags,
          ...(dice.next(2) === 0 ? [] : [this.#number(), this.#number()]),
        ),
        dice.bytes(dice.next(60)),
      ]),
      output: data,
    };
  }

  attempt(): void {
    const dice = this.#dice;
    const roll = dice.next(20);
    const attempt =
      roll < 10
        ? this.#property()
        : roll < 14
          ? this.#pinProperty()
          : roll < 18
            ? this.#stream()
            : this.#eventRequest();
    this.requests++;
    if (attempt.waits) this.#send(attempt);
    else this.#ask(attempt);
  }

  /** A request that the driver may keep for a while: it has an end, and nothing beside its buffer is written to. */
  #send({ place, code, input, output }: Attempt): void {
    const request = this.bench.process.deviceIoControlAsync(place.handle, code, input, output, (status) => {
      expect(status).not.toBe(STATUS_PENDING);
    });
    this.#pending.push(request);
    if (this.#pending.length > 40) {
      for (const old of this.#pending.splice(0, 20)) old.cancel();
      this.bench.pass(1);
    }
  }

  #ask({ what, place, code, input, output }: Attempt): void {
    const { process, kernel } = this.bench;
    const length = output?.length ?? 0;
    const memory = new Uint8Array(length + 2 * GUARD_BYTES).fill(0xa5);
    const value = output === null ? null : memory.subarray(GUARD_BYTES, GUARD_BYTES + length);
    if (output !== null) value?.set(output);
    const sent = memory.slice();
    const inputSent = input?.slice() ?? null;
    const tick = kernel.clock.now;
    const before = this.inUse();
    const { status, information } = process.deviceIoControl(place.handle, code, input, value);
    const told = `${what} on ${place.what}, ${length} bytes: ${ntStatusName(status)}, ${information}`;
    if (inputSent?.some((byte, at) => byte !== input?.[at]))
      throw new Error(`${told}; the input was written to`);
    const written = ntSuccess(status) ? information : 0;
    if (written > length) throw new Error(`${told}; that is more than there is room for`);
    if (!ntSuccess(status) && status !== STATUS_BUFFER_OVERFLOW && information !== 0)
      throw new Error(`${told}; a failure returns nothing`);
    for (let at = 0; at < memory.length; at++) {
      const inside = at >= GUARD_BYTES && at < GUARD_BYTES + length;
      if (!(inside && ntSuccess(status)) && memory[at] !== sent[at])
        throw new Error(`${told}; byte ${at - GUARD_BYTES} was written to`);
    }
    // Where time passed, other requests may have moved on.
    if (ntSuccess(status) || kernel.clock.now !== tick) return;
    const after = this.inUse();
    if (after.some((count, index) => count > (before[index] ?? 0)))
      throw new Error(`${told}; it left something: ${before}, now ${after}`);
  }

  /** Lets go of everything. */
  release(): void {
    for (const request of this.#pending.splice(0)) request.cancel();
    for (const { handle } of this.places.toReversed()) this.bench.process.closeHandle(handle);
    this.bench.process.freeMemory(this.#memory);
    this.bench.pass(1);
  }

  [Symbol.dispose](): void {
    this.bench[Symbol.dispose]();
  }
}

describe.each(CARDS)('$name', (card) => {
  it(`answers ${RUNS * REQUESTS_PER_RUN} requests of any kind with a status, breaks nothing, and works afterwards`, () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0x7fff_ffff }), (seed) => {
        const dice = new Dice(seed);
        using world = new World(card, dice);
        const { bench } = world;
        const controls = bench.audio.controls();
        const settings = controls.list
          .filter(({ get, set }) => get && set)
          .map((control) => ({ control, values: controls.get(control) }));
        while (world.requests < REQUESTS_PER_RUN) {
          world.attempt();
          if (dice.next(16) === 0) bench.pass(dice.next(8) + 0.1);
        }
        world.release();
        for (const { control, values } of settings) controls.set(control, values);
        bench.expectWorks();
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  });

  it('refuses pins that are asked for by noise, and keeps nothing of them', () => {
    using bench = new CardBench(card);
    const filters = bench.audio.inspect().map((filter) => ({
      filter,
      handle: bench.process.createFile(filter.path),
    }));
    // A driver may keep what its first stream needed: each pin is opened once before objects are counted.
    const open = (handle: HANDLE, name: string): string => {
      try {
        bench.process.closeHandle(bench.process.createFile(name, handle));
        return 'opened';
      } catch (error) {
        if (error instanceof NtError) return ntStatusName(error.status);
        throw error;
      }
    };
    const good = filters.flatMap(({ filter, handle }) =>
      filter.pins.filter(isHost).flatMap((pin) =>
        FORMATS.map((format) => ({
          handle,
          bytes: encodePinConnect(standardPinConnect(pin.id, format)),
        })),
      ),
    );
    expect(
      good.filter(({ handle, bytes }) => open(handle, createRequestName(KSSTRING_Pin, bytes)) === 'opened')
        .length,
    ).toBeGreaterThan(0);
    const objects = bench.kernel.objects.count;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0x7fff_ffff }), (seed) => {
        const dice = new Dice(seed);
        const { handle, bytes } = dice.pick(good);
        const noisy = bytes.slice();
        for (let count = dice.next(6); count > 0; count--) noisy[dice.next(noisy.length)] = dice.next(256);
        const cut = dice.next(4) === 0 ? noisy.subarray(0, 2 * dice.next(noisy.length / 2)) : noisy;
        open(handle, createRequestName(dice.pick([KSSTRING_Pin, KSSTRING_Pin, `{${dice.guid()}}`, '']), cut));
        expect(bench.kernel.objects.count).toBe(objects);
      }),
      { numRuns: 1500 },
    );
    bench.expectWorks();
  });
});

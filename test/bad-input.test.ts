import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KsObject } from '../src/client/requests/ks-object.ts';
import { encodeUlong, ulongAt } from '../src/client/requests/ks-object.ts';
import type { RtPin } from '../src/client/streams/rt-pin.ts';
import {
  type NTSTATUS,
  NtError,
  ntStatusName,
  ntSuccess,
  STATUS_BUFFER_OVERFLOW,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_INSUFFICIENT_RESOURCES,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_PARAMETER,
  STATUS_NO_MATCH,
  STATUS_OBJECT_NAME_NOT_FOUND,
} from '../src/kernel/index.ts';
import {
  createRequestName,
  encodePinConnect,
  KSPROPERTY_AUDIO_POSITION,
  KSPROPERTY_CONNECTION_DATAFORMAT,
  KSPROPERTY_CONNECTION_STATE,
  KSPROPERTY_PIN_CINSTANCES,
  KSPROPERTY_TYPE_GET,
  KSPROPSETID_Audio,
  KSPROPSETID_Connection,
  KSPROPSETID_Pin,
  KSSTRING_Pin,
  pcmFormat,
  standardPinConnect,
} from '../src/ks/index.ts';
import { Ac97Bench, CAPTURE_PIN, MIC_PIN, RENDER_PIN } from './support/ac97-bench.ts';
import {
  type Attempt,
  BUILDER_NAMES,
  BUILDERS,
  Dice,
  head,
  type Place,
  type WorldFacts,
} from './support/ks-attempts.ts';

/** Requests in one run of the property, and how many runs: more than 100,000 together. */
const REQUESTS_PER_RUN = 3_000;
const RUNS = 35;
const GUARD_BYTES = 8;

const HOST_PINS = { render: RENDER_PIN, capture: CAPTURE_PIN, mic: MIC_PIN } as const;
type StreamPlace = keyof typeof HOST_PINS;
const STREAM_PLACES: readonly StreamPlace[] = ['render', 'capture', 'mic'];
const isStream = (place: Place): place is StreamPlace => place in HOST_PINS;

/** What the filters are made of: the same on every machine. */
const filterFacts = (() => {
  let facts: Pick<
    WorldFacts,
    'pins' | 'nodes' | 'volumeNodes' | 'muteNodes' | 'muxNode' | 'muxInputs'
  > | null = null;
  return () => {
    if (facts !== null) return facts;
    using bench = new Ac97Bench({ flat: false });
    const filters = bench.audio.inspect();
    const [wave, topology] = ['Wave', 'Topology'].map((name) =>
      filters.find((one) => one.reference === name),
    );
    if (wave === undefined || topology === undefined) throw new Error('a filter is missing');
    const withProperty = (property: string) =>
      topology.nodes.flatMap((node) => {
        const found = node.properties.find((one) => one.property === property);
        return found === undefined ? [] : [{ node: node.id, channels: found.ranges.length }];
      });
    const muxNode = topology.nodes.find(({ type }) => type === 'KSNODETYPE_MUX')?.id ?? -1;
    facts = {
      pins: { wave: wave.pins.length, topology: topology.pins.length },
      nodes: { wave: wave.nodes.length, topology: topology.nodes.length },
      volumeNodes: withProperty('KSPROPERTY_AUDIO_VOLUMELEVEL'),
      muteNodes: withProperty('KSPROPERTY_AUDIO_MUTE'),
      muxNode,
      muxInputs: topology.connections.filter(({ toNode }) => toNode === muxNode).length,
    };
    return facts;
  };
})();

/** What no failed request may change. */
interface Snapshot {
  readonly tick: number | null;
  /** Mixer registers, states, formats, instance counts, objects, handles, requests under way. */
  readonly standing: string;
  /** Bus-master registers and positions, which move with time. */
  readonly moving: string;
}

/** The AC'97 driver with both filters and all pins open, and an application that sends it anything. */
class World implements Disposable {
  readonly bench = new Ac97Bench({ flat: false });
  readonly facts: WorldFacts;
  readonly #wave = this.bench.openFilter('Wave');
  readonly #topology = this.bench.openFilter('Topology');
  readonly #pins: Readonly<Record<StreamPlace, RtPin>>;
  readonly #notified = new Set<Place>();
  readonly #buffered = new Set<Place>();
  readonly #mixerPort: number;
  readonly #busMasterPort: number;

  constructor() {
    const { bench } = this;
    this.#pins = {
      render: bench.openPin(this.#wave, RENDER_PIN),
      capture: bench.openPin(this.#wave, CAPTURE_PIN),
      mic: bench.openPin(this.#wave, MIC_PIN, pcmFormat(48_000, 1, 16)),
    };
    this.#mixerPort = this.#baseAddress(0x10);
    this.#busMasterPort = this.#baseAddress(0x14);
    const eventHandle = bench.process.createEvent();
    this.facts = {
      ...filterFacts(),
      eventHandle,
      fileHandle: this.#wave.handle,
      hasBuffer: (place) => this.#buffered.has(place),
      hasNotification: (place) => this.#notified.has(place),
      state: (place) => (isStream(place) ? this.#stateOf(place) : 0),
    };
  }

  /** The I/O base address that a BAR of the card was given. */
  #baseAddress(register: number): number {
    const { platform } = this.bench.machine;
    platform.writePort(0xcf8, 4, (0x8000_0000 | (3 << 11) | register) >>> 0);
    return platform.readPort(0xcfc, 4) & 0xfffc;
  }

  #object(place: Place): KsObject {
    if (place === 'wave') return this.#wave;
    return place === 'topology' ? this.#topology : this.#pins[place].object;
  }

  #ask(place: Place, set: Parameters<typeof head>[0], id: number, size: number, ...words: number[]): string {
    const output = new Uint8Array(size);
    const input = head(set, id, KSPROPERTY_TYPE_GET, ...words);
    const { status } = this.#object(place).tryControl(input, output);
    return `${status}:${Buffer.from(output.buffer).toString('latin1')}`;
  }

  #stateOf(place: StreamPlace): number {
    const output = new Uint8Array(4);
    const input = head(KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, KSPROPERTY_TYPE_GET);
    this.#object(place).tryControl(input, output);
    return ulongAt(output);
  }

  /** By bus cycles and requests whose answers are known to be right: the other tests are about them. */
  snapshot(): Snapshot {
    const { platform, kernel } = this.bench.machine;
    const startTick = this.bench.now;
    const standing: (string | number)[] = [];
    for (let register = 0; register < 0x38; register += 2)
      standing.push(platform.readPort(this.#mixerPort + register, 2));
    const moving: (string | number)[] = [];
    for (const place of STREAM_PLACES) {
      standing.push(this.#stateOf(place));
      standing.push(this.#ask(place, KSPROPSETID_Connection, KSPROPERTY_CONNECTION_DATAFORMAT, 90));
      standing.push(this.#ask('wave', KSPROPSETID_Pin, KSPROPERTY_PIN_CINSTANCES, 8, HOST_PINS[place], 0));
      // Before the registers: a driver that looks for the position moves LVI on.
      moving.push(this.#ask(place, KSPROPSETID_Audio, KSPROPERTY_AUDIO_POSITION, 16));
    }
    // Without 34h, which reading takes.
    for (let register = 0; register < 0x34; register += 4)
      moving.push(platform.readPort(this.#busMasterPort + register, 4));
    const { process } = this.bench;
    standing.push(kernel.objects.count, process.handleCount, process.pendingRequestCount);
    // Long polling makes time pass: then what moves cannot be compared.
    const tick = this.bench.now === startTick ? startTick : null;
    return { tick, standing: standing.join(' '), moving: moving.join(' ') };
  }

  /** Sends one request and checks what came of it. Returns the world afterwards. */
  attempt(attempt: Attempt, before: Snapshot): Snapshot {
    const { process } = this.bench;
    const length = attempt.outputLength;
    // Guard bytes on both sides: nobody may write there.
    const memory = new Uint8Array((length ?? 0) + 2 * GUARD_BYTES).fill(0xa5);
    const output = length === null ? null : memory.subarray(GUARD_BYTES, GUARD_BYTES + length);
    if (attempt.value !== undefined) output?.set(attempt.value.subarray(0, length ?? 0));
    const sent = memory.slice();
    const input = attempt.input?.slice() ?? null;
    const isSet = input !== null && input.byteLength >= 24 && (ulongAt(input, 20) & 2) !== 0;
    // A status, never an exception: an NtError here would mean that the handle itself is bad.
    const { status, information } = process.deviceIoControl(
      this.#object(attempt.place).handle,
      attempt.code,
      input,
      output,
    );
    const told = `${attempt.what} on ${attempt.place}: ${ntStatusName(status)}, ${information}`;

    if (attempt.statuses !== null && !attempt.statuses.includes(status)) {
      const right = attempt.statuses.map(ntStatusName).join(' or ');
      throw new Error(`${told}; ${right} is right`);
    }
    if (attempt.information !== undefined && information !== attempt.information)
      throw new Error(`${told}; ${attempt.information} is right`);
    if (input !== null && attempt.input !== null && !input.every((byte, at) => byte === attempt.input?.[at]))
      throw new Error(`${told}; the input was written to`);
    let written = 0;
    if (ntSuccess(status)) {
      if (information > (length ?? 0)) throw new Error(`${told}; the buffer has ${length} bytes`);
      written = information;
    } else if (status !== STATUS_BUFFER_OVERFLOW && information !== 0) {
      throw new Error(`${told}; a failure returns nothing`);
    }
    for (let at = 0; at < memory.byteLength; at++) {
      if (at >= GUARD_BYTES && at < GUARD_BYTES + written && !isSet) continue;
      if (memory[at] !== sent[at]) throw new Error(`${told}; byte ${at - GUARD_BYTES} was written to`);
    }

    if (ntSuccess(status)) this.#learn(attempt);
    const after = this.snapshot();
    if (!ntSuccess(status) && attempt.mayMove !== true) {
      if (after.standing !== before.standing)
        throw new Error(`${told}; it changed something:\n${before.standing}\n${after.standing}`);
      if (after.tick !== null && after.tick === before.tick && after.moving !== before.moving)
        throw new Error(`${told}; it moved something:\n${before.moving}\n${after.moving}`);
    }
    return after;
  }

  /** What a request that succeeded means for those that follow. */
  #learn({ place, what }: Attempt): void {
    if (!isStream(place)) return;
    // Noise hits a buffer request now and then: the pin itself says whether it has one.
    if (what.startsWith('buffer of')) {
      this.#buffered.add(place);
      if (!what.endsWith('null notifications')) this.#notified.add(place);
    }
  }

  [Symbol.dispose](): void {
    this.bench[Symbol.dispose]();
  }
}

describe("any request to the AC'97 filters and pins", () => {
  it(`${RUNS * REQUESTS_PER_RUN} requests get documented answers and, when they fail, change nothing`, () => {
    let requests = 0;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0x7fff_ffff }), (seed) => {
        const dice = new Dice(seed);
        using world = new World();
        let snapshot = world.snapshot();
        for (let number = 0; number < REQUESTS_PER_RUN; number++) {
          // Time goes by in some places only, so that most failures can be compared to the tick.
          if (dice.next(16) === 0) {
            world.bench.pass(dice.next(4) + 0.1);
            snapshot = world.snapshot();
          }
          const builder = BUILDERS[dice.pick(BUILDER_NAMES)] as (typeof BUILDERS)[string];
          snapshot = world.attempt(builder(dice, world.facts), snapshot);
          requests++;
        }
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
    expect(requests).toBeGreaterThanOrEqual(100_000);
  });
});

describe('any request for a pin', () => {
  const mutations: readonly (readonly [
    what: string,
    mutate: (bytes: Uint8Array, dice: Dice) => Uint8Array,
    statuses: readonly NTSTATUS[],
  ])[] = [
    [
      'cut short',
      (bytes, dice) => bytes.subarray(0, 2 * dice.next(bytes.byteLength >> 1)),
      [STATUS_BUFFER_TOO_SMALL],
    ],
    ['another interface set', (bytes, dice) => with32(bytes, 0, dice.word() | 1), [STATUS_NO_MATCH]],
    ['another interface', (bytes, dice) => with32(bytes, 16, 2 + dice.next(100)), [STATUS_NO_MATCH]],
    ['another medium set', (bytes, dice) => with32(bytes, 24, dice.word() & ~1), [STATUS_NO_MATCH]],
    ['another medium', (bytes, dice) => with32(bytes, 40, 1 + dice.next(100)), [STATUS_NO_MATCH]],
    ['no such pin', (bytes, dice) => with32(bytes, 48, 6 + dice.next(1000)), [STATUS_INVALID_PARAMETER]],
    ['pin −1', (bytes) => with32(bytes, 48, 0xffff_ffff), [STATUS_INVALID_PARAMETER]],
    [
      'a bridge pin',
      (bytes, dice) => with32(bytes, 48, dice.pick([1, 3, 5])),
      [STATUS_INVALID_DEVICE_REQUEST],
    ],
    [
      'another pin’s handle',
      (bytes, dice) => with32(bytes, 56, 4 * (1 + dice.next(1000))),
      [STATUS_INVALID_PARAMETER],
    ],
    ['FormatSize too small', (bytes, dice) => with32(bytes, 72, dice.next(64)), [STATUS_INVALID_PARAMETER]],
    [
      'FormatSize too large',
      (bytes, dice) => with32(bytes, 72, 83 + dice.next(1e6)),
      [STATUS_BUFFER_TOO_SMALL],
    ],
    ['FormatSize −1', (bytes) => with32(bytes, 72, 0xffff_ffff), [STATUS_BUFFER_TOO_SMALL]],
    ['another major format', (bytes, dice) => with32(bytes, 88, dice.word() | 1), [STATUS_NO_MATCH]],
    ['another subtype', (bytes) => with32(bytes, 104, 3), [STATUS_NO_MATCH, STATUS_INVALID_PARAMETER]],
    ['another specifier', (bytes, dice) => with32(bytes, 120, dice.word() | 1), [STATUS_NO_MATCH]],
    [
      'a rate that the converters lack',
      (bytes, dice) => with32(bytes, 140, dice.pick([0, 7999, 48_001, 0xffff_ffff])),
      [STATUS_INVALID_PARAMETER, STATUS_NO_MATCH],
    ],
    [
      'channels that the converters lack',
      (bytes, dice) => with16(bytes, 138, dice.pick([0, 1, 3, 8, 0xffff])),
      [STATUS_INVALID_PARAMETER, STATUS_NO_MATCH],
    ],
    [
      'bits that the converters lack',
      (bytes, dice) => with16(bytes, 150, dice.pick([0, 8, 24, 32, 0xffff])),
      [STATUS_INVALID_PARAMETER, STATUS_NO_MATCH],
    ],
    [
      'cbSize beyond the format',
      (bytes) => with16(bytes, 152, 0xffff),
      [STATUS_INVALID_PARAMETER, STATUS_BUFFER_TOO_SMALL],
    ],
  ];

  function with32(bytes: Uint8Array, at: number, value: number): Uint8Array {
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, value >>> 0, true);
    return bytes;
  }
  function with16(bytes: Uint8Array, at: number, value: number): Uint8Array {
    new DataView(bytes.buffer, bytes.byteOffset).setUint16(at, value, true);
    return bytes;
  }

  /** Opens what `name` says, relative to the filter; the status. */
  function create(bench: Ac97Bench, filter: KsObject, name: string): NTSTATUS | 'opened' {
    try {
      bench.process.closeHandle(bench.process.createFile(name, filter.handle));
      return 'opened';
    } catch (error) {
      if (error instanceof NtError) return error.status;
      throw error;
    }
  }

  it('is refused with the documented status and leaves no pin, page or object behind', () => {
    using bench = new Ac97Bench({ flat: false });
    const filter = bench.openFilter('Wave');
    const good = encodePinConnect(standardPinConnect(RENDER_PIN, pcmFormat(48_000, 2, 16)));
    expect(create(bench, filter, createRequestName(KSSTRING_Pin, good))).toBe('opened');
    const objects = bench.kernel.objects.count;
    fc.assert(
      fc.property(fc.nat(mutations.length - 1), fc.integer({ min: 1, max: 0x7fff_ffff }), (which, seed) => {
        const [what, mutate, statuses] = mutations[which] as (typeof mutations)[number];
        const bytes = mutate(good.slice(), new Dice(seed));
        const status = create(bench, filter, createRequestName(KSSTRING_Pin, bytes));
        if (status === 'opened' || !statuses.includes(status)) {
          const got = status === 'opened' ? status : ntStatusName(status);
          throw new Error(`${what}: ${got}; ${statuses.map(ntStatusName).join(' or ')} is right`);
        }
        expect(bench.kernel.objects.count).toBe(objects);
      }),
      { numRuns: 3000 },
    );
  });

  it('made of noise ends in a status, never in anything else', () => {
    using bench = new Ac97Bench({ flat: false });
    const filters = [bench.openFilter('Wave'), bench.openFilter('Topology')];
    const good = encodePinConnect(standardPinConnect(RENDER_PIN, pcmFormat(48_000, 2, 16)));
    const objects = bench.kernel.objects.count;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0x7fff_ffff }), (seed) => {
        const dice = new Dice(seed);
        const bytes = good.slice();
        for (let count = dice.next(6); count >= 0; count--)
          bytes[dice.next(bytes.byteLength)] = dice.next(256);
        const shortened = bytes.subarray(0, 2 * dice.next((bytes.byteLength >> 1) + 1));
        const className = dice.pick([
          KSSTRING_Pin,
          KSSTRING_Pin,
          KSSTRING_Pin,
          `{${dice.guid()}}`,
          'pin',
          '',
        ]);
        create(bench, dice.pick(filters), createRequestName(className, dice.pick([bytes, shortened])));
        expect(bench.kernel.objects.count).toBe(objects);
      }),
      { numRuns: 3000 },
    );
  });

  it('beyond the pin’s instances is refused, and of a name that is no pin', () => {
    using bench = new Ac97Bench({ flat: false });
    const filter = bench.openFilter('Wave');
    const another = bench.openFilter('Wave');
    const pin = bench.openPin(filter, RENDER_PIN);
    const good = createRequestName(
      KSSTRING_Pin,
      encodePinConnect(standardPinConnect(RENDER_PIN, pcmFormat(48_000, 2, 16))),
    );
    for (const where of [filter, another])
      expect(create(bench, where, good)).toBe(STATUS_INSUFFICIENT_RESOURCES);
    expect(create(bench, filter, '{00000000-0000-0000-0000-000000000000}\\x')).toBe(
      STATUS_OBJECT_NAME_NOT_FOUND,
    );
    expect(create(bench, pin.object, good)).toBe(STATUS_INVALID_DEVICE_REQUEST);
    pin.object.set(KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, encodeUlong(0));
    pin.close();
    expect(create(bench, another, good)).toBe('opened');
  });
});

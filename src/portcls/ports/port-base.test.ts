import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CUnknown, type GUID, type IID } from '../../com/index.ts';
import {
  NtError,
  ntStatusName,
  STATUS_BUFFER_OVERFLOW,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_INSUFFICIENT_RESOURCES,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_PARAMETER,
  STATUS_NO_MATCH,
  STATUS_NOT_IMPLEMENTED,
} from '../../kernel/index.ts';
import {
  audioDataRange,
  dataFormatWithinRange,
  decodeDataFormat,
  decodeDataRanges,
  encodeDataFormat,
  encodeDataRanges,
  floatFormat,
  IOCTL_KS_READ_STREAM,
  type KSDATAFORMAT,
  KSDATAFORMAT_SPECIFIER_DSOUND,
  KSDATAFORMAT_SPECIFIER_WAVEFORMATEX,
  KSDATAFORMAT_SUBTYPE_IEEE_FLOAT,
  KSDATAFORMAT_SUBTYPE_PCM,
  type KSDATARANGE,
  KSINTERFACE_STANDARD_LOOPED_STREAMING,
  KSINTERFACESETID_Standard,
  KSPROPERTY_AUDIO_VOLUMELEVEL,
  KSPROPERTY_PIN_CINSTANCES,
  KSPROPERTY_PIN_CTYPES,
  KSPROPERTY_PIN_DATAINTERSECTION,
  KSPROPERTY_PIN_DATARANGES,
  KSPROPERTY_PIN_GLOBALCINSTANCES,
  KSPROPERTY_PIN_NECESSARYINSTANCES,
  KSPROPERTY_PIN_PROPOSEDATAFORMAT,
  KSPROPSETID_Audio,
  KSPROPSETID_Pin,
  pcmFormat,
  pinCreateName,
  standardPinConnect,
  waveFormatOf,
} from '../../ks/index.ts';
import {
  IID_IPinCount,
  type IMiniport,
  type IPinCount,
  type PCFILTER_DESCRIPTOR,
  type PCPROPERTY_REQUEST,
  type PinCounts,
  pcRegisterSubdevice,
} from '../index.ts';
import {
  FakeMachine,
  FakeWave,
  FakeWavePort,
  readUlong,
  ulongs,
  WAVE_RANGE,
  waveFilter,
} from '../test-helpers.ts';

const GET = 1;
const SET = 2;
const FORMAT = pcmFormat(48000, 2, 16);

interface Rig {
  readonly machine: FakeMachine;
  readonly port: FakeWavePort;
  readonly miniport: FakeWave;
  readonly log: string[];
}

function withWave(
  descriptor: PCFILTER_DESCRIPTOR,
  use: (rig: Rig) => void,
  prepare: (miniport: FakeWave) => void = () => {},
): void {
  const log: string[] = [];
  let port: FakeWavePort | null = null;
  let miniport: FakeWave | null = null;
  using machine = new FakeMachine({
    startDevice: (deviceObject, irp, resources) => {
      miniport = new FakeWave(descriptor);
      prepare(miniport);
      port = new FakeWavePort(log);
      port.init(deviceObject, irp, miniport, null, resources);
      pcRegisterSubdevice(deviceObject, 'Wave', port);
    },
  });
  expect(machine.node.problem).toBeNull();
  use({ machine, port: port!, miniport: miniport!, log });
  machine.process.terminate();
  machine.kernel.enter(() => {
    port!.release();
    miniport!.release();
  });
  expect(machine.end()).toEqual([]);
}

function statusOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof NtError) return ntStatusName(error.status);
    throw error;
  }
  return 'STATUS_SUCCESS';
}

const counts = (machine: FakeMachine, filter: number, id: number) => {
  const value = new Uint8Array(8);
  const { status } = machine.property(filter, KSPROPSETID_Pin, id, GET, value, { instance: ulongs(0, 0) });
  expect(status).toBe(0);
  return [readUlong(value), readUlong(value, 4)];
};

describe('opening pins', () => {
  it('counts instances per filter and in all, up to the limits', () => {
    const descriptor = waveFilter(2);
    const limited: PCFILTER_DESCRIPTOR = {
      ...descriptor,
      pins: descriptor.pins.map((pin, index) => (index === 0 ? { ...pin, maxGlobalInstanceCount: 3 } : pin)),
    };
    withWave(limited, ({ machine }) => {
      const a = machine.openFilter('Wave');
      const b = machine.openFilter('Wave');
      const pins = [machine.openPin(a, 0, FORMAT), machine.openPin(a, 0, FORMAT)];
      expect(statusOf(() => machine.openPin(a, 0, FORMAT))).toBe(ntStatusName(STATUS_INSUFFICIENT_RESOURCES));
      pins.push(machine.openPin(b, 0, FORMAT));
      expect(statusOf(() => machine.openPin(b, 0, FORMAT))).toBe(ntStatusName(STATUS_INSUFFICIENT_RESOURCES));
      expect(counts(machine, a, KSPROPERTY_PIN_CINSTANCES)).toEqual([2, 2]);
      expect(counts(machine, b, KSPROPERTY_PIN_CINSTANCES)).toEqual([2, 1]);
      expect(counts(machine, b, KSPROPERTY_PIN_GLOBALCINSTANCES)).toEqual([3, 3]);
      machine.process.closeHandle(pins[0]!);
      expect(counts(machine, b, KSPROPERTY_PIN_GLOBALCINSTANCES)).toEqual([3, 2]);
      machine.openPin(b, 0, FORMAT);
    });
  });

  it('lets IPinCount see and change the counts, for queries and opens', () => {
    const seen: PinCounts[] = [];
    class Counter extends CUnknown implements IPinCount {
      possible = 1;
      constructor() {
        super('Counter');
      }
      pinCount(_pinId: number, given: PinCounts): void {
        seen.push({ ...given });
        given.filterPossible = this.possible;
        given.globalPossible = this.possible;
        given.filterNecessary = 9;
      }
      protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
        return iid.equals(IID_IPinCount) ? this : super.nonDelegatingQueryInterface(iid);
      }
    }
    let counter: Counter | null = null;
    withWave(
      waveFilter(5),
      ({ machine }) => {
        const filter = machine.openFilter('Wave');
        machine.openPin(filter, 0, FORMAT);
        expect(statusOf(() => machine.openPin(filter, 0, FORMAT))).toBe(
          ntStatusName(STATUS_INSUFFICIENT_RESOURCES),
        );
        expect(counts(machine, filter, KSPROPERTY_PIN_CINSTANCES)).toEqual([1, 1]);
        const necessary = new Uint8Array(4);
        machine.property(filter, KSPROPSETID_Pin, KSPROPERTY_PIN_NECESSARYINSTANCES, GET, necessary, {
          instance: ulongs(0, 0),
        });
        expect(readUlong(necessary)).toBe(9);
        expect(seen).toHaveLength(4);
        expect(seen[1]).toEqual({
          filterNecessary: 0,
          filterCurrent: 1,
          filterPossible: 5,
          globalCurrent: 1,
          globalPossible: 5,
        });
        machine.kernel.enter(() => counter!.release());
      },
      (miniport) => {
        counter = new Counter();
        miniport.extra.set('IID_IPinCount', counter);
      },
    );
  });

  it('refuses what cannot be: wiring pins, other pins, types, interfaces, peers, garbage', () => {
    withWave(waveFilter(4), ({ machine }) => {
      const filter = machine.openFilter('Wave');
      const open = (connect: ReturnType<typeof standardPinConnect>) =>
        statusOf(() => machine.process.createFile(pinCreateName(connect), filter));
      expect(open(standardPinConnect(1, FORMAT))).toBe(ntStatusName(STATUS_INVALID_DEVICE_REQUEST));
      expect(open(standardPinConnect(2, FORMAT))).toBe(ntStatusName(STATUS_INVALID_PARAMETER));
      expect(open(standardPinConnect(0, floatFormat(48000, 2)))).toBe(ntStatusName(STATUS_NO_MATCH));
      const looped = { set: KSINTERFACESETID_Standard, id: KSINTERFACE_STANDARD_LOOPED_STREAMING, flags: 0 };
      expect(open(standardPinConnect(0, FORMAT, looped))).toBe(ntStatusName(STATUS_NO_MATCH));
      expect(open({ ...standardPinConnect(0, FORMAT), pinToHandle: 4 })).toBe(
        ntStatusName(STATUS_INVALID_PARAMETER),
      );
      expect(open({ ...standardPinConnect(0, FORMAT), medium: looped })).toBe(ntStatusName(STATUS_NO_MATCH));
      const good = pinCreateName(standardPinConnect(0, FORMAT));
      fc.assert(
        fc.property(
          fc.integer({ min: 0, max: good.length }),
          fc.array(fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 0xffff })), { maxLength: 4 }),
          (length, patches) => {
            const units = [...good].map((unit) => unit.charCodeAt(0));
            for (const [at, value] of patches) units[at] = value;
            const name = String.fromCharCode(...units.slice(0, length));
            let handle: number | null = null;
            const status = statusOf(() => {
              handle = machine.process.createFile(name, filter);
            });
            expect(status).toMatch(/^STATUS_/);
            if (handle !== null) machine.process.closeHandle(handle);
          },
        ),
        { numRuns: 1500 },
      );
    });
  });

  it('a pin outlives its filter’s handle, and closes its stream before it releases it', () => {
    withWave(waveFilter(1), ({ machine, port, log }) => {
      const filter = machine.openFilter('Wave');
      const pin = machine.openPin(filter, 0, FORMAT);
      machine.process.closeHandle(filter);
      expect([...port.pins()]).toHaveLength(1);
      const value = new Uint8Array(4);
      // Over-specified: a filter property asked of a pin.
      expect(machine.property(pin, KSPROPSETID_Pin, KSPROPERTY_PIN_CTYPES, GET, value).status).toBe(0);
      expect(
        machine.process.deviceIoControl(pin, IOCTL_KS_READ_STREAM, null, new Uint8Array(64)).status,
      ).toBe(STATUS_INVALID_DEVICE_REQUEST);
      machine.process.closeHandle(pin);
      expect(log).toEqual(['close']);
      expect(port.filters.size).toBe(0);
    });
  });

  it('pins have no objects of their own', () => {
    withWave(waveFilter(1), ({ machine }) => {
      const pin = machine.openPin(machine.openFilter('Wave'), 0, FORMAT);
      expect(statusOf(() => machine.openPin(pin, 0, FORMAT))).toBe(
        ntStatusName(STATUS_INVALID_DEVICE_REQUEST),
      );
    });
  });
});

describe('property scopes', () => {
  it('pin, node and filter tables see the right targets', () => {
    const seen: [string, unknown, number][] = [];
    const item = (scope: string, set: GUID, id: number) => ({
      set,
      id,
      flags: GET,
      handler: (request: PCPROPERTY_REQUEST) => {
        seen.push([scope, request.minorTarget, request.node]);
        request.setUlong(1);
      },
    });
    const base = waveFilter(1);
    const descriptor: PCFILTER_DESCRIPTOR = {
      ...base,
      automationTable: {
        properties: [item('filter', KSPROPSETID_Audio, 1000), item('filter', KSPROPSETID_Audio, 1001)],
      },
      pins: base.pins.map((pin, index) =>
        index === 0
          ? { ...pin, automationTable: { properties: [item('pin', KSPROPSETID_Audio, 1000)] } }
          : pin,
      ),
      nodes: [
        {
          type: base.pins[0]!.kspinDescriptor.category,
          name: null,
          automationTable: { properties: [item('node', KSPROPSETID_Audio, KSPROPERTY_AUDIO_VOLUMELEVEL)] },
        },
      ],
    };
    withWave(descriptor, ({ machine, port }) => {
      const filter = machine.openFilter('Wave');
      const pin = machine.openPin(filter, 0, FORMAT);
      const stream = port.streams[0]!;
      const ask = (handle: number, id: number, node?: number) =>
        machine.property(
          handle,
          KSPROPSETID_Audio,
          id,
          GET,
          new Uint8Array(4),
          node === undefined ? {} : { node },
        );
      ask(filter, 1000);
      ask(pin, 1000);
      ask(pin, 1001);
      ask(filter, KSPROPERTY_AUDIO_VOLUMELEVEL, 0);
      ask(pin, KSPROPERTY_AUDIO_VOLUMELEVEL, 0);
      expect(seen).toEqual([
        ['filter', null, 0xffffffff],
        ['pin', stream, 0xffffffff],
        ['filter', stream, 0xffffffff],
        ['node', null, 0],
        ['node', stream, 0],
      ]);
    });
  });
});

describe('data ranges and intersection', () => {
  const ask = (machine: FakeMachine, filter: number, ranges: readonly KSDATARANGE[], room: number | null) => {
    const list = encodeDataRanges(ranges);
    const instance = new Uint8Array(8 + list.byteLength);
    instance.set(list, 8);
    const value = room === null ? null : new Uint8Array(room);
    const result = machine.property(filter, KSPROPSETID_Pin, KSPROPERTY_PIN_DATAINTERSECTION, GET, value, {
      instance,
    });
    return { ...result, value };
  };

  it('lists each WAVEFORMATEX range with a DSOUND copy', () => {
    withWave(waveFilter(1), ({ machine }) => {
      const filter = machine.openFilter('Wave');
      const value = new Uint8Array(400);
      const { information } = machine.property(
        filter,
        KSPROPSETID_Pin,
        KSPROPERTY_PIN_DATARANGES,
        GET,
        value,
        {
          instance: ulongs(0, 0),
        },
      );
      const ranges = decodeDataRanges(value.subarray(0, information));
      expect(ranges.map((range) => range.specifier)).toEqual([
        KSDATAFORMAT_SPECIFIER_WAVEFORMATEX,
        KSDATAFORMAT_SPECIFIER_DSOUND,
      ]);
    });
  });

  it('asks the miniport for each pair in order, until one matches', () => {
    const pairs: string[] = [];
    const name = (range: KSDATARANGE) =>
      range.specifier.equals(KSDATAFORMAT_SPECIFIER_DSOUND) ? 'dsound' : 'wave';
    const other = audioDataRange({ ...WAVE_RANGE, subFormat: KSDATAFORMAT_SUBTYPE_IEEE_FLOAT });
    const encoded = encodeDataFormat(FORMAT);
    withWave(
      waveFilter(1),
      ({ machine }) => {
        const filter = machine.openFilter('Wave');
        const whole = ask(machine, filter, [other, WAVE_RANGE], 200);
        expect(whole.status).toBe(0);
        expect(whole.information).toBe(encoded.byteLength);
        expect(decodeDataFormat(whole.value!.subarray(0, whole.information))).toEqual(
          decodeDataFormat(encoded),
        );
        expect(pairs).toEqual(['float-wave', 'float-dsound', 'pcm-wave']);
        expect(ask(machine, filter, [WAVE_RANGE], null)).toMatchObject({
          status: STATUS_BUFFER_OVERFLOW,
          information: encoded.byteLength,
        });
        expect(ask(machine, filter, [WAVE_RANGE], 20)).toMatchObject({
          status: STATUS_BUFFER_TOO_SMALL,
          information: 0,
        });
        expect(ask(machine, filter, [other], 200).status).toBe(STATUS_NO_MATCH);
      },
      (miniport) => {
        miniport.intersection = (_pin, client, mine, room, into) => {
          pairs.push(`${client.subFormat.equals(KSDATAFORMAT_SUBTYPE_PCM) ? 'pcm' : 'float'}-${name(mine)}`);
          if (!client.subFormat.equals(mine.subFormat)) throw new NtError(STATUS_NO_MATCH);
          if (room >= encoded.byteLength) into?.set(encoded);
          return encoded.byteLength;
        };
      },
    );
  });

  it('the default handler picks a format inside both ranges whenever they meet', () => {
    const bounds = fc
      .record({
        channels: fc.integer({ min: 1, max: 8 }),
        bits: fc.tuple(fc.constantFrom(8, 16, 24, 32), fc.constantFrom(8, 16, 24, 32)),
        rate: fc.tuple(fc.integer({ min: 4000, max: 192000 }), fc.integer({ min: 4000, max: 192000 })),
        dsound: fc.boolean(),
      })
      .map(({ channels, bits, rate, dsound }) =>
        audioDataRange({
          maximumChannels: channels,
          minimumBitsPerSample: Math.min(...bits),
          maximumBitsPerSample: Math.max(...bits),
          minimumSampleFrequency: Math.min(...rate),
          maximumSampleFrequency: Math.max(...rate),
          ...(dsound ? { specifier: KSDATAFORMAT_SPECIFIER_DSOUND } : {}),
        }),
      );
    withWave(
      waveFilter(1),
      ({ machine }) => {
        const filter = machine.openFilter('Wave');
        fc.assert(
          fc.property(bounds, (client) => {
            const meets =
              client.minimumBitsPerSample <= WAVE_RANGE.maximumBitsPerSample &&
              client.maximumBitsPerSample >= WAVE_RANGE.minimumBitsPerSample &&
              client.minimumSampleFrequency <= WAVE_RANGE.maximumSampleFrequency &&
              client.maximumSampleFrequency >= WAVE_RANGE.minimumSampleFrequency;
            const { status, information, value } = ask(machine, filter, [client], 200);
            expect(ntStatusName(status)).toBe(meets ? 'STATUS_SUCCESS' : ntStatusName(STATUS_NO_MATCH));
            if (!meets) return;
            const format: KSDATAFORMAT = decodeDataFormat(value!.subarray(0, information));
            expect(dataFormatWithinRange(format, client)).toBe(true);
            const wave = waveFormatOf(format)!;
            expect(wave.nSamplesPerSec).toBe(
              Math.min(client.maximumSampleFrequency, WAVE_RANGE.maximumSampleFrequency),
            );
            expect(wave.nChannels).toBe(Math.min(2, client.maximumChannels));
            expect(wave.wBitsPerSample).toBe(Math.min(client.maximumBitsPerSample, 16));
          }),
          { numRuns: 300 },
        );
      },
      (miniport) => {
        miniport.intersection = (() => {
          throw new NtError(STATUS_NOT_IMPLEMENTED);
        }) satisfies IMiniport['dataRangeIntersection'];
      },
    );
  });

  it('random client range lists end in a status', () => {
    withWave(
      waveFilter(1),
      ({ machine }) => {
        const filter = machine.openFilter('Wave');
        fc.assert(
          fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 120 }), (bytes, room) => {
            const instance = new Uint8Array(8 + bytes.byteLength);
            instance.set(bytes, 8);
            const { status } = machine.property(
              filter,
              KSPROPSETID_Pin,
              KSPROPERTY_PIN_DATAINTERSECTION,
              GET,
              new Uint8Array(room),
              { instance },
            );
            expect(ntStatusName(status)).toMatch(/^STATUS_/);
          }),
          { numRuns: 1000 },
        );
      },
      (miniport) => {
        miniport.intersection = () => {
          throw new NtError(STATUS_NOT_IMPLEMENTED);
        };
      },
    );
  });

  it('a proposed format is measured against the ranges when the miniport has no handler', () => {
    withWave(waveFilter(1), ({ machine }) => {
      const filter = machine.openFilter('Wave');
      const propose = (format: KSDATAFORMAT) =>
        machine.property(
          filter,
          KSPROPSETID_Pin,
          KSPROPERTY_PIN_PROPOSEDATAFORMAT,
          SET,
          encodeDataFormat(format),
          { instance: ulongs(0, 0) },
        ).status;
      expect(propose(FORMAT)).toBe(0);
      expect(propose(pcmFormat(96000, 2, 16))).toBe(STATUS_NO_MATCH);
      expect(propose(pcmFormat(48000, 6, 16))).toBe(STATUS_NO_MATCH);
      const get = machine.property(
        filter,
        KSPROPSETID_Pin,
        KSPROPERTY_PIN_PROPOSEDATAFORMAT,
        GET,
        new Uint8Array(99),
        {
          instance: ulongs(0, 0),
        },
      );
      expect(get.status).toBe(STATUS_INVALID_DEVICE_REQUEST);
    });
  });
});

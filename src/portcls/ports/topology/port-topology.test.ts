import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CUnknown, type GUID, guid, type IID } from '../../../com/index.ts';
import {
  BugcheckCode,
  BugcheckError,
  DEVICE_LEVEL_MIN,
  type DEVICE_OBJECT,
  decodeSz,
  KDPC,
  keInsertQueueDpc,
  keLowerIrql,
  keRaiseIrql,
  type NTSTATUS,
  NtError,
  ntStatusName,
  STATUS_BUFFER_OVERFLOW,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_DEVICE_BUSY,
  STATUS_INVALID_BUFFER_SIZE,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_PARAMETER,
  STATUS_NOT_FOUND,
  STATUS_NOT_SUPPORTED,
  STATUS_PENDING,
  STATUS_PROPSET_NOT_FOUND,
  STATUS_SUCCESS,
} from '../../../kernel/index.ts';
import {
  decodeDataRanges,
  decodeGuids,
  decodePropertyDescription,
  IOCTL_KS_DISABLE_EVENT,
  IOCTL_KS_ENABLE_EVENT,
  IOCTL_KS_METHOD,
  IOCTL_KS_PROPERTY,
  KSAUDFNAME_MASTER_VOLUME,
  KSCATEGORY_AUDIO,
  KSCATEGORY_TOPOLOGY,
  KSEVENT_CONTROL_CHANGE,
  KSEVENT_PINCAPS_JACKINFOCHANGE,
  KSEVENT_TYPE_BASICSUPPORT,
  KSEVENT_TYPE_ENABLE,
  KSEVENT_TYPE_ONESHOT,
  KSEVENTDATA,
  KSEVENTF_EVENT_HANDLE,
  KSEVENTSETID_AudioControlChange,
  KSEVENTSETID_PinCapsChange,
  KSNODETYPE_MUTE,
  KSNODETYPE_VOLUME,
  KSPROPERTY_AUDIO_VOLUMELEVEL,
  KSPROPERTY_JACK_DESCRIPTION,
  KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_MULTICHANNEL,
  KSPROPERTY_MEMBER_STEPPEDRANGES,
  KSPROPERTY_PIN_CATEGORY,
  KSPROPERTY_PIN_CINSTANCES,
  KSPROPERTY_PIN_COMMUNICATION,
  KSPROPERTY_PIN_CTYPES,
  KSPROPERTY_PIN_DATAFLOW,
  KSPROPERTY_PIN_DATARANGES,
  KSPROPERTY_PIN_MEDIUMS,
  KSPROPERTY_PIN_NAME,
  KSPROPERTY_PIN_PROPOSEDATAFORMAT,
  KSPROPERTY_TOPOLOGY_CATEGORIES,
  KSPROPERTY_TOPOLOGY_CONNECTIONS,
  KSPROPERTY_TOPOLOGY_NAME,
  KSPROPERTY_TOPOLOGY_NODES,
  KSPROPERTY_TYPE_BASICSUPPORT,
  KSPROPERTY_TYPE_GET,
  KSPROPERTY_TYPE_SET,
  KSPROPERTY_TYPE_SETSUPPORT,
  KSPROPSETID_Audio,
  KSPROPSETID_Jack,
  KSPROPSETID_Pin,
  KSPROPSETID_Topology,
} from '../../../ks/index.ts';
import {
  CLSID_PortTopology,
  IID_IPinName,
  IID_IPortEvents,
  type IPinName,
  type IPortEvents,
  type PCEVENT_REQUEST,
  PCEVENT_VERB_ADD,
  PCEVENT_VERB_REMOVE,
  PCEVENT_VERB_SUPPORT,
  type PCFILTER_DESCRIPTOR,
  PCFILTER_NODE,
  type PCPROPERTY_REQUEST,
  pcCompletePendingPropertyRequest,
  pcNewPort,
  pcRegisterSubdevice,
  VT_I4,
} from '../../index.ts';
import {
  FakeMachine,
  FakeTopology,
  propertyBytes,
  readUlong,
  TOPOLOGY_FILTER,
  ulongs,
} from '../../test-helpers.ts';

const GET = KSPROPERTY_TYPE_GET;
const SET = KSPROPERTY_TYPE_SET;
const BASICSUPPORT = KSPROPERTY_TYPE_BASICSUPPORT;
const KSP_PIN = (pinId: number) => ulongs(pinId, 0);

interface Rig {
  readonly machine: FakeMachine;
  readonly miniport: FakeTopology;
  readonly filter: number;
}

function withFilter(
  descriptor: PCFILTER_DESCRIPTOR,
  use: (rig: Rig) => void,
  prepare: (miniport: FakeTopology, deviceObject: DEVICE_OBJECT) => void = () => {},
): void {
  let made: FakeTopology | null = null;
  using machine = new FakeMachine({
    startDevice: (deviceObject, irp, resources) => {
      const port = pcNewPort(CLSID_PortTopology);
      made = new FakeTopology(descriptor);
      prepare(made, deviceObject);
      port.init(deviceObject, irp, made, null, resources);
      pcRegisterSubdevice(deviceObject, 'Topology', port);
      made.release();
      port.release();
    },
  });
  expect(machine.node.problem).toBeNull();
  use({ machine, miniport: made!, filter: machine.openFilter('Topology') });
  expect(machine.end()).toEqual([]);
}

function answer(
  rig: Rig,
  set: GUID,
  id: number,
  options: Parameters<FakeMachine['property']>[5] = {},
): Uint8Array {
  const size = rig.machine.property(rig.filter, set, id, GET, null, options);
  expect(ntStatusName(size.status)).toBe('STATUS_BUFFER_OVERFLOW');
  const value = new Uint8Array(size.information);
  const result = rig.machine.property(rig.filter, set, id, GET, value, options);
  expect(ntStatusName(result.status)).toBe('STATUS_SUCCESS');
  expect(result.information).toBe(value.byteLength);
  return value;
}

describe('Pin and Topology sets', () => {
  it('answer from the descriptor', () => {
    withFilter(TOPOLOGY_FILTER, (rig) => {
      const { machine, filter } = rig;
      const ulong = new Uint8Array(4);
      machine.property(filter, KSPROPSETID_Pin, KSPROPERTY_PIN_CTYPES, GET, ulong);
      expect(readUlong(ulong)).toBe(2);
      for (const pinId of [0, 1]) {
        const pin = TOPOLOGY_FILTER.pins[pinId]!.kspinDescriptor;
        const instance = KSP_PIN(pinId);
        machine.property(filter, KSPROPSETID_Pin, KSPROPERTY_PIN_DATAFLOW, GET, ulong, { instance });
        expect(readUlong(ulong)).toBe(pin.dataFlow);
        machine.property(filter, KSPROPSETID_Pin, KSPROPERTY_PIN_COMMUNICATION, GET, ulong, { instance });
        expect(readUlong(ulong)).toBe(pin.communication);
        const category = new Uint8Array(16);
        machine.property(filter, KSPROPSETID_Pin, KSPROPERTY_PIN_CATEGORY, GET, category, { instance });
        expect(pin.category.matches(new DataView(category.buffer), 0)).toBe(true);
        const ranges = decodeDataRanges(
          answer(rig, KSPROPSETID_Pin, KSPROPERTY_PIN_DATARANGES, { instance }),
        );
        expect(ranges).toHaveLength(1);
        const mediums = answer(rig, KSPROPSETID_Pin, KSPROPERTY_PIN_MEDIUMS, { instance });
        expect(readUlong(mediums, 4)).toBe(1);
        const counts = new Uint8Array(8);
        machine.property(filter, KSPROPSETID_Pin, KSPROPERTY_PIN_CINSTANCES, GET, counts, { instance });
        expect([readUlong(counts), readUlong(counts, 4)]).toEqual([0, 0]);
      }
      const categories = decodeGuids(answer(rig, KSPROPSETID_Topology, KSPROPERTY_TOPOLOGY_CATEGORIES));
      expect(categories).toEqual([KSCATEGORY_AUDIO, KSCATEGORY_TOPOLOGY]);
      expect(decodeGuids(answer(rig, KSPROPSETID_Topology, KSPROPERTY_TOPOLOGY_NODES))).toEqual([
        KSNODETYPE_VOLUME,
      ]);
      const connections = answer(rig, KSPROPSETID_Topology, KSPROPERTY_TOPOLOGY_CONNECTIONS);
      expect([readUlong(connections), readUlong(connections, 4)]).toEqual([40, 2]);
      expect(readUlong(connections, 8)).toBe(PCFILTER_NODE);
      const head = new Uint8Array(8);
      machine.property(filter, KSPROPSETID_Topology, KSPROPERTY_TOPOLOGY_CONNECTIONS, GET, head);
      expect([readUlong(head), readUlong(head, 4)]).toEqual([40, 2]);
    });
  });

  it('name pins and nodes from MediaCategories: device key, global key, then the constant’s own words', () => {
    const special = guid('{B72FBD1A-4634-4240-B207-0E6B52F3701C}');
    const descriptor: PCFILTER_DESCRIPTOR = {
      ...TOPOLOGY_FILTER,
      nodes: [
        { type: KSNODETYPE_VOLUME, name: KSAUDFNAME_MASTER_VOLUME },
        { type: KSNODETYPE_MUTE, name: null },
        { type: KSNODETYPE_VOLUME, name: special },
      ],
    };
    withFilter(descriptor, (rig) => {
      const { machine, filter } = rig;
      const name = (node: number) =>
        decodeSz(answer(rig, KSPROPSETID_Topology, KSPROPERTY_TOPOLOGY_NAME, { node }));
      expect(name(0)).toBe('Master Volume');
      expect(name(1)).toBe('Mute');
      expect(name(2)).toBe('Volume');
      machine.kernel.enter(() => {
        const path = `\\Registry\\Machine\\System\\CurrentControlSet\\Control\\MediaCategories\\${special}`;
        machine.kernel.registry.createKey(path).set('Name', 'Unicorn');
      });
      expect(name(2)).toBe('Unicorn');
      expect(decodeSz(answer(rig, KSPROPSETID_Pin, KSPROPERTY_PIN_NAME, { instance: KSP_PIN(1) }))).toBe(
        'Speakers',
      );
      const outside = machine.property(filter, KSPROPSETID_Topology, KSPROPERTY_TOPOLOGY_NAME, GET, null, {
        node: 3,
      });
      expect(outside.status).toBe(STATUS_INVALID_PARAMETER);
    });
  });

  it('IPinName has the first word about a pin’s name', () => {
    class Names extends CUnknown implements IPinName {
      constructor() {
        super('Names');
      }
      getPinName(_irp: unknown, pinId: number): string {
        if (pinId === 0) throw new NtError(STATUS_NOT_SUPPORTED);
        return 'Line out';
      }
      protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
        return iid.equals(IID_IPinName) ? this : super.nonDelegatingQueryInterface(iid);
      }
    }
    let names: Names | null = null;
    withFilter(
      TOPOLOGY_FILTER,
      (rig) => {
        expect(decodeSz(answer(rig, KSPROPSETID_Pin, KSPROPERTY_PIN_NAME, { instance: KSP_PIN(1) }))).toBe(
          'Line out',
        );
        expect(decodeSz(answer(rig, KSPROPSETID_Pin, KSPROPERTY_PIN_NAME, { instance: KSP_PIN(0) }))).toBe(
          'Audio',
        );
        rig.machine.kernel.enter(() => names!.release());
      },
      (miniport) => {
        names = new Names();
        miniport.extra.set('IID_IPinName', names);
      },
    );
  });

  it('answer every malformed request with a status, never anything else', () => {
    withFilter(TOPOLOGY_FILTER, ({ machine, filter }) => {
      const sets = fc.constantFrom(
        KSPROPSETID_Pin,
        KSPROPSETID_Topology,
        KSPROPSETID_Audio,
        guid('{00000000-0000-0000-0000-000000000000}'),
      );
      const requests = fc.record({
        set: sets,
        id: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 0xffffffff })),
        verb: fc.oneof(
          fc.constantFrom(
            GET,
            SET,
            BASICSUPPORT,
            KSPROPERTY_TYPE_SETSUPPORT,
            0,
            3,
            0x400,
            0x800,
            0x8000,
            0x10000,
          ),
          fc.integer({ min: 0, max: 0xffffffff }),
        ),
        node: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
        instance: fc.uint8Array({ maxLength: 40 }),
        cut: fc.integer({ min: 0, max: 80 }),
        room: fc.option(fc.integer({ min: 0, max: 300 }), { nil: null }),
      });
      fc.assert(
        fc.property(requests, ({ set, id, verb, node, instance, cut, room }) => {
          const whole = propertyBytes(set, id, verb, node === undefined ? { instance } : { node, instance });
          const input = whole.subarray(0, Math.max(0, whole.byteLength - cut));
          const output = room === null ? null : new Uint8Array(room);
          const { status, information } = machine.process.deviceIoControl(
            filter,
            IOCTL_KS_PROPERTY,
            input,
            output,
          );
          expect(ntStatusName(status)).toMatch(/^STATUS_/);
          if (status === STATUS_SUCCESS) expect(information).toBeLessThanOrEqual(room ?? 0);
          else if (status !== STATUS_BUFFER_OVERFLOW) expect(information).toBe(0);
        }),
        { numRuns: 3000 },
      );
      expect(machine.kernel.stopped).toBeNull();
    });
  });

  it('give KS’s statuses for unknown sets, ids, verbs and short input', () => {
    withFilter(TOPOLOGY_FILTER, ({ machine, filter }) => {
      const status = (set: GUID, id: number, verb: number, instance: Uint8Array = new Uint8Array(0)) =>
        ntStatusName(machine.property(filter, set, id, verb, new Uint8Array(64), { instance }).status);
      expect(status(KSPROPSETID_Jack, 1, GET)).toBe(ntStatusName(STATUS_PROPSET_NOT_FOUND));
      expect(status(KSPROPSETID_Pin, 99, GET)).toBe(ntStatusName(STATUS_NOT_FOUND));
      expect(status(KSPROPSETID_Pin, KSPROPERTY_PIN_CTYPES, SET)).toBe(
        ntStatusName(STATUS_INVALID_DEVICE_REQUEST),
      );
      expect(status(KSPROPSETID_Pin, KSPROPERTY_PIN_DATAFLOW, GET)).toBe(
        ntStatusName(STATUS_INVALID_BUFFER_SIZE),
      );
      expect(status(KSPROPSETID_Pin, KSPROPERTY_PIN_DATAFLOW, GET, KSP_PIN(7))).toBe(
        ntStatusName(STATUS_INVALID_PARAMETER),
      );
      expect(status(KSPROPSETID_Pin, 0, KSPROPERTY_TYPE_SETSUPPORT)).toBe('STATUS_SUCCESS');
      expect(status(KSPROPSETID_Jack, 0, KSPROPERTY_TYPE_SETSUPPORT)).toBe(
        ntStatusName(STATUS_PROPSET_NOT_FOUND),
      );
      expect(
        machine.process.deviceIoControl(filter, IOCTL_KS_METHOD, new Uint8Array(24), null).status,
      ).not.toBe(STATUS_SUCCESS);
      const short = new Uint8Array(3);
      expect(machine.property(filter, KSPROPSETID_Pin, KSPROPERTY_PIN_CTYPES, GET, short).status).toBe(
        STATUS_BUFFER_TOO_SMALL,
      );
    });
  });
});

/** A volume node whose handler is given. */
function volumeFilter(
  handler: (request: PCPROPERTY_REQUEST) => NTSTATUS | undefined,
  flags = GET | SET | BASICSUPPORT,
) {
  return {
    ...TOPOLOGY_FILTER,
    nodes: [
      {
        type: KSNODETYPE_VOLUME,
        name: null,
        automationTable: {
          properties: [{ set: KSPROPSETID_Audio, id: KSPROPERTY_AUDIO_VOLUMELEVEL, flags, handler }],
        },
      },
    ],
  } satisfies PCFILTER_DESCRIPTOR;
}

describe('node properties', () => {
  it('reach the miniport’s handler with node, verb, instance and value', () => {
    const seen: unknown[] = [];
    let level = -6 * 65536;
    const descriptor = volumeFilter((request) => {
      seen.push([
        request.node,
        request.verb,
        request.instanceSize,
        request.instanceLong(0),
        request.minorTarget,
      ]);
      if (request.verb === GET) request.setLong(level);
      else level = request.getLong();
      return undefined;
    });
    withFilter(descriptor, ({ machine, filter, miniport }) => {
      const value = new Uint8Array(4);
      const channel = ulongs(1, 0);
      const get = machine.property(filter, KSPROPSETID_Audio, KSPROPERTY_AUDIO_VOLUMELEVEL, GET, value, {
        node: 0,
        instance: channel,
      });
      expect(get).toEqual({ status: STATUS_SUCCESS, information: 4 });
      expect(readUlong(value) | 0).toBe(-6 * 65536);
      const set = machine.property(filter, KSPROPSETID_Audio, KSPROPERTY_AUDIO_VOLUMELEVEL, SET, ulongs(7), {
        node: 0,
        instance: channel,
      });
      expect(set).toEqual({ status: STATUS_SUCCESS, information: 0 });
      expect(level).toBe(7);
      expect(seen).toEqual([
        [0, GET, 8, 1, null],
        [0, SET, 8, 1, null],
      ]);
      const size = machine.property(filter, KSPROPSETID_Audio, KSPROPERTY_AUDIO_VOLUMELEVEL, GET, null, {
        node: 0,
        instance: channel,
      });
      expect(size).toEqual({ status: STATUS_BUFFER_OVERFLOW, information: 4 });
      const withoutNode = machine.property(
        filter,
        KSPROPSETID_Audio,
        KSPROPERTY_AUDIO_VOLUMELEVEL,
        GET,
        value,
      );
      expect(withoutNode.status).toBe(STATUS_PROPSET_NOT_FOUND);
      expect(miniport.calls).toEqual(['init', 'getDescription']);
    });
  });

  it('basic support comes in three sizes, with ranges per channel', () => {
    const descriptor = volumeFilter((request) => {
      request.answerBasicSupport({
        accessFlags: GET | SET | BASICSUPPORT,
        valueType: VT_I4,
        members: [
          {
            membersFlags: KSPROPERTY_MEMBER_STEPPEDRANGES,
            flags: KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_MULTICHANNEL,
            ranges: [
              { minimum: -100, maximum: 0, steppingDelta: 5 },
              { minimum: -50, maximum: 10, steppingDelta: 1 },
            ],
          },
        ],
      });
      return undefined;
    });
    withFilter(descriptor, ({ machine, filter }) => {
      const ask = (room: number) => {
        const value = new Uint8Array(room);
        const result = machine.property(
          filter,
          KSPROPSETID_Audio,
          KSPROPERTY_AUDIO_VOLUMELEVEL,
          BASICSUPPORT,
          value,
          {
            node: 0,
          },
        );
        return { ...result, value: value.subarray(0, result.information) };
      };
      expect(readUlong(ask(4).value)).toBe(GET | SET | BASICSUPPORT);
      const head = ask(40);
      expect(head.information).toBe(40);
      expect(readUlong(head.value, 4)).toBe(40 + 16 + 32);
      const whole = decodePropertyDescription(ask(200).value);
      expect(whole.propTypeSet?.id).toBe(VT_I4);
      expect(whole.membersList[0]?.membersHeader).toEqual({
        membersFlags: KSPROPERTY_MEMBER_STEPPEDRANGES,
        membersSize: 16,
        membersCount: 2,
        flags: KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_MULTICHANNEL,
      });
      expect(ask(2).status).toBe(STATUS_BUFFER_TOO_SMALL);
      expect(ask(0).status).toBe(STATUS_BUFFER_OVERFLOW);
    });
  });

  it('basic support without a handler for it comes from the item’s flags', () => {
    withFilter(
      volumeFilter(() => {
        throw new Error('not to be called');
      }, GET),
      ({ machine, filter }) => {
        const value = new Uint8Array(40);
        const result = machine.property(
          filter,
          KSPROPSETID_Audio,
          KSPROPERTY_AUDIO_VOLUMELEVEL,
          BASICSUPPORT,
          value,
          {
            node: 0,
          },
        );
        expect(result).toEqual({ status: STATUS_SUCCESS, information: 40 });
        expect([readUlong(value), readUlong(value, 4)]).toEqual([GET | BASICSUPPORT, 40]);
      },
    );
  });

  it('a handler’s status reaches the client, returned or thrown', () => {
    withFilter(
      volumeFilter((request) => {
        if (request.verb === GET) throw new NtError(STATUS_NOT_SUPPORTED);
        return STATUS_DEVICE_BUSY;
      }),
      ({ machine, filter }) => {
        const status = (verb: number) =>
          machine.property(filter, KSPROPSETID_Audio, KSPROPERTY_AUDIO_VOLUMELEVEL, verb, new Uint8Array(4), {
            node: 0,
          }).status;
        expect(status(GET)).toBe(STATUS_NOT_SUPPORTED);
        expect(status(SET)).toBe(STATUS_DEVICE_BUSY);
      },
    );
  });

  it('a handler that throws anything else stops the machine and is named', () => {
    let machineRef: FakeMachine | null = null;
    const descriptor = volumeFilter(() => {
      throw new TypeError('undefined is not a function');
    });
    using machine = new FakeMachine({
      startDevice: (deviceObject, irp, resources) => {
        const port = pcNewPort(CLSID_PortTopology);
        port.init(deviceObject, irp, new FakeTopology(descriptor), null, resources);
        pcRegisterSubdevice(deviceObject, 'Topology', port);
      },
    });
    machineRef = machine;
    const filter = machine.openFilter('Topology');
    expect(() =>
      machine.property(filter, KSPROPSETID_Audio, KSPROPERTY_AUDIO_VOLUMELEVEL, GET, new Uint8Array(4), {
        node: 0,
      }),
    ).toThrow(BugcheckError);
    const stop = machineRef.kernel.stopped;
    expect(stop?.driver).toBe('fake');
    expect(stop?.method).toBe('PropertyHandler(KSPROPERTY_AUDIO_VOLUMELEVEL)');
    expect(stop?.text).toContain('undefined is not a function');
  });

  it('the miniport’s entry beats the port’s, except where the port owns the state', () => {
    const asked: number[] = [];
    const descriptor: PCFILTER_DESCRIPTOR = {
      ...TOPOLOGY_FILTER,
      automationTable: {
        properties: [KSPROPERTY_PIN_PROPOSEDATAFORMAT, KSPROPERTY_PIN_CTYPES, KSPROPERTY_PIN_CATEGORY].map(
          (id) => ({
            set: KSPROPSETID_Pin,
            id,
            flags: GET,
            handler: (request: PCPROPERTY_REQUEST) => {
              asked.push(id);
              request.setUlong(77);
            },
          }),
        ),
      },
    };
    withFilter(descriptor, ({ machine, filter }) => {
      for (const id of [KSPROPERTY_PIN_PROPOSEDATAFORMAT, KSPROPERTY_PIN_CTYPES, KSPROPERTY_PIN_CATEGORY]) {
        machine.property(filter, KSPROPSETID_Pin, id, GET, new Uint8Array(16), { instance: KSP_PIN(0) });
      }
      expect(asked).toEqual([KSPROPERTY_PIN_PROPOSEDATAFORMAT, KSPROPERTY_PIN_CATEGORY]);
    });
  });

  it('jack properties are plain handlers of the filter', () => {
    const descriptor: PCFILTER_DESCRIPTOR = {
      ...TOPOLOGY_FILTER,
      automationTable: {
        properties: [
          {
            set: KSPROPSETID_Jack,
            id: KSPROPERTY_JACK_DESCRIPTION,
            flags: GET | BASICSUPPORT,
            handler: (request) => {
              const pin = request.instanceUlong(0);
              if (pin > 1) throw new NtError(STATUS_INVALID_PARAMETER);
              request.setList(pin === 0 ? ulongs(8, 0) : ulongs(36, 1, 0, 0, 0, 0, 0, 0, 0));
            },
          },
        ],
      },
    };
    withFilter(descriptor, (rig) => {
      expect(
        readUlong(answer(rig, KSPROPSETID_Jack, KSPROPERTY_JACK_DESCRIPTION, { instance: KSP_PIN(0) }), 4),
      ).toBe(0);
      expect(
        readUlong(answer(rig, KSPROPSETID_Jack, KSPROPERTY_JACK_DESCRIPTION, { instance: KSP_PIN(1) }), 4),
      ).toBe(1);
      const bad = rig.machine.property(rig.filter, KSPROPSETID_Jack, KSPROPERTY_JACK_DESCRIPTION, GET, null, {
        instance: KSP_PIN(2),
      });
      expect(bad.status).toBe(STATUS_INVALID_PARAMETER);
    });
  });
});

describe('pending property requests', () => {
  it('complete later, from a DPC, with the value written meanwhile', () => {
    let machineRef: FakeMachine | null = null;
    const descriptor = volumeFilter((request) => {
      const complete = new KDPC(() => {
        request.setLong(1234);
        pcCompletePendingPropertyRequest(request, STATUS_SUCCESS);
      }, null);
      complete.importance = 'LowImportance';
      keInsertQueueDpc(complete);
      return STATUS_PENDING;
    });
    withFilter(descriptor, ({ machine, filter }) => {
      machineRef = machine;
      const value = new Uint8Array(4);
      for (let round = 0; round < 3; round++) {
        value.fill(0);
        expect(
          machine.property(filter, KSPROPSETID_Audio, KSPROPERTY_AUDIO_VOLUMELEVEL, GET, value, { node: 0 }),
        ).toEqual({ status: STATUS_SUCCESS, information: 4 });
        expect(readUlong(value)).toBe(1234);
      }
      expect(machineRef.findings()).toEqual([]);
    });
  });

  it('may be completed before the handler has returned STATUS_PENDING', () => {
    withFilter(
      volumeFilter((request) => {
        request.setLong(5);
        pcCompletePendingPropertyRequest(request, STATUS_SUCCESS);
        return STATUS_PENDING;
      }),
      ({ machine, filter }) => {
        const value = new Uint8Array(4);
        expect(
          machine.property(filter, KSPROPSETID_Audio, KSPROPERTY_AUDIO_VOLUMELEVEL, GET, value, { node: 0 })
            .status,
        ).toBe(STATUS_SUCCESS);
        expect(readUlong(value)).toBe(5);
      },
    );
  });

  it('that are never completed end with the device, and a late completion does nothing', () => {
    let kept: PCPROPERTY_REQUEST | null = null;
    withFilter(
      volumeFilter((request) => {
        kept = request;
        return STATUS_PENDING;
      }),
      ({ machine, filter }) => {
        const input = propertyBytes(KSPROPSETID_Audio, KSPROPERTY_AUDIO_VOLUMELEVEL, GET, { node: 0 });
        const results: number[] = [];
        machine.process.deviceIoControlAsync(filter, IOCTL_KS_PROPERTY, input, new Uint8Array(4), (status) =>
          results.push(status),
        );
        machine.kernel.runFor(1000);
        expect(results).toEqual([]);
        machine.kernel.enter(() => machine.kernel.pnp.surpriseRemove('fake:1'));
        machine.process.closeHandle(filter);
        machine.kernel.runFor(1000);
        machine.kernel.enter(() => machine.kernel.pnp.removeAll());
        machine.kernel.runFor(1000);
        machine.kernel.enter(() => pcCompletePendingPropertyRequest(kept!, STATUS_SUCCESS));
      },
    );
  });

  it('with STATUS_PENDING as their status are a bugcheck', () => {
    using machine = new FakeMachine({
      startDevice: (deviceObject, irp, resources) => {
        const port = pcNewPort(CLSID_PortTopology);
        const descriptor = volumeFilter((request) => {
          pcCompletePendingPropertyRequest(request, STATUS_PENDING);
          return undefined;
        });
        port.init(deviceObject, irp, new FakeTopology(descriptor), null, resources);
        pcRegisterSubdevice(deviceObject, 'Topology', port);
      },
    });
    const filter = machine.openFilter('Topology');
    expect(() =>
      machine.property(filter, KSPROPSETID_Audio, KSPROPERTY_AUDIO_VOLUMELEVEL, GET, new Uint8Array(4), {
        node: 0,
      }),
    ).toThrow(BugcheckError);
    expect(machine.kernel.stopped?.code).toBe(BugcheckCode.DRIVER_VERIFIER_DETECTED_VIOLATION);
    expect(machine.kernel.stopped?.parameters[0]).toBe(0x71008);
  });
});

describe('events', () => {
  interface EventRig extends Rig {
    readonly events: IPortEvents;
    readonly requests: PCEVENT_REQUEST[];
  }

  function withEvents(use: (rig: EventRig) => void): void {
    const requests: PCEVENT_REQUEST[] = [];
    let events: IPortEvents | null = null;
    const handler = (request: PCEVENT_REQUEST) => {
      requests.push(request);
      if (request.verb === PCEVENT_VERB_ADD) events?.addEventToEventList(request.eventEntry!);
    };
    const flags = KSEVENT_TYPE_ENABLE | KSEVENT_TYPE_ONESHOT | KSEVENT_TYPE_BASICSUPPORT;
    const item = { set: KSEVENTSETID_AudioControlChange, id: KSEVENT_CONTROL_CHANGE, flags, handler };
    const jack = { set: KSEVENTSETID_PinCapsChange, id: KSEVENT_PINCAPS_JACKINFOCHANGE, flags, handler };
    const descriptor: PCFILTER_DESCRIPTOR = {
      ...TOPOLOGY_FILTER,
      automationTable: { events: [jack] },
      nodes: [
        { type: KSNODETYPE_VOLUME, name: null, automationTable: { events: [item] } },
        { type: KSNODETYPE_MUTE, name: null, automationTable: { events: [item] } },
      ],
    };
    withFilter(descriptor, (rig) => {
      rig.machine.kernel.enter(() => {
        events = rig.miniport.port!.queryInterface(IID_IPortEvents);
      });
      use({ ...rig, events: events!, requests });
      rig.machine.kernel.enter(() => events!.release());
    });
  }

  function enable(
    rig: Rig,
    set: GUID,
    id: number,
    type: number,
    where: { node?: number; instance?: Uint8Array },
  ) {
    const event = rig.machine.process.createEvent('SynchronizationEvent');
    const data = KSEVENTDATA.encode({
      notificationType: KSEVENTF_EVENT_HANDLE,
      handle: event,
      adjustment: 0,
    });
    const input = propertyBytes(set, id, type, where);
    const { status } = rig.machine.process.deviceIoControl(rig.filter, IOCTL_KS_ENABLE_EVENT, input, data);
    expect(ntStatusName(status)).toBe('STATUS_SUCCESS');
    return {
      data,
      fired: () => {
        const signaled = rig.machine.process.isSignaled(event);
        if (signaled) rig.machine.process.resetEvent(event);
        return signaled;
      },
    };
  }

  it('of nodes and of filters are added, matched with wildcards, and removed', () => {
    withEvents((rig) => {
      const control = [KSEVENTSETID_AudioControlChange, KSEVENT_CONTROL_CHANGE] as const;
      const volume = enable(rig, ...control, KSEVENT_TYPE_ENABLE, { node: 0 });
      const mute = enable(rig, ...control, KSEVENT_TYPE_ENABLE, { node: 1 });
      const jack = enable(
        rig,
        KSEVENTSETID_PinCapsChange,
        KSEVENT_PINCAPS_JACKINFOCHANGE,
        KSEVENT_TYPE_ENABLE,
        {
          instance: KSP_PIN(1),
        },
      );
      const fired = () => [volume.fired(), mute.fired(), jack.fired()];
      const generate = (...call: Parameters<IPortEvents['generateEventList']>) =>
        rig.machine.kernel.enter(() => rig.events.generateEventList(...call));
      generate(...control, false, 0, true, 1);
      expect(fired()).toEqual([false, true, false]);
      generate(...control, false, 0, false, 0);
      expect(fired()).toEqual([true, true, false]);
      generate(null, KSEVENT_PINCAPS_JACKINFOCHANGE, true, 0, false, 0);
      expect(fired()[2]).toBe(false);
      generate(KSEVENTSETID_PinCapsChange, KSEVENT_PINCAPS_JACKINFOCHANGE, true, 1, false, 0);
      expect(fired()[2]).toBe(true);
      const { status } = rig.machine.process.deviceIoControl(
        rig.filter,
        IOCTL_KS_DISABLE_EVENT,
        volume.data,
        null,
      );
      expect(status).toBe(STATUS_SUCCESS);
      generate(...control, false, 0, false, 0);
      expect(fired()).toEqual([false, true, false]);
      expect(rig.requests.map((request) => request.verb)).toEqual([
        PCEVENT_VERB_ADD,
        PCEVENT_VERB_ADD,
        PCEVENT_VERB_ADD,
        PCEVENT_VERB_REMOVE,
      ]);
      expect(rig.requests[0]).toMatchObject({ node: 0, minorTarget: null });
    });
  });

  it('answer support queries through the handler, and fire once when enabled as one-shot', () => {
    withEvents((rig) => {
      const input = propertyBytes(
        KSEVENTSETID_AudioControlChange,
        KSEVENT_CONTROL_CHANGE,
        KSEVENT_TYPE_BASICSUPPORT,
        {
          node: 0,
        },
      );
      const { status } = rig.machine.process.deviceIoControl(rig.filter, IOCTL_KS_ENABLE_EVENT, input, null);
      expect(status).toBe(STATUS_SUCCESS);
      expect(rig.requests.map((request) => request.verb)).toEqual([PCEVENT_VERB_SUPPORT]);
      const once = enable(
        rig,
        KSEVENTSETID_AudioControlChange,
        KSEVENT_CONTROL_CHANGE,
        KSEVENT_TYPE_ONESHOT,
        { node: 0 },
      );
      const generate = () =>
        rig.machine.kernel.enter(() =>
          rig.events.generateEventList(null, KSEVENT_CONTROL_CHANGE, false, 0, false, 0),
        );
      generate();
      expect(once.fired()).toBe(true);
      generate();
      expect(once.fired()).toBe(false);
    });
  });

  it('generated above DISPATCH_LEVEL come from one DPC with the last call’s arguments', () => {
    withEvents((rig) => {
      const control = [KSEVENTSETID_AudioControlChange, KSEVENT_CONTROL_CHANGE] as const;
      const volume = enable(rig, ...control, KSEVENT_TYPE_ENABLE, { node: 0 });
      const mute = enable(rig, ...control, KSEVENT_TYPE_ENABLE, { node: 1 });
      rig.machine.kernel.enter(() => {
        const old = keRaiseIrql(DEVICE_LEVEL_MIN);
        rig.events.generateEventList(...control, false, 0, true, 0);
        rig.events.generateEventList(...control, false, 0, true, 1);
        expect([volume.fired(), mute.fired()]).toEqual([false, false]);
        keLowerIrql(old);
      });
      expect([volume.fired(), mute.fired()]).toEqual([false, true]);
    });
  });

  it('end with the handle that enabled them', () => {
    withEvents((rig) => {
      enable(rig, KSEVENTSETID_AudioControlChange, KSEVENT_CONTROL_CHANGE, KSEVENT_TYPE_ENABLE, { node: 0 });
      rig.machine.process.closeHandle(rig.filter);
      expect(rig.requests.at(-1)?.verb).toBe(PCEVENT_VERB_REMOVE);
    });
  });
});

describe('a miniport that throws', () => {
  const methods = ['init', 'getDescription'] as const;
  for (const method of methods) {
    it(`in ${method}: a status fails the start, anything else stops the machine and names it`, () => {
      for (const error of [new NtError(STATUS_DEVICE_BUSY), new RangeError('boom')]) {
        class Throwing extends FakeTopology {
          override init(...given: Parameters<FakeTopology['init']>): void {
            if (method === 'init') throw error;
            super.init(...given);
          }
          override getDescription(): PCFILTER_DESCRIPTOR {
            if (method === 'getDescription') throw error;
            return super.getDescription();
          }
        }
        const start = (
          deviceObject: DEVICE_OBJECT,
          irp: Parameters<ReturnType<typeof pcNewPort>['init']>[1],
          list: Parameters<ReturnType<typeof pcNewPort>['init']>[4],
        ) => {
          const miniport = new Throwing();
          const port = pcNewPort(CLSID_PortTopology);
          try {
            port.init(deviceObject, irp, miniport, null, list);
          } finally {
            if (error instanceof NtError) {
              port.release();
              miniport.release();
            }
          }
        };
        if (error instanceof NtError) {
          using machine = new FakeMachine({ startDevice: start });
          expect(machine.node.problem?.status).toBe(STATUS_DEVICE_BUSY);
          expect(machine.end()).toEqual([]);
        } else {
          let stop: BugcheckError | null = null;
          try {
            new FakeMachine({ startDevice: start });
          } catch (thrown) {
            if (thrown instanceof BugcheckError) stop = thrown;
          }
          expect(stop?.bugcheck.driver).toBe('fake');
          expect(stop?.bugcheck.method).toBe(
            `IMiniportTopology::${method.charAt(0).toUpperCase()}${method.slice(1)}`,
          );
        }
      }
    });
  }
});

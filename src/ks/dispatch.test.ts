import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GUID, GUID_NULL } from '../com/index.ts';
import {
  ioCompleteRequest,
  NtError,
  ntStatusName,
  STATUS_BUFFER_OVERFLOW,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_INVALID_BUFFER_SIZE,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_PARAMETER,
  STATUS_NO_MATCH,
  STATUS_NOT_FOUND,
  STATUS_OBJECT_NAME_NOT_FOUND,
  STATUS_PROPSET_NOT_FOUND,
  STATUS_SUCCESS,
} from '../kernel/index.ts';
import * as ks from './index.ts';
import { viewOf } from './layout.ts';
import {
  TEST_ECHO,
  TEST_EVENTS,
  TEST_METHODS,
  TEST_PINS,
  TEST_RAW,
  TEST_READ_ONLY,
  TEST_SET,
  TEST_TEXT,
  TEST_TOPOLOGY,
  TEST_VOLUME,
  TEST_WRITE_ONLY,
  TestFilter,
} from './test-filter.ts';

let filter: TestFilter;
let handle: number;

beforeEach(() => {
  filter = new TestFilter();
  handle = filter.open();
});

afterEach(() => filter.dispose());

/** Sends a property request as bytes; the answer as status name, Information and the output. */
function property(
  set: GUID,
  id: number,
  verb: number,
  room: number | Uint8Array | null,
  target: ks.KsTarget = {},
): { status: string; information: number; output: Uint8Array } {
  return control(ks.IOCTL_KS_PROPERTY, ks.encodeKsRequest(set, id, verb, target), room);
}

function control(code: number, input: Uint8Array | null, room: number | Uint8Array | null) {
  const output = typeof room === 'number' ? new Uint8Array(room) : room;
  const { status, information } = filter.process.deviceIoControl(handle, code, input, output);
  return { status: ntStatusName(status), information, output: output ?? new Uint8Array(0) };
}

const GET = ks.KSPROPERTY_TYPE_GET;
const SET = ks.KSPROPERTY_TYPE_SET;
const BASICSUPPORT = ks.KSPROPERTY_TYPE_BASICSUPPORT;

describe('property requests', () => {
  it('get and set a value of fixed size', () => {
    const value = new Uint8Array(4);
    viewOf(value).setInt32(0, -65536, true);
    expect(property(TEST_SET, TEST_VOLUME, SET, value)).toMatchObject({
      status: 'STATUS_SUCCESS',
      information: 0,
    });
    const answer = property(TEST_SET, TEST_VOLUME, GET, 4);
    expect(answer).toMatchObject({ status: 'STATUS_SUCCESS', information: 4 });
    expect(viewOf(answer.output).getInt32(0, true)).toBe(-65536);
  });

  it('answer a size query with the size, a short buffer with STATUS_BUFFER_TOO_SMALL, a long one with what there is', () => {
    expect(property(TEST_SET, TEST_VOLUME, GET, null)).toMatchObject({
      status: 'STATUS_BUFFER_OVERFLOW',
      information: 4,
    });
    expect(property(TEST_SET, TEST_VOLUME, GET, 3)).toMatchObject({
      status: 'STATUS_BUFFER_TOO_SMALL',
      information: 0,
    });
    expect(property(TEST_SET, TEST_VOLUME, GET, 100)).toMatchObject({
      status: 'STATUS_SUCCESS',
      information: 4,
    });
    expect(property(TEST_SET, TEST_TEXT, GET, null)).toMatchObject({
      status: 'STATUS_BUFFER_OVERFLOW',
      information: 10,
    });
    expect(property(TEST_SET, TEST_TEXT, GET, 9)).toMatchObject({
      status: 'STATUS_BUFFER_TOO_SMALL',
      information: 0,
    });
    expect(property(TEST_SET, TEST_TEXT, GET, 10)).toMatchObject({
      status: 'STATUS_SUCCESS',
      information: 10,
    });
  });

  it.each([
    ['a set that is too short', TEST_SET, TEST_VOLUME, SET, 3, STATUS_BUFFER_TOO_SMALL],
    ['a set without data', TEST_SET, TEST_VOLUME, SET, null, STATUS_BUFFER_TOO_SMALL],
    ['a get of what cannot be read', TEST_SET, TEST_WRITE_ONLY, GET, 4, STATUS_INVALID_DEVICE_REQUEST],
    ['a set of what cannot be set', TEST_SET, TEST_READ_ONLY, SET, 4, STATUS_INVALID_DEVICE_REQUEST],
    ['less input than the item wants', TEST_SET, TEST_READ_ONLY, GET, 4, STATUS_INVALID_BUFFER_SIZE],
    ['an unknown id', TEST_SET, 77, GET, 4, STATUS_NOT_FOUND],
    ['an unknown set', new GUID(9, 9, 9, 9), 1, GET, 4, STATUS_PROPSET_NOT_FOUND],
    ['GUID_NULL', GUID_NULL, 1, GET, 4, STATUS_PROPSET_NOT_FOUND],
    ['two accesses at once', TEST_SET, TEST_VOLUME, GET | SET, 4, STATUS_INVALID_PARAMETER],
    ['no access', TEST_SET, TEST_VOLUME, 0, 4, STATUS_INVALID_PARAMETER],
    ['a flag that does not exist', TEST_SET, TEST_VOLUME, 0x40000000, 4, STATUS_INVALID_PARAMETER],
    [
      'default values where there are none',
      TEST_SET,
      TEST_TEXT,
      ks.KSPROPERTY_TYPE_DEFAULTVALUES,
      64,
      STATUS_NOT_FOUND,
    ],
    [
      'raw serialization without a handler',
      TEST_SET,
      TEST_VOLUME,
      ks.KSPROPERTY_TYPE_SERIALIZERAW,
      64,
      STATUS_INVALID_DEVICE_REQUEST,
    ],
  ])('refuse %s', (_what, set, id, verb, room, status) => {
    expect(property(set, id, verb, room).status).toBe(ntStatusName(status));
    expect(property(set, id, verb, room).information).toBe(0);
  });

  it('refuse an input that is shorter than its head', () => {
    for (const length of [0, 1, 23]) {
      expect(control(ks.IOCTL_KS_PROPERTY, new Uint8Array(length), 4).status).toBe(
        'STATUS_INVALID_BUFFER_SIZE',
      );
    }
    expect(control(ks.IOCTL_KS_PROPERTY, null, 4).status).toBe('STATUS_INVALID_BUFFER_SIZE');
    const nodeRequest = ks.encodeKsRequest(TEST_SET, TEST_VOLUME, GET, { node: 0 }).subarray(0, 31);
    expect(control(ks.IOCTL_KS_PROPERTY, nodeRequest, 4).status).toBe('STATUS_INVALID_BUFFER_SIZE');
  });

  it('pass the driver’s own status on', () => {
    const value = new Uint8Array([1, 0, 0, 0]);
    expect(property(TEST_SET, TEST_VOLUME, SET, value).status).toBe('STATUS_INVALID_PARAMETER');
    expect(property(TEST_SET, TEST_RAW, GET, 4).status).toBe('STATUS_NOT_IMPLEMENTED');
  });

  it('survive input and output in one buffer', () => {
    const shared = ks.encodeKsRequest(TEST_SET, TEST_READ_ONLY, GET, {
      instance: new Uint8Array([5, 0, 0, 0, 0, 0, 0, 0]),
    });
    const { status } = filter.process.deviceIoControl(handle, ks.IOCTL_KS_PROPERTY, shared, shared);
    expect(status).toBe(STATUS_SUCCESS);
    expect(viewOf(shared).getUint32(0, true)).toBe(5);
  });

  it('go to a node with the topology flag', () => {
    const target = { node: 0, channel: 1 };
    const answer = property(ks.KSPROPSETID_Audio, ks.KSPROPERTY_AUDIO_VOLUMELEVEL, GET, 4, target);
    expect(answer.status).toBe('STATUS_SUCCESS');
    expect(viewOf(answer.output).getUint32(0, true)).toBe(1);
    expect(
      property(ks.KSPROPSETID_Audio, ks.KSPROPERTY_AUDIO_VOLUMELEVEL, GET, 4, { node: 1, channel: 0 }).status,
    ).toBe('STATUS_PROPSET_NOT_FOUND');
    expect(
      property(ks.KSPROPSETID_Audio, ks.KSPROPERTY_AUDIO_VOLUMELEVEL, GET, 4, { node: 2, channel: 0 }).status,
    ).toBe('STATUS_INVALID_PARAMETER');
    expect(property(ks.KSPROPSETID_Audio, ks.KSPROPERTY_AUDIO_VOLUMELEVEL, GET, 4, { node: 0 }).status).toBe(
      'STATUS_INVALID_BUFFER_SIZE',
    );
    // Without the flag the filter itself is asked, which has no such set.
    expect(property(ks.KSPROPSETID_Audio, ks.KSPROPERTY_AUDIO_VOLUMELEVEL, GET, 4).status).toBe(
      'STATUS_PROPSET_NOT_FOUND',
    );
  });
});

describe('support requests', () => {
  it('SETSUPPORT succeeds for known sets and lists them for GUID_NULL', () => {
    expect(property(TEST_SET, 0, ks.KSPROPERTY_TYPE_SETSUPPORT, null).status).toBe('STATUS_SUCCESS');
    expect(property(new GUID(9, 9, 9, 9), 0, ks.KSPROPERTY_TYPE_SETSUPPORT, null).status).toBe(
      'STATUS_PROPSET_NOT_FOUND',
    );
    expect(property(GUID_NULL, 0, ks.KSPROPERTY_TYPE_SETSUPPORT, null)).toMatchObject({
      status: 'STATUS_BUFFER_OVERFLOW',
      information: 48,
    });
    const { output } = property(GUID_NULL, 0, ks.KSPROPERTY_TYPE_SETSUPPORT, 48);
    expect([0, 16, 32].map((at) => GUID.read(viewOf(output), at).toString())).toEqual(
      [ks.KSPROPSETID_Pin, ks.KSPROPSETID_Topology, TEST_SET].map(String),
    );
  });

  it('BASICSUPPORT answers in the size that there is room for', () => {
    // 40 bytes head, 16 + 16 stepped range, 16 + 4 default value.
    expect(property(TEST_SET, TEST_VOLUME, BASICSUPPORT, null)).toMatchObject({
      status: 'STATUS_BUFFER_OVERFLOW',
      information: 92,
    });
    const flags = property(TEST_SET, TEST_VOLUME, BASICSUPPORT, 4);
    expect(flags).toMatchObject({ status: 'STATUS_SUCCESS', information: 4 });
    expect(viewOf(flags.output).getUint32(0, true)).toBe(GET | SET);
    expect(property(TEST_SET, TEST_VOLUME, BASICSUPPORT, 3).status).toBe('STATUS_BUFFER_TOO_SMALL');
    const head = property(TEST_SET, TEST_VOLUME, BASICSUPPORT, 40);
    expect(head).toMatchObject({ status: 'STATUS_SUCCESS', information: 40 });
    expect(viewOf(head.output).getUint32(4, true)).toBe(92);
    expect(property(TEST_SET, TEST_VOLUME, BASICSUPPORT, 91).information).toBe(40);
    expect(property(TEST_SET, TEST_VOLUME, BASICSUPPORT, 200).information).toBe(92);
    expect(viewOf(property(TEST_SET, TEST_READ_ONLY, BASICSUPPORT, 4).output).getUint32(0, true)).toBe(GET);
    expect(viewOf(property(TEST_SET, TEST_WRITE_ONLY, BASICSUPPORT, 4).output).getUint32(0, true)).toBe(SET);
  });

  it('comes to clients as objects', () => {
    const support = ks.ksBasicSupport(filter.process, handle, TEST_SET, TEST_VOLUME);
    expect(support?.propTypeSet).toEqual(ks.generalType(ks.VT_I4));
    expect(ks.steppedRangesOf(support!.membersList[0]!)).toEqual([
      { steppingDelta: 0x8000, bounds: { signedMinimum: -96 * 65536, signedMaximum: 0 } },
    ]);
    expect(ks.ksBasicSupport(filter.process, handle, TEST_SET, 99)).toBeNull();
    const node = ks.ksBasicSupport(
      filter.process,
      handle,
      ks.KSPROPSETID_Audio,
      ks.KSPROPERTY_AUDIO_VOLUMELEVEL,
      { node: 0, channel: 0 },
    );
    expect(node?.membersList[0]?.membersHeader).toMatchObject({
      membersCount: 2,
      flags: ks.KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_MULTICHANNEL,
    });
  });

  it('DEFAULTVALUES gives the members that are marked as defaults', () => {
    const defaults = ks.ksDefaultValues(filter.process, handle, TEST_SET, TEST_VOLUME);
    expect(defaults?.membersList).toHaveLength(1);
    expect(viewOf(defaults!.membersList[0]!.members).getInt32(0, true)).toBe(-6 * 65536);
  });

  it('RELATIONS gives size, size and count, or everything', () => {
    expect(property(TEST_SET, TEST_VOLUME, ks.KSPROPERTY_TYPE_RELATIONS, null)).toMatchObject({
      status: 'STATUS_BUFFER_OVERFLOW',
      information: 32,
    });
    expect(
      viewOf(property(TEST_SET, TEST_VOLUME, ks.KSPROPERTY_TYPE_RELATIONS, 4).output).getUint32(0, true),
    ).toBe(32);
    const head = property(TEST_SET, TEST_VOLUME, ks.KSPROPERTY_TYPE_RELATIONS, 8);
    expect(head).toMatchObject({ status: 'STATUS_SUCCESS', information: 8 });
    expect([...new Uint32Array(head.output.slice().buffer)]).toEqual([32, 1]);
    expect(property(TEST_SET, TEST_VOLUME, ks.KSPROPERTY_TYPE_RELATIONS, 20).status).toBe(
      'STATUS_BUFFER_TOO_SMALL',
    );
    expect(ks.ksRelations(filter.process, handle, TEST_SET, TEST_VOLUME)).toEqual([
      { set: TEST_SET, id: TEST_READ_ONLY, flags: 0 },
    ]);
    expect(ks.ksRelations(filter.process, handle, TEST_SET, TEST_TEXT)).toEqual([]);
  });

  it('a support handler comes first, and leaves the rest to the defaults', () => {
    expect(property(TEST_SET, TEST_RAW, ks.KSPROPERTY_TYPE_SERIALIZERAW, null)).toMatchObject({
      status: 'STATUS_BUFFER_OVERFLOW',
      information: 3,
    });
    expect([...property(TEST_SET, TEST_RAW, ks.KSPROPERTY_TYPE_SERIALIZERAW, 3).output]).toEqual([1, 2, 3]);
    expect(property(TEST_SET, TEST_RAW, ks.KSPROPERTY_TYPE_UNSERIALIZERAW, 3).status).toBe('STATUS_SUCCESS');
    expect(property(TEST_SET, TEST_RAW, BASICSUPPORT, 4).status).toBe('STATUS_SUCCESS');
  });
});

describe('serialization', () => {
  it('takes a set’s values out and brings them back', () => {
    fc.assert(
      fc.property(fc.integer({ min: -6_000_000, max: 0 }), fc.string({ maxLength: 12 }), (volume, text) => {
        filter.volume = volume;
        filter.text = text.replaceAll('\0', '');
        const kept = filter.text;
        const { information: size } = property(TEST_SET, 0, ks.KSPROPERTY_TYPE_SERIALIZESET, null);
        const { output, status } = property(TEST_SET, 0, ks.KSPROPERTY_TYPE_SERIALIZESET, size);
        expect(status).toBe('STATUS_SUCCESS');
        expect(ks.KSPROPERTY_SERIALHDR.decode(output)).toEqual({ propertySet: TEST_SET, count: 2 });
        filter.volume = -1;
        filter.text = 'other';
        expect(property(TEST_SET, 0, ks.KSPROPERTY_TYPE_UNSERIALIZESET, output).status).toBe(
          'STATUS_SUCCESS',
        );
        expect(filter.volume).toBe(volume);
        expect(filter.text).toBe(kept);
      }),
    );
  });

  it('tells the size of one property', () => {
    expect(
      viewOf(property(TEST_SET, TEST_VOLUME, ks.KSPROPERTY_TYPE_SERIALIZESIZE, 4).output).getUint32(0, true),
    ).toBe(4);
    expect(
      viewOf(property(TEST_SET, TEST_READ_ONLY, ks.KSPROPERTY_TYPE_SERIALIZESIZE, 4).output).getUint32(
        0,
        true,
      ),
    ).toBe(0);
  });

  it('refuses damaged buffers with a status', () => {
    const whole = property(TEST_SET, 0, ks.KSPROPERTY_TYPE_SERIALIZESET, 200);
    const good = whole.output.subarray(0, whole.information);
    fc.assert(
      fc.property(fc.nat(good.byteLength - 1), fc.nat(255), fc.nat(good.byteLength), (at, value, length) => {
        const bytes = good.slice(0, length);
        if (at < length) bytes[at] = value;
        expect(property(TEST_SET, 0, ks.KSPROPERTY_TYPE_UNSERIALIZESET, bytes).status).toMatch(/^STATUS_/);
      }),
    );
    const foreign = good.slice();
    foreign[0] = 0xee;
    expect(property(TEST_SET, 0, ks.KSPROPERTY_TYPE_UNSERIALIZESET, foreign).status).toBe(
      'STATUS_INVALID_PARAMETER',
    );
  });
});

describe('the pin set', () => {
  const client = () => filter.process;

  it('describes the pin factories', () => {
    expect(ks.ksGetPinCount(client(), handle)).toBe(3);
    expect(ks.ksGetPinDataFlow(client(), handle, 0)).toBe(ks.KSPIN_DATAFLOW_IN);
    expect(ks.ksGetPinCommunication(client(), handle, 1)).toBe(ks.KSPIN_COMMUNICATION_NONE);
    expect(ks.ksGetPinCategory(client(), handle, 1)).toEqual(ks.KSNODETYPE_SPEAKER);
    expect(ks.ksGetPinName(client(), handle, 1)).toBe('KSAUDFNAME_WAVE_OUT_MIX');
    expect(ks.ksGetPinName(client(), handle, 0)).toBe('KSCATEGORY_AUDIO');
    expect(ks.ksGetPinInterfaces(client(), handle, 0)).toEqual([ks.STANDARD_STREAMING_INTERFACE]);
    expect(ks.ksGetPinMediums(client(), handle, 0)).toEqual([ks.STANDARD_DEVIO_MEDIUM]);
    expect(ks.ksGetPinInstances(client(), handle, 0)).toEqual({ possibleCount: 1, currentCount: 0 });
    expect(ks.ksGetPinDataRanges(client(), handle, 0)).toEqual(TEST_PINS[0]?.dataRanges);
    expect(ks.ksGetPinPhysicalConnection(client(), handle, 1)).toEqual({
      pin: 3,
      symbolicLinkName: '\\??\\other',
    });
    expect(ks.ksGetPinPhysicalConnection(client(), handle, 0)).toBeNull();
  });

  it('gives the head of a list to a buffer of 8 bytes', () => {
    const { output, information } = property(ks.KSPROPSETID_Pin, ks.KSPROPERTY_PIN_DATARANGES, GET, 8, {
      pin: 0,
    });
    expect(information).toBe(8);
    expect([...new Uint32Array(output.slice().buffer)]).toEqual([8 + 2 * 88, 2]);
  });

  it('knows no pin beyond the last', () => {
    expect(property(ks.KSPROPSETID_Pin, ks.KSPROPERTY_PIN_DATAFLOW, GET, 4, { pin: 3 }).status).toBe(
      'STATUS_INVALID_PARAMETER',
    );
    expect(property(ks.KSPROPSETID_Pin, ks.KSPROPERTY_PIN_DATAFLOW, GET, 4, { pin: 0xffffffff }).status).toBe(
      'STATUS_INVALID_PARAMETER',
    );
    expect(property(ks.KSPROPSETID_Pin, ks.KSPROPERTY_PIN_DATAFLOW, GET, 4).status).toBe(
      'STATUS_INVALID_BUFFER_SIZE',
    );
    // Counts on all filters are not offered here.
    expect(property(ks.KSPROPSETID_Pin, ks.KSPROPERTY_PIN_GLOBALCINSTANCES, GET, 8, { pin: 0 }).status).toBe(
      'STATUS_NOT_FOUND',
    );
  });

  it('intersects each range of the client with each of the pin, in order', () => {
    const wanted = ks.audioDataRange({
      maximumChannels: 6,
      minimumBitsPerSample: 8,
      maximumBitsPerSample: 32,
      minimumSampleFrequency: 1,
      maximumSampleFrequency: 192000,
    });
    expect(ks.describeFormat(ks.ksGetDataIntersection(client(), handle, 0, [wanted]))).toBe(
      '48000 Hz, 2 channels, 16 bits',
    );
    // The pin's DSOUND range comes first, for a client that takes any specifier.
    const any = { ...wanted, specifier: ks.KSDATAFORMAT_SPECIFIER_WILDCARD };
    expect(ks.ksGetDataIntersection(client(), handle, 0, [any]).specifier).toEqual(
      ks.KSDATAFORMAT_SPECIFIER_DSOUND,
    );
    // The client's order counts before the pin's.
    const tooFast = { ...wanted, minimumSampleFrequency: 96000 };
    expect(ks.ksGetDataIntersection(client(), handle, 0, [tooFast, wanted, any]).specifier).toEqual(
      ks.KSDATAFORMAT_SPECIFIER_WAVEFORMATEX,
    );
    expect(statusOf(() => ks.ksGetDataIntersection(client(), handle, 0, [tooFast]))).toBe(STATUS_NO_MATCH);
    expect(statusOf(() => ks.ksGetDataIntersection(client(), handle, 0, []))).toBe(STATUS_NO_MATCH);
    expect(statusOf(() => ks.ksGetDataIntersection(client(), handle, 1, [wanted]))).toBe(STATUS_NO_MATCH);
  });

  it('answers an intersection’s size query and short buffer', () => {
    const range = TEST_PINS[2]?.dataRanges[0] as ks.KSDATARANGE;
    const target = { pin: 0, instance: ks.encodeDataRanges([range]) };
    const ask = (room: number | null) =>
      property(ks.KSPROPSETID_Pin, ks.KSPROPERTY_PIN_DATAINTERSECTION, GET, room, target);
    expect(ask(null)).toMatchObject({ status: 'STATUS_BUFFER_OVERFLOW', information: 82 });
    expect(ask(81)).toMatchObject({ status: 'STATUS_BUFFER_TOO_SMALL', information: 0 });
    expect(ask(82)).toMatchObject({ status: 'STATUS_SUCCESS', information: 82 });
  });

  it('judges proposed formats by the ranges', () => {
    ks.ksProposeDataFormat(client(), handle, 0, ks.pcmFormat(44100, 2, 16));
    expect(statusOf(() => ks.ksProposeDataFormat(client(), handle, 0, ks.pcmFormat(96000, 2, 16)))).toBe(
      STATUS_NO_MATCH,
    );
    expect(statusOf(() => ks.ksProposeDataFormat(client(), handle, 0, ks.floatFormat(44100, 2)))).toBe(
      STATUS_NO_MATCH,
    );
    expect(
      property(ks.KSPROPSETID_Pin, ks.KSPROPERTY_PIN_PROPOSEDATAFORMAT, SET, 20, { pin: 0 }).status,
    ).toBe('STATUS_BUFFER_TOO_SMALL');
  });

  it('lists a mode’s formats', () => {
    const mode = new Uint8Array(16);
    ks.AUDIO_SIGNALPROCESSINGMODE_DEFAULT.write(viewOf(mode), 0);
    const bytes = ks.ksGetProperty(client(), handle, ks.KSPROPSETID_Pin, ks.KSPROPERTY_PIN_MODEDATAFORMATS, {
      pin: 0,
      instance: mode,
    });
    expect(ks.decodeModeDataFormats(bytes)).toEqual([ks.pcmFormat(48000, 2, 16)]);
  });
});

describe('the topology set', () => {
  it('lists categories, nodes, connections and names', () => {
    const client = filter.process;
    expect(ks.ksGetCategories(client, handle)).toEqual(TEST_TOPOLOGY.categories);
    expect(ks.ksGetNodes(client, handle)).toEqual(TEST_TOPOLOGY.topologyNodes);
    expect(ks.ksGetConnections(client, handle)).toEqual(TEST_TOPOLOGY.topologyConnections);
    const name = (node: number) =>
      property(ks.KSPROPSETID_Topology, ks.KSPROPERTY_TOPOLOGY_NAME, GET, 200, { pin: node });
    expect(ks.decodeWideString(name(0).output)).toBe('KSAUDFNAME_WAVE_VOLUME');
    expect(ks.decodeWideString(name(1).output)).toBe('KSNODETYPE_SUM');
    expect(name(2).status).toBe('STATUS_INVALID_PARAMETER');
  });
});

describe('creating objects', () => {
  it('finds create items by class name, without regard to case', () => {
    expect(() => filter.open('WAVE')).not.toThrow();
    expect(statusOf(() => filter.open('Topology'))).toBe(STATUS_OBJECT_NAME_NOT_FOUND);
    expect(statusOf(() => filter.open(''))).toBe(STATUS_OBJECT_NAME_NOT_FOUND);
  });

  it('opens a pin whose request suits the factory', () => {
    const format = ks.pcmFormat(44100, 2, 16);
    const pin = ks.ksCreatePin(filter.process, handle, ks.standardPinConnect(0, format));
    expect(filter.format).toEqual(format);
    ks.ksSetState(filter.process, pin, ks.KSSTATE_RUN);
    expect(ks.ksGetState(filter.process, pin)).toBe(ks.KSSTATE_RUN);
    expect(ks.ksGetDataFormat(filter.process, pin)).toEqual(format);
    ks.ksSetDataFormat(filter.process, pin, ks.pcmFormat(22050, 1, 8));
    expect(filter.format).toEqual(ks.pcmFormat(22050, 1, 8));
    expect(
      statusOf(() =>
        ks.ksSetLong(filter.process, pin, ks.KSPROPSETID_Connection, ks.KSPROPERTY_CONNECTION_STATE, 4),
      ),
    ).toBe(STATUS_INVALID_PARAMETER);
    filter.process.closeHandle(pin);
  });

  it.each([
    ['no such pin', (c: ks.KSPIN_CONNECT) => ({ ...c, pinId: 3 }), STATUS_INVALID_PARAMETER],
    ['a pin that is wiring', (c: ks.KSPIN_CONNECT) => ({ ...c, pinId: 1 }), STATUS_INVALID_DEVICE_REQUEST],
    ['a source without a peer', (c: ks.KSPIN_CONNECT) => ({ ...c, pinId: 2 }), STATUS_INVALID_PARAMETER],
    ['a peer for a sink', (c: ks.KSPIN_CONNECT) => ({ ...c, pinToHandle: 8 }), STATUS_INVALID_PARAMETER],
    [
      'another interface',
      (c: ks.KSPIN_CONNECT) => ({ ...c, interface: { ...c.interface, id: 1 } }),
      STATUS_NO_MATCH,
    ],
    [
      'another medium',
      (c: ks.KSPIN_CONNECT) => ({ ...c, medium: { ...c.medium, set: ks.KSMEDIUMSETID_MidiBus } }),
      STATUS_NO_MATCH,
    ],
    [
      'another format',
      (c: ks.KSPIN_CONNECT) => ({ ...c, dataFormat: ks.floatFormat(44100, 2) }),
      STATUS_NO_MATCH,
    ],
  ])('refuses %s', (_what, change, status) => {
    const connect = change(ks.standardPinConnect(0, ks.pcmFormat(44100, 2, 16)));
    expect(statusOf(() => ks.ksCreatePin(filter.process, handle, connect))).toBe(status);
  });

  it('refuses a damaged request with a status, whatever the damage', () => {
    const bytes = ks.encodePinConnect(ks.standardPinConnect(0, ks.pcmFormat(44100, 2, 16)));
    fc.assert(
      fc.property(
        fc.nat(bytes.byteLength),
        fc.nat(bytes.byteLength - 1),
        fc.nat(255),
        (length, at, value) => {
          const damaged = bytes.slice(0, length);
          if (at < length) damaged[at] = value;
          try {
            filter.process.closeHandle(
              filter.process.createFile(ks.createRequestName(ks.KSSTRING_Pin, damaged), handle),
            );
          } catch (error) {
            expect(error).toBeInstanceOf(NtError);
          }
        },
      ),
    );
    expect(statusOf(() => filter.process.createFile(ks.KSSTRING_Pin, handle))).toBe(STATUS_INVALID_PARAMETER);
    expect(statusOf(() => filter.process.createFile(`${ks.KSSTRING_Pin}\\`, handle))).toBe(
      STATUS_BUFFER_TOO_SMALL,
    );
    expect(statusOf(() => filter.process.createFile(`${ks.KSSTRING_Clock}\\`, handle))).toBe(
      STATUS_OBJECT_NAME_NOT_FOUND,
    );
  });
});

describe('methods', () => {
  it('are called, with sizes checked', () => {
    const data = new Uint8Array([41, 0, 0, 0]);
    expect(ks.ksMethod(filter.process, handle, TEST_METHODS, 0, data)).toBe(4);
    expect(data[0]).toBe(42);
    const send = (id: number, room: number | null, verb: number = ks.KSMETHOD_TYPE_SEND) =>
      control(ks.IOCTL_KS_METHOD, ks.encodeKsRequest(TEST_METHODS, id, verb), room);
    expect(send(0, 3).status).toBe('STATUS_BUFFER_TOO_SMALL');
    expect(send(0, null)).toMatchObject({ status: 'STATUS_BUFFER_OVERFLOW', information: 4 });
    expect(send(9, 4).status).toBe('STATUS_NOT_FOUND');
    expect(send(0, 4, ks.KSMETHOD_TYPE_SETSUPPORT).status).toBe('STATUS_SUCCESS');
    expect(viewOf(send(0, 4, ks.KSMETHOD_TYPE_BASICSUPPORT).output).getUint32(0, true)).toBe(
      ks.KSMETHOD_TYPE_MODIFY,
    );
    expect(send(0, 4, 0x4000).status).toBe('STATUS_INVALID_PARAMETER');
  });

  it('may be pended', () => {
    const results: number[] = [];
    filter.process.deviceIoControlAsync(
      handle,
      ks.IOCTL_KS_METHOD,
      ks.encodeKsRequest(TEST_METHODS, TEST_ECHO, ks.KSMETHOD_TYPE_SEND),
      null,
      (status) => {
        results.push(status);
      },
    );
    expect(results).toEqual([]);
    filter.kernel.enter(() => {
      const irp = filter.pending.pop();
      if (irp === undefined) throw new Error('nothing is pending');
      irp.ioStatus.status = STATUS_BUFFER_OVERFLOW;
      ioCompleteRequest(irp);
    });
    filter.kernel.runFor(0);
    expect(results).toEqual([STATUS_BUFFER_OVERFLOW]);
  });
});

describe('whatever a client sends', () => {
  it('is answered with a status, and writes nothing beyond the buffer', () => {
    const sets = [
      TEST_SET,
      TEST_EVENTS,
      TEST_METHODS,
      ks.KSPROPSETID_Pin,
      ks.KSPROPSETID_Topology,
      ks.KSPROPSETID_Audio,
      GUID_NULL,
      ks.KSPROPSETID_Connection,
    ];
    const codes = [
      ks.IOCTL_KS_PROPERTY,
      ks.IOCTL_KS_METHOD,
      ks.IOCTL_KS_ENABLE_EVENT,
      ks.IOCTL_KS_DISABLE_EVENT,
      ks.IOCTL_KS_READ_STREAM,
      ks.IOCTL_KS_WRITE_STREAM,
      ks.IOCTL_KS_RESET_STATE,
      0x2f0123,
    ];
    const verb = fc.oneof(
      fc.integer({ min: 0, max: 31 }).map((bit) => (1 << bit) >>> 0),
      fc.nat(0xffff_ffff),
    );
    const request = fc
      .tuple(
        fc.constantFrom(...sets),
        fc.oneof(fc.nat(20), fc.nat(0xffff_ffff)),
        verb,
        fc.boolean(),
        fc.uint8Array({ maxLength: 120 }),
      )
      .map(([set, id, flags, topology, instance]) =>
        ks.encodeKsRequest(set, id, topology ? (flags | ks.KSPROPERTY_TYPE_TOPOLOGY) >>> 0 : flags, {
          instance,
        }),
      );
    const pin = ks.ksCreatePin(filter.process, handle, ks.standardPinConnect(0, ks.pcmFormat(44100, 2, 16)));
    fc.assert(
      fc.property(
        fc.constantFrom(...codes),
        fc.oneof(request, fc.uint8Array({ maxLength: 80 }), fc.constant(null)),
        fc.nat(130),
        fc.boolean(),
        fc.boolean(),
        (code, input, room, toPin, share) => {
          const guarded = new Uint8Array(room + 16).fill(0xa5);
          const output = room === 0 ? null : guarded.subarray(8, 8 + room);
          const sent =
            share && input !== null && output !== null && input.byteLength <= room ? output : input;
          if (sent === output && input !== null) output?.set(input);
          const { status, information } = filter.process.deviceIoControl(
            toPin ? pin : handle,
            code,
            sent,
            output,
          );
          expect(ntStatusName(status)).toMatch(/^STATUS_/);
          if (status === STATUS_SUCCESS) expect(information).toBeLessThanOrEqual(room);
          expect(
            [...guarded.subarray(0, 8), ...guarded.subarray(8 + room)].every((byte) => byte === 0xa5),
          ).toBe(true);
          for (const irp of filter.pending.splice(0)) {
            filter.kernel.enter(() => ioCompleteRequest(irp));
          }
        },
      ),
      { numRuns: 3000 },
    );
  });
});

function statusOf(fn: () => unknown): number | null {
  try {
    fn();
    return null;
  } catch (error) {
    if (error instanceof NtError) return error.status;
    throw error;
  }
}
